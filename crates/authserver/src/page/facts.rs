//! What pages show of clients, scopes and patients: one way for all pages, so that an app looks the same everywhere.

use crate::{
    client::Client,
    records::{PatientRecord, VisitRecord},
};
use oauth::scope::{
    Scope, ScopeContext,
    request::{ScopeRequest, Special, Wanted},
};
use pages::{
    AppFacts, Checked, Date, EncounterFacts, PatientFacts, Relation, Text, VisitKind,
    words::{self, Context},
};

/// An app.
pub(crate) fn app(client: &Client) -> AppFacts {
    AppFacts {
        name: Text::new(&client.name),
        maker: client.maker.as_deref().map(Text::new),
        returns_to: client.redirect_uris.first().map(|uri| Text::new(host(uri.as_str()))),
        logo: None,
        checked: if client.is_verified { Checked::ByFacility } else { Checked::ByNobody },
        purpose: client.purpose.as_deref().map(Text::new),
    }
}

/// The host of a redirect URI; of a native app's the scheme.
pub(crate) fn host(uri: &str) -> &str {
    match uri.split_once("://") {
        Some((_, rest)) if rest.starts_with('[') => rest.split_inclusive(']').next().unwrap_or_default(),
        Some((_, rest)) => rest.split(['/', '?', ':']).next().unwrap_or_default(),
        None => uri.split(':').next().unwrap_or_default(),
    }
}

/// A scope, taken apart for its words.
pub(crate) fn scope(scope: &Scope) -> words::Scope {
    let context = match scope.context {
        ScopeContext::Patient => Context::Patient,
        ScopeContext::User => Context::User,
        ScopeContext::System => Context::System,
    };
    let letters = scope.permissions.to_string();
    words::Scope::resources(&scope.text, context, scope.resource_type.as_deref(), &letters, &scope.query)
}

/// What was granted, as far as it lets an app see or change something.
pub(crate) fn scopes(granted: &str) -> Vec<words::Scope> {
    let Ok(request) = ScopeRequest::parse(granted) else { return Vec::new() };
    let shown = request.wanted().iter().filter_map(|(text, wanted)| match wanted {
        Wanted::Resource(one) => Some(scope(one)),
        Wanted::Special(Special::OpenId | Special::FhirUser | Special::Profile) => Some(words::Scope::special(text)),
        Wanted::Special(_) => None,
    });
    shown.collect()
}

/// Whether a clinician can open it: it says where, and is registered for the context that comes with that.
pub(crate) fn can_be_launched(client: &Client) -> bool {
    client.launch_url.is_some() && !client.disabled && client.registered.has("launch")
}

/// A patient.
pub(crate) fn patient(record: &PatientRecord, relation: Option<Relation>) -> PatientFacts {
    PatientFacts {
        id: (&*record.id).into(),
        name: Text::new(&record.name),
        born: record.born.as_deref().and_then(Date::parse),
        detail: None,
        relation,
    }
}

/// A visit.
pub(crate) fn visit(record: &VisitRecord) -> EncounterFacts {
    let day = |text: &Option<String>| Date::parse(text.as_deref()?.split('T').next()?);
    EncounterFacts {
        id: (&*record.id).into(),
        kind: record.class.as_deref().map_or(VisitKind::Other, VisitKind::of_class),
        name: record.words.as_deref().map(Text::new),
        began: day(&record.began),
        ended: day(&record.ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_as_people_know_them() {
        for (uri, shown) in [
            ("https://app.example:8443/callback?x=1", "app.example"),
            ("https://app.example", "app.example"),
            ("http://[::1]:4000/callback", "[::1]"),
            ("com.example.app:/callback", "com.example.app"),
        ] {
            assert_eq!(host(uri), shown);
        }
    }

    #[test]
    fn what_was_granted_is_shown_and_nothing_else() {
        let granted = "openid launch/patient offline_access patient/Observation.rs?category=a|b user/Patient.read";
        let shown: Vec<String> = scopes(granted).iter().map(|scope| scope.exact().to_owned()).collect();
        assert_eq!(shown, ["openid", "patient/Observation.rs?category=a|b", "user/Patient.read"]);
    }
}
