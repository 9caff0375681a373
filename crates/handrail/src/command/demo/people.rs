//! Who can sign in at a demo: the first patient of the story, the first caregiver, that patient's general practitioner,
//! and an administrator.

use crate::{
    assembly::Assembly,
    control::{self, Order, Reply},
    fault::Fault,
    print::{self, Style},
};
use fhir::json::Value;
use serde::{Deserialize, Serialize};

/// Their roles, which they also sign in as, and what stands for them.
const ROLES: [(&str, &str); 3] =
    [("patient", "Patient"), ("caregiver", "RelatedPerson"), ("clinician", "Practitioner")];

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    login: String,
    name: String,
    reference: String,
}

impl Person {
    /// Who runs the server; nothing of the story stands for them.
    pub(super) fn office() -> Self {
        Self { login: "administrator".into(), name: "Office".into(), reference: String::new() }
    }
}

/// Those of the story who get an account.
#[derive(Debug, Default)]
pub(super) struct Cast {
    people: Vec<Person>,
    clinicians: Vec<Person>,
    /// General practitioner of the first patient: who sees them.
    general_practitioner: Option<String>,
}

impl Cast {
    /// Takes a resource of the story for an account, when it is the first of its type.
    pub(super) fn look(&mut self, resource: Value<'_>) {
        let text = |value: Value<'_>, name: &str| value.get(name).and_then(Value::as_str).map(|text| text.into_owned());
        let Some(resource_type) = text(resource, "resourceType") else { return };
        let Some((login, _)) = ROLES.into_iter().find(|(_, own)| *own == resource_type) else { return };
        let Some(id) = text(resource, "id") else { return };
        let name = resource.get("name").and_then(|names| names.items().next());
        let given = name.and_then(|name| name.get("given")?.items().next()?.as_str());
        let family = name.and_then(|name| name.get("family")?.as_str());
        let name: Vec<_> = given.into_iter().chain(family).collect();
        let person = Person { login: login.into(), name: name.join(" "), reference: format!("{resource_type}/{id}") };
        if resource_type == "Practitioner" {
            if self.clinicians.iter().all(|known| known.reference != person.reference) {
                self.clinicians.push(person);
            }
            return;
        }
        if self.people.iter().any(|known| known.login == login) {
            return;
        }
        if resource_type == "Patient" {
            let first = resource.get("generalPractitioner").and_then(|all| all.items().next());
            self.general_practitioner = first.and_then(|first| text(first, "reference"));
        }
        self.people.push(person);
    }

    /// Who gets one, as [`ROLES`] has them: the clinician is one who has to do with the patient.
    pub(super) fn into_people(self) -> Vec<Person> {
        let Self { mut people, clinicians, general_practitioner } = self;
        people.extend(clinicians.into_iter().find(|one| general_practitioner.as_ref() == Some(&one.reference)));
        people.sort_by_key(|person| ROLES.iter().position(|(login, _)| *login == person.login));
        people
    }
}

/// Makes their accounts, or invites them again where a start before was cut short; the links.
pub(super) fn invite(assembly: &Assembly, people: &[Person]) -> Result<Vec<String>, Fault> {
    let hands = assembly.hands();
    let mut links = Vec::new();
    for person in people {
        let order = Order::AddUser {
            user: person.login.clone(),
            name: person.name.clone(),
            role: person.login.clone(),
            bound_to: Some(person.reference.clone()).filter(|reference| !reference.is_empty()).into_iter().collect(),
            may_break_glass: person.login == "clinician",
        };
        let mut reply = control::perform(&hands, order);
        if matches!(reply, Reply::Refused(_)) {
            reply = control::perform(&hands, Order::InviteUser { user: person.login.clone() });
        }
        match reply {
            Reply::UserAdded { link, .. } | Reply::UserInvited { link } => links.push(link.0),
            other => return Err(Fault::new(format_args!("no account for {}: {other:?}", person.login))),
        }
    }
    Ok(links)
}

/// Prints who can sign in. `links`: of accounts that were made just now.
pub(super) fn show(style: &Style, origin: &str, again: &str, people: &[Person], links: &[String]) {
    if people.is_empty() {
        return;
    }
    let line = |name: &str, value: &str| {
        print::result(format_args!("  {} {value}", style.faint(format_args!("{name:<13}"))));
    };
    if links.is_empty() {
        print::result(format_args!("  {}", style.strong("Sign in, in a browser:")));
        print::result("");
        line("page", &format!("{origin}/account/sign-in"));
        for person in people {
            line("as", &format!("{} ({})", person.login, person.name));
        }
        line("a new link", &format!("{again} patient"));
    } else {
        print::result(format_args!("  {}", style.strong("Be one of them, in a browser (each link works once):")));
        print::result("");
        for (person, link) in people.iter().zip(links) {
            line(&person.login, link);
        }
        print::result(style.faint("  The browser does not know the demo's CA and will say so."));
    }
    print::result("");
}
