//! The facility's apps, for its administrators: list, registration, one app with its secrets. SPEC: rows B11 to B15, A18,
//! F16.
//!
//! An administrator may look with a session; whoever registers or changes an app proved within minutes who they are. A
//! secret is on the answer to the form that made it, and nowhere again. Nothing of a patient is here.

use super::{CLIENTS_FORM, Reply, Visitor, next};
use crate::{
    NewCertificate, NewClient, NewKeys, NewKind,
    client::{
        Client, ClientError, Kind, Unfit,
        check::{self, Part},
    },
    outcome::page::Sent,
    random,
    registering::{By, Recorded, no_randomness},
    service::Inner,
};
use audit::entry::{Action, Person};
use oauth::{
    caller::{Role, User},
    form::Form,
    redirect_uri::{ApplicationType, RedirectUri},
};
use pages::{
    ClientFacts, ClientKind, ClientRegistered, ClientRegistration, Clients, Date, Literal, Moment, ProblemWhat,
    Registered, RegistrationProblem, RegistrationReason, Secret, SecretFacts, Text, fields, limits, paths,
};
use std::sync::Arc;

/// What an act on a client came to.
enum Done {
    /// It was changed.
    Changed,
    /// It has another secret.
    Secret(Secret),
}

impl Visitor<'_> {
    /// The administrator at the page; anybody else is turned away. `what` waits behind a sign-in.
    pub(super) fn administrator(&self, what: &str) -> Result<Arc<User>, Box<Reply>> {
        let (session, user) = self.who(what)?;
        if user.role == Role::Administrator {
            return Ok(user);
        }
        let event = self.event("client-pages-refused", Action::Execute, &session.account);
        let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
        Err(Box::new(reply.failed(event, "not an administrator", &Sent::Refused)))
    }

    /// The same, who proved just now who they are.
    pub(super) fn fresh_administrator(&self, what: &str) -> Result<Arc<User>, Box<Reply>> {
        let user = self.administrator(what)?;
        self.fresh(what).map(|_| user)
    }

    pub(super) fn clients_csrf(&self) -> Secret {
        Secret::new(self.csrf(CLIENTS_FORM).0)
    }

    /// The list, newest first.
    pub(super) fn clients_page(&self) -> Reply {
        if let Err(reply) = self.administrator(next::TO_CLIENTS) {
            return *reply;
        }
        let all = self.inner.clients.all();
        let clients = all.iter().rev().take(limits::ROWS_MAX).map(|client| client_facts(self.inner, client)).collect();
        self.place(Clients { clients }, Sent::Shown)
    }

    /// One of them.
    pub(super) fn client_page(&self) -> Reply {
        if let Err(reply) = self.administrator(next::TO_CLIENTS) {
            return *reply;
        }
        let client = self.head.query(fields::CLIENT).and_then(|id| self.inner.clients.client(id));
        let Some(client) = client else { return self.problem(ProblemWhat::NotFound, Sent::NotFound) };
        let secrets = match &client.kind {
            Kind::ConfidentialSymmetric(secrets) => secrets.as_slice(),
            _ => &[],
        };
        let secret = |secret: &crate::client::Secret| SecretFacts {
            since: Date::from_unix(secret.created.unix_seconds()),
            last_used: secret.last_used.map(|used| Moment::from_unix(used.unix_seconds(), 0)),
        };
        let view = pages::Client {
            csrf: self.clients_csrf(),
            client: client_facts(self.inner, &client),
            redirect_uris: client.redirect_uris.iter().map(|uri| Literal::from(uri.as_str())).collect(),
            scopes: client.scope_text.split(' ').map(Literal::from).collect(),
            intents: client.intents.iter().map(|intent| Literal::from(intent.to_string())).collect(),
            purposes_of_use: client.purposes_of_use.iter().map(|purpose| Literal::from(purpose.code())).collect(),
            secrets: secrets.iter().map(secret).collect(),
        };
        self.place(view, Sent::Shown)
    }

    /// The empty form. It takes a while to fill in: who opens it proves first who they are.
    pub(super) fn client_new_page(&self) -> Reply {
        match self.fresh_administrator(next::TO_CLIENT_NEW) {
            Ok(_) => self.client_form(Registered::default(), Vec::new(), Sent::Shown),
            Err(reply) => *reply,
        }
    }

    fn client_form(&self, typed: Registered, problems: Vec<RegistrationProblem>, sent: Sent) -> Reply {
        self.place(ClientRegistration { csrf: self.clients_csrf(), typed, problems }, sent)
    }

    /// The form, filled in.
    pub(super) async fn client_registered(&self, form: &Form) -> Reply {
        let user = match self.fresh_administrator(next::TO_CLIENT_NEW) {
            Ok(user) => user,
            Err(reply) => return *reply,
        };
        let (new, mut problems) = wanted(form);
        if problems.is_empty() {
            let found = check::problems(&new, &*self.inner.enforceable);
            problems.extend(found.into_iter().map(|(part, why)| problem(field(part, &new), why.reason())));
        }
        if !problems.is_empty() {
            return self.client_form(typed(form), problems, Sent::NotTaken);
        }
        let (inner, by) = (Arc::clone(self.inner), self.by(&user));
        let added = tokio::task::spawn_blocking(move || {
            let id = random::name().map_err(no_randomness)?;
            let client = Client::register(&new, id, inner.now(), &*inner.enforceable)?;
            inner.add_client(client, &by)
        });
        match added.await {
            Ok(Ok((added, recorded))) => {
                let secret = added.secret.as_ref().map(|secret| Secret::new(secret.expose()));
                let (id, name) = ((&*added.client.id).into(), Text::new(&added.client.name));
                let view = ClientRegistered { id, name, secret, is_second: false };
                self.place(view, Sent::Shown).recorded(recorded)
            }
            Ok(Err(ClientError::Invalid(why))) => {
                self.client_form(typed(form), vec![problem("", why.reason())], Sent::NotTaken)
            }
            Ok(Err(why)) => self.client_unchanged(&why),
            Err(_) => self.unavailable("the task of a registration ended early"),
        }
    }

    /// Something is to be done with one of them.
    pub(super) async fn client_changed(&self, form: &Form) -> Reply {
        let user = match self.fresh_administrator(next::TO_CLIENTS) {
            Ok(user) => user,
            Err(reply) => return *reply,
        };
        let client = form.value(fields::CLIENT).and_then(|id| self.inner.clients.client(id));
        let Some(client) = client else { return self.problem(ProblemWhat::NotFound, Sent::NotFound) };
        let Some(decision) = form.value(fields::DECISION).map(str::to_owned) else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let (inner, by, id) = (Arc::clone(self.inner), self.by(&user), Arc::clone(&client.id));
        let done = tokio::task::spawn_blocking(move || inner.decided(&id, &decision, &by));
        match done.await {
            Ok(Ok((Done::Changed, recorded))) => {
                let path = format!("{}?{}={}", paths::CLIENT, fields::CLIENT, client.id);
                self.on(path, Vec::new()).recorded(recorded)
            }
            Ok(Ok((Done::Secret(secret), recorded))) => {
                let (id, name) = ((&*client.id).into(), Text::new(&client.name));
                let view = ClientRegistered { id, name, secret: Some(secret), is_second: true };
                self.place(view, Sent::Shown).recorded(recorded)
            }
            Ok(Err(why)) => self.client_unchanged(&why),
            Err(_) => self.unavailable("the task of a change of a client ended early"),
        }
    }

    pub(super) fn client_unchanged(&self, why: &ClientError) -> Reply {
        match why {
            ClientError::Unavailable(why) => self.unavailable(why),
            ClientError::NotFound => self.problem(ProblemWhat::NotFound, Sent::NotFound),
            ClientError::Invalid(_) => self.problem(ProblemWhat::WrongRequest, Sent::NotTaken),
        }
    }

    pub(super) fn by(&self, user: &User) -> By {
        By::Person(Box::new(Person::of(user)), self.address)
    }
}

impl Inner {
    /// Does what the form of a client's page says. Blocks on the disk.
    fn decided(&self, id: &str, decision: &str, by: &By) -> Result<(Done, Recorded), ClientError> {
        let changed = |recorded| (Done::Changed, recorded);
        match decision {
            fields::NEW_SECRET => self
                .new_client_secret(id, by)
                .map(|(secret, recorded)| (Done::Secret(Secret::new(secret.expose())), recorded)),
            fields::DROP_SECRET => self.retire_client_secrets(id, by).map(changed),
            fields::DISABLE => self.set_client_disabled(id, true, by).map(changed),
            fields::ENABLE => self.set_client_disabled(id, false, by).map(changed),
            _ => Err(ClientError::Invalid(Unfit::from("no such decision"))),
        }
    }
}

fn client_facts(inner: &Inner, client: &Client) -> ClientFacts {
    ClientFacts {
        id: (&*client.id).into(),
        app: inner.app_facts(client),
        // The same names stand in both tables; a test walks them.
        kind: match &client.kind {
            Kind::Udap(_) => ClientKind::Community,
            kind => ClientKind::from_value(kind.name()).unwrap_or(ClientKind::Public),
        },
        since: Date::from_unix(client.created.unix_seconds()),
        is_disabled: client.disabled,
    }
}

/// What was typed, to be shown again.
fn typed(form: &Form) -> Registered {
    let text = |name: &str| Text::new(form.value(name).unwrap_or_default());
    let exact = |name: &str| Secret::new(form.value(name).unwrap_or_default());
    let is_on = |name: &str| form.value(name) == Some(fields::ON);
    Registered {
        name: text(fields::NAME),
        maker: text(fields::MAKER),
        purpose: text(fields::PURPOSE),
        kind: form.value(fields::KIND).and_then(ClientKind::from_value),
        redirect_uris: exact(fields::REDIRECT_URIS),
        launch_url: exact(fields::LAUNCH_URL),
        intents: exact(fields::INTENTS),
        purposes_of_use: exact(fields::PURPOSES_OF_USE),
        logo_url: exact(fields::LOGO_URL),
        scopes: exact(fields::SCOPES),
        jwks_url: exact(fields::JWKS_URL),
        jwks: exact(fields::JWKS),
        certificate_subject: exact(fields::CERTIFICATE_SUBJECT),
        is_verified: is_on(fields::VERIFIED),
        is_fapi2: is_on(fields::FAPI2),
    }
}

const fn problem(field: &'static str, reason: RegistrationReason) -> RegistrationProblem {
    RegistrationProblem { field, reason }
}

/// What the form asks for, and what does not fit together in it.
fn wanted(form: &Form) -> (NewClient, Vec<RegistrationProblem>) {
    let mut problems = Vec::new();
    let given = |name: &str| form.value(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = form.value(fields::KIND).and_then(ClientKind::from_value);
    let (url, keys, subject) = (given(fields::JWKS_URL), given(fields::JWKS), given(fields::CERTIFICATE_SUBJECT));
    let has_keys = matches!(kind, Some(ClientKind::ConfidentialAsymmetric | ClientKind::BackendService));
    if kind.is_some() {
        // What was typed for another kind would be lost without a word.
        let idle = [
            (fields::JWKS_URL, url.is_some() && !has_keys),
            (fields::JWKS, keys.is_some() && !has_keys),
            (fields::CERTIFICATE_SUBJECT, subject.is_some() && kind != Some(ClientKind::MutualTls)),
        ];
        let idle = idle.into_iter().filter(|(_, is_idle)| *is_idle);
        problems.extend(idle.map(|(field, _)| problem(field, RegistrationReason::NotOfThisKind)));
    }
    let mut registered_keys = || match (url.clone(), keys.clone()) {
        (Some(url), None) => NewKeys::Url(url),
        (None, Some(keys)) => NewKeys::Inline(keys),
        (url, _) => {
            let (both, none) = (RegistrationReason::KeysTwice, RegistrationReason::KeysMissing);
            problems.push(problem(fields::JWKS_URL, if url.is_some() { both } else { none }));
            NewKeys::Inline(String::new())
        }
    };
    let new_kind = match kind {
        Some(ClientKind::Public) => NewKind::Public,
        Some(ClientKind::ConfidentialSymmetric) => NewKind::ConfidentialSymmetric,
        Some(ClientKind::ConfidentialAsymmetric) => NewKind::ConfidentialAsymmetric(registered_keys()),
        Some(ClientKind::BackendService) => NewKind::BackendService(registered_keys()),
        Some(ClientKind::MutualTls) => {
            let name = subject.clone().unwrap_or_default();
            NewKind::MutualTls(NewCertificate::Subject("tls_client_auth_subject_dn".into(), name))
        }
        // The form does not have the kind of a trust community, and does not take it.
        None | Some(ClientKind::Community) => {
            problems.push(problem(fields::KIND, RegistrationReason::KindMissing));
            NewKind::Public
        }
    };
    let lines = |name: &str| -> Vec<String> {
        let lines = form.value(name).unwrap_or_default().lines();
        lines.map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let redirect_uris = lines(fields::REDIRECT_URIS);
    let is_web = redirect_uris.iter().all(|uri| RedirectUri::register(uri, ApplicationType::Web).is_ok());
    let scopes: Vec<&str> = form.value(fields::SCOPES).unwrap_or_default().split_whitespace().collect();
    let new = NewClient {
        maker: given(fields::MAKER),
        purpose: given(fields::PURPOSE),
        logo: given(fields::LOGO_URL),
        redirect_uris,
        // An address that no web app can have is a program's on the person's device, or wrong: the check says which.
        application: if is_web || kind != Some(ClientKind::Public) {
            ApplicationType::Web
        } else {
            ApplicationType::Native
        },
        launch_url: given(fields::LAUNCH_URL),
        intents: lines(fields::INTENTS),
        purposes_of_use: form
            .value(fields::PURPOSES_OF_USE)
            .unwrap_or_default()
            .split([' ', ',', '\r', '\n', '\t'])
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
            .collect(),
        is_verified: form.value(fields::VERIFIED) == Some(fields::ON),
        is_fapi2: form.value(fields::FAPI2) == Some(fields::ON),
        ..NewClient::new(form.value(fields::NAME).unwrap_or_default(), &scopes.join(" "), new_kind)
    };
    (new, problems)
}

/// The field that a problem belongs to.
fn field(part: Part, new: &NewClient) -> &'static str {
    match part {
        Part::Name => fields::NAME,
        Part::Maker => fields::MAKER,
        Part::Purpose => fields::PURPOSE,
        Part::Logo => fields::LOGO_URL,
        Part::Redirects => fields::REDIRECT_URIS,
        Part::Launch => fields::LAUNCH_URL,
        Part::Intents => fields::INTENTS,
        Part::Scopes => fields::SCOPES,
        Part::PurposesOfUse => fields::PURPOSES_OF_USE,
        Part::Proof => match &new.kind {
            NewKind::ConfidentialAsymmetric(NewKeys::Url(_)) | NewKind::BackendService(NewKeys::Url(_)) => {
                fields::JWKS_URL
            }
            NewKind::MutualTls(_) => fields::CERTIFICATE_SUBJECT,
            _ => fields::JWKS,
        },
        // Of two fields that do not go together, the page's head tells.
        Part::Whole => "",
    }
}

#[cfg(test)]
mod tests;
