//! A community as a row of the table: JSON; the key is its URI.

use super::{Approval, Community, Profile, WhenUnavailable};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fhir::Instant;
use oauth::{sign::PrivateKey, udap::purpose::Purpose, x509::Anchors};
use serde_json::{Value, json};

/// The row's value; `None` when the key cannot be written.
pub(super) fn encode(community: &Community) -> Option<Vec<u8>> {
    let ders =
        |ders: &mut dyn Iterator<Item = &[u8]>| -> Vec<String> { ders.map(|der| STANDARD.encode(der)).collect() };
    let row = json!({
        "name": community.name,
        "anchors": ders(&mut community.anchors.all().iter().map(|anchor| anchor.der())),
        "chain": ders(&mut community.chain.iter().map(Vec::as_slice)),
        "key": community.key.to_private_jwk().ok()?,
        "profile": community.profile.as_str(),
        "when_unavailable": community.when_unavailable.as_str(),
        "purposes": community.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>(),
        "certifications": community.certifications,
        "approval": community.approval.as_str(),
        "registrations_max": community.registrations_max,
        "identity_providers": community.identity_providers,
        "added_ms": community.added.unix_millis(),
    });
    Some(row.to_string().into_bytes())
}

/// Reads [`encode`]. Certificates that have ended meanwhile are no reason not to start.
pub(super) fn decode(uri: &[u8], row: &[u8]) -> Option<Community> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let texts = |name: &str| -> Option<Vec<&str>> { row.get(name)?.as_array()?.iter().map(Value::as_str).collect() };
    let ders = |name: &str| -> Option<Vec<Vec<u8>>> {
        texts(name)?.into_iter().map(|text| STANDARD.decode(text).ok()).collect()
    };
    Some(Community {
        uri: std::str::from_utf8(uri).ok()?.into(),
        name: text("name")?.to_owned(),
        chain: ders("chain")?,
        profile: Profile::parse(text("profile")?)?,
        when_unavailable: WhenUnavailable::parse(text("when_unavailable")?)?,
        purposes: texts("purposes")?.into_iter().map(Purpose::parse).collect::<Option<_>>()?,
        certifications: texts("certifications")?.into_iter().map(str::to_owned).collect(),
        approval: Approval::parse(text("approval")?)?,
        registrations_max: usize::try_from(row.get("registrations_max")?.as_u64()?).ok()?,
        identity_providers: row.get("identity_providers")?.as_bool()?,
        added: Instant::from_unix_millis(row.get("added_ms")?.as_i64()?),
        key: PrivateKey::parse(text("key")?, None).ok()?,
        anchors: Anchors::new(&ders("anchors")?).ok()?,
    })
}
