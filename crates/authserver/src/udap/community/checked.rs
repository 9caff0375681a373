//! Whether a community can work as it is asked for; every refusal says what to change. SPEC: rows D4, D6, D9, D10.

use super::{Community, CommunityError, NewCommunity};
use crate::limits;
use fhir::Instant;
use oauth::{
    jws::Algorithm,
    sign::PrivateKey,
    udap::{is_uri, purpose::Purpose},
    x509::{Anchors, Certificate},
};

/// The community, when its parts go together. `base`: our FHIR base.
pub(super) fn community(
    new: &NewCommunity,
    base: &str,
    added: Instant,
    now_s: i64,
) -> Result<Community, CommunityError> {
    let invalid = |why: String| Err(CommunityError::Invalid(why));
    if !is_uri(&new.uri) || new.uri.len() > limits::COMMUNITY_URI_BYTES_MAX {
        return invalid(format!(
            "{:?} is no URI; a community is named by one, such as https://community.example",
            new.uri
        ));
    }
    let name = new.name.as_deref().unwrap_or(&new.uri).trim();
    let is_plain = !name.is_empty() && name.len() <= limits::CLIENT_NAME_BYTES_MAX.max(new.uri.len());
    if !is_plain || name.chars().any(char::is_control) {
        return invalid(format!("the community's name must have 1 to {} bytes", limits::CLIENT_NAME_BYTES_MAX));
    }
    let anchors = match Anchors::new(&new.anchors) {
        Ok(anchors) => anchors,
        Err(why) => return invalid(format!("the anchors cannot be used: {why}")),
    };
    if anchors.all().iter().all(|anchor| !anchor.is_in_time(now_s)) {
        return invalid("none of the anchors counts now: all have ended or have not begun; get newer ones".into());
    }
    let leaf = match new.chain.first().map(|der| Certificate::read(der)) {
        Some(Ok(leaf)) => leaf,
        Some(Err(why)) => return invalid(format!("our certificate, the first of the chain, cannot be used: {why}")),
        None => return invalid("our own certificate is missing".into()),
    };
    // Row D6: to the letter, for that is how partners compare.
    if let Err(instead) = leaf.names(base) {
        return invalid(format!(
            "our certificate must have this server's FHIR base {base} as URI among its alternative names, to the letter; {instead}. Have it issued for that URI, or set the server's base URL to what it says"
        ));
    }
    let Ok(key) = PrivateKey::parse(new.key.expose(), Some(Algorithm::Rs256)) else {
        return invalid(
            "the private key cannot be read: it must be PEM (PKCS#8, PKCS#1 or SEC 1, not encrypted) or a JWK".into(),
        );
    };
    if key.public().key_type() != "RSA" {
        // Row D4: what we sign must be read by everybody, and some read nothing else.
        return invalid(
            "the private key must be RSA, of 2048 bits or more: metadata is signed with RS256, which every partner reads"
                .into(),
        );
    }
    if key.public().material() != leaf.key().material() {
        return invalid(format!(
            "the private key is not that of our certificate ({}); the first certificate of the chain must be our own",
            leaf.subject()
        ));
    }
    if let Err(why) = anchors.chain(&new.chain, now_s) {
        return invalid(format!(
            "our own certificate does not hold in this community: {why}. The chain must have our certificate first and every intermediate after it, up to an anchor"
        ));
    }
    let purposes = new.purposes.iter().map(|code| {
        Purpose::parse(code).ok_or_else(|| {
            CommunityError::Invalid(format!("{code:?} is no purpose of use of v3-ActReason, such as TREAT or HPAYMT"))
        })
    });
    let purposes = purposes.collect::<Result<_, _>>()?;
    if let Some(odd) = new.certifications.iter().find(|uri| !is_uri(uri) || uri.len() > limits::COMMUNITY_URI_BYTES_MAX)
    {
        return invalid(format!("{odd:?} is no URI; certifications are named by one"));
    }
    let registrations_max = new.registrations_max.unwrap_or(limits::COMMUNITY_REGISTRATIONS_DEFAULT);
    if !(1..=limits::CLIENTS_MAX).contains(&registrations_max) {
        return invalid(format!("a community may have 1 to {} registrations", limits::CLIENTS_MAX));
    }
    Ok(Community {
        uri: new.uri.as_str().into(),
        name: name.to_owned(),
        chain: new.chain.clone(),
        profile: new.profile,
        when_unavailable: new.when_unavailable,
        purposes,
        certifications: new.certifications.clone(),
        approval: new.approval,
        registrations_max,
        identity_providers: new.identity_providers,
        added,
        key,
        anchors,
    })
}

/// The moment from which on what we sign is not believed there.
pub(super) fn ends_s(community: &Community) -> i64 {
    let own = community.chain.iter().filter_map(|der| Certificate::read(der).ok().map(|one| one.not_after_s()));
    let anchor = community.anchors.all().iter().map(|anchor| anchor.not_after_s()).max();
    own.chain(anchor).min().unwrap_or(i64::MIN).saturating_add(1)
}
