//! Security labels of what is written and of what leaves in Bundles. Rows F40, F42, F43, F45, F46.
//!
//! [`completed`]: a resource gets the labels that the version before had, those that rules give, and those of its own
//! elements, before it is validated; so what is stored carries them. [`Mark`]: the high-water mark of a Bundle.

use crate::{failure::Failure, interaction::Call};
use fhir::{
    ResourceType,
    issue::{Issue, IssueType, Severity},
    json::{Tree, Value, Writer},
};
use oauth::caller::CallerKind;
use policy::label::{
    self, Class, Labels,
    inline::Inline,
    rules::{Due, Knows},
    set::{self, Completion, HighWater},
};
use store::Found;
use terminology::{Coding, Membership, Terminology};

/// What a write does with labels.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Write<'a> {
    /// A first version.
    Create,
    /// A `PUT`: the version before, as far as the caller may change it.
    Update(Option<&'a Tree>),
    /// The labels are as they stand, but for those of elements: who has the authority for it says so.
    Given,
}

/// A terminology, asked for value sets by the labelling service.
#[derive(Debug)]
pub struct Sets<'t>(pub &'t Terminology);

impl Knows for Sets<'_> {
    fn holds(&self, value_set: &str, system: &str, code: &str) -> bool {
        self.0.validate_code(value_set, Coding::of(system, code)) == Membership::In
    }
}

/// Whether an update keeps the labels of the version before, or says what they are: the operator's word counts.
pub(crate) fn kept(call: &Call<'_>) -> store::Labels {
    if call.caller.kind() == CallerKind::Operator { store::Labels::Given } else { store::Labels::Kept }
}

/// The resource with the labels that it will be stored with, and what is worth knowing of them.
///
/// # Errors
/// [`Failure::Invalid`]: it is marked as not whole and would take the place of the whole (row F46).
pub(crate) fn completed(
    call: &Call<'_>,
    kind: ResourceType,
    tree: Tree,
    write: Write<'_>,
) -> Result<(Tree, Vec<Issue>), Failure> {
    let labels = &call.service.parts.store.house().labels;
    let is_operator = call.caller.kind() == CallerKind::Operator;
    let before = match write {
        Write::Update(before) if !is_operator => {
            let before = before.map(Tree::root);
            if let Some(mark) = set::not_whole(tree.root(), before) {
                return Err(not_whole(kind, mark));
            }
            before
        }
        _ => None,
    };
    let inline = Inline::of(&tree).map_err(|_| {
        let issue = Issue::error(IssueType::TooCostly, "the resource has too many inline security labels");
        Failure::Invalid(vec![issue.at(kind.name())])
    })?;
    let due = match write {
        Write::Given => Vec::new(),
        Write::Create | Write::Update(_) => due(call, labels, kind, &tree),
    };
    let is_of_client = !is_operator && !matches!(write, Write::Given);
    let completion = Completion { before, due: &due, inline: Some(&inline), renews: false, is_of_client };
    let tree = match set::completed(&tree, completion) {
        Some(bytes) => Tree::parse(bytes)?,
        None => tree,
    };
    let warnings = warnings(labels, kind, &tree);
    Ok((tree, warnings))
}

/// The labels that rules give.
fn due(call: &Call<'_>, labels: &Labels, kind: ResourceType, tree: &Tree) -> Vec<Due> {
    if labels.rules().is_empty() {
        return Vec::new();
    }
    let validator = (call.service.parts.checks.validator)();
    label::rules::due(labels.rules(), kind, tree.root(), &Sets(validator.terminology()))
}

fn not_whole(kind: ResourceType, mark: &str) -> Failure {
    let text = format!(
        "the resource is marked {mark}: it is not the whole, and would take the place of the whole; read it whole and change that"
    );
    Failure::Invalid(vec![Issue::error(IssueType::BusinessRule, text).at(format!("{kind}.meta.security"))])
}

/// Two confidentialities, and labels that nobody knows here (rows F42, F44).
fn warnings(labels: &Labels, kind: ResourceType, tree: &Tree) -> Vec<Issue> {
    let all: Vec<label::Label> = set::labels(tree.root()).collect();
    let mut texts = Vec::new();
    if all.iter().filter(|label| matches!(label.class(), Some(Class::Confidentiality(_)))).count() > 1 {
        texts.push("a resource has one confidentiality; of several the highest counts");
    }
    if all.iter().any(|label| !labels.recognises(label)) {
        texts.push(
            "a security label is not known here: the resource is withheld from all who are not cleared for everything",
        );
    }
    let warning = |text: &'static str| Issue {
        severity: Severity::Warning,
        ..Issue::error(IssueType::BusinessRule, text).at(format!("{kind}.meta.security"))
    };
    texts.into_iter().map(warning).collect()
}

/// The high-water mark of a Bundle in the making.
pub(crate) struct Mark<'l> {
    labels: &'l Labels,
    high: HighWater,
}

impl<'l> Mark<'l> {
    pub(crate) fn new(labels: &'l Labels) -> Self {
        Self { labels, high: HighWater::default() }
    }

    /// Takes a resource in, as it stands in the Bundle.
    pub(crate) fn take(&mut self, kind: ResourceType, json: &[u8]) {
        let default = self.labels.default_of(kind);
        match security(json) {
            None => self.high.take([], default),
            Some(meta) => {
                let own: Vec<label::Label> =
                    meta.root().get("security").into_iter().flat_map(Value::items).map(set::label_of).collect();
                let own = own.iter().map(|label| (label.system.as_str(), label.code.as_str()));
                self.high.take(own, default);
            }
        }
    }

    /// The same for one whose type is not known yet: an entry of a batch's answer.
    pub(crate) fn take_answer(&mut self, json: &[u8]) {
        let kind = type_name(json).and_then(|name| ResourceType::parse(name).ok());
        match kind {
            // What says how it went is about no patient.
            Some(kind) if !matches!(kind.name(), "OperationOutcome" | "Parameters" | "CapabilityStatement") => {
                let is_bundle = kind.name() == "Bundle";
                if !is_bundle || security(json).is_some() {
                    self.take(kind, json);
                }
            }
            _ => {}
        }
    }

    /// Takes deleted versions and others without content: nothing.
    pub(crate) fn take_found(&mut self, found: &Found, json: &[u8]) {
        if !json.is_empty() {
            self.take(found.resource_type, json);
        }
    }

    /// The Bundle with its mark: `meta` right behind its type, where no entry says anything nothing.
    pub(crate) fn put(self, mut bundle: Vec<u8>) -> Vec<u8> {
        let labels = self.high.labels();
        if labels.is_empty() {
            return bundle;
        }
        let mut w = Writer::new();
        w.object(|w| {
            w.key("security");
            w.array(|w| {
                for label in &labels {
                    w.object(|w| {
                        w.member("system", &label.system);
                        w.member("code", &label.code);
                    });
                }
            });
        });
        let meta = [b"\"meta\":", w.into_bytes().as_slice(), b","].concat();
        if bundle.starts_with(BUNDLE) {
            bundle.splice(BUNDLE.len()..BUNDLE.len(), meta);
        }
        bundle
    }
}

/// How every Bundle that this server writes begins.
const BUNDLE: &[u8] = br#"{"resourceType":"Bundle","#;

/// Name of the type of a resource as the store stamps it: type first.
fn type_name(json: &[u8]) -> Option<&str> {
    let rest = json.strip_prefix(br#"{"resourceType":""#)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// The meta of a resource, when it has labels. The store stamps type, id and meta before all else, without blanks
/// ([`fhir::stamp`]), and [`Mark::put`] does so as well: nothing else of the resource is read.
fn security(json: &[u8]) -> Option<Tree> {
    let head = json.get(..json.len().min(HEAD_BYTES))?;
    let name = br#""meta":{"#;
    let at = head.windows(name.len()).position(|window| window == name)? + name.len() - 1;
    let meta = json.get(at..)?;
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (place, byte) in meta.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' if !in_text => depth += 1,
            b'}' if !in_text => {
                depth -= 1;
                if depth == 0 {
                    let meta = meta.get(..=place)?;
                    let word = br#""security":["#;
                    let has = meta.windows(word.len()).any(|window| window == word);
                    return if has { Tree::parse(meta.to_vec()).ok() } else { None };
                }
            }
            _ => {}
        }
    }
    None
}

/// Bytes within which `meta` begins: the name of a type and an id are shorter.
const HEAD_BYTES: usize = 256;

#[cfg(test)]
mod tests;
