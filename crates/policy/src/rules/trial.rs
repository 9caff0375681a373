//! A test beside the rules: a small world, a caller, and what they may and may not do in it.
//!
//! ```text
//! test "Who agreed is seen, who did not is not"
//!     given        {"resourceType": "Patient", "id": "anna"}
//!     given        file examples/anna.json
//!     as           organization https://research.example.org Organization/r, purpose HRESCH
//!     may read     Observation/bp
//!     may not see  Observation/hiv, Patient/anna
//! ```
//!
//! What is tried is the whole decision: scopes, role, relations and all rules of the file. Without `scope` the caller
//! has all scopes of their kind, so that a test is about the rules.

use super::{
    rule::NEEDS,
    text::{Fault, Place, Word, items, nearest},
    who,
};
use crate::{
    House, Need,
    grants::account::{Decision, Effect, Source, Trace, account},
    world::World,
};
use fhir::{Instant, LogicalId, ResourceType, json::Tree, primitive::date_time::DateTime};
use oauth::{
    Caller,
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Acting, Grant, Role, Standing, User},
    launch_context::LaunchContext,
    scope::parse_list,
    udap::{b2b::B2b, purpose::Purpose},
};
use search::Registry;
use std::{fmt, sync::Arc};

/// A test.
#[derive(Debug, Clone)]
pub struct Trial {
    name: Arc<str>,
    place: Place,
    /// When it takes place; `None`: when it is run.
    now: Option<Instant>,
    given: Vec<Given>,
    asks: Vec<Ask>,
}

#[derive(Debug, Clone)]
enum Given {
    /// JSON of a resource.
    Resource(String, Place),
    /// The name of a file with one resource or a Bundle.
    File(String, Place),
}

/// One expectation.
#[derive(Debug, Clone)]
struct Ask {
    cast: Arc<Cast>,
    may: bool,
    need: Need,
    kind: ResourceType,
    id: LogicalId,
    place: Place,
}

/// Who acts in a test.
#[derive(Debug, Clone, Default)]
pub(super) struct Cast {
    role: Option<Role>,
    account: Option<String>,
    fhir_user: Option<String>,
    /// Whom the account is bound to.
    patients: Vec<String>,
    /// In context.
    patient: Option<String>,
    client: Option<String>,
    /// URI, and the resource that stands for it.
    organization: Option<(String, Option<String>)>,
    community: Option<String>,
    purposes: Vec<Purpose>,
    scope: Option<String>,
    /// The facility's own record system.
    is_custodian: bool,
}

/// An expectation that does not come true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Of the expectation.
    pub place: Place,
    /// What is so instead, in words.
    pub what: String,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Why a test did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// It cannot be run.
    Unfit(Fault),
    /// Some expectations do not come true.
    Missed(Vec<Miss>),
}

/// Reads a file that a test names: its text, or why there is none.
pub type Load<'a> = &'a dyn Fn(&str) -> Result<String, String>;

impl Trial {
    /// What it shows.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where it begins.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Runs it in this house, whose rules are those to be tested. Gives how many expectations came true.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn run(&self, registry: &Registry, house: &House, now: Instant, load: Load<'_>) -> Result<usize, Failed> {
        let world = self.world(registry, now, load).map_err(Failed::Unfit)?;
        let mut missed = Vec::new();
        for ask in &self.asks {
            missed.extend(ask.missed(registry, house, &world).map_err(Failed::Unfit)?);
        }
        if missed.is_empty() { Ok(self.asks.len()) } else { Err(Failed::Missed(missed)) }
    }

    fn world<'r>(&self, registry: &'r Registry, now: Instant, load: Load<'_>) -> Result<World<'r>, Fault> {
        let mut world = World::new(registry, self.now.unwrap_or(now));
        for given in &self.given {
            given.put(&mut world, load)?;
        }
        Ok(world)
    }

    /// Every decision of it, part by part, for whoever holds the parts against the whole.
    #[cfg(test)]
    pub(crate) fn traces(&self, registry: &Registry, house: &House, now: Instant) -> Vec<Trace> {
        let world = self.world(registry, now, &|_| Err("no file".into())).unwrap();
        self.asks.iter().map(|ask| ask.traced(registry, house, &world).unwrap()).collect()
    }
}

impl Given {
    fn put(&self, world: &mut World<'_>, load: Load<'_>) -> Result<(), Fault> {
        let (text, place, of_file) = match self {
            Self::Resource(text, place) => (text.clone(), *place, None),
            Self::File(name, place) => {
                let text = load(name).map_err(|why| Fault::new(*place, format!("{name}: {why}")))?;
                (text, *place, Some(name))
            }
        };
        let named = |why: String| match of_file {
            Some(name) => format!("{name}: {why}"),
            None => why,
        };
        let tree = Tree::parse(text.into_bytes()).map_err(|error| match of_file {
            Some(name) => Fault::new(place, format!("{name}: {error}")),
            None => {
                let column = if error.line == 1 { place.column.saturating_add(error.column - 1) } else { error.column };
                let place = Place { line: place.line.saturating_add(error.line - 1), column };
                Fault::new(place, error.kind.to_string())
            }
        })?;
        let entries: Vec<Tree> = match tree.resource_type().as_deref() {
            Some("Bundle") => {
                let entries = tree.root().get("entry").into_iter().flat_map(|entries| entries.items());
                entries.filter_map(|entry| entry.get("resource").map(|resource| resource.to_tree())).collect()
            }
            _ => vec![tree],
        };
        for tree in &entries {
            world.add(tree).map_err(|why| Fault::new(place, named(why.to_owned())))?;
        }
        Ok(())
    }
}

impl Ask {
    fn missed(&self, registry: &Registry, house: &House, world: &World<'_>) -> Result<Option<Miss>, Fault> {
        let (kind, id) = (self.kind, &self.id);
        let trace = self.traced(registry, house, world)?;
        Ok((trace.may != self.may).then(|| {
            let may = if trace.may { "may" } else { "may not" };
            let (who, need) = (self.cast.aloud(), self.need.as_str());
            Miss { place: self.place, what: format!("{who} {may} {need} {kind}/{id}{}", because(&trace)) }
        }))
    }

    /// The decision, part by part.
    fn traced(&self, registry: &Registry, house: &House, world: &World<'_>) -> Result<Trace, Fault> {
        let caller = self.cast.caller().map_err(|why| Fault::new(self.place, why))?;
        let decision = Decision { caller: &caller, registry, house, need: self.need, whole: true };
        let trace = world.look(self.kind, &self.id, |looked| account(decision, looked));
        trace.ok_or_else(|| Fault::new(self.place, format!("{}/{} is in no 'given' of this test", self.kind, self.id)))
    }
}

/// What counted, when that is said in a few words: what gives, or what withholds.
fn because(trace: &Trace) -> String {
    let wanted = if trace.may { Effect::Gives } else { Effect::Withholds };
    let counted = trace.parts.iter().filter(|part| part.effect == wanted && part.source != Source::Scope);
    let names: Vec<String> = counted.map(|part| format!("{} {:?}", part.source.as_str(), part.name)).collect();
    if names.is_empty() { String::new() } else { format!(" by {}", names.join(", ")) }
}

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

impl Cast {
    /// As a token would make it.
    fn caller(&self) -> Result<Caller, String> {
        let text = |text: &Option<String>, otherwise: &str| Arc::<str>::from(text.as_deref().unwrap_or(otherwise));
        let scope_text = match (&self.scope, self.role, &self.patient) {
            (Some(scope), ..) => scope.clone(),
            (None, None, _) => "system/*.cruds".to_owned(),
            (None, Some(_), None) => "user/*.cruds fhirUser".to_owned(),
            (None, Some(_), Some(_)) => "patient/*.cruds user/*.cruds fhirUser".to_owned(),
        };
        let user = self.role.map(|role| User {
            id: text(&self.account, "account"),
            name: "Test".into(),
            role,
            fhir_user: self.fhir_user.as_deref().map(Into::into),
            patients: self.patients.iter().map(|id| Arc::from(id.as_str())).collect(),
            glasses: Arc::default(),
            may_break_glass: false,
        });
        let acting = self.organization.as_ref().map(|(uri, resource)| Acting {
            community: text(&self.community, "urn:x-test:community"),
            uri: uri.as_str().into(),
            b2b: B2b {
                organization_id: uri.clone(),
                organization_name: None,
                purposes: self.purposes.clone(),
                subject_name: None,
                subject_id: None,
                subject_role: None,
                consent_policy: Vec::new(),
                consent_reference: Vec::new(),
            },
            organization: resource.as_deref().map(Into::into),
        });
        // `openid`, `fhirUser` and their kin say nothing of resources.
        let of_resources = parse_list(&scope_text).filter(|(word, _)| word.contains('/'));
        let scopes: Result<Vec<_>, _> =
            of_resources.map(|(word, scope)| scope.map_err(|error| format!("{word}: {error}"))).collect();
        let grant = Grant {
            client_id: text(&self.client, "test"),
            client_name: "Test".into(),
            scopes: scopes?.into(),
            scope_text: scope_text.into(),
            issued_at_s: 0,
            expires_at_s: i64::MAX,
            token_name: "test".into(),
            user: user.map(Arc::new),
            launch: Arc::new(LaunchContext {
                patient: self.patient.as_deref().map(Into::into),
                ..LaunchContext::default()
            }),
            confirmation: None,
            family: None,
            standing: if self.is_custodian { Standing::Custodian } else { Standing::Ordinary },
            purposes: if self.role.is_none() { self.purposes.clone().into() } else { Arc::default() },
            acting: acting.map(Arc::new),
        };
        let presented = Presented::header(Some("Bearer test"));
        let caller = authenticate(&presented, &One(Arc::new(grant)), 0).map_err(|why| why.to_string())?;
        if self.role.is_none() || self.purposes.is_empty() {
            return Ok(caller);
        }
        caller.for_purposes(&self.purposes).map_err(|_| "nobody of this role asks for this purpose".to_owned())
    }

    /// The caller that these words describe: `role clinician, user Practitioner/1`.
    pub(super) fn described(text: &str) -> Result<Caller, Fault> {
        let place = Place { line: 1, column: 1 };
        let cast = Self::read(&super::text::words(text, place))?;
        cast.caller().map_err(|why| Fault::new(place, why))
    }

    fn aloud(&self) -> String {
        match (self.role, &self.organization, &self.client) {
            (Some(role), ..) => format!("this {}", role.as_str()),
            (None, Some((uri, _)), _) => format!("the organization {uri}"),
            (None, None, Some(client)) => format!("the client {client}"),
            (None, None, None) => "this system".into(),
        }
    }

    /// Reads `as …`.
    fn read(words: &[Word<'_>]) -> Result<Self, Fault> {
        const KEYS: [&str; 10] = [
            "role",
            "user",
            "account",
            "patients",
            "patient",
            "client",
            "organization",
            "community",
            "purpose",
            "scope",
        ];
        let mut cast = Self::default();
        for item in items(words)? {
            let Some((key, values)) = item.split_first() else { continue };
            if key.text == "custodian" && values.is_empty() {
                cast.is_custodian = true;
                continue;
            }
            let Some(first) = values.first() else {
                return Err(Fault::new(key.place, format!("nothing follows '{}'", key.text)));
            };
            let texts = || values.iter().map(|word| word.text.to_owned());
            let reference = |word: &Word<'_>| match target(word) {
                Ok(_) => Ok(word.text.to_owned()),
                Err(fault) => Err(fault),
            };
            let most = match key.text {
                "organization" => 2,
                "patients" | "purpose" | "scope" => usize::MAX,
                _ => 1,
            };
            if let Some(over) = values.get(most) {
                return Err(Fault::new(over.place, "a comma is missing before this, or it is too much"));
            }
            match key.text {
                "role" => match who::read(&item)?.pop() {
                    Some(who::Who::Role(role)) => cast.role = Some(role),
                    _ => return Err(Fault::new(key.place, "not a role")),
                },
                "user" => cast.fhir_user = Some(reference(first)?),
                "account" => cast.account = Some(first.text.to_owned()),
                "patients" => cast.patients = texts().collect(),
                "patient" => cast.patient = Some(first.text.to_owned()),
                "client" => cast.client = Some(first.text.to_owned()),
                "organization" => {
                    cast.organization = Some((first.text.to_owned(), values.get(1).map(reference).transpose()?));
                }
                "community" => cast.community = Some(first.text.to_owned()),
                "purpose" => {
                    let purpose = |word: &Word<'_>| who::purposes(std::slice::from_ref(word));
                    cast.purposes =
                        values.iter().map(purpose).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
                }
                "scope" => cast.scope = Some(texts().collect::<Vec<_>>().join(" ")),
                other => {
                    let fault = Fault::new(key.place, format!("a caller has no '{other}'"));
                    return Err(match nearest(other, KEYS) {
                        Some(near) => fault.instead(format!("write {near}")),
                        None => fault.instead(format!("write {}", KEYS.join(", "))),
                    });
                }
            }
        }
        cast.fits(words.first().map_or(Place { line: 0, column: 0 }, |word| word.place))?;
        Ok(cast)
    }

    /// Whether there can be such a caller.
    fn fits(&self, place: Place) -> Result<(), Fault> {
        let persons =
            self.fhir_user.is_some() || self.account.is_some() || !self.patients.is_empty() || self.patient.is_some();
        if self.role.is_none() && persons {
            return Err(
                Fault::new(place, "user, account, patients and patient are a person's").instead("add 'role NAME'")
            );
        }
        if self.organization.is_none() && self.community.is_some() {
            return Err(Fault::new(place, "a community vouches for an organization").instead("add 'organization URI'"));
        }
        self.caller().map(|_| ()).map_err(|why| Fault::new(place, why))
    }
}

/// `Type/id`.
fn target(word: &Word<'_>) -> Result<(ResourceType, LogicalId), Fault> {
    let read = word
        .text
        .split_once('/')
        .and_then(|(kind, id)| Some((ResourceType::parse(kind).ok()?, LogicalId::parse(id).ok()?)));
    read.ok_or_else(|| Fault::new(word.place, format!("'{}' is not of the form Type/id", word.text)))
}

/// A test whose lines are being read.
pub(super) struct Sketch<'t> {
    name: &'t str,
    place: Place,
    now: Option<Instant>,
    given: Vec<Given>,
    cast: Option<Arc<Cast>>,
    asks: Vec<Ask>,
    is_faulty: bool,
}

impl<'t> Sketch<'t> {
    pub(super) fn new(name: &'t str, place: Place) -> Self {
        Self { name, place, now: None, given: Vec::new(), cast: None, asks: Vec::new(), is_faulty: false }
    }

    /// Takes a line of it; JSON may go on in the next ones.
    pub(super) fn line(
        &mut self,
        line: &'t str,
        words: &[Word<'t>],
        lines: &mut impl Iterator<Item = (usize, &'t str)>,
    ) -> Result<(), Fault> {
        let taken = self.take(line, words, lines);
        self.is_faulty |= taken.is_err();
        taken
    }

    fn take(
        &mut self,
        line: &'t str,
        words: &[Word<'t>],
        lines: &mut impl Iterator<Item = (usize, &'t str)>,
    ) -> Result<(), Fault> {
        const LINES: [&str; 4] = ["now", "given", "as", "may"];
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        let Some(second) = rest.first() else {
            return Err(Fault::new(first.place, format!("nothing follows '{}'", first.text)));
        };
        match first.text {
            "now" => {
                let parsed = DateTime::parse(second.text).map(|moment| Instant::from_unix_millis(moment.low));
                let Some(now) = parsed.filter(|_| rest.len() == 1) else {
                    return Err(Fault::new(second.place, format!("'{}' is no moment", second.text))
                        .instead("write a day, or a time with its zone: 2026-03-01T12:00:00Z"));
                };
                if self.now.replace(now).is_some() {
                    return Err(Fault::new(first.place, "a test takes place at one moment"));
                }
            }
            "given" if second.text.starts_with('{') => {
                let json = json(line, second.place, lines)?;
                self.given.push(Given::Resource(json, second.place));
            }
            "given" => match rest {
                [file, name] if file.text == "file" => self.given.push(Given::File(name.text.to_owned(), name.place)),
                _ => {
                    return Err(Fault::new(second.place, "nothing that a test can be given")
                        .instead("write a resource as JSON, or 'file NAME'"));
                }
            },
            "as" => self.cast = Some(Arc::new(Cast::read(rest)?)),
            "may" => self.asks(first, rest)?,
            other => {
                let fault = Fault::new(first.place, format!("a test has no line '{other}'"));
                return Err(match nearest(other, LINES) {
                    Some(near) => fault.instead(format!("write {near}")),
                    None => fault.instead(format!("write {}", LINES.join(", "))),
                });
            }
        }
        Ok(())
    }

    /// `may [not] NEED Type/id, …`.
    fn asks(&mut self, first: &Word<'t>, rest: &[Word<'t>]) -> Result<(), Fault> {
        if self.is_faulty {
            return Ok(());
        }
        let cast = self.cast.as_ref().map(Arc::clone).ok_or_else(|| {
            Fault::new(first.place, "nobody is there who may or may not").instead("write 'as …' before it")
        })?;
        let (may, rest) = match rest.split_first() {
            Some((not, rest)) if not.text == "not" => (false, rest),
            _ => (true, rest),
        };
        let Some((need, targets)) = rest.split_first() else {
            return Err(Fault::new(first.place, "what may they, or may they not?").instead("write 'may read Type/id'"));
        };
        let names = NEEDS.map(|(name, _)| name);
        let Some((_, needs)) = NEEDS.iter().find(|(name, _)| *name == need.text) else {
            return Err(Fault::new(need.place, format!("nothing is called '{}'", need.text)).instead(
                nearest(need.text, names).map_or(format!("write {}", names.join(", ")), |near| format!("write {near}")),
            ));
        };
        let targets = items(targets)?;
        if targets.is_empty() {
            return Err(Fault::new(need.place, "which resources?").instead("write Type/id after it"));
        }
        for item in targets {
            let [word] = item.as_slice() else {
                let place = item.get(1).map_or(need.place, |word| word.place);
                return Err(Fault::new(place, "a comma is missing before this"));
            };
            let (kind, id) = target(word)?;
            for need in *needs {
                let (cast, id) = (Arc::clone(&cast), id.clone());
                self.asks.push(Ask { cast, may, need: *need, kind, id, place: word.place });
            }
        }
        Ok(())
    }

    /// The whole test; `None` when what is wrong with it was told already.
    pub(super) fn finish(self) -> Result<Option<Trial>, Fault> {
        if self.is_faulty {
            return Ok(None);
        }
        if self.asks.is_empty() {
            let fault = Fault::new(self.place, format!("the test \"{}\" expects nothing", self.name));
            return Err(fault.instead("write 'may read Type/id' or 'may not read Type/id'"));
        }
        Ok(Some(Trial { name: self.name.into(), place: self.place, now: self.now, given: self.given, asks: self.asks }))
    }
}

/// JSON from its first brace to the one that closes it.
fn json<'t>(line: &'t str, place: Place, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Result<String, Fault> {
    let mut text = String::new();
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut part = line.get(line.find('{').unwrap_or_default()..).unwrap_or_default();
    loop {
        for (at, byte) in part.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' if !quoted => depth += 1,
                b'}' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                let (json, rest) = part.split_at_checked(at + 1).unwrap_or((part, ""));
                if !rest.trim().is_empty() {
                    return Err(Fault::new(place, "something follows the resource"));
                }
                text.push_str(json);
                return Ok(text);
            }
        }
        text.push_str(part);
        text.push('\n');
        let Some((_, next)) = lines.next() else {
            return Err(Fault::new(place, "the resource has no end").instead("close its last brace"));
        };
        part = next;
    }
}
