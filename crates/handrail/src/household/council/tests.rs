//! What the tests over TLS cannot reach: files, expiry, commands at rest. Row G16.

use super::super::{Files, ledger};
use super::*;
use crate::{
    assembly::{self, Assembly, BaseUrl},
    config::Validation,
};
use authserver::egress::NoFetch;
use std::path::Path;

fn open(directory: &Path) -> Assembly {
    let base = BaseUrl::Of("https://127.0.0.1:8443/fhir", None);
    assembly::open(directory, base, false, &Validation::default(), Arc::new(NoFetch)).unwrap()
}

fn keeper(open: &Assembly, file: Option<&Path>, four_eyes: bool) -> Keeper {
    let files = Files { rules: file.map(Path::to_owned), four_eyes, ..Files::default() };
    Keeper::begin(Arc::clone(&open.store), Arc::clone(&open.authserver), files).unwrap()
}

fn user() -> User {
    User {
        id: "ada".into(),
        name: "Ada".into(),
        role: Role::Administrator,
        fhir_user: None,
        patients: Arc::default(),
        glasses: Arc::default(),
        may_break_glass: false,
    }
}

fn hand(user: &User) -> Hand<'_> {
    let address = std::net::Ipv4Addr::LOCALHOST.into();
    Hand { user, client_id: "app", token_name: "t", address, request_id: "r" }
}

const RULE: &str = "deny \"x\"\n who anyone\n may not see\n what Patient\n";

#[test]
fn a_proposed_text_reads_no_files() {
    let own = tempfile::tempdir().unwrap();
    let open = open(&own.path().join("data"));
    let keeper = keeper(&open, None, true);
    let secret = own.path().join("secret.json");
    std::fs::write(&secret, r#"{"resourceType":"Patient","id":"a"}"#).unwrap();
    let text = format!("test \"x\"\n given file {}\n as client x, custodian\n may see Patient/a\n", secret.display());
    let refused = keeper.propose(&hand(&user()), Draft::Text(&text), "x").unwrap_err();
    let CouncilError::Faulty(lines) = refused else { panic!("{refused:?}") };
    assert!(lines[0].contains("has its resources in itself"), "{lines:?}");
    assert!(keeper.ledger.proposals().unwrap().is_empty());
}

#[test]
fn a_proposal_ends_by_itself() {
    let own = tempfile::tempdir().unwrap();
    let open = open(&own.path().join("data"));
    let keeper = keeper(&open, None, true);
    let (waiting, _) = keeper.propose(&hand(&user()), Draft::Text(RULE), "x").unwrap();
    let mut proposal = keeper.ledger.proposals().unwrap().remove(0);
    assert_eq!(proposal.waiting, waiting);
    proposal.waiting.ends = Instant::from_unix_millis(clock::now().unix_millis() - 1);
    keeper.ledger.keep(&proposal, RULE).unwrap();
    let other = User { id: "bea".into(), ..user() };
    assert_eq!(keeper.approve(&hand(&other), &waiting.hash).unwrap_err(), CouncilError::Unknown);
    assert_eq!(keeper.withdraw(&hand(&other), &waiting.hash).unwrap_err(), CouncilError::Unknown);
    assert!(Council::ledger(&keeper).unwrap().waiting.is_empty());
    // The same text may be proposed anew; what was over is gone then.
    keeper.propose(&hand(&user()), Draft::Text(RULE), "again").unwrap();
    assert_eq!(Council::ledger(&keeper).unwrap().waiting[0].note, "again");
}

#[test]
fn as_many_wait_as_may() {
    let own = tempfile::tempdir().unwrap();
    let open = open(&own.path().join("data"));
    let keeper = keeper(&open, None, true);
    let text = |at: usize| format!("# {at}\n");
    for at in 0..limits::POLICY_PROPOSALS_MAX {
        keeper.propose(&hand(&user()), Draft::Text(&text(at)), "x").unwrap();
    }
    let over = keeper.propose(&hand(&user()), Draft::Text(&text(99)), "x");
    assert_eq!(over.unwrap_err(), CouncilError::Full);
    assert_eq!(keeper.propose(&hand(&user()), Draft::Text(""), "x").unwrap_err(), CouncilError::InForce);
    assert_eq!(keeper.propose(&hand(&user()), Draft::Version("0"), "x").unwrap_err(), CouncilError::Unknown);
    let waits = keeper.ledger.proposals().unwrap().remove(0).waiting.hash;
    let not_yet = keeper.propose(&hand(&user()), Draft::Version(&waits), "what never was in force");
    assert_eq!(not_yet.unwrap_err(), CouncilError::Unknown);
    keeper.withdraw(&hand(&user()), &waits).unwrap();
    assert_eq!(keeper.ledger.text(&waits).unwrap(), None, "a text that never was in force goes with its proposal");
}

/// The file begins the history once; after that a server with four eyes does not take it, one without does and says so.
#[test]
fn a_command_at_rest_begins_no_version() {
    let own = tempfile::tempdir().unwrap();
    let (data, file) = (own.path().join("data"), own.path().join("rules.policy"));
    std::fs::write(&file, RULE).unwrap();
    let open = open(&data);
    let hashes = |keeper: &Keeper| -> Vec<String> {
        keeper.ledger.versions().unwrap().into_iter().map(|version| version.hash).collect()
    };
    let first = ledger::hash_of(RULE);
    assert_eq!(hashes(&keeper(&open, Some(&file), true)), std::slice::from_ref(&first));
    drop(Keeper::at_rest(&open, Files::default()).unwrap());
    std::fs::write(&file, "# other\n").unwrap();
    let again = keeper(&open, Some(&file), true);
    assert_eq!(hashes(&again), std::slice::from_ref(&first));
    assert_eq!(open.store.house().rules.rules().len(), 1);
    assert!(again.look(&open.rest).unwrap().not_taken.unwrap().contains("propose it"));
    assert_eq!(again.propose(&hand(&user()), Draft::Text(RULE), "x").unwrap_err(), CouncilError::InForce);
    let off = keeper(&open, Some(&file), false);
    assert_eq!(hashes(&off), [first, ledger::hash_of("# other\n")], "seen, not prevented");
    assert_eq!(off.propose(&hand(&user()), Draft::Text(RULE), "x").unwrap_err(), CouncilError::Off);
    // A damaged text rules nobody, and no server starts with it.
    open.store.table("policy_texts").unwrap().put(ledger::hash_of("# other\n").as_bytes(), b"# changed\n").unwrap();
    let files = Files { four_eyes: true, ..Files::default() };
    assert!(Keeper::begin(Arc::clone(&open.store), Arc::clone(&open.authserver), files).is_err());
}
