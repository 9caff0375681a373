//! Accounts of a running server whose person sees less than they may expect: clinicians for whom no resource stands.
//! Row G15.

use super::Line;
use crate::{
    control::{self, ListedUser, Order, Reply},
    print::many,
};
use policy::Clinicians;
use std::path::Path;

const SUBJECT: &str = "people";

/// What a running server says of its accounts.
pub(crate) async fn asked(directory: &Path, clinicians: Clinicians) -> Vec<Line> {
    match control::ask(directory, &Order::ListUsers).await {
        Ok(Some(Reply::Users(users))) => lines(&users, clinicians),
        _ => Vec::new(),
    }
}

fn lines(users: &[ListedUser], clinicians: Clinicians) -> Vec<Line> {
    if clinicians == Clinicians::Everyone {
        return vec![Line::note(SUBJECT, "clinicians see every patient: access.clinicians is \"everyone\"")];
    }
    let stands_for_nobody = |user: &&ListedUser| {
        let resource = user.fhir_user.as_deref().unwrap_or_default();
        user.role == "clinician" && !resource.starts_with("Practitioner/") && !resource.starts_with("PractitionerRole/")
    };
    let nobody: Vec<&str> = users.iter().filter(stands_for_nobody).map(|user| user.login.as_str()).collect();
    if nobody.is_empty() {
        return Vec::new();
    }
    let count = u64::try_from(nobody.len()).unwrap_or(u64::MAX);
    let found = format!(
        "{} of clinicians see no patient, for no resource stands for them: {}",
        many(count, "account"),
        nobody.join(", ")
    );
    vec![Line::warning(
        SUBJECT,
        found,
        "make them anew with 'handrail user add … --as Practitioner/ID' (docs/access.md)",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(login: &str, role: &str, fhir_user: Option<&str>) -> ListedUser {
        ListedUser {
            id: "1".into(),
            login: login.into(),
            name: "N".into(),
            role: role.into(),
            state: "active".into(),
            fhir_user: fhir_user.map(str::to_owned),
            patients: Vec::new(),
            may_break_glass: false,
            created: "2026-01-01".into(),
        }
    }

    #[test]
    fn g15_who_sees_nobody_is_named() {
        let users = [
            user("kim", "clinician", Some("Practitioner/kim")),
            user("lee", "clinician", Some("PractitionerRole/lee")),
            user("max", "clinician", None),
            user("office", "administrator", None),
        ];
        let told = |users: &[ListedUser], clinicians| {
            lines(users, clinicians).iter().map(|line| format!("{line:?}")).collect::<String>()
        };
        assert!(told(&users, Clinicians::Related).contains("see no patient, for no resource stands for them: max\""));
        assert_eq!(told(&users[..2], Clinicians::Related), "");
        assert!(told(&users, Clinicians::Everyone).contains("every patient"));
    }
}
