//! The apps of a facility, for its administrator: list, registration, one app and its secrets. SPEC: rows B11 to B15.
//!
//! A secret is shown once, on the answer to the form that made it. Registration by machines is RFC 7591, not here.

mod reason;

pub use reason::{RegistrationReason, ReturnReason};

use crate::{
    AppFacts, Date, Literal, Moment, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Field, Tone, actions, deciding, fill, fill_plain, hint, primary, primary_link, secondary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// How an app proves which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// Runs on the person's own device and keeps no secret.
    Public,
    /// Has a server that keeps a secret.
    ConfidentialSymmetric,
    /// Has a server that signs with its own key.
    ConfidentialAsymmetric,
    /// Runs without people, signs with its own key.
    BackendService,
    /// Shows a certificate when it connects.
    MutualTls,
    /// Known by a trust community; it registers itself, never by the form.
    Community,
}

impl ClientKind {
    /// All, in the order of the form.
    pub const ALL: [Self; 5] = [
        Self::Public,
        Self::ConfidentialSymmetric,
        Self::ConfidentialAsymmetric,
        Self::BackendService,
        Self::MutualTls,
    ];

    /// Value of the field [`crate::fields::KIND`].
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::ConfidentialSymmetric => "confidential-symmetric",
            Self::ConfidentialAsymmetric => "confidential-asymmetric",
            Self::BackendService => "backend-service",
            Self::MutualTls => "mutual-tls",
            Self::Community => "udap",
        }
    }

    /// From a form's value.
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.value() == value)
    }
}

/// All apps of the facility.
#[derive(Clone, Debug)]
pub struct Clients {
    /// At most [`crate::limits::ROWS_MAX`].
    pub clients: Vec<ClientFacts>,
}

/// A registered app.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// Its client id.
    pub id: Literal,
    /// What people see of it.
    pub app: AppFacts,
    /// How it proves which one it is.
    pub kind: ClientKind,
    /// Since when.
    pub since: Date,
    /// Stopped by an administrator.
    pub is_disabled: bool,
}

/// The form.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// Form token.
    pub csrf: Secret,
    /// What was typed before; [`Registered::default`] at first.
    pub typed: Registered,
    /// What was wrong, field by field.
    pub problems: Vec<RegistrationProblem>,
}

/// The fields of the form, as typed.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// Name of the app.
    pub name: Text,
    /// Who makes it.
    pub maker: Text,
    /// What it is for.
    pub purpose: Text,
    /// How it proves which one it is.
    pub kind: Option<ClientKind>,
    /// One on each line.
    pub redirect_uris: Secret,
    /// For an EHR launch.
    pub launch_url: Secret,
    /// What it can be opened for, one on each line.
    pub intents: Secret,
    /// What a system may act for, with blanks between.
    pub purposes_of_use: Secret,
    /// Address of the logo.
    pub logo_url: Secret,
    /// With blanks or lines between.
    pub scopes: Secret,
    /// Address of the public keys.
    pub jwks_url: Secret,
    /// The public keys.
    pub jwks: Secret,
    /// Subject of the certificate.
    pub certificate_subject: Secret,
    /// This facility has checked it.
    pub is_verified: bool,
    /// Held to the FAPI 2 profile.
    pub is_fapi2: bool,
}

/// One thing that is wrong with the form.
#[derive(Clone, Debug)]
pub struct RegistrationProblem {
    /// A constant of [`crate::fields`].
    pub field: &'static str,
    /// Why.
    pub reason: RegistrationReason,
}

/// A new app, or a new secret of one: the secret is shown this once.
#[derive(Clone, Debug)]
pub struct ClientRegistered {
    /// Its client id.
    pub id: Literal,
    /// Its name.
    pub name: Text,
    /// The secret, for a kind that has one.
    pub secret: Option<Secret>,
    /// It is the second secret of an app that goes on with the first as well.
    pub is_second: bool,
}

/// One app.
#[derive(Clone, Debug)]
pub struct Client {
    /// Form token.
    pub csrf: Secret,
    /// What is registered.
    pub client: ClientFacts,
    /// Redirect URIs.
    pub redirect_uris: Vec<Literal>,
    /// Scopes.
    pub scopes: Vec<Literal>,
    /// What it can be opened for, `word=name`.
    pub intents: Vec<Literal>,
    /// What a system may act for: codes.
    pub purposes_of_use: Vec<Literal>,
    /// Secrets that work, older first; at most two.
    pub secrets: Vec<SecretFacts>,
}

/// A secret, by its dates.
#[derive(Clone, Debug)]
pub struct SecretFacts {
    /// When it was made.
    pub since: Date,
    /// When it was last used.
    pub last_used: Option<Moment>,
}

impl ClientKind {
    const fn name(self, t: &Texts) -> &'static str {
        match self {
            Self::Public => t.kind_public,
            Self::ConfidentialSymmetric => t.kind_symmetric,
            Self::ConfidentialAsymmetric => t.kind_asymmetric,
            Self::BackendService => t.kind_backend,
            Self::MutualTls => t.kind_mutual_tls,
            Self::Community => t.kind_community,
        }
    }

    const fn hint(self, t: &Texts) -> &'static str {
        match self {
            Self::Public => t.kind_public_hint,
            Self::ConfidentialSymmetric => t.kind_symmetric_hint,
            Self::ConfidentialAsymmetric => t.kind_asymmetric_hint,
            Self::BackendService => t.kind_backend_hint,
            Self::MutualTls => t.kind_mutual_tls_hint,
            Self::Community => t.kind_community_hint,
        }
    }
}

/// Back to the list.
fn back(t: &Texts) -> Element {
    el("p").add(el("a").class("quiet").href(&Address::of(paths::CLIENTS)).add(t.clients_title))
}

impl Render for Clients {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.clients_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::CLIENTS)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Clients)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let rows = self.clients.iter().map(|client| {
            let address = Address::of(paths::CLIENT).with(fields::CLIENT, client.id.as_str());
            let stopped = client.is_disabled.then(|| el("span").class("line warning").add(t.client_disabled));
            let words = el("span")
                .class("label")
                .add(el("span").class("name").add(&client.app.name))
                .add(el("span").class("line").add(client.kind.name(t)))
                .add(stopped);
            let link = el("a").class("row").href(&address).add(parts::logo(&client.app)).add(words);
            el("li").add(link.add(parts::icon("M9 5l7 7-7 7")))
        });
        let add = actions(primary_link(&Address::of(paths::CLIENT_NEW), t.clients_add));
        if self.clients.is_empty() {
            return Fragment::all([parts::lead(t.clients_none), add]);
        }
        Fragment::all([add, el("ul").class("rows").add(Fragment::all(rows))])
    }
}

impl ClientRegistration {
    fn problem(&self, field: &str, t: &Texts) -> Option<String> {
        let reasons = self.problems.iter().filter(|problem| problem.field == field);
        let reasons: Vec<String> = reasons.map(|problem| problem.reason.words(t)).collect();
        (!reasons.is_empty()).then(|| reasons.join(" "))
    }

    fn line<'a>(&self, name: &'static str, label: &'a str, value: &str, t: &Texts) -> Field<'a> {
        Field::text(name, label)
            .value(Some(value))
            .problem(self.problem(name, t))
            .set("autocomplete", "off")
            .among_others()
    }

    fn lines<'a>(&self, name: &'static str, label: &'a str, value: &Secret, t: &Texts) -> Field<'a> {
        Field::lines(name, label, value.as_str()).problem(self.problem(name, t)).among_others()
    }

    fn kinds(&self, t: &Texts) -> Element {
        let kinds = ClientKind::ALL.into_iter().map(|kind| {
            let input = parts::radio(fields::KIND, kind.value(), self.typed.kind == Some(kind)).flag("required", true);
            let words = el("span").class("label").add(el("span").class("name").add(kind.name(t)));
            parts::check(input, words.add(el("span").class("line").add(kind.hint(t))))
        });
        let problem = self.problem(fields::KIND, t).map(parts::problem);
        el("fieldset").class("checks").add(el("legend").add(t.register_kind)).add(problem).add(Fragment::all(kinds))
    }
}

impl Render for ClientRegistration {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.register_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::CLIENT_NEW)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Clients)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let typed = &self.typed;
        let notice = (!self.problems.is_empty()).then(|| {
            let missing = self.problems.iter().filter(|problem| !is_shown(problem.field));
            let reasons = missing.map(|problem| el("p").add(problem.reason.words(t)));
            parts::notice(
                Tone::Trouble,
                Fragment::all([el("p").add(t.register_problems).into(), Fragment::all(reasons)]),
                t,
            )
        });
        let box_of = |name, is_on, label: &str, words: Fragment| {
            let text = el("span").class("label").add(el("span").class("name").add(label));
            parts::check(parts::checkbox(name, fields::ON, is_on), text.add(el("span").class("line").add(words)))
        };
        let facility = [("facility", Fragment::from(&cx.frame.facility))];
        let about = parts::section("about", t.register_about)
            .class("part")
            .add(self.line(fields::NAME, t.register_name, typed.name.as_str(), t).element(t))
            .add(self.line(fields::MAKER, t.register_maker, typed.maker.as_str(), t).optional().element(t))
            .add(
                self.line(fields::PURPOSE, t.register_purpose, typed.purpose.as_str(), t)
                    .hint(t.register_purpose_hint)
                    .optional()
                    .element(t),
            )
            .add(self.line(fields::LOGO_URL, t.register_logo, typed.logo_url.as_str(), t).optional().element(t))
            .add(box_of(
                fields::VERIFIED,
                typed.is_verified,
                t.register_verified,
                fill(t.register_verified_hint, &facility),
            ));
        let redirects = self.lines(fields::REDIRECT_URIS, t.register_redirects, &typed.redirect_uris, t);
        let addresses = parts::section("addresses", t.register_addresses)
            .class("part")
            .add(redirects.hint(t.register_redirects_hint).optional().element(t))
            .add(
                self.line(fields::LAUNCH_URL, t.register_launch, typed.launch_url.as_str(), t)
                    .hint(t.register_launch_hint)
                    .optional()
                    .element(t),
            )
            .add(
                self.lines(fields::INTENTS, t.register_intents, &typed.intents, t)
                    .hint(t.register_intents_hint)
                    .optional()
                    .element(t),
            );
        let scopes = self.lines(fields::SCOPES, t.register_scopes, &typed.scopes, t).hint(t.register_scopes_hint);
        let purposes = self
            .line(fields::PURPOSES_OF_USE, t.register_purposes, typed.purposes_of_use.as_str(), t)
            .hint(t.register_purposes_hint)
            .optional();
        let keys = parts::section("keys", t.register_keys)
            .class("part")
            .add(self.line(fields::JWKS_URL, t.register_jwks_url, typed.jwks_url.as_str(), t).optional().element(t))
            .add(self.lines(fields::JWKS, t.register_jwks, &typed.jwks, t).optional().element(t))
            .add(
                self.line(fields::CERTIFICATE_SUBJECT, t.register_subject, typed.certificate_subject.as_str(), t)
                    .optional()
                    .element(t),
            )
            .add(box_of(fields::FAPI2, typed.is_fapi2, t.register_fapi2, t.register_fapi2_hint.into()));
        let form = parts::form(paths::CLIENT_NEW, &self.csrf)
            .add(about)
            .add(el("div").class("part").add(self.kinds(t)))
            .add(addresses)
            .add(el("div").class("part").add(scopes.element(t)).add(purposes.element(t)))
            .add(keys)
            .add(actions(primary(t.register)));
        Fragment::all([Fragment::from(notice), form.into(), back(t).into()])
    }
}

/// Fields that say themselves what is wrong with them; of others the notice does.
fn is_shown(field: &str) -> bool {
    const SHOWN: [&str; 12] = [
        fields::NAME,
        fields::MAKER,
        fields::PURPOSE,
        fields::LOGO_URL,
        fields::KIND,
        fields::REDIRECT_URIS,
        fields::LAUNCH_URL,
        fields::INTENTS,
        fields::SCOPES,
        fields::PURPOSES_OF_USE,
        fields::JWKS_URL,
        fields::JWKS,
    ];
    SHOWN.contains(&field) || field == fields::CERTIFICATE_SUBJECT
}

impl Render for ClientRegistered {
    fn title(&self, cx: Context<'_>) -> String {
        let text = if self.is_second { cx.t.registered_second_title } else { cx.t.registered_title };
        fill_plain(text, &[("app", self.name.as_str())])
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        let text = if self.is_second { cx.t.registered_second_title } else { cx.t.registered_title };
        fill(text, &[("app", (&self.name).into())])
    }

    /// The secret is shown once, so the language switch leads to the app's page.
    fn here(&self) -> Address {
        Address::of(paths::CLIENT).with(fields::CLIENT, self.id.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Clients)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let told = match &self.secret {
            Some(_) => parts::notice(Tone::Attention, el("p").add(t.registered_secret_once), t),
            None => el("p").add(t.registered_no_secret),
        };
        let id = (t.client_id, el("code").class("key").add(&self.id).into());
        let secret = self.secret.as_ref();
        let secret = secret.map(|secret| (t.registered_secret, el("code").class("key").add(secret).into()));
        let second = self.is_second.then(|| el("p").add(t.registered_second));
        let next = Address::of(paths::CLIENT).with(fields::CLIENT, self.id.as_str());
        Fragment::all([
            told.into(),
            Fragment::from(parts::facts([id].into_iter().chain(secret))),
            second.into(),
            actions(primary_link(&next, t.go_on)).into(),
        ])
    }
}

fn literals(list: &[Literal], t: &Texts) -> Fragment {
    if list.is_empty() {
        return t.none_given.into();
    }
    let items = list.iter().map(|one| el("li").add(el("code").add(one)));
    el("ul").class("items").add(Fragment::all(items)).into()
}

impl Client {
    fn form(&self) -> Element {
        parts::form(paths::CLIENT, &self.csrf).add(parts::hidden(fields::CLIENT, self.client.id.as_str()))
    }

    fn secrets(&self, t: &Texts) -> Option<Element> {
        (self.client.kind == ClientKind::ConfidentialSymmetric).then(|| {
            let rows = self.secrets.iter().map(|secret| {
                let since = fill_plain(t.client_secret_since, &[("date", &t.date(secret.since))]);
                let used = match secret.last_used {
                    Some(moment) => fill_plain(t.client_secret_used, &[("moment", &t.moment(moment))]),
                    None => t.client_secret_unused.to_owned(),
                };
                el("li").add(format!("{since} {used}"))
            });
            let act = if self.secrets.len() > 1 {
                let drop = deciding(secondary(t.client_drop_secret), fields::DROP_SECRET);
                Fragment::all([hint(t.client_drop_secret_hint), actions(drop)])
            } else {
                actions(deciding(secondary(t.client_new_secret), fields::NEW_SECRET)).into()
            };
            let list = el("ul").class("plain").add(Fragment::all(rows));
            parts::section("secrets", t.client_secrets).class("part").add(list).add(self.form().add(act))
        })
    }
}

impl Render for Client {
    fn title(&self, _: Context<'_>) -> String {
        self.client.app.name.as_str().to_owned()
    }

    fn heading(&self, _: Context<'_>) -> Fragment {
        (&self.client.app.name).into()
    }

    fn here(&self) -> Address {
        Address::of(paths::CLIENT).with(fields::CLIENT, self.client.id.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Clients)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let client = &self.client;
        let stopped = client.is_disabled.then(|| parts::notice(Tone::Attention, el("p").add(t.client_disabled), t));
        let facts = parts::facts([
            (t.client_id, el("code").class("key").add(&client.id).into()),
            (t.client_kind, client.kind.name(t).into()),
            (t.since, t.date(client.since).into()),
            (t.client_redirects, literals(&self.redirect_uris, t)),
            (t.client_scopes, literals(&self.scopes, t)),
            (t.client_intents, literals(&self.intents, t)),
            (t.client_purposes, literals(&self.purposes_of_use, t)),
        ]);
        let act = if client.is_disabled {
            actions(deciding(primary(t.client_enable), fields::ENABLE)).into()
        } else {
            let stop = deciding(el("button").class("danger"), fields::DISABLE).add(t.client_disable);
            Fragment::all([hint(t.client_disable_hint), actions(stop)])
        };
        Fragment::all([
            Fragment::from(stopped),
            parts::app(&client.app, false, cx).into(),
            parts::unchecked(&client.app, t.unchecked_registered, cx).into(),
            facts.into(),
            self.secrets(t).into(),
            el("div").class("part").add(self.form().add(act)).into(),
            back(t).into(),
        ])
    }
}
