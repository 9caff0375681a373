//! `ValueSet/$expand`: the codes of a value set, in pages. SPEC: R4 valueset-operation-expand.html.
//! Left out: nesting (contents are flat), definitions, post-coordination.

use super::{
    OperationError,
    lookup::{display_in, use_of},
    parameters,
};
use crate::{
    Terminology, ValueSetHandle,
    code_system::{CodeSystem, Designation},
    content::{Codes, Content},
    grammar::Rest,
    limits,
    ranges::Ranges,
    truth::Truth,
};
use fhir::json::Writer;

/// What to expand to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpandOptions<'a> {
    /// Words: each must begin a word of the display or of another name, or be how the code begins.
    pub filter: &'a str,
    /// Codes to leave away before the page.
    pub offset: usize,
    /// Codes of the page; `None`: all, if there are not too many.
    pub count: Option<usize>,
    /// Without retired codes.
    pub active_only: bool,
    /// With other names.
    pub include_designations: bool,
    /// Language of the displays, where there is a name in it; empty: the usual.
    pub language: &'a str,
}

/// A page of an expansion.
#[derive(Debug)]
pub struct Expansion<'a> {
    /// Canonical URL, version and name of the value set; empty when it has none.
    pub about: (&'a str, &'a str, &'a str),
    /// All codes that pass.
    pub total: usize,
    /// As asked for.
    pub options: ExpandOptions<'a>,
    /// The codes of the page.
    pub contains: Vec<Contained<'a>>,
    /// Systems that it was made from, with their versions.
    pub used: Vec<(&'a str, &'a str)>,
}

/// A code of an expansion.
#[derive(Debug, Clone, Copy)]
pub struct Contained<'a> {
    /// Code system.
    pub system: &'a str,
    /// The code.
    pub code: &'a str,
    /// Its display; empty when none is known.
    pub display: &'a str,
    /// It is retired.
    pub is_inactive: bool,
    /// It only groups others.
    pub is_abstract: bool,
    concept: Option<(&'a CodeSystem, u32)>,
}

impl<'a> Contained<'a> {
    /// Its other names.
    pub fn designations(&self) -> impl Iterator<Item = Designation<'a>> + use<'a> {
        let of = self.concept;
        of.into_iter().flat_map(|(system, concept)| system.designations(concept))
    }
}

/// The words of a text filter.
struct Words(Vec<String>);

impl Words {
    fn of(filter: &str) -> Self {
        Self(filter.split_whitespace().take(limits::FILTER_WORDS_MAX).map(str::to_lowercase).collect())
    }

    fn pass(&self, code: &str, display: &str, mut names: impl FnMut() -> Vec<String>) -> bool {
        let missing = |text: &str| self.0.iter().any(|word| !begins_a_word(text, word));
        if self.0.is_empty() || !missing(display) {
            return true;
        }
        if let [only] = self.0.as_slice()
            && starts_with(code, only)
        {
            return true;
        }
        names().iter().any(|name| !missing(name))
    }
}

/// Whether `text` begins with a word in lower case, whatever its own case.
fn starts_with(text: &str, word: &str) -> bool {
    if word.is_ascii() {
        return text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    }
    let mut have = text.chars().flat_map(char::to_lowercase);
    word.chars().all(|wanted| have.next() == Some(wanted))
}

fn begins_a_word(text: &str, word: &str) -> bool {
    let mut inside = false;
    text.char_indices().any(|(at, one)| {
        let starts = !inside;
        inside = one.is_alphanumeric();
        (starts || !inside) && text.get(at..).is_some_and(|rest| starts_with(rest, word))
    })
}

impl Terminology {
    /// A page of the codes of a value set.
    ///
    /// # Errors
    /// The codes cannot be enumerated with what is loaded; too many were asked for at once.
    pub fn expand<'a>(
        &'a self,
        set: &'a ValueSetHandle,
        options: ExpandOptions<'a>,
    ) -> Result<Expansion<'a>, OperationError> {
        let content = self.content_of(set);
        let about = self.about_of(set);
        enumerable(content, about.0)?;
        let words = Words::of(options.filter);
        let mut page =
            Page { skip: options.offset, room: options.count.unwrap_or(limits::EXPANSION_CODES_MAX), total: 0 };
        if options.count.is_some_and(|count| count > limits::EXPANSION_CODES_MAX) {
            let text = format!("at most {} codes at once: ask with a smaller `count`", limits::EXPANSION_CODES_MAX);
            return Err(OperationError::TooCostly(text));
        }
        let mut contains = Vec::new();
        for (at, codes) in content.parts.iter().enumerate() {
            let before = content.parts.iter().take(at).filter(|one| one.url == codes.url);
            let before = Before { parts: before.collect(), active_only: options.active_only };
            of_system(codes, &before, &words, options, &mut page, &mut contains);
            of_list(codes, &before, &words, &mut page, &mut contains);
        }
        if options.count.is_none() && page.total.saturating_sub(options.offset) > contains.len() {
            let text = format!("the value set has {} codes: ask for pages with `offset` and `count`", page.total);
            return Err(OperationError::TooCostly(text));
        }
        let used = content.parts.iter().map(|codes| {
            let version = codes.system.as_ref().map_or("", |system| system.about().version.as_str());
            (codes.url.as_ref(), version)
        });
        let mut used: Vec<_> = used.collect();
        used.sort_unstable();
        used.dedup();
        Ok(Expansion { about, total: page.total, options, contains, used })
    }
}

/// Where the page stands.
struct Page {
    skip: usize,
    room: usize,
    total: usize,
}

impl Page {
    /// Whether the next code that passes is on the page.
    fn takes(&mut self) -> bool {
        self.total += 1;
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let takes = self.room > 0;
        self.room = self.room.saturating_sub(1);
        takes
    }
}

fn enumerable(content: &Content, url: &str) -> Result<(), OperationError> {
    let unknown = |why: String| Err(OperationError::Unknown(format!("{url} cannot be expanded: {why}")));
    if let Some(why) = &content.others {
        return match why.unknown() {
            crate::Unknown::TooCostly(_) => Err(OperationError::TooCostly(why.unknown().to_string())),
            why => unknown(why.to_string()),
        };
    }
    for codes in &content.parts {
        let why = || {
            codes
                .why
                .as_ref()
                .map_or_else(|| crate::Unknown::System(&codes.url).to_string(), |why| why.unknown().to_string())
        };
        let unsure = !codes.unsure.is_empty() || codes.listed.iter().any(|one| one.truth == Truth::Unsure);
        match &codes.rest {
            Rest::Fixed(Truth::No) if !unsure => {}
            Rest::Rule(_) | Rest::Joined(..) if codes.system.is_none() => {
                return unknown(format!("the codes of {} follow a rule and are not listed", codes.url));
            }
            _ => return unknown(why()),
        }
    }
    Ok(())
}

/// The parts of the same code system that were told already, of another version or of none. A code is told once.
struct Before<'a> {
    parts: Vec<&'a Codes>,
    active_only: bool,
}

impl Before<'_> {
    fn has(&self, code: &str) -> bool {
        self.parts.iter().any(|part| {
            let is_told = |system: &CodeSystem| {
                !self.active_only || system.find(code).is_none_or(|concept| !system.is_inactive(concept))
            };
            part.truth(code) == Truth::Yes && part.system.as_deref().is_none_or(is_told)
        })
    }

    /// What of these members of `codes` is yet to be told.
    fn without(&self, members: &Ranges, codes: &Codes) -> Ranges {
        let mut left = members.clone();
        for part in &self.parts {
            if part.is_same_system(codes) {
                // What is retired was left away from `members` as from theirs.
                left = left.minus(&part.yes);
            } else if let Some(system) = &codes.system {
                left = Ranges::of_positions(left.iter().filter(|concept| !self.has(system.code(*concept))));
            }
        }
        left
    }
}

fn of_system<'a>(
    codes: &'a Codes,
    before: &Before<'_>,
    words: &Words,
    options: ExpandOptions<'a>,
    page: &mut Page,
    into: &mut Vec<Contained<'a>>,
) {
    let Some(system) = codes.system.as_deref() else { return };
    let (active, left);
    let mut members: &Ranges = if options.active_only {
        active = codes.yes.minus(system.inactive());
        &active
    } else {
        &codes.yes
    };
    if !before.parts.is_empty() {
        left = before.without(members, codes);
        members = &left;
    }
    let shown = |concept: u32| {
        let given = codes.shown.binary_search_by_key(&concept, |one| one.0).ok().and_then(|at| codes.shown.get(at));
        match given {
            Some((_, display)) if options.language.is_empty() => display,
            _ => display_in(system, concept, options.language),
        }
    };
    let contained = |concept: u32| Contained {
        system: &codes.url,
        code: system.code(concept),
        display: shown(concept),
        is_inactive: system.is_inactive(concept),
        is_abstract: system.is_abstract(concept),
        concept: Some((system, concept)),
    };
    if words.0.is_empty() {
        // Without a look at those that are not on the page.
        let len = members.len();
        page.total += len;
        let skipped = page.skip.min(len);
        page.skip -= skipped;
        let before = into.len();
        if page.room > 0 {
            into.extend(members.iter_after(skipped).take(page.room).map(contained));
        }
        page.room -= into.len() - before;
        return;
    }
    for concept in members.iter() {
        let names = || system.designations(concept).map(|name| name.value.to_owned()).collect();
        if words.pass(system.code(concept), shown(concept), names) && page.takes() {
            into.push(contained(concept));
        }
    }
}

fn of_list<'a>(codes: &'a Codes, before: &Before<'_>, words: &Words, page: &mut Page, into: &mut Vec<Contained<'a>>) {
    for one in codes.listed.iter().filter(|one| one.truth == Truth::Yes && !before.has(&one.code)) {
        if words.pass(&one.code, &one.display, Vec::new) && page.takes() {
            into.push(Contained {
                system: &codes.url,
                code: &one.code,
                display: &one.display,
                is_inactive: false,
                is_abstract: false,
                concept: None,
            });
        }
    }
}

impl Expansion<'_> {
    /// Writes the ValueSet resource. `identifier` is a URI that the caller makes (`urn:uuid:…`), `timestamp`
    /// an instant.
    pub fn write(&self, w: &mut Writer, identifier: &str, timestamp: &str) {
        let (url, version, name) = self.about;
        w.object(|w| {
            w.member("resourceType", "ValueSet");
            for (member, value) in [("url", url), ("version", version), ("name", name)] {
                if !value.is_empty() {
                    w.member(member, value);
                }
            }
            w.member("status", "active");
            w.key("expansion");
            w.object(|w| {
                w.member("identifier", identifier);
                w.member("timestamp", timestamp);
                w.key("total");
                w.integer(i64::try_from(self.total).unwrap_or(i64::MAX));
                w.key("offset");
                w.integer(i64::try_from(self.options.offset).unwrap_or(i64::MAX));
                self.write_parameters(w);
                if !self.contains.is_empty() {
                    w.key("contains");
                    w.array(|w| self.contains.iter().for_each(|one| self.write_contained(w, one)));
                }
            });
        });
    }

    fn write_parameters(&self, w: &mut Writer) {
        let options = self.options;
        let count = options.count.and_then(|count| i64::try_from(count).ok());
        let is_default = ExpandOptions { offset: options.offset, ..ExpandOptions::default() } == options;
        if is_default && self.used.is_empty() {
            return;
        }
        w.key("parameter");
        w.array(|w| {
            parameters::text(w, "filter", "valueString", options.filter);
            if let Some(count) = count {
                w.object(|w| {
                    w.member("name", "count");
                    w.key("valueInteger");
                    w.integer(count);
                });
            }
            if options.active_only {
                parameters::boolean(w, "activeOnly", true);
            }
            if options.include_designations {
                parameters::boolean(w, "includeDesignations", true);
            }
            parameters::text(w, "displayLanguage", "valueCode", options.language);
            for (url, version) in &self.used {
                let canonical = if version.is_empty() { (*url).to_owned() } else { format!("{url}|{version}") };
                parameters::text(w, "version", "valueUri", &canonical);
            }
        });
    }

    fn write_contained(&self, w: &mut Writer, one: &Contained<'_>) {
        w.object(|w| {
            w.member("system", one.system);
            if one.is_abstract {
                w.key("abstract");
                w.boolean(true);
            }
            if one.is_inactive {
                w.key("inactive");
                w.boolean(true);
            }
            w.member("code", one.code);
            if !one.display.is_empty() {
                w.member("display", one.display);
            }
            if self.options.include_designations && one.designations().next().is_some() {
                w.key("designation");
                w.array(|w| {
                    for name in one.designations() {
                        w.object(|w| {
                            if !name.language.is_empty() {
                                w.member("language", name.language);
                            }
                            if !name.use_code.is_empty() {
                                w.key("use");
                                let (system, code) = use_of(name.use_code);
                                parameters::coding(w, system, "", code, "");
                            }
                            w.member("value", name.value);
                        });
                    }
                });
            }
        });
    }
}
