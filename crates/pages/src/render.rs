//! From a view to a whole document: head, header, main part. Every page has the same skeleton: a language, a title, a
//! way past the header, one `main`, one `h1`.

use crate::{
    Frame, Language, Place, View, assets, fields,
    html::{Address, Element, Fragment, el},
    parts, paths,
    texts::{self, Texts},
};

/// What a page is made with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) t: &'static Texts,
    pub(crate) frame: &'a Frame,
}

/// A page that can become HTML.
pub(crate) trait Render {
    /// For the window and, unless [`Self::heading`] says otherwise, for the headline.
    fn title(&self, cx: Context<'_>) -> String;

    /// The headline.
    fn heading(&self, cx: Context<'_>) -> Fragment {
        self.title(cx).into()
    }

    /// The address that shows this page again: the language switch leads there.
    fn here(&self) -> Address;

    /// Which place of the header this is.
    fn place(&self) -> Option<Place> {
        None
    }

    /// Whether the page runs the passkey script.
    fn has_script(&self) -> bool {
        false
    }

    /// What follows the headline.
    fn body(&self, cx: Context<'_>) -> Fragment;
}

/// The whole document, UTF-8. Send it with [`crate::headers::of_page`].
#[must_use]
pub fn page(frame: &Frame, view: &View, language: Language) -> String {
    let cx = Context { t: texts::of(language), frame };
    let view = view.render();
    let title = match frame.facility.as_str() {
        "" => view.title(cx),
        facility => format!("{} – {facility}", view.title(cx)),
    };
    let script = view.has_script().then(|| {
        let address = Address::of(assets::SCRIPT.path).with("v", assets::SCRIPT.version);
        el("script").src(&address).attr("nonce", frame.nonce.as_str()).flag("defer", true)
    });
    let head = el("head")
        .add(el("meta").attr("charset", "utf-8"))
        .add(el("title").add(title))
        .add(el("meta").attr("name", "viewport").attr("content", "width=device-width, initial-scale=1"))
        .add(el("meta").attr("name", "color-scheme").attr("content", "light dark"))
        .add(el("meta").attr("name", "robots").attr("content", "noindex"))
        .add(
            el("link")
                .attr("rel", "stylesheet")
                .href(&Address::of(assets::STYLE.path).with("v", assets::STYLE.version)),
        )
        .add(el("link").attr("rel", "icon").attr("type", "image/svg+xml").href(&Address::of(assets::ICON.path)))
        .add(script);
    let body = el("body")
        .add(el("a").class("skip").href(&Address::below("main")).add(cx.t.skip))
        .add(header(cx, view, language))
        .add(el("main").id("main").add(el("h1").add(view.heading(cx))).add(view.body(cx)));
    let html = Fragment::from(el("html").attr("lang", language.tag()).add(head).add(body));
    format!("<!doctype html>\n{}\n", html.into_string())
}

fn header(cx: Context<'_>, view: &dyn Render, language: Language) -> Element {
    let other = Language::ALL.into_iter().filter(|other| *other != language).map(|other| {
        let address = view.here().with(fields::LANGUAGE, other.tag());
        el("a").attr("lang", other.tag()).attr("hreflang", other.tag()).href(&address).add(other.name())
    });
    let switch = el("nav").attr("aria-label", cx.t.language).add(Fragment::all(other));
    let bar = el("div").class("bar").add(el("p").class("facility").add(&cx.frame.facility)).add(switch);
    let person = cx.frame.person.as_ref().map(|person| {
        let name = parts::fill(cx.t.signed_in_as, &[("person", (&person.name).into())]);
        let sign_out = parts::form(paths::SIGN_OUT, &person.csrf).add(el("button").class("quiet").add(cx.t.sign_out));
        let links = person.places.iter().map(|place| {
            let (path, text) = match place {
                Place::Apps => (paths::APPS, cx.t.place_apps),
                Place::Seen => (paths::SEEN, cx.t.place_seen),
                Place::Choices => (paths::CHOICES, cx.t.place_choices),
                Place::Officer => (paths::OFFICER, cx.t.place_officer),
                Place::Security => (paths::SECURITY, cx.t.place_security),
                Place::Launch => (paths::LAUNCH, cx.t.place_launch),
                Place::Emergency => (paths::EMERGENCY, cx.t.place_emergency),
                Place::Cases(_) => (paths::CASES, cx.t.place_cases),
                Place::Clients => (paths::CLIENTS, cx.t.place_clients),
                Place::Partners => (paths::PARTNERS, cx.t.place_partners),
            };
            let waiting = match place {
                Place::Cases(count @ 1..) => Some(el("span").class("badge").add(count.to_string())),
                _ => None,
            };
            let mut link = el("a").href(&Address::of(path)).add(text).add(waiting);
            if view.place().is_some_and(|here| std::mem::discriminant(&here) == std::mem::discriminant(place)) {
                link = link.attr("aria-current", "page");
            }
            el("li").add(link)
        });
        let links = (!person.places.is_empty())
            .then(|| el("nav").class("places").attr("aria-label", cx.t.places).add(el("ul").add(Fragment::all(links))));
        Fragment::all([
            Fragment::from(el("div").class("bar person").add(el("p").add(name)).add(sign_out)),
            links.into(),
        ])
    });
    el("header").add(bar).add(person)
}
