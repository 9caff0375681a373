//! Extensions where their definitions do not let them stand. SPEC: R4 defining-extensions.html#context.

use super::node::{Edit, Node, member};
use super::site::Site;
use super::{Kind, Mutants};
use fhir::schema::Definitions;

/// Where each resource with a claim can have an extension, and nearly none may stand.
const HOLDER: &str = "meta";

/// A copy of an extension on the `meta` of its resource: an error at the copy, where its definition names other
/// elements and other extensions alone. What FHIRPath decides makes no mutant.
pub(super) fn elsewhere(site: &Site<'_>, out: &mut Mutants) {
    let is_extension = site.definition.name == "Extension" && site.path.len() > 1;
    let Some(url) = site.value.text_of("url").filter(|url| is_extension && url.contains(':')) else { return };
    let Some(profile) = Definitions::builtin().profile(url).filter(|one| one.is_extension()) else { return };
    let names_another = |(kind, expression): &(&str, &str)| match *kind {
        "extension" => true,
        "element" => {
            let is_open = matches!(*expression, "Element" | "Meta" | "Resource") || expression.contains("://");
            !is_open && !expression.ends_with(".meta")
        }
        _ => false,
    };
    let is_modifier = profile.elements.first().is_some_and(|root| root.is_modifier);
    if is_modifier || profile.contexts.is_empty() || !profile.contexts.iter().all(names_another) {
        return;
    }
    let Some(meta) = site.root.get(HOLDER) else { return };
    let path = member(&member(&[], HOLDER), "extension");
    let (count, edit) = match meta.get("extension") {
        Some(list) => (list.items().len(), Edit::Push(path, site.value.clone())),
        None => (0, Edit::Set(path, Node::Array(vec![site.value.clone()]))),
    };
    let root = site.root.text_of("resourceType").unwrap_or_default();
    let what = url.rsplit('/').next().unwrap_or(url);
    out.add(Kind::Context, what.to_owned(), vec![edit], [format!("{root}.{HOLDER}.extension[{count}]")]);
}
