//! What profiles say of an element of an example, and which slice it belongs to, read from the tables and by
//! nothing of the validator. What cannot be told for sure here makes no mutants.

use super::codes;
use super::node::{Node, Path, Step};
use fhir::json::Tree;
use fhir::schema::{BindingStrength, Definitions, Profile, ProfileElement};
use std::cell::RefCell;
use std::collections::HashMap;

/// An element of a profile that applies to an element of an example.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) profile: &'static Profile,
    /// Id of the element in the profile, slices included.
    pub(super) id: String,
    /// Places whose change would move something into another slice, so that the rule no longer applied.
    guarded: Vec<Guarded>,
}

/// The elements that a discriminator looks at: the path of a repeat, and names below it.
#[derive(Debug, Clone)]
struct Guarded {
    repeat: Path,
    names: Vec<&'static str>,
}

impl Guarded {
    /// Whether a path leads to, above or below one of the elements.
    fn touches(&self, path: &[Step]) -> bool {
        let Some(below) = path.strip_prefix(self.repeat.as_slice()) else { return self.repeat.starts_with(path) };
        let names =
            below.iter().filter_map(|step| if let Step::Name(name) = step { Some(name.as_str()) } else { None });
        names.zip(&self.names).all(|(one, other)| one == *other)
    }
}

type Elements = HashMap<&'static str, &'static ProfileElement>;

thread_local! {
    static BOOKS: RefCell<HashMap<usize, &'static Elements>> = RefCell::default();
}

/// The elements of a profile by id.
fn elements(profile: &'static Profile) -> &'static Elements {
    BOOKS.with_borrow_mut(|books| {
        *books.entry(std::ptr::from_ref(profile).addr()).or_insert_with(|| {
            // Definitions live as long as the process.
            Box::leak(Box::new(profile.elements.iter().map(|one| (one.id, one)).collect()))
        })
    })
}

/// Whether an element belongs to a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Yes,
    No,
    Unknown,
}

impl Rule {
    pub(super) fn root(profile: &'static Profile) -> Self {
        Self { profile, id: profile.type_name.to_owned(), guarded: Vec::new() }
    }

    pub(super) fn says(&self) -> Option<&'static ProfileElement> {
        elements(self.profile).get(self.id.as_str()).copied()
    }

    /// The rule for a child; `name` with `[x]` for a choice.
    pub(super) fn child(&self, name: &str) -> Self {
        Self { id: format!("{}.{name}", self.id), ..self.clone() }
    }

    /// Whether a change at `path` leaves the element in the slices that the rule is about.
    pub(super) fn stays(&self, path: &[Step]) -> bool {
        !self.guarded.iter().any(|guarded| guarded.touches(path))
    }

    /// The slices of this element, without reslices, in their order.
    pub(super) fn slices(&self) -> Vec<Slice> {
        let head = format!("{}:", self.id);
        let names = self.profile.elements.iter().filter_map(|one| one.id.strip_prefix(&head));
        let names = names.filter(|name| !name.contains(['.', '/']));
        names
            .map(|name| Slice { of: self.clone(), rule: Self { id: format!("{head}{name}"), ..self.clone() } })
            .collect()
    }

    /// The value of a cell of fixed and pattern values; `true` when it is fixed.
    pub(super) fn value(&self) -> Option<(Node, bool)> {
        read_value(self.says()?)
    }

    /// The rule of a slice, once it is known that what stands at `path` belongs to it.
    fn entered(mut self, sliced: &Self, path: &[Step]) -> Self {
        let discriminators = sliced.says().map(|says| says.discriminators.as_slice()).unwrap_or_default();
        let mut guard = |names: Vec<&'static str>| self.guarded.push(Guarded { repeat: path.to_vec(), names });
        if discriminators.is_empty() {
            guard(vec!["url"]);
        }
        for (_, discriminator) in discriminators {
            let names = discriminator.split('.').filter(|name| *name != "$this");
            guard(names.take_while(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric())).collect());
        }
        self
    }
}

fn read_value(says: &ProfileElement) -> Option<(Node, bool)> {
    if says.values.is_empty() {
        return None;
    }
    let tree = Tree::parse(says.values).ok()?;
    let found = tree.root().members().find(|member| member.name().starts_with("fixed"));
    let is_fixed = found.is_some();
    let found = found.or_else(|| tree.root().members().find(|member| member.name().starts_with("pattern")))?;
    Some((Node::of(found), is_fixed))
}

/// One slice.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    of: Rule,
    pub(super) rule: Rule,
}

impl Slice {
    /// Whether a repeat meets what tells this slice. `type_name`: the type of the repeat, `json`: its JSON name.
    pub(super) fn holds(&self, value: &Node, type_name: &str, json: &str) -> Told {
        let says = self.of.says();
        let discriminators = says.map(|says| says.discriminators.as_slice()).unwrap_or_default();
        let is_extension = self.of.id.ends_with("xtension");
        if is_extension && discriminators.iter().all(|(_, path)| *path == "url") {
            return self.by_url(value);
        }
        if discriminators.is_empty() {
            return Told::Unknown;
        }
        let mut all = Told::Yes;
        for (kind, path) in discriminators {
            let told = match (*kind, *path) {
                ("type", "$this") => self.by_type(type_name, json),
                ("value" | "pattern", path) => self.by_value(path, value),
                _ => Told::Unknown,
            };
            match told {
                Told::No => return Told::No,
                Told::Unknown => all = Told::Unknown,
                Told::Yes => {}
            }
        }
        all
    }

    fn by_type(&self, type_name: &str, json: &str) -> Told {
        let name = self.rule.id.rsplit(':').next().unwrap_or_default();
        let types = self.rule.says().map(|says| says.types.as_slice()).unwrap_or_default();
        if types.is_empty() {
            return if name == json { Told::Yes } else { Told::No };
        }
        if types.iter().any(|one| one.code == type_name) { Told::Yes } else { Told::No }
    }

    /// The URL of an extension slice.
    pub(super) fn urls(&self) -> Vec<String> {
        if let Some((Node::Text(url), _)) = self.rule.child("url").value() {
            return vec![url];
        }
        let types = self.rule.says().map(|says| says.types.as_slice()).unwrap_or_default();
        let mut urls = Vec::new();
        for canonical in types.iter().flat_map(|one| &one.profiles) {
            urls.push(canonical.split('|').next().unwrap_or(canonical).to_owned());
            if let Some(profile) = Definitions::builtin().profile_for(canonical, self.rule.profile.package)
                && let Some((Node::Text(url), _)) = Rule::root(profile).child("url").value()
            {
                urls.push(url);
            }
        }
        urls
    }

    fn by_url(&self, value: &Node) -> Told {
        let (urls, found) = (self.urls(), value.text_of("url").unwrap_or_default());
        match urls.as_slice() {
            [] => Told::Unknown,
            _ if urls.iter().any(|url| url == found) => Told::Yes,
            _ => Told::No,
        }
    }

    fn by_value(&self, path: &str, value: &Node) -> Told {
        let names: Vec<&str> = if path == "$this" { Vec::new() } else { path.split('.').collect() };
        if names.iter().any(|name| !name.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            return Told::Unknown;
        }
        let mut rule = self.rule.clone();
        let mut wanted: Option<(Node, bool)> = rule.value();
        let mut found = vec![value];
        for name in names {
            found = found.into_iter().filter_map(|one| one.get(name)).flat_map(each).collect();
            rule = rule.child(name);
            wanted = match wanted {
                Some((above, is_fixed)) => {
                    let first = above.get(name).map(|below| each(below).first().copied().cloned());
                    first.flatten().map(|below| (below, is_fixed))
                }
                None => rule.value(),
            };
        }
        if let Some((wanted, is_fixed)) = wanted {
            return if found.iter().any(|one| one.has(&wanted, is_fixed)) { Told::Yes } else { Told::No };
        }
        let below = format!("{}.", rule.id);
        let told_below = elements(rule.profile).keys().any(|id| id.starts_with(&below));
        let binding = rule.says().and_then(|says| says.binding);
        match binding {
            Some(binding) if binding.strength == BindingStrength::Required && !told_below => {
                let told = found.iter().map(|one| codes::holds(binding.value_set, rule.profile.package, one));
                told.fold(Told::No, |sum, one| match (sum, one) {
                    (Told::Yes, _) | (_, Told::Yes) => Told::Yes,
                    (Told::Unknown, _) | (_, Told::Unknown) => Told::Unknown,
                    _ => Told::No,
                })
            }
            _ => Told::Unknown,
        }
    }
}

/// The items of an array, or the value itself.
fn each(value: &Node) -> Vec<&Node> {
    if let Node::Array(items) = value { items.iter().collect() } else { vec![value] }
}

/// The slice that each repeat belongs to, the first that holds it; `Err` for one that cannot be told.
pub(super) fn sort<'s>(
    slices: &'s [Slice],
    value: &Node,
    type_name: &str,
    json: &str,
) -> Result<Option<&'s Slice>, ()> {
    for slice in slices {
        match slice.holds(value, type_name, json) {
            Told::Yes => return Ok(Some(slice)),
            Told::No => {}
            Told::Unknown => return Err(()),
        }
    }
    Ok(None)
}

/// The rules of an element's repeat at `path`: those of the element and of the slices it belongs to.
pub(super) fn of_repeat(rules: &[Rule], value: &Node, path: &[Step], type_name: &str, json: &str) -> Vec<Rule> {
    let mut all = rules.to_vec();
    for rule in rules {
        let slices = rule.slices();
        if let Ok(Some(slice)) = sort(&slices, value, type_name, json) {
            all.push(slice.rule.clone().entered(rule, path));
        }
    }
    // A profile of the type itself; that of an extension is found by its URL.
    let narrowed: Vec<Rule> = all
        .iter()
        .filter_map(|rule| {
            let of_type = rule.says()?.types.iter().find(|one| one.code == type_name)?;
            let [only] = of_type.profiles.as_slice() else { return None };
            let profile = Definitions::builtin().profile_for(only, rule.profile.package)?;
            (type_name != "Extension").then(|| Rule { guarded: rule.guarded.clone(), ..Rule::root(profile) })
        })
        .collect();
    all.extend(narrowed);
    if type_name == "Extension"
        && let Some(url) = value.text_of("url").filter(|url| url.contains(':'))
        && let Some(profile) = Definitions::builtin().profile(url).filter(|one| one.is_extension())
    {
        let guarded = vec![Guarded { repeat: path.to_vec(), names: vec!["url"] }];
        all.push(Rule { guarded, ..Rule::root(profile) });
    }
    all
}
