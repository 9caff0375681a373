//! Which signatures a resource has, and what each covers. SPEC: R4 provenance.html, bundle.html, and the extension
//! `questionnaireresponse-signature`; row F29.

use fhir::{
    element::Element,
    json::{Kind, Tree, Value},
    schema::Schema,
};

/// The extension by which a QuestionnaireResponse is signed as a whole.
const RESPONSE_SIGNATURE: &str = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature";

/// A signature in a resource.
#[derive(Debug, Clone)]
pub struct Signature<'a> {
    /// Where it stands: `Provenance.signature[0]`.
    pub place: String,
    /// The Signature.
    pub value: Value<'a>,
    /// What it covers.
    pub covers: Covers<'a>,
}

/// What a signature covers.
#[derive(Debug, Clone)]
pub enum Covers<'a> {
    /// The resource of this reference.
    Target(String),
    /// The resource that it stands in, without these values.
    Itself(Vec<Value<'a>>),
    /// R4 does not say, or not so that it could be rebuilt.
    Unknown(&'static str),
}

impl Signature<'_> {
    /// `who.reference`.
    #[must_use]
    pub fn who(&self) -> Option<String> {
        self.value.get("who")?.get("reference")?.as_str().map(std::borrow::Cow::into_owned)
    }
}

/// All signatures of a resource, in the order of the document. Those of resources within it are theirs: of contained
/// ones and the entries of a Bundle.
#[must_use]
pub fn signatures<'a>(resource: &'a Tree, schema: &'a Schema) -> Vec<Signature<'a>> {
    let Some(root) = Element::resource(resource, schema) else { return Vec::new() };
    let mut found = Vec::new();
    collect(&root, &mut found);
    let root = resource.root();
    let kind = resource.resource_type().unwrap_or_default();
    let own: Vec<Value<'a>> = match kind.as_ref() {
        "Bundle" => root.get("signature").into_iter().collect(),
        "QuestionnaireResponse" => extensions(root).collect(),
        _ => Vec::new(),
    };
    let is_in = |outer: &Value<'_>, inner: &Value<'_>| {
        outer.span().start <= inner.span().start && inner.span().end <= outer.span().end
    };
    found
        .into_iter()
        .map(|value| {
            let covers = if kind == "Provenance" && root.get("signature").is_some_and(|own| is_in(&own, &value)) {
                target(root)
            } else if own.iter().any(|one| is_in(one, &value)) {
                Covers::Itself(own.clone())
            } else {
                Covers::Unknown("R4 does not say what a signature at this place covers")
            };
            Signature { place: place(root, &kind, value), value, covers }
        })
        .collect()
}

/// Of the resource itself those extensions that sign it.
fn extensions(root: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let all = root.get("extension").into_iter().flat_map(Value::items);
    all.filter(|one| one.get("url").and_then(Value::as_str).as_deref() == Some(RESPONSE_SIGNATURE))
}

fn target<'a>(provenance: Value<'a>) -> Covers<'a> {
    let mut targets = provenance.get("target").into_iter().flat_map(Value::items);
    match (targets.next(), targets.next()) {
        (Some(one), None) => match one.get("reference").and_then(Value::as_str) {
            Some(reference) => Covers::Target(reference.into_owned()),
            None => Covers::Unknown("the target is no reference, so there is nothing to hold the signature against"),
        },
        (None, _) => Covers::Unknown("the Provenance has no target"),
        (Some(_), Some(_)) => {
            Covers::Unknown("the Provenance has several targets, and R4 does not say how they make one text to sign")
        }
    }
}

fn collect<'a>(element: &Element<'a>, found: &mut Vec<Value<'a>>) {
    element.all_children(|child| {
        let is_foreign =
            child.reached_by.is_some_and(|by| by.name == "contained") || child.definition.name == "Bundle.entry";
        if is_foreign {
            return;
        }
        if child.definition.name == "Signature" {
            found.extend(child.value);
            return;
        }
        if !child.is_primitive() || child.companion.is_some() {
            collect(&child, found);
        }
    });
}

/// `Provenance.signature[0]`
fn place(root: Value<'_>, kind: &str, value: Value<'_>) -> String {
    let (mut path, mut inside) = (kind.to_owned(), root);
    let around = |outer: &Value<'_>| outer.span().start <= value.span().start && value.span().end <= outer.span().end;
    while inside.index() != value.index() {
        let next = if inside.kind() == Kind::Array {
            inside.items().enumerate().find(|(_, item)| around(item)).map(|(at, item)| (format!("[{at}]"), item))
        } else {
            inside.members().find(around).map(|member| (format!(".{}", member.name()), member))
        };
        let Some((step, next)) = next else { break };
        path.push_str(&step);
        inside = next;
    }
    path
}
