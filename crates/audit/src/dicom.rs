//! An event as a DICOM audit message, which receivers of ATNA's syslog feed take. SPEC: DICOM PS3.15 A.5.1; IHE ITI TF-2
//! ITI-20; row F23.
//!
//! Made of the same [`Event`] as the AuditEvent: its codes are the same, and a resource is named by its reference. Left
//! out: what an AuditEvent has and the schema does not (labels, details); the log itself has them.

use crate::balp::{Coding, Entity, Event, Who};
use std::fmt::Write;

/// The message, without an XML declaration.
#[must_use]
pub fn message(event: &Event<'_>) -> String {
    let mut out = String::with_capacity(1024);
    let e = escaped;
    let _ = write!(
        out,
        "<AuditMessage><EventIdentification EventActionCode=\"{}\" EventDateTime=\"{}\" EventOutcomeIndicator=\"{}\">",
        event.action, event.entry.recorded, event.outcome
    );
    code(&mut out, "EventID", &event.kind);
    event.subtypes.iter().for_each(|subtype| code(&mut out, "EventTypeCode", subtype));
    if let Some(text) = &event.outcome_text {
        let _ = write!(out, "<EventOutcomeDescription>{}</EventOutcomeDescription>", e(text));
    }
    for purpose in event.entry.purposes() {
        let system = oauth::udap::purpose::SYSTEM;
        let _ = write!(
            out,
            "<PurposeOfUse csd-code=\"{0}\" codeSystemName=\"{system}\" originalText=\"{0}\"/>",
            e(purpose)
        );
    }
    out.push_str("</EventIdentification>");
    for agent in &event.agents {
        let (id, other) = match &agent.who {
            Who::Identifier(_, value) => ((*value).to_owned(), None),
            Who::Known(_, value, resource) => {
                ((*value).to_owned(), resource.as_ref().map(|(kind, id)| format!("{kind}/{id}")))
            }
            Who::Display(text) => ((*text).to_owned(), None),
            Who::Resource(kind, id) => (format!("{kind}/{id}"), None),
        };
        let _ = write!(out, "<ActiveParticipant UserID=\"{}\"", e(&id));
        if let Some(other) = other {
            let _ = write!(out, " AlternativeUserID=\"{}\"", e(&other));
        }
        if let Some(name) = agent.name.or(agent.display) {
            let _ = write!(out, " UserName=\"{}\"", e(name));
        }
        let _ = write!(out, " UserIsRequestor=\"{}\"", agent.requestor);
        if let Some((address, kind)) = &agent.network {
            let _ = write!(out, " NetworkAccessPointID=\"{}\" NetworkAccessPointTypeCode=\"{kind}\"", e(address));
        }
        out.push('>');
        for role in agent.kinds.iter().chain(agent.role.as_ref()) {
            code(&mut out, "RoleIDCode", role);
        }
        out.push_str("</ActiveParticipant>");
    }
    let _ = write!(out, "<AuditSourceIdentification AuditSourceID=\"{}\">", e(&event.server.base_url));
    out.push_str(
        "<AuditSourceTypeCode csd-code=\"4\" codeSystemName=\"DCM\" originalText=\"Application Server Process\"/>",
    );
    out.push_str("</AuditSourceIdentification>");
    event.entities.iter().for_each(|one| object(&mut out, one));
    out.push_str("</AuditMessage>");
    out
}

fn object(out: &mut String, entity: &Entity<'_>) {
    let e = escaped;
    // Kind, role, code of the id, its meaning. SPEC: DICOM PS3.16 CID 404.
    let (id, kind, role, meaning) = match entity {
        Entity::Request(id) => ((*id).to_owned(), "2", "20", ("12", "URI")),
        Entity::Resource(kind, id, Some(version)) => {
            (format!("{kind}/{id}/_history/{version}"), "2", "4", ("12", "URI"))
        }
        Entity::Resource(kind, id, None) => (format!("{kind}/{id}"), "2", "4", ("12", "URI")),
        Entity::Patient(id) => (format!("Patient/{id}"), "1", "1", ("2", "Patient Number")),
        Entity::Query(query) => ((*query).to_owned(), "2", "24", ("10", "Search Criteria")),
        Entity::Counted(_, _, name) => ((*name).to_owned(), "2", "13", ("12", "URI")),
        Entity::Token(name) => (name.clone(), "2", "13", ("12", "URI")),
    };
    let (code, text) = meaning;
    let _ = write!(
        out,
        "<ParticipantObjectIdentification ParticipantObjectID=\"{}\" ParticipantObjectTypeCode=\"{kind}\" \
         ParticipantObjectTypeCodeRole=\"{role}\"><ParticipantObjectIDTypeCode csd-code=\"{code}\" \
         codeSystemName=\"RFC-3881\" originalText=\"{text}\"/></ParticipantObjectIdentification>",
        e(&id)
    );
}

fn code(out: &mut String, element: &str, coding: &Coding<'_>) {
    let system = if coding.system.ends_with("/DCM") { "DCM" } else { coding.system };
    let text = if coding.display.is_empty() { &*coding.code } else { coding.display };
    let _ = write!(
        out,
        "<{element} csd-code=\"{}\" codeSystemName=\"{}\" originalText=\"{}\"/>",
        escaped(&coding.code),
        escaped(system),
        escaped(text)
    );
}

/// Text for an attribute or an element; what XML cannot say becomes a question mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    //! F23: what leaves as DICOM says who, what and whose; nothing in it becomes markup.

    use super::*;
    use crate::{
        balp::{Server, event},
        entry::{Entry, Person},
        log::tests::entry,
    };
    use fhir::LogicalId;
    use oauth::caller::Role;

    #[test]
    fn f23_an_event_as_a_dicom_message() {
        let person = Person {
            id: "u-1".into(),
            name: "Dora \"<b>\" Roth\n".into(),
            role: Role::Clinician,
            fhir_user: Some("Practitioner/dr".into()),
        };
        let entry = Entry {
            person: Some(Box::new(person)),
            patients: vec![LogicalId::parse("p1").unwrap()],
            query: Some("Observation?code=a&b".into()),
            ..entry(1)
        };
        let server = Server { base_url: "https://care.example/fhir".into(), name: "handrail".into() };
        let message = message(&event(&entry, &LogicalId::parse("e").unwrap(), &server));
        for part in [
            "EventActionCode=\"E\"",
            "EventOutcomeIndicator=\"0\"",
            "csd-code=\"search-type\"",
            "UserID=\"u-1\" AlternativeUserID=\"Practitioner/dr\" UserName=\"Dora &quot;&lt;b&gt;&quot; Roth \"",
            "ParticipantObjectID=\"Patient/p1\" ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\"",
            "ParticipantObjectID=\"Observation?code=a&amp;b\"",
            "AuditSourceID=\"https://care.example/fhir\"",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(message.starts_with("<AuditMessage>") && message.ends_with("</AuditMessage>"));
        assert_eq!(message.matches('<').count(), message.matches('>').count());
        assert!(!message.contains('\n'));
    }
}
