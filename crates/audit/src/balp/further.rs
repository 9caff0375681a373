//! The two events that an entry can be beside itself: what consents decided of it, and the disclosure that it was.
//!
//! They are made of the same record, so the log is no longer for them, and none can be missing. SPEC: IHE BALP
//! (authorization decisions by consent, privacy disclosure at the source); rows F20, F21.

use super::{Agent, Coding, Entity, Event, Server, URIS, Who, agents, codes, counted, is_named, token_name};
use crate::entry::{Counts, Effect, Entry};
use fhir::{LogicalId, ResourceType};
use std::borrow::Cow;

/// DCM 110113 with the subtype AuthZ-Consent: outcome 0 for permit (with what was kept back, too), 4 for deny.
pub(super) fn consent<'a>(entry: &'a Entry, id: &LogicalId, server: &'a Server) -> Event<'a> {
    let consents = || entry.counted().iter().filter(|counted| counted.what == Counts::Consent);
    let did = |effect: Effect| consents().any(|counted| counted.effect == effect);
    let (outcome, text) = match (did(Effect::Deny), did(Effect::Withhold)) {
        (true, _) => ("4", "deny"),
        (false, true) => ("0", "permit, a part withheld"),
        (false, false) => ("0", "permit"),
    };
    let mut entities = request(entry);
    entities.extend(entry.patients.iter().map(Entity::Patient));
    entities.extend(consents().map(counted).filter(is_named));
    entities.extend(token_name(entry).map(|token| Entity::Token(format!("urn:ietf:params:oauth:jti:{token}"))));
    let whole = agents(entry, server);
    plain(
        Of { id, kind: codes::SECURITY_ALERT, subtype: codes::AUTHZ_CONSENT, action: "E", outcome, text: Some(text) },
        entry,
        server,
        whole,
        entities,
    )
}

/// DCM 110106 with the subtype disclose: we are its source and custodian; who got it is the recipient; the patient
/// authorized it when a consent of theirs did.
pub(super) fn disclosure<'a>(entry: &'a Entry, id: &LogicalId, server: &'a Server) -> Event<'a> {
    let us = || Who::Identifier(URIS, &server.base_url);
    let network = Some((Cow::Borrowed(server.base_url.as_str()), "5"));
    let mut all =
        vec![Agent { network, ..Agent::new(vec![codes::SOURCE_ROLE], us()) }, Agent::new(vec![codes::CUSTODIAN], us())];
    let recipients = agents(entry, server);
    let has_others = recipients.len() > 2;
    // The client and this server come first; whom the client acted for, after them.
    for (at, mut agent) in recipients.into_iter().enumerate() {
        if at == 1 || (at == 0 && has_others) {
            continue;
        }
        agent.kinds = vec![codes::DESTINATION_ROLE];
        agent.network = agent.network.filter(|_| at == 0);
        all.push(agent);
    }
    let by_consent = entry.counted().iter().any(|one| one.what == Counts::Consent && one.effect == Effect::Permit);
    if let ([patient], true, Ok(kind)) = (entry.patients.as_slice(), by_consent, ResourceType::parse("Patient")) {
        let who = Who::Resource(kind, patient.clone());
        all.push(Agent::new(vec![codes::AUTHORIZER], who));
    }
    let mut entities = request(entry);
    let version = |touched: &crate::entry::Touched| touched.version.map(fhir::VersionId::number);
    entities.extend(entry.touched.iter().map(|t| Entity::Resource(t.resource_type, &t.id, version(t))));
    entities.extend(entry.patients.iter().map(Entity::Patient));
    entities.extend(entry.counted().iter().filter(|one| one.what == Counts::Consent).map(counted).filter(is_named));
    plain(
        Of { id, kind: codes::EXPORT, subtype: codes::DISCLOSE, action: "R", outcome: "0", text: None },
        entry,
        server,
        all,
        entities,
    )
}

fn request(entry: &Entry) -> Vec<Entity<'_>> {
    let named = !entry.request_id.trim().is_empty();
    named.then_some(Entity::Request(&entry.request_id)).into_iter().collect()
}

/// What sets one such event apart.
struct Of<'a> {
    id: &'a LogicalId,
    kind: Coding<'static>,
    subtype: Coding<'static>,
    action: &'static str,
    outcome: &'static str,
    text: Option<&'static str>,
}

fn plain<'a>(
    of: Of<'_>,
    entry: &'a Entry,
    server: &'a Server,
    agents: Vec<Agent<'a>>,
    entities: Vec<Entity<'a>>,
) -> Event<'a> {
    Event {
        id: of.id.clone(),
        entry,
        profiles: Vec::new(),
        kind: of.kind,
        subtypes: vec![of.subtype],
        action: of.action,
        outcome: of.outcome,
        outcome_text: of.text.map(Cow::Borrowed),
        agents,
        entities,
        server,
    }
}
