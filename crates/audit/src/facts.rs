//! What a search can ask of an audit event, without writing and reading its JSON: a scan of the log
//! looks at many more entries than it finds.
//!
//! The facts are those that the R4 search parameters of AuditEvent draw from the rendered event; a
//! test holds the two equal. SPEC: R4 auditevent.html#search.

use crate::balp::{Entity, Event, Who, consent};
use fhir::{Instant, LogicalId, ResourceType};

#[cfg(test)]
mod tests;

/// One value of one search parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A coded value: system (when it has one) and code.
    Token(Option<String>, String),
    /// A string or URI.
    Text(String),
    /// A literal reference; of a version it is the resource's.
    Reference(ResourceType, LogicalId),
    /// A reference by identifier: system and value.
    Identifier(Option<String>, String),
    /// A moment.
    Date(Instant),
}

/// The values of every R4 search parameter of AuditEvent that this event has, by the parameter's
/// code: `action address agent agent-name agent-role date entity entity-role entity-type outcome patient
/// policy site source subtype type`. Never has: `altid entity-name`.
#[must_use]
pub fn facts_for_search(event: &Event<'_>) -> Vec<(&'static str, Fact)> {
    let token = |system: &str, code: &str| Fact::Token(Some(system.to_owned()), code.to_owned());
    let mut facts = vec![
        ("action", token("http://hl7.org/fhir/audit-event-action", event.action)),
        ("date", Fact::Date(event.entry.recorded)),
        ("outcome", token("http://hl7.org/fhir/audit-event-outcome", event.outcome)),
        ("site", Fact::Token(None, event.server.base_url.clone())),
        ("source", Fact::Identifier(Some("urn:ietf:rfc:3986".to_owned()), event.server.base_url.clone())),
        ("type", token(event.kind.system, &event.kind.code)),
    ];
    facts.extend(event.subtypes.iter().map(|subtype| ("subtype", token(subtype.system, &subtype.code))));
    for agent in &event.agents {
        if let Who::Identifier(system, value) | Who::Known(system, value, _) = agent.who {
            facts.push(("agent", Fact::Identifier(Some(system.to_owned()), value.to_owned())));
        }
        if let Who::Known(system, account, Some((kind, id))) = &agent.who {
            facts.push(("agent", Fact::Reference(*kind, id.clone())));
            if kind.name() == "Patient" {
                facts.push(("patient", Fact::Reference(*kind, id.clone())));
                facts.push(("patient", Fact::Identifier(Some((*system).to_owned()), (*account).to_owned())));
            }
        }
        if let Who::Resource(kind, id) = &agent.who {
            facts.push(("agent", Fact::Reference(*kind, id.clone())));
            if kind.name() == "Patient" {
                facts.push(("patient", Fact::Reference(*kind, id.clone())));
            }
        }
        facts.extend(agent.name.map(|name| ("agent-name", Fact::Text(name.to_owned()))));
        facts.extend(agent.role.as_ref().map(|role| ("agent-role", token(role.system, &role.code))));
        if let Some(policy) = &agent.policy {
            facts.push(("policy", Fact::Text(policy.clone())));
        }
        if let Some((address, _)) = &agent.network {
            facts.push(("address", Fact::Text(address.to_string())));
        }
    }
    for entity in &event.entities {
        let kind = entity.kind();
        facts.push(("entity-type", token(kind.system, &kind.code)));
        if let Some(role) = entity.role() {
            facts.push(("entity-role", token(role.system, &role.code)));
        }
        match entity {
            Entity::Request(id) => facts.push(("entity", Fact::Identifier(None, (*id).to_owned()))),
            Entity::Resource(kind, id, _) => {
                facts.push(("entity", Fact::Reference(*kind, (*id).clone())));
                if kind.name() == "Patient" {
                    facts.push(("patient", Fact::Reference(*kind, (*id).clone())));
                }
            }
            Entity::Patient(id) => {
                if let Ok(kind) = ResourceType::parse("Patient") {
                    facts.push(("entity", Fact::Reference(kind, (*id).clone())));
                    facts.push(("patient", Fact::Reference(kind, (*id).clone())));
                }
            }
            Entity::Token(name) => facts.push(("entity", Fact::Identifier(None, name.clone()))),
            Entity::Counted(what, _, name) => {
                facts.push((
                    "entity",
                    match (consent(what, name), ResourceType::parse("Consent")) {
                        (Some(id), Ok(kind)) => Fact::Reference(kind, id),
                        _ => Fact::Identifier(None, (*name).to_owned()),
                    },
                ));
            }
            Entity::Query(_) => {}
        }
    }
    facts
}
