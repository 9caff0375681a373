//! The pieces that pages are put together from: forms, fields, notices, lists. One look, one behaviour, one place.

pub(crate) use crate::html::{fill, fill_plain};
use crate::{
    AppFacts, Checked, PatientFacts, Relation, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    render::Context,
    texts::Texts,
};

/// A form that is sent by POST, with its token (row A18).
pub(crate) fn form(path: &'static str, csrf: &Secret) -> Element {
    el("form").attr("method", "post").action(&Address::of(path)).add(hidden(fields::CSRF, csrf.as_str()))
}

pub(crate) fn hidden(name: &str, value: &str) -> Element {
    el("input").attr("type", "hidden").attr("name", name).attr("value", value)
}

pub(crate) fn continuation(handle: &Secret) -> Element {
    hidden(fields::CONTINUATION, handle.as_str())
}

/// Tells a password keeper whose password the form is about; not shown.
pub(crate) fn whose_password(user: &Text) -> Element {
    let field = el("input").attr("type", "text").attr("name", fields::USER).attr("value", user.as_str());
    field.attr("autocomplete", "username").flag("readonly", true).flag("hidden", true)
}

/// A paragraph under the headline.
pub(crate) fn lead(text: impl Into<Fragment>) -> Element {
    el("p").class("lead").add(text)
}

/// A paragraph in a quieter colour.
pub(crate) fn hint(text: impl Into<Fragment>) -> Element {
    el("p").class("hint").add(text)
}

/// The button that does what the page is for.
pub(crate) fn primary(text: impl Into<Fragment>) -> Element {
    el("button").class("primary").add(text)
}

/// A button for something else.
pub(crate) fn secondary(text: impl Into<Fragment>) -> Element {
    el("button").class("secondary").add(text)
}

/// A link that looks like the main button.
pub(crate) fn primary_link(address: &Address, text: impl Into<Fragment>) -> Element {
    el("a").class("button primary").href(address).add(text)
}

/// A button that also sends which one it is.
pub(crate) fn deciding(button: Element, value: &str) -> Element {
    button.attr("name", fields::DECISION).attr("value", value)
}

pub(crate) fn actions(content: impl Into<Fragment>) -> Element {
    el("div").class("actions").add(content)
}

/// A section with its headline.
pub(crate) fn section(id: &'static str, title: impl Into<Fragment>) -> Element {
    el("section").attr("aria-labelledby", id).add(el("h2").id(id).add(title))
}

/// What a notice says of itself, by icon and by a word that is read out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something is wrong.
    Trouble,
    /// To be noted before going on.
    Attention,
    /// It has worked.
    Good,
}

/// A notice. Trouble and good news are read out at once.
pub(crate) fn notice(tone: Tone, content: impl Into<Fragment>, t: &Texts) -> Element {
    let (class, word, picture) = match tone {
        Tone::Trouble => ("notice trouble", t.trouble, TROUBLE),
        Tone::Attention => ("notice attention", t.attention, "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 7v6M12 16v.5"),
        Tone::Good => ("notice good", t.good, "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8 12l3 3 5-6"),
    };
    let words = el("div").add(el("span").class("unseen").add(format!("{word} "))).add(content);
    let notice = el("div").class(class).add(icon(picture)).add(words);
    match tone {
        Tone::Trouble => notice.attr("role", "alert").attr("tabindex", "-1").flag("autofocus", true),
        Tone::Attention => notice,
        Tone::Good => notice.attr("role", "status"),
    }
}

/// What is wrong with a field.
pub(crate) fn problem(words: impl Into<Fragment>) -> Element {
    el("p").class("problem").attr("role", "alert").add(icon(TROUBLE)).add(el("span").add(words))
}

/// The sign of trouble.
pub(crate) const TROUBLE: &str = "M12 3 22 20H2ZM12 9v5M12 17v.5";

pub(crate) fn icon(path: &str) -> Element {
    let picture = el("svg").class("icon").attr("viewBox", "0 0 24 24").attr("aria-hidden", "true");
    picture.add(el("path").attr("d", path))
}

/// `Please wait …`.
pub(crate) fn wait(minutes: u32, t: &Texts) -> String {
    match minutes {
        0 | 1 => t.wait_one.to_owned(),
        minutes => fill_plain(t.wait_many, &[("minutes", &minutes.to_string())]),
    }
}

/// `That was too many tries. Please wait …`.
pub(crate) fn too_many(minutes: u32, t: &Texts) -> String {
    format!("{} {}", t.too_many_tries, wait(minutes, t))
}

/// A field with its label, its hint and what is wrong with it.
pub(crate) struct Field<'a> {
    name: &'static str,
    label: &'a str,
    hint: Option<String>,
    problem: Option<String>,
    need: Need,
    takes_focus: bool,
    input: Element,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The browser does not send the form without it.
    Required,
    /// May stay empty, and says so.
    Optional,
    /// May stay empty, as everybody knows of a search.
    Free,
}

impl<'a> Field<'a> {
    /// A line of text.
    pub(crate) fn text(name: &'static str, label: &'a str) -> Self {
        Self::of(name, label, el("input").attr("type", "text"))
    }

    /// A password that is not shown.
    pub(crate) fn password(name: &'static str, label: &'a str, autocomplete: &str) -> Self {
        Self::of(name, label, el("input").attr("type", "password")).set("autocomplete", autocomplete)
    }

    /// A sign-in name.
    pub(crate) fn user(label: &'a str, autocomplete: &str) -> Self {
        let field = Self::text(fields::USER, label).set("autocomplete", autocomplete);
        field.set("autocapitalize", "none").set("spellcheck", "false")
    }

    /// A code: a row of signs that no keyboard shall mend.
    pub(crate) fn code(label: &'a str) -> Self {
        let field = Self::text(fields::CODE, label).set("autocomplete", "one-time-code");
        field.set("autocapitalize", "none").set("spellcheck", "false")
    }

    /// A day.
    pub(crate) fn date(name: &'static str, label: &'a str) -> Self {
        Self::of(name, label, el("input").attr("type", "date"))
    }

    /// Several lines.
    pub(crate) fn lines(name: &'static str, label: &'a str, text: &str) -> Self {
        Self::of(name, label, el("textarea").attr("rows", "3").attr("spellcheck", "false").add(text))
    }

    fn of(name: &'static str, label: &'a str, input: Element) -> Self {
        Self {
            name,
            label,
            hint: None,
            problem: None,
            need: Need::Required,
            takes_focus: true,
            input: input.id(name).attr("name", name),
        }
    }

    pub(crate) fn set(mut self, name: &'static str, value: &str) -> Self {
        self.input = self.input.attr(name, value);
        self
    }

    pub(crate) fn value(self, value: Option<&str>) -> Self {
        match value {
            Some(value) if !value.is_empty() => self.set("value", value),
            _ => self,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn problem(mut self, problem: Option<String>) -> Self {
        self.problem = problem;
        self
    }

    /// One of several that may be wrong at once: the page's notice takes the focus.
    pub(crate) fn among_others(mut self) -> Self {
        self.takes_focus = false;
        self
    }

    /// It may stay empty, and says so.
    pub(crate) fn optional(mut self) -> Self {
        self.need = Need::Optional;
        self
    }

    /// It may stay empty, as everybody knows of a search.
    pub(crate) fn free(mut self) -> Self {
        self.need = Need::Free;
        self
    }

    pub(crate) fn element(self, t: &Texts) -> Element {
        let Self { name, label, hint, problem, need, takes_focus, mut input } = self;
        let (hint_id, problem_id) = (format!("{name}-hint"), format!("{name}-problem"));
        let mut described = Vec::new();
        let hint = hint.map(|hint| {
            described.push(hint_id.as_str());
            el("p").class("hint").id(&hint_id).add(hint)
        });
        let problem = problem.map(|problem| {
            described.push(problem_id.as_str());
            self::problem(problem).id(&problem_id)
        });
        if problem.is_some() {
            input = input.attr("aria-invalid", "true").flag("autofocus", takes_focus);
        }
        if !described.is_empty() {
            input = input.attr("aria-describedby", &described.join(" "));
        }
        let mut label = el("label").attr("for", name).add(label);
        match need {
            Need::Required => input = input.flag("required", true),
            Need::Optional => label = label.add(el("span").class("hint").add(format!(" ({})", t.optional))),
            Need::Free => {}
        }
        el("div").class("field").add(label).add(hint).add(problem).add(input)
    }
}

/// A box or a round button with its words.
pub(crate) fn check(input: Element, words: impl Into<Fragment>) -> Element {
    el("label").class("check").add(input).add(el("span").add(words))
}

pub(crate) fn checkbox(name: &str, value: &str, is_on: bool) -> Element {
    el("input").attr("type", "checkbox").attr("name", name).attr("value", value).flag("checked", is_on)
}

pub(crate) fn radio(name: &str, value: &str, is_on: bool) -> Element {
    el("input").attr("type", "radio").attr("name", name).attr("value", value).flag("checked", is_on)
}

/// Words that wait behind a line.
pub(crate) fn details(summary: impl Into<Fragment>, content: impl Into<Fragment>) -> Element {
    el("details").add(el("summary").add(summary)).add(el("div").class("inside").add(content))
}

/// Facts by name: `Since`, `March 3, 2026`.
pub(crate) fn facts(list: impl IntoIterator<Item = (&'static str, Fragment)>) -> Element {
    let rows = list.into_iter().map(|(name, value)| el("div").add(el("dt").add(name)).add(el("dd").add(value)));
    el("dl").class("facts").add(Fragment::all(rows))
}

/// An app's picture: its logo, or its first letter.
pub(crate) fn logo(app: &AppFacts) -> Element {
    match app.logo.as_ref().and_then(|path| Address::own(path.as_str())) {
        Some(address) => {
            let size = |image: Element| image.attr("width", "48").attr("height", "48");
            size(el("img").class("logo").src(&address)).attr("alt", "")
        }
        None => {
            let first: String = app.name.as_str().chars().take(1).flat_map(char::to_uppercase).collect();
            el("span").class("logo").attr("aria-hidden", "true").add(first)
        }
    }
}

/// Who made an app, with its picture, and with its name unless the headline is that.
pub(crate) fn app(app: &AppFacts, is_named: bool, cx: Context<'_>) -> Element {
    let maker = match &app.maker {
        Some(maker) => fill(cx.t.made_by, &[("maker", maker.into())]),
        None => cx.t.maker_unknown.into(),
    };
    let name = is_named.then(|| el("p").class("name").add(&app.name));
    let mut words = el("div").add(name).add(el("p").class("hint").add(maker));
    if app.checked == Checked::ByFacility {
        let checked = fill(cx.t.checked, &[("facility", (&cx.frame.facility).into())]);
        words = words.add(el("p").class("checked").add(icon("M5 13l4 4L19 7")).add(el("span").add(checked)));
    }
    el("div").class("app").add(logo(app)).add(words)
}

/// The notice that nobody here has looked at an app, with what to do about it.
pub(crate) fn unchecked(app: &AppFacts, advice: &'static str, cx: Context<'_>) -> Option<Element> {
    (app.checked == Checked::ByNobody).then(|| {
        let title = fill(cx.t.unchecked_title, &[("facility", (&cx.frame.facility).into())]);
        let words = el("p").add(el("strong").add(title));
        notice(Tone::Attention, vec![words, el("p").add(advice)], cx.t)
    })
}

/// A patient's name with what tells them apart, as two lines.
pub(crate) fn patient(patient: &PatientFacts, t: &Texts) -> Element {
    let mut facts: Vec<Fragment> = Vec::new();
    match patient.relation {
        Some(Relation::Oneself) => facts.push(t.relation_oneself.into()),
        Some(Relation::Caregiver) => facts.push(t.relation_caregiver.into()),
        None => {}
    }
    facts.extend(born(patient, t).map(Fragment::from));
    facts.extend(patient.detail.as_ref().map(Fragment::from));
    let line = joined(facts);
    el("span").class("label").add(el("span").class("name").add(&patient.name)).add(line)
}

/// `born May 17, 1943`.
pub(crate) fn born(patient: &PatientFacts, t: &Texts) -> Option<String> {
    patient.born.map(|date| {
        let text = if date.day.is_some() { t.born } else { t.born_in };
        fill_plain(text, &[("date", &t.date(date))])
    })
}

/// Facts on one quiet line, with dots between.
pub(crate) fn joined(facts: Vec<Fragment>) -> Option<Element> {
    if facts.is_empty() {
        return None;
    }
    let mut line = el("span").class("line");
    for (at, fact) in facts.into_iter().enumerate() {
        if at > 0 {
            line = line.add(" · ");
        }
        line = line.add(el("span").class("fact").add(fact));
    }
    Some(line)
}

/// Looks for a name in a list; sent by GET, so that the answer has an address.
pub(crate) fn finder(path: &'static str, filter: Option<&Text>, rest: impl Into<Fragment>, t: &Texts) -> Element {
    let field = Field::of(fields::FILTER, t.find_label, el("input").attr("type", "search"));
    let field = field.value(filter.map(Text::as_str)).set("autocomplete", "off");
    let field = Field { need: Need::Free, ..field };
    let row = el("div").class("find").add(field.element(t)).add(secondary(t.find));
    el("form").attr("method", "get").attr("role", "search").action(&Address::of(path)).add(rest).add(row)
}

/// The first letter large: for words that begin a line.
pub(crate) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
