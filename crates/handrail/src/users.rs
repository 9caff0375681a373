//! Accounts of people and the resources that they are bound to: whether those exist is asked of the FHIR service, as the
//! operator, and recorded like any read. Rows B25, B26.

use crate::{
    config::OpenId,
    control::{Hands, Link, ListedUser, Reply},
    fault::Fault,
    http_client::Url,
    limits,
};
use authserver::{
    Facility,
    outside::Outside,
    people::{
        account::{AccountError, NewAccount},
        breached::ReadAt,
    },
};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use oauth::{Caller, caller::Role, secret::Secret};
use rest::wire::Accepted;
use serde_json::Value;
use std::{fs::File, io, net::Ipv4Addr, os::unix::fs::FileExt, path::Path, sync::Arc};

/// An account as a command asks for it.
pub(crate) struct Wanted {
    /// What they type to sign in.
    pub(crate) login: String,
    /// Their name, for people.
    pub(crate) name: String,
    /// [`Role::as_str`].
    pub(crate) role: String,
    /// The resource that stands for them, as `Type/id`; for a caregiver also Patients to whom the account is narrowed.
    pub(crate) bound_to: Vec<String>,
    /// Whether they have the right to break the glass.
    pub(crate) may_break_glass: bool,
}

/// Makes an account.
pub(crate) fn add(hands: &Hands, wanted: Wanted) -> Reply {
    let may_break_glass = wanted.may_break_glass;
    if may_break_glass && Role::parse(&wanted.role) != Some(Role::Clinician) {
        return Reply::Refused("only clinicians break the glass".into());
    }
    let new = match resolved(hands, wanted) {
        Ok(new) => new,
        Err(why) => return Reply::Refused(why),
    };
    match hands.authserver.add_user(&new) {
        Ok((account, link)) => {
            if may_break_glass && let Err(why) = hands.authserver.set_user_break_glass(&account.id, true) {
                return refused(&why);
            }
            Reply::UserAdded { id: account.id.to_string(), link: Link(link) }
        }
        Err(why) => refused(&why),
    }
}

/// Gives a clinician the right to break the glass, or takes it.
pub(crate) fn set_break_glass(hands: &Hands, name: &str, may: bool) -> Reply {
    hands.authserver.set_user_break_glass(name, may).map_or_else(|why| refused(&why), |()| Reply::UserChanged)
}

/// Invites somebody anew.
pub(crate) fn invite(hands: &Hands, name: &str) -> Reply {
    hands.authserver.invite_user(name).map_or_else(|why| refused(&why), |link| Reply::UserInvited { link: Link(link) })
}

/// Disables an account, or lets it be used again.
pub(crate) fn set_disabled(hands: &Hands, name: &str, disabled: bool) -> Reply {
    hands.authserver.set_user_disabled(name, disabled).map_or_else(|why| refused(&why), |()| Reply::UserChanged)
}

/// Binds a subject of an outside OpenID provider to an account.
pub(crate) fn bind(hands: &Hands, name: &str, issuer: &str, subject: &str) -> Reply {
    hands.authserver.bind_user(name, issuer, subject).map_or_else(|why| refused(&why), |()| Reply::UserChanged)
}

/// Takes all such subjects from an account.
pub(crate) fn unbind(hands: &Hands, name: &str) -> Reply {
    hands.authserver.unbind_user(name).map_or_else(|why| refused(&why), |_| Reply::UserChanged)
}

/// All accounts.
pub(crate) fn list(hands: &Hands) -> Reply {
    let listed = hands.authserver.users().into_iter().map(|account| ListedUser {
        id: account.id.to_string(),
        login: account.login.to_string(),
        name: account.name.to_string(),
        role: account.role.as_str().to_owned(),
        state: account.state.as_str().to_owned(),
        fhir_user: account.fhir_user.as_deref().map(str::to_owned),
        patients: account.patients.iter().map(ToString::to_string).collect(),
        may_break_glass: account.may_break_glass,
        created: account.created.to_string(),
    });
    Reply::Users(listed.collect())
}

fn refused(why: &AccountError) -> Reply {
    if let AccountError::Unavailable(inner) = why {
        tracing::error!(why = inner, "an account could not be changed");
    }
    Reply::Refused(why.to_string())
}

/// The account with its resources; all of them must exist. The first stands for the person; Patients after it narrow
/// what a caregiver sees.
fn resolved(hands: &Hands, wanted: Wanted) -> Result<NewAccount, String> {
    let Wanted { login, name, role, bound_to, .. } = wanted;
    let role = Role::parse(&role).ok_or_else(|| format!("there is no role {role}"))?;
    let mut patients: Vec<String> = Vec::new();
    for (at, reference) in bound_to.iter().enumerate() {
        let resource = read(hands, reference)?;
        if resource.get("active").and_then(Value::as_bool) == Some(false) {
            return Err(format!("{reference} is not active"));
        }
        match (at, reference.split_once('/')) {
            (0, Some(("Patient", id))) => patients.push(id.to_owned()),
            (0, Some(("RelatedPerson", _))) => whose(hands, reference, &resource)?,
            (0, _) => {}
            (_, Some(("Patient", id))) if role == Role::Caregiver => patients.push(id.to_owned()),
            (_, Some(("RelatedPerson", _))) if role == Role::Caregiver => {
                return Err(
                    "one resource stands for a person: for several patients make a Person that links to these \
                     RelatedPersons, and name that"
                        .into(),
                );
            }
            _ => return Err("only a caregiver's account names more than one resource".into()),
        }
    }
    Ok(NewAccount { login, name, role, fhir_user: bound_to.into_iter().next(), patients })
}

/// Whether a RelatedPerson is that of a patient here.
fn whose(hands: &Hands, reference: &str, resource: &Value) -> Result<(), String> {
    let patient = resource.pointer("/patient/reference").and_then(Value::as_str);
    let patient = patient.ok_or_else(|| format!("{reference} does not say whose related person it is"))?;
    let id = patient.rsplit_once("Patient/").filter(|(before, id)| {
        !id.contains('/') && (before.is_empty() || before.trim_end_matches('/') == hands.rest.base_url())
    });
    let (_, id) = id.ok_or_else(|| format!("{reference} refers to a patient of another server"))?;
    read(hands, &format!("Patient/{id}")).map(drop)
}

/// Reads a resource as the operator.
fn read(hands: &Hands, reference: &str) -> Result<Value, String> {
    let absent = || format!("there is no {reference} here: load it first ('handrail load')");
    let request = Request::get(format!("/fhir/{reference}"))
        .header(header::ACCEPT, "application/fhir+json")
        .body(Empty::<Bytes>::new())
        .map_err(|_| absent())?;
    let asked = async {
        let here = Accepted::new(Ipv4Addr::LOCALHOST.into());
        let answer = hands.rest.answer_operator(here, Caller::operator("handrail user"), request).await.into_inner();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_or_else(|never| match never {}, |body| body.to_bytes());
        (parts.status, body)
    };
    // Orders are carried out where waiting is allowed.
    let (status, body) = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(asked));
    if !status.is_success() {
        return Err(absent());
    }
    serde_json::from_slice(&body).map_err(|_| absent())
}

/// What the pages and passwords of a server are made with.
///
/// # Errors
/// [`Fault`] when the file of breached passwords cannot be read.
pub(crate) fn facility(name: Option<&str>, breached: Option<&Path>) -> Result<Facility, Fault> {
    let open = |path: &Path| {
        let list = List(File::open(path).map_err(|why| Fault::at(path.display(), why))?);
        list.length().map_err(|why| Fault::at(path.display(), why))?;
        Ok::<_, Fault>(Arc::new(list) as Arc<dyn ReadAt>)
    };
    Ok(Facility { name: name.map(str::to_owned), breached: breached.map(open).transpose()?, ..Facility::default() })
}

/// The outside OpenID provider that people may sign in through.
///
/// # Errors
/// [`Fault`] when the file of our secret there cannot be read or holds none.
pub(crate) fn outside(openid: &OpenId) -> Result<Outside, Fault> {
    let path = openid.secret_file.display();
    let text = std::fs::read_to_string(&openid.secret_file).map_err(|why| Fault::at(&path, why))?;
    let secret = text.trim();
    if secret.is_empty() || secret.len() > limits::OPENID_SECRET_BYTES_MAX || secret.contains(char::is_whitespace) {
        return Err(Fault::at(path, "expected the provider's secret for this server alone, on one line"));
    }
    let host = || Url::parse(&openid.issuer).map_or_else(|_| openid.issuer.clone(), |url| url.host().to_owned());
    Ok(Outside {
        name: openid.name.clone().unwrap_or_else(host),
        issuer: openid.issuer.clone(),
        client_id: openid.client_id.clone(),
        client_secret: Secret::new(secret),
    })
}

/// The operator's list, read in place.
struct List(File);

impl ReadAt for List {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.0, into, offset)
    }
}

/// People and clients of this server by name, for whoever explains what they may (row G18).
pub(crate) struct Known(pub(crate) std::sync::Arc<authserver::Service>);

impl rest::Acquaintances for Known {
    fn user(&self, name: &str) -> Option<std::sync::Arc<oauth::caller::User>> {
        let account = self.0.users().into_iter().find(|account| &*account.id == name || &*account.login == name)?;
        Some(std::sync::Arc::new(account.user()))
    }

    fn client(&self, id: &str) -> Option<oauth::caller::Grant> {
        self.0.client(id).and_then(|client| grant_of(&client))
    }

    fn users(&self) -> Vec<(String, std::sync::Arc<oauth::caller::User>)> {
        let usable =
            self.0.users().into_iter().filter(|account| account.state != authserver::people::account::State::Disabled);
        usable.map(|account| (account.login.to_string(), std::sync::Arc::new(account.user()))).collect()
    }

    fn clients(&self) -> Vec<oauth::caller::Grant> {
        let clients = self.0.clients();
        let systems = clients.iter().filter(|client| !client.disabled && client.scope_text.contains("system/"));
        systems.filter_map(|client| grant_of(client)).collect()
    }
}

/// What a token of this client would be, without a person; `None`: for which organization and why a partner comes, its
/// tokens say.
fn grant_of(client: &authserver::Client) -> Option<oauth::caller::Grant> {
    if client.kind.udap().is_some() {
        return None;
    }
    Some(oauth::caller::Grant {
        client_id: std::sync::Arc::clone(&client.id),
        client_name: std::sync::Arc::clone(&client.name),
        scopes: std::sync::Arc::clone(&client.scopes),
        scope_text: std::sync::Arc::clone(&client.scope_text),
        issued_at_s: 0,
        expires_at_s: i64::MAX,
        token_name: "".into(),
        user: None,
        launch: std::sync::Arc::default(),
        confirmation: None,
        family: None,
        standing: client.standing,
        purposes: std::sync::Arc::clone(&client.purposes_of_use),
        acting: None,
    })
}
