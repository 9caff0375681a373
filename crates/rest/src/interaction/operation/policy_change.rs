//! `Library/$policy-propose`, `$policy-approve`, `$policy-withdraw`, `$policy-history`: the facility's rules, changed by
//! two persons. Our own operations: `definitions/policy-….json`. Row G16.
//!
//! Who may is decided before: an administrator whose app was given a `user/` scope that names Library (`c` to propose, `u`
//! to approve and withdraw, `r` to look; privacy officers look too). Here they must also have proved who they are within
//! minutes (RFC 9470), as at the pages. What is approved is a text, by its hash.
//!
//! What would change is told without a look at the data: an administrator sees no patient's ([`crate::dry_run`]).

use super::{
    super::{Answer, Call},
    Inputs, missing, wrong,
};
use crate::{
    body::Content,
    council::{Council, CouncilError, Draft, Hand, Ledger, Signature, Version, Waiting},
    dry_run::DryRun,
    failure::Failure,
    limits,
    trail::Trail,
    wire::Reply,
};
use fhir::{
    issue::{Issue, IssueType},
    json::Writer,
};
use policy::RulesAct;

/// Does it. Blocks on the disk where it changes something.
pub(in crate::interaction) fn perform(
    call: &Call<'_>,
    act: RulesAct,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let council = call.service.council().ok_or(CouncilError::Off)?;
    if act != RulesAct::History {
        fresh(call)?;
    }
    let body = match content {
        Content::Nothing => None,
        content => Some(content.into_json()?),
    };
    let names: &[&str] = match act {
        RulesAct::Propose => &["text", "version", "note"],
        RulesAct::Approve | RulesAct::Withdraw | RulesAct::History => &["hash"],
        RulesAct::Try => &[],
    };
    let inputs = Inputs::of(call, body.as_ref(), names)?;
    let hash = || inputs.text("hash")?.ok_or_else(|| missing("hash", "which text? Give its hash"));
    let bytes = match act {
        RulesAct::Propose => propose(call, &*council, &inputs, trail)?,
        RulesAct::Approve => {
            let hash = hash()?;
            trail.policy_text(act, hash);
            let version = council.approve(&hand(call, trail)?, hash)?;
            document(|w| version_part(w, "version", &version))
        }
        RulesAct::Withdraw => {
            let hash = hash()?;
            trail.policy_text(act, hash);
            council.withdraw(&hand(call, trail)?, hash)?;
            document(|w| text_part(w, "withdrawn", "valueString", hash))
        }
        RulesAct::History => match inputs.text("hash")? {
            Some(hash) => {
                trail.policy_text(act, hash);
                let text = council.text(hash)?;
                document(|w| {
                    text_part(w, "hash", "valueString", hash);
                    text_part(w, "text", "valueString", &text);
                })
            }
            None => history(&council.ledger()?),
        },
        RulesAct::Try => return Err(Failure::UnknownPath),
    };
    Ok(Answer::read(Reply::document(bytes)))
}

fn propose(call: &Call<'_>, council: &dyn Council, inputs: &Inputs, trail: &mut Trail) -> Result<Vec<u8>, Failure> {
    let draft = match (inputs.text("text")?, inputs.text("version")?) {
        (Some(text), None) => Draft::Text(text),
        (None, Some(version)) => Draft::Version(version),
        (Some(_), Some(_)) => return Err(wrong("version", "goes without text: one of the two")),
        (None, None) => return Err(missing("text", "give the text of the rules, or the hash of an earlier version")),
    };
    let note = inputs.text("note")?.map(str::trim).filter(|note| !note.is_empty());
    let note = note.ok_or_else(|| missing("note", "say what the change is for: who approves it reads that"))?;
    if note.len() > limits::POLICY_NOTE_BYTES_MAX || note.chars().any(char::is_control) {
        return Err(wrong("note", "is one line of at most 500 bytes"));
    }
    let (waiting, rules) = council.propose(&hand(call, trail)?, draft, note)?;
    trail.policy_text(RulesAct::Propose, &waiting.hash);
    let concerned = call.service.concerned(rules);
    Ok(document(|w| {
        waiting_part(w, "proposal", &waiting);
        text_part(w, "effect", "valueString", concerned.text().trim_end());
        effects(w, &concerned);
    }))
}

/// Whoever changes rules proved within minutes who they are.
fn fresh(call: &Call<'_>) -> Result<(), Failure> {
    let signed_in_s = call.service.parts.tokens.signed_in_s(call.caller.grant());
    let now_s = call.service.now().unix_seconds();
    let is_fresh = signed_in_s.is_some_and(|at_s| (0..=limits::STEP_UP_S).contains(&(now_s - at_s)));
    if is_fresh { Ok(()) } else { Err(Failure::StepUp) }
}

fn hand<'a>(call: &'a Call<'_>, trail: &'a Trail) -> Result<Hand<'a>, Failure> {
    let grant = call.caller.grant();
    Ok(Hand {
        user: grant.user.as_deref().ok_or(policy::Denied::Administrators)?,
        client_id: &grant.client_id,
        token_name: &grant.token_name,
        address: trail.address().unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into()),
        request_id: trail.request_id(),
    })
}

/// A Parameters resource.
fn document(parts: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        w.member("resourceType", "Parameters");
        w.key("parameter");
        w.array(parts);
    });
    w.into_bytes()
}

fn text_part(w: &mut Writer, name: &str, kind: &str, value: &str) {
    w.object(|w| {
        w.member("name", name);
        w.member(kind, value);
    });
}

fn number_part(w: &mut Writer, name: &str, value: u64) {
    w.object(|w| {
        w.member("name", name);
        w.key("valueInteger");
        w.integer(i64::from(i32::try_from(value).unwrap_or(i32::MAX)));
    });
}

fn whole(w: &mut Writer, name: &str, parts: impl FnOnce(&mut Writer)) {
    w.object(|w| {
        w.member("name", name);
        w.key("part");
        w.array(parts);
    });
}

fn signature_part(w: &mut Writer, name: &str, signature: &Signature) {
    whole(w, name, |w| {
        text_part(w, "account", "valueString", &signature.account);
        text_part(w, "name", "valueString", &signature.name);
        text_part(w, "at", "valueInstant", &signature.at.to_string());
    });
}

fn waiting_part(w: &mut Writer, name: &str, waiting: &Waiting) {
    whole(w, name, |w| {
        text_part(w, "hash", "valueString", &waiting.hash);
        text_part(w, "note", "valueString", &waiting.note);
        signature_part(w, "proposed", &waiting.by);
        text_part(w, "ends", "valueInstant", &waiting.ends.to_string());
        if !waiting.replaces.is_empty() {
            text_part(w, "replaces", "valueString", &waiting.replaces);
        }
        number_part(w, "rules", waiting.rules);
        number_part(w, "tests", waiting.tests);
    });
}

fn version_part(w: &mut Writer, name: &str, version: &Version) {
    whole(w, name, |w| {
        number_part(w, "number", version.number);
        text_part(w, "hash", "valueString", &version.hash);
        text_part(w, "how", "valueCode", &version.how);
        if !version.note.is_empty() {
            text_part(w, "note", "valueString", &version.note);
        }
        for (name, signature) in [("proposed", &version.proposed), ("approved", &version.approved)] {
            if let Some(signature) = signature {
                signature_part(w, name, signature);
            }
        }
        text_part(w, "since", "valueInstant", &version.since.to_string());
        number_part(w, "rules", version.rules);
    });
}

fn history(ledger: &Ledger) -> Vec<u8> {
    document(|w| {
        w.object(|w| {
            w.member("name", "four-eyes");
            w.key("valueBoolean");
            w.boolean(ledger.four_eyes);
        });
        ledger.waiting.iter().for_each(|waiting| waiting_part(w, "proposal", waiting));
        ledger.versions.iter().for_each(|version| version_part(w, "version", version));
    })
}

fn effects(w: &mut Writer, concerned: &DryRun) {
    for change in &concerned.changes {
        whole(w, "change", |w| {
            text_part(w, "kind", "valueCode", &change.kind);
            text_part(w, "who", "valueString", &change.who);
            text_part(w, "type", "valueCode", change.resource_type.name());
            text_part(w, "need", "valueCode", change.need);
            text_part(w, "way", "valueCode", change.way);
        });
    }
}

impl From<CouncilError> for Failure {
    fn from(error: CouncilError) -> Self {
        match error {
            CouncilError::Faulty(lines) => {
                let issue = |line: String| Issue::error(IssueType::Invalid, line).at("Parameters.parameter");
                Self::Content(lines.into_iter().map(issue).collect())
            }
            CouncilError::Unknown => Self::NotFound,
            CouncilError::Unavailable(why) => Self::Store(why),
            other => Self::Council(other),
        }
    }
}
