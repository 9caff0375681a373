//! What guarded worlds rest on.

use super::*;

/// What worlds are made of is what R4 allows: else a world would be no world.
#[test]
fn resources_of_the_worlds_are_valid() {
    let mut dice = Dice::new(3);
    let server = Server::new();
    let mut wrong = BTreeSet::new();
    for _ in 0..16 {
        for (kind, ids) in content::RECORDS {
            for id in ids {
                let one = content::roll(&mut dice, kind, id);
                let reply = server.request("PUT", &format!("{kind}/{id}")).as_operator().json(&one).send();
                if reply.status >= 300 {
                    let issues = reply.json()["issue"].as_array().cloned().unwrap_or_default();
                    let errors = issues.into_iter().filter(|issue| issue["severity"] == "error");
                    wrong.extend(errors.map(|issue| format!("{} {}", issue["diagnostics"], issue["expression"])));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
