//! The walk over an example: its elements and members, with their definitions, their places as FHIRPath, and
//! what the claimed profiles say of them.

use super::node::{Node, Path, item, member};
use super::rules::{self, Rule};
use fhir::schema::{self, Definitions, ElementDefinition, TypeDefinition, TypeKind, TypeReference};

/// How an element was reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    pub(super) element: &'static ElementDefinition,
    pub(super) of: &'static TypeReference,
}

/// One element: one repeat, or the resource at the root.
pub(super) struct Site<'n> {
    pub(super) path: Path,
    /// `Observation.component[0].code`.
    pub(super) place: String,
    pub(super) value: &'n Node,
    pub(super) definition: &'static TypeDefinition,
    /// `None` for a resource at the root.
    pub(super) by: Option<By>,
    pub(super) rules: Vec<Rule>,
    /// The example.
    pub(super) root: &'n Node,
}

/// One member of an object, with all its repeats.
pub(super) struct Field<'s, 'n> {
    pub(super) holder: &'s Site<'n>,
    /// Name in JSON.
    pub(super) name: &'n str,
    pub(super) by: By,
    pub(super) definition: &'static TypeDefinition,
    pub(super) value: &'n Node,
    pub(super) path: Path,
    /// The place without index.
    pub(super) place: String,
    /// What profiles say of the element, without its slices.
    pub(super) rules: Vec<Rule>,
}

/// Who looks at an example.
pub(super) trait Visit {
    fn field(&mut self, field: &Field<'_, '_>);
    fn element(&mut self, site: &Site<'_>);
}

/// Walks an example. `package`: whose understanding of a canonical without version counts.
pub(super) fn walk(root: &Node, package: &str, visit: &mut dyn Visit) {
    let Some(definition) = root.text_of("resourceType").and_then(|name| schema::r4().type_named(name)) else { return };
    let place = definition.name.to_owned();
    let site = Site { path: Vec::new(), place, value: root, definition, by: None, rules: claims(root, package), root };
    Walk { package, visit }.element(&site);
}

/// The rules of the profiles that a resource claims.
fn claims(resource: &Node, package: &str) -> Vec<Rule> {
    let claims = resource.get("meta").and_then(|meta| meta.get("profile"));
    let claims = claims.map(Node::items).unwrap_or_default().iter().filter_map(Node::as_text);
    let profiles = claims.filter_map(|claim| Definitions::builtin().profile_for(claim, package));
    profiles.map(Rule::root).collect()
}

struct Walk<'w> {
    package: &'w str,
    visit: &'w mut dyn Visit,
}

impl Walk<'_> {
    fn element(&mut self, site: &Site<'_>) {
        self.visit.element(site);
        self.members(site);
    }

    fn members(&mut self, site: &Site<'_>) {
        for (name, value) in site.value.members() {
            let plain = name.strip_prefix('_').unwrap_or(name);
            let Some((element, of)) = site.definition.member(plain) else { continue };
            let Some(definition) = schema::r4().type_of(of) else { continue };
            let shown = if element.is_choice { format!("{}[x]", element.name) } else { element.name.to_owned() };
            let rules = site.rules.iter().map(|rule| rule.child(&shown)).collect();
            let path = member(&site.path, name);
            let place = format!("{}.{}", site.place, element.name);
            let field = Field { holder: site, name, by: By { element, of }, definition, value, path, place, rules };
            if plain.len() == name.len() {
                self.visit.field(&field);
            }
            self.repeats(&field, plain.len() != name.len());
        }
    }

    fn repeats(&mut self, field: &Field<'_, '_>, is_companion: bool) {
        let repeats = field.by.element.max != Some(1);
        let all: Vec<(Path, String, &Node)> = if repeats {
            let items = field.value.items().iter().enumerate();
            items.map(|(at, one)| (item(&field.path, at), format!("{}[{at}]", field.place), one)).collect()
        } else {
            vec![(field.path.clone(), field.place.clone(), field.value)]
        };
        for (path, place, value) in all {
            if *value == Node::Null {
                continue;
            }
            let mut definition = field.definition;
            if definition.kind == TypeKind::Resource {
                let named = value.text_of("resourceType").and_then(|name| schema::r4().type_named(name));
                let Some(named) = named else { continue };
                definition = named;
            }
            let mut rules = rules::of_repeat(&field.rules, value, &path, definition.name, field.name);
            if definition.kind == TypeKind::Resource {
                rules.extend(claims(value, self.package));
            }
            let by = Some(field.by);
            let site = Site { path, place, value, definition, by, rules, root: field.holder.root };
            if is_companion {
                self.members(&site);
            } else {
                self.element(&site);
            }
        }
    }
}
