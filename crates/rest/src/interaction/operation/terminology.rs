//! The terminology service: what codes are, which of them value sets hold, how they relate and translate.
//!
//! What is loaded is public to every caller with a token who may read the type; what is stored is used as far as
//! the caller may search and read it, by id or by canonical: a hidden one is not found, as an absent one, and the
//! answer leaves at a step of time ([`crate::held`]). A code that cannot be checked here is an error that says so,
//! never "wrong".
//! SPEC: R4 terminology-service.html. Left out: stored value sets that others import, hierarchical expansions,
//! `date`, `dependency` of `$translate`.

use super::{
    super::{Answer, Call, canonical, resource::no_parameters},
    Inputs, missing, stored, wrong,
};
use crate::{body::Content, failure::Failure, limits, trail::Trail, wire::Reply};
use fhir::{
    LogicalId, ResourceType,
    json::{Tree, Value, Writer},
};
use std::{cell::OnceCell, collections::BTreeSet, sync::Arc};
use store::Snapshot;
use terminology::{
    Beside, CodeOptions, CodeSystem, Coding, ExpandOptions, GivenMap, OperationError, Terminology, TranslateOptions,
    ValueSetHandle,
};

/// Does the operation of this name.
pub(in crate::interaction) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: Option<&LogicalId>,
    name: &'static str,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let body = match content {
        Content::Nothing => None,
        content => Some(content.into_json()?),
    };
    let snapshot = OnceCell::new();
    let at = || snapshot.get_or_init(|| call.service.snapshot());
    let own = id.map(|id| stored(call, at(), kind, id, trail)).transpose()?;
    let asked = Asked { call, body: body.as_ref(), own: own.as_ref(), snapshot: &snapshot };
    let mut w = Writer::new();
    match (kind.name(), name) {
        ("CodeSystem", "lookup") => asked.lookup(&mut w)?,
        ("CodeSystem", "validate-code") => asked.validate_in_system(&mut w)?,
        ("CodeSystem", "subsumes") => asked.subsumes(&mut w)?,
        ("ValueSet", "expand") => asked.expand(&mut w)?,
        ("ValueSet", "validate-code") => asked.validate_in_set(&mut w)?,
        ("ConceptMap", "translate") => asked.translate(&mut w)?,
        // The table of routes has no other.
        _ => no_parameters(call).and(Err(Failure::UnknownPath))?,
    }
    Ok(Answer::read(Reply::document(w.into_bytes())))
}

/// One call.
struct Asked<'a> {
    call: &'a Call<'a>,
    body: Option<&'a Tree>,
    /// The instance.
    own: Option<&'a Tree>,
    /// The one snapshot of the call, taken when something stored is looked for.
    snapshot: &'a OnceCell<Snapshot>,
}

/// A code of the request.
struct Code {
    system: Option<String>,
    version: Option<String>,
    code: String,
    display: Option<String>,
}

impl Code {
    fn of(value: Value<'_>, name: &'static str) -> Result<Self, Failure> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(std::borrow::Cow::into_owned);
        let code = text("code").ok_or_else(|| wrong(name, "is a Coding with a code"))?;
        Ok(Self { system: text("system"), version: text("version"), code, display: text("display") })
    }

    fn as_coding(&self) -> Coding<'_> {
        Coding {
            system: self.system.as_deref(),
            version: self.version.as_deref(),
            code: &self.code,
            display: self.display.as_deref(),
        }
    }
}

/// What is loaded, or that and a code system beside it.
enum Known {
    Loaded(&'static Terminology),
    Beside(Box<Terminology>),
}

impl std::ops::Deref for Known {
    type Target = Terminology;

    fn deref(&self) -> &Terminology {
        match self {
            Self::Loaded(terminology) => terminology,
            Self::Beside(terminology) => terminology,
        }
    }
}

impl Asked<'_> {
    fn loaded(&self) -> &'static Terminology {
        (self.call.service.parts.checks.validator)().terminology()
    }

    fn inputs(&self, names: &[&str]) -> Result<Inputs, Failure> {
        Inputs::of(self.call, self.body, names)
    }

    fn snapshot(&self) -> &Snapshot {
        self.snapshot.get_or_init(|| self.call.service.snapshot())
    }

    fn stored(&self, kind: &str, canonical: &str) -> Option<Tree> {
        let kind = ResourceType::parse(kind).ok()?;
        canonical::stored(self.call, self.snapshot(), kind, canonical).and_then(canonical::tree)
    }

    /// What is loaded and this CodeSystem.
    fn beside(&self, resource: &Tree) -> Result<Known, Failure> {
        let system = CodeSystem::of_resource(resource.root())?;
        Ok(Known::Beside(Box::new(self.loaded().beside(vec![Arc::new(system)]))))
    }

    /// What knows the system that a code names; without one, the instance's.
    fn knows(&self, inputs: &Inputs, codes: &mut [Code]) -> Result<Known, Failure> {
        if let Some(resource) = self.own.or(inputs.whole("codeSystem")?) {
            let url = resource.root().get("url").and_then(Value::as_str).unwrap_or_default();
            for code in codes {
                let system = code.system.get_or_insert_with(|| url.clone().into_owned());
                if *system != url {
                    return Err(wrong("system", "is not that of this CodeSystem"));
                }
            }
            return self.beside(resource);
        }
        let loaded = self.loaded();
        if let Some(Code { system: Some(system), version, .. }) = codes.first()
            && loaded.code_system(system).is_none()
        {
            let canonical = version.as_ref().map_or_else(|| system.clone(), |version| format!("{system}|{version}"));
            if let Some(resource) = self.stored("CodeSystem", &canonical) {
                return self.beside(&resource);
            }
        }
        Ok(Known::Loaded(loaded))
    }

    /// The codes asked about: `code` with its system, `coding`, or `codeableConcept`.
    fn codes(&self, inputs: &Inputs, system: &'static str, version: &'static str) -> Result<Vec<Code>, Failure> {
        let plain = inputs.text("code")?;
        let coding = inputs.whole("coding")?;
        let concept = inputs.whole("codeableConcept")?;
        if [plain.is_some(), coding.is_some(), concept.is_some()].iter().filter(|given| **given).count() != 1 {
            return Err(missing("code", "exactly one of code, coding and codeableConcept is needed"));
        }
        if let Some(code) = plain {
            let text = |name| inputs.text(name).map(|text| text.map(str::to_owned));
            let (system, version) = (text(system)?, text(version)?);
            return Ok(vec![Code { system, version, code: code.to_owned(), display: text("display")? }]);
        }
        if let Some(coding) = coding {
            return Ok(vec![Code::of(coding.root(), "coding")?]);
        }
        let codings = concept.into_iter().flat_map(|one| one.root().get("coding")).flat_map(Value::items);
        let codes = codings.map(|one| Code::of(one, "codeableConcept")).collect::<Result<Vec<_>, _>>()?;
        if codes.is_empty() { Err(wrong("codeableConcept", "has at least one coding")) } else { Ok(codes) }
    }

    fn lookup(&self, w: &mut Writer) -> Result<(), Failure> {
        let inputs = self.inputs(&["code", "system", "version", "coding", "displayLanguage", "property"])?;
        let mut codes = self.codes(&inputs, "system", "version")?;
        let known = self.knows(&inputs, &mut codes)?;
        let coding = codes.first().map_or(Coding::code(""), Code::as_coding);
        let found = known.lookup(coding, &inputs.texts("property")?, inputs.word("displayLanguage")?)?;
        found.write(w);
        Ok(())
    }

    fn validate_in_system(&self, w: &mut Writer) -> Result<(), Failure> {
        let inputs = self.inputs(&[
            "url",
            "codeSystem",
            "code",
            "version",
            "display",
            "coding",
            "codeableConcept",
            "abstract",
            "displayLanguage",
        ])?;
        let mut codes = self.codes(&inputs, "url", "version")?;
        if let Some(url) = inputs.text("url")? {
            if codes.iter().any(|code| code.system.as_deref().is_some_and(|system| system != url)) {
                return Err(wrong("url", "is the system of the code"));
            }
            codes.iter_mut().for_each(|code| code.system = Some(url.to_owned()));
        }
        let known = self.knows(&inputs, &mut codes)?;
        let options = self.code_options(&inputs)?;
        let of = |code: &Code| known.validate_in_system(code.as_coding(), options);
        best(&codes, of, |one| one.result == Some(true))?.write(w)?;
        Ok(())
    }

    fn subsumes(&self, w: &mut Writer) -> Result<(), Failure> {
        let inputs = self.inputs(&["codeA", "codeB", "system", "version", "codingA", "codingB"])?;
        let text = |name| inputs.text(name).map(|text| text.map(str::to_owned));
        let one = |code: &'static str, coding: &'static str| match (inputs.text(code)?, inputs.whole(coding)?) {
            (Some(code), None) => {
                let (system, version) = (text("system")?, text("version")?);
                Ok(Code { system, version, code: code.to_owned(), display: None })
            }
            (None, Some(whole)) => Code::of(whole.root(), coding),
            _ => Err(missing(code, "codeA and codeB with system, or codingA and codingB, are needed")),
        };
        let mut codes = [one("codeA", "codingA")?, one("codeB", "codingB")?];
        let known = self.knows(&inputs, &mut codes)?;
        let [a, b] = &codes;
        known.subsumes(a.as_coding(), b.as_coding())?.write(w);
        Ok(())
    }

    fn code_options<'i>(&self, inputs: &'i Inputs) -> Result<CodeOptions<'i>, Failure> {
        Ok(CodeOptions {
            allow_abstract: inputs.flag("abstract")?,
            active_only: false,
            language: inputs.word("displayLanguage")?,
        })
    }

    /// A value set that is composed here, with the stored code systems that it names and that are not loaded.
    fn composed(&self, resource: &Tree) -> Result<(Known, ValueSetHandle), Failure> {
        let loaded = self.loaded();
        let compose = resource.root().get("compose");
        let parts = ["include", "exclude"].into_iter().filter_map(|name| compose?.get(name)).flat_map(Value::items);
        let mut missing = BTreeSet::new();
        for part in parts {
            let text = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default();
            let (system, version) = (text("system"), text("version"));
            // What lists its codes itself needs no system.
            if !system.is_empty() && part.get("concept").is_none() && loaded.code_system(&system).is_none() {
                missing.insert(if version.is_empty() { system.into_owned() } else { format!("{system}|{version}") });
            }
        }
        let mut systems = Vec::new();
        for canonical in missing.iter().take(limits::SYSTEMS_BESIDE_MAX) {
            if let Some(resource) = self.stored("CodeSystem", canonical) {
                systems.push(Arc::new(CodeSystem::of_resource(resource.root())?));
            }
        }
        let known =
            if systems.is_empty() { Known::Loaded(loaded) } else { Known::Beside(Box::new(loaded.beside(systems))) };
        let set = known.value_set_in(resource.root())?;
        Ok((known, set))
    }

    /// The value set asked about, and what knows it.
    fn value_set(&self, inputs: &Inputs) -> Result<(Known, ValueSetHandle), Failure> {
        let loaded = self.loaded();
        if let Some(resource) = self.own.or(inputs.whole("valueSet")?) {
            return self.composed(resource);
        }
        let url = inputs.text("url")?.ok_or_else(|| missing("url", "a url or a valueSet is needed"))?;
        let canonical = match inputs.text("valueSetVersion")? {
            Some(version) if !url.contains('|') => format!("{url}|{version}"),
            _ => url.to_owned(),
        };
        if let Some(set) = loaded.value_set(&canonical, "") {
            return Ok((Known::Loaded(loaded), set));
        }
        match self.stored("ValueSet", &canonical) {
            Some(resource) => self.composed(&resource),
            None => Err(OperationError::NotFound(format!("the value set {canonical} is not loaded")).into()),
        }
    }

    fn expand(&self, w: &mut Writer) -> Result<(), Failure> {
        let inputs = self.inputs(&[
            "url",
            "valueSet",
            "valueSetVersion",
            "filter",
            "offset",
            "count",
            "includeDesignations",
            "activeOnly",
            "excludeNested",
            "displayLanguage",
        ])?;
        // Expansions are flat: that they may be is all that it says.
        inputs.flag("excludeNested")?;
        let options = ExpandOptions {
            filter: inputs.word("filter")?,
            offset: inputs.number("offset")?.unwrap_or_default(),
            count: inputs.number("count")?,
            active_only: inputs.flag("activeOnly")?,
            include_designations: inputs.flag("includeDesignations")?,
            language: inputs.word("displayLanguage")?,
        };
        let (known, set) = self.value_set(&inputs)?;
        let service = self.call.service;
        let expansion = known.expand(&set, options)?;
        expansion.write(w, &format!("urn:uuid:{}", service.new_id()), &service.now().to_string());
        Ok(())
    }

    fn validate_in_set(&self, w: &mut Writer) -> Result<(), Failure> {
        let inputs = self.inputs(&[
            "url",
            "valueSet",
            "valueSetVersion",
            "code",
            "system",
            "systemVersion",
            "display",
            "coding",
            "codeableConcept",
            "abstract",
            "displayLanguage",
        ])?;
        let codes = self.codes(&inputs, "system", "systemVersion")?;
        if codes.iter().any(|code| code.system.is_none()) {
            return Err(missing("system", "a system is needed beside the code"));
        }
        let (known, set) = self.value_set(&inputs)?;
        let codings: Vec<Coding<'_>> = codes.iter().map(Code::as_coding).collect();
        known.validate_in_set(&set, &codings, self.code_options(&inputs)?).write(w)?;
        Ok(())
    }

    fn translate(&self, w: &mut Writer) -> Result<(), Failure> {
        let inputs = self.inputs(&[
            "url",
            "conceptMap",
            "conceptMapVersion",
            "code",
            "system",
            "version",
            "source",
            "coding",
            "codeableConcept",
            "target",
            "targetsystem",
            "reverse",
        ])?;
        let codes = self.codes(&inputs, "system", "version")?;
        let map = match (inputs.word("url")?, inputs.text("conceptMapVersion")?) {
            (url, Some(version)) if !url.is_empty() => format!("{url}|{version}"),
            (url, _) => url.to_owned(),
        };
        let options = TranslateOptions {
            map: &map,
            source: inputs.word("source")?,
            target: inputs.word("target")?,
            target_system: inputs.word("targetsystem")?,
            reverse: inputs.flag("reverse")?,
        };
        let (loaded, named) = (self.loaded(), |canonical: &str| self.stored_map(canonical));
        if let Some(resource) = self.own.or(inputs.whole("conceptMap")?) {
            let map = GivenMap::of_resource(resource.root())?;
            let beside = Beside { fitting: &[], named: &named };
            let of = |code: &Code| loaded.translate_by(&map, code.as_coding(), options, beside);
            best(&codes, of, |one| one.result())?.write(w);
            return Ok(());
        }
        let fitting = if map.is_empty() { self.fitting_maps(&codes, options)? } else { Vec::new() };
        let beside = Beside { fitting: &fitting, named: &named };
        let of = |code: &Code| loaded.translate(code.as_coding(), options, beside);
        best(&codes, of, |one| one.result())?.write(w);
        Ok(())
    }

    fn stored_map(&self, canonical: &str) -> Option<GivenMap> {
        GivenMap::of_resource(self.stored("ConceptMap", canonical)?.root()).ok()
    }

    /// The stored maps in force that have a group for these systems.
    fn fitting_maps(&self, codes: &[Code], options: TranslateOptions<'_>) -> Result<Vec<GivenMap>, Failure> {
        let systems: BTreeSet<String> =
            codes.iter().filter_map(|code| code.system.as_deref()).map(canonical::escaped).collect();
        if systems.is_empty() {
            return Ok(Vec::new());
        }
        let (from, to) =
            if options.reverse { ("target-system", "source-system") } else { ("source-system", "target-system") };
        let mut condition = format!("status=active&{from}={}", systems.into_iter().collect::<Vec<_>>().join(","));
        if !options.target_system.is_empty() {
            condition.push_str(&format!("&{to}={}", canonical::escaped(options.target_system)));
        }
        let kind = ResourceType::parse("ConceptMap").map_err(|_| Failure::Fault)?;
        let found = canonical::matching(self.call, self.snapshot(), kind, &condition, limits::TRANSLATE_MAPS_MAX)?;
        let found = found.ok_or_else(|| {
            OperationError::TooCostly(
                "more concept maps are stored for this system than are used at once: give a url".into(),
            )
        })?;
        let trees = found.into_iter().filter_map(canonical::tree);
        Ok(trees.filter_map(|tree| GivenMap::of_resource(tree.root()).ok()).collect())
    }
}

/// Of a CodeableConcept the answer for the first coding that is good, else that for the first.
fn best<T>(
    codes: &[Code],
    answer: impl Fn(&Code) -> Result<T, OperationError>,
    is_good: impl Fn(&T) -> bool,
) -> Result<T, Failure> {
    let mut answers = codes.iter().map(answer);
    let first = answers.next().ok_or_else(|| missing("code", "a code is needed"))?;
    if first.as_ref().is_ok_and(&is_good) {
        return Ok(first?);
    }
    match answers.find_map(|one| one.ok().filter(&is_good)) {
        Some(good) => Ok(good),
        None => Ok(first?),
    }
}
