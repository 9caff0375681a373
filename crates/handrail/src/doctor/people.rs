//! Accounts of a running server: clinicians who see less than they may expect, for no resource stands for them (row G15),
//! and administrators who are too few to change the facility's rules (row G16).

use super::Line;
use crate::{
    control::{self, ListedUser, Order, Reply},
    household::Files,
    print::many,
};
use policy::Clinicians;
use std::path::Path;

const SUBJECT: &str = "people";

/// What a running server says of its accounts.
pub(crate) async fn asked(directory: &Path, household: &Files) -> Vec<Line> {
    match control::ask(directory, &Order::ListUsers).await {
        Ok(Some(Reply::Users(users))) => {
            let mut lines = lines(&users, household.clinicians);
            lines.extend(household.four_eyes.then(|| two_needed(&users)).flatten());
            lines
        }
        _ => Vec::new(),
    }
}

/// With four eyes nobody approves alone: who was invited and never came, or is disabled, approves nothing.
fn two_needed(users: &[ListedUser]) -> Option<Line> {
    let administrators = users.iter().filter(|user| user.role == "administrator" && user.state == "active");
    // Accounts for whom the same resource stands are the same person.
    let mut resources: Vec<&str> = administrators.clone().filter_map(|user| user.fhir_user.as_deref()).collect();
    resources.sort_unstable();
    resources.dedup();
    let people = resources.len() + administrators.filter(|user| user.fhir_user.is_none()).count();
    let found = match people {
        0 => "policy.four_eyes is set, and there is no active administrator: nobody can change the facility's rules",
        1 => {
            "policy.four_eyes is set, and one person alone is an active administrator: what they propose nobody can approve"
        }
        _ => return None,
    };
    Some(Line::warning(
        SUBJECT,
        found,
        "make another with 'handrail user add NAME --role administrator --as Practitioner/ID', and have the invitation \
         taken up (docs/policy.md)",
    ))
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

    #[test]
    fn g16_four_eyes_need_two_people() {
        let of = |login: &str, state: &str, itself: Option<&str>| {
            let itself = itself.map(|id| format!("Practitioner/{id}"));
            ListedUser { state: state.into(), ..user(login, "administrator", itself.as_deref()) }
        };
        let told = |users: &[ListedUser]| two_needed(users).map(|line| line.found).unwrap_or_default();
        let ada = || of("ada", "active", Some("ada"));
        assert!(told(&[user("kim", "clinician", None)]).contains("no active administrator"));
        for other in ["invited", "disabled"] {
            assert!(told(&[ada(), of("bea", other, Some("bea"))]).contains("one person alone"), "{other}");
        }
        assert!(
            told(&[ada(), of("ada2", "active", Some("ada"))]).contains("one person alone"),
            "two accounts, one person"
        );
        assert_eq!(told(&[ada(), of("bea", "active", Some("bea"))]), "");
        assert_eq!(told(&[ada(), of("office", "active", None)]), "");
    }
}
