//! Broken glasses of a running server: cases that wait too long, and whether anybody is told of one. Rows F49, F50.

use super::Line;
use crate::{
    control::{self, ListedUser, Order, Reply},
    print::many,
};
use std::path::Path;

const SUBJECT: &str = "emergencies";

/// What a running server says of them; nothing where nobody may break the glass and no case waits.
pub(crate) async fn asked(directory: &Path) -> Vec<Line> {
    let users = match control::ask(directory, &Order::ListUsers).await {
        Ok(Some(Reply::Users(users))) => users,
        _ => return Vec::new(),
    };
    match control::ask(directory, &Order::CountGlassCases).await {
        Ok(Some(Reply::GlassCases { waiting, late })) => lines(&users, waiting, late),
        _ => Vec::new(),
    }
}

fn lines(users: &[ListedUser], waiting: usize, late: usize) -> Vec<Line> {
    let many = |count: usize, thing: &str| many(u64::try_from(count).unwrap_or(u64::MAX), thing);
    let may_break = users.iter().filter(|user| user.may_break_glass && user.state == "active").count();
    // Somebody who was invited and never came is told nothing.
    let is_told = users.iter().any(|user| user.role == "privacy-officer" && user.state == "active");
    let mut lines = Vec::new();
    if !is_told && (may_break > 0 || waiting > 0) {
        lines.push(Line::warning(
            SUBJECT,
            format!(
                "{} may break the glass, {} wait, and no privacy officer is told",
                many(may_break, "person"),
                many(waiting, "case")
            ),
            "'handrail user add NAME --role privacy-officer', and take up the invitation (docs/break-glass.md)",
        ));
    }
    if late > 0 {
        lines.push(Line::warning(
            SUBJECT,
            format!("{} of broken glasses wait too long for a verdict", many(late, "case")),
            "a privacy officer judges them at /account/cases",
        ));
    } else if is_told && waiting > 0 {
        lines.push(Line::note(SUBJECT, format!("{} of broken glasses wait for a verdict", many(waiting, "case"))));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: &str, state: &str, may_break_glass: bool) -> ListedUser {
        ListedUser {
            id: "1".into(),
            login: "kim".into(),
            name: "N".into(),
            role: role.into(),
            state: state.into(),
            fhir_user: None,
            patients: Vec::new(),
            may_break_glass,
            created: "2026-01-01".into(),
        }
    }

    /// Row F50: nobody to be told is said before somebody is needed; cases that wait too long are.
    #[test]
    fn f50_nobody_to_be_told_and_cases_that_wait() {
        let (kim, nurse) = (user("clinician", "active", true), user("clinician", "active", false));
        let officer = |state| user("privacy-officer", state, false);
        let told = |users: &[ListedUser], waiting, late| {
            lines(users, waiting, late)
                .iter()
                .map(|line| format!("{:?} {}; ", line.weight, line.found))
                .collect::<String>()
        };
        assert_eq!(told(&[nurse], 0, 0), "");
        for users in
            [vec![user("clinician", "active", true)], vec![user("clinician", "active", true), officer("invited")]]
        {
            assert!(told(&users, 0, 0).starts_with("Warning 1 person may break the glass"), "{users:?}");
        }
        let both = [kim, officer("active")];
        assert_eq!(told(&both, 0, 0), "");
        assert!(told(&both, 2, 0).starts_with("Note 2 cases"));
        let late = told(&both, 2, 1);
        assert!(late.starts_with("Warning 1 case ") && late.matches(';').count() == 1, "{late}");
        assert!(told(&[], 1, 1).matches("Warning").count() == 2);
    }
}
