//! The bundle of user-access brands: whose server this is, for apps that show people where they can connect. SPEC: SMART
//! App Launch 2.2 user-access brands and endpoints; rows A12, B5, B70, B71.
//!
//! Made once, at the start, of what the operator says; there when they named the facility's website. The moment of its
//! last change is kept: a restart with the same facts changes nothing of it, and so neither its tag.

use crate::{
    outcome,
    service::Inner,
    tables::{Table, Unavailable},
};
use bytes::Bytes;
use fhir::Instant;
use http::{HeaderMap, HeaderValue, Response, header};
use oauth::{
    brands::Brand,
    discovery::{Endpoints, Feature, Offer},
};
use serde_json::{Value, json};

/// What the operator says of the facility.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Branding {
    /// Its public website, an https URL; its root without `www.` is what the brand is known by.
    pub website: String,
    /// Its logo: https URL of an SVG, or of a PNG of 1024 by 1024. Apps fetch it, this server does not.
    pub logo: Option<String>,
    /// What people call the place where they sign in; `None`: the facility's name.
    pub portal_name: Option<String>,
    /// Who may sign in, and what they find there.
    pub portal_description: Option<String>,
    /// Where people sign in, an https URL; `None`: the page of their apps here.
    pub portal_url: Option<String>,
    /// Where developers of apps learn how to register, an https URL; `None`: the website.
    pub developers_url: Option<String>,
}

/// The bundle as it is served.
pub(crate) struct Brands {
    body: Bytes,
    etag: HeaderValue,
    /// System and value.
    identifier: Option<(String, String)>,
}

const ROW: &[u8] = b"brands";

impl Brands {
    /// Of the operator's facts. `table` keeps when they changed last.
    pub(crate) fn open(
        branding: &Branding,
        name: &str,
        endpoints: &Endpoints,
        table: &dyn Table,
        now: Instant,
    ) -> Result<Self, Unavailable> {
        let brand = Brand {
            name,
            aliases: &[],
            website: &branding.website,
            logo: branding.logo.as_deref(),
            logo_license: None,
            identifier: None,
            address: None,
            portal_name: branding.portal_name.as_deref().unwrap_or(name),
            portal_description: branding.portal_description.as_deref(),
            portal_url: branding.portal_url.as_deref().unwrap_or(&endpoints.management),
            developers_url: branding.developers_url.as_deref().unwrap_or(&branding.website),
        };
        let published = |changed: &str| brand.published(&endpoints.issuer, &endpoints.fhir_base, changed);
        // The facts themselves, whenever they were told.
        let facts = published("").etag;
        let changed = changed(table, &facts, now)?;
        let published = published(&changed.to_string());
        let etag = HeaderValue::from_str(&published.etag).map_err(|why| Unavailable(why.to_string()))?;
        let identifier = brand.identifier().and_then(|(system, value)| Some((system?, value)));
        Ok(Self { body: published.body.into(), etag, identifier })
    }

    /// What is offered, with this.
    pub(crate) fn add_to(&self, offer: &mut Offer) {
        offer.features.push(Feature::Brands);
        offer.brand_identifier.clone_from(&self.identifier);
    }
}

/// When these facts were told first, without others since.
fn changed(table: &dyn Table, facts: &str, now: Instant) -> Result<Instant, Unavailable> {
    let kept: Option<Value> = table.value(ROW)?.and_then(|row| serde_json::from_slice(&row).ok());
    let same = kept.filter(|row| row.get("facts").and_then(Value::as_str) == Some(facts));
    if let Some(changed_ms) = same.and_then(|row| row.get("changed_ms")?.as_i64()) {
        return Ok(Instant::from_unix_millis(changed_ms));
    }
    table.put(ROW, json!({ "facts": facts, "changed_ms": now.unix_millis() }).to_string().as_bytes())?;
    Ok(now)
}

/// `/brands`.
pub(crate) fn answer(inner: &Inner, headers: &HeaderMap) -> Response<Bytes> {
    let Some(brands) = &inner.brands else { return outcome::refused(outcome::Refusal::NotFound) };
    // SPEC: RFC 9110 section 13.1.2: compared weakly.
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let own = brands.etag.to_str().map(strong).unwrap_or_default();
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|field| field.to_str().ok());
    let is_known = known.flat_map(|field| field.split(',')).any(|tag| tag.trim() == "*" || strong(tag) == own);
    outcome::bundle(&brands.body, &brands.etag, is_known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BASE, ISSUER, World, request};
    use http::Method;

    fn branding() -> Branding {
        Branding { website: "https://www.maple.example/home".into(), ..Branding::default() }
    }

    /// Row B70: apps find it, read it, and ask whether it is as it was.
    #[tokio::test]
    async fn b70_the_bundle_is_published() {
        let logo = Some("https://maple.example/l.svg".to_owned());
        let mut world = World::branded(Some(Branding { logo, ..branding() }));
        let get = async |world: &World, path: &str, headers: &[(&str, &str)]| {
            world.send("192.0.2.1", request(Method::GET, path, headers, "")).await
        };
        let offered = get(&world, "/fhir/.well-known/smart-configuration", &[]).await.body;
        assert_eq!(offered["user_access_brand_bundle"], format!("{ISSUER}/brands"));
        let identifier = &offered["user_access_brand_identifier"];
        assert_eq!(identifier, &json!({ "system": "urn:ietf:rfc:3986", "value": "https://maple.example" }));
        let answer = get(&world, "/brands", &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/fhir+json")));
        assert_eq!((&answer.body["type"], &answer.body["resourceType"]), (&json!("collection"), &json!("Bundle")));
        let organization = &answer.body["entry"][0]["resource"];
        let same = |one: &&Value| one["system"] == identifier["system"] && one["value"] == identifier["value"];
        assert_eq!(organization["identifier"].as_array().unwrap().iter().filter(same).count(), 1, "B70: exactly one");
        assert_eq!(organization["name"], "Maple House");
        assert_eq!(answer.body["entry"][1]["resource"]["address"], BASE);
        let portal = organization["extension"].to_string();
        assert!(portal.contains(&format!("{ISSUER}/account/apps")) && portal.contains("Maple House"), "{portal}");
        assert!(portal.contains("https://maple.example/l.svg"));
        let etag = answer.header("etag").unwrap().to_owned();
        assert!(etag.starts_with("W/\""));
        for known in [&*etag, "\"other\", W/\"another\", *", &etag[2..], &format!("\"x\", {etag}")] {
            let again = get(&world, "/brands", &[("if-none-match", known)]).await;
            assert_eq!((again.status, again.response.body().len()), (304, 0), "{known}");
            assert_eq!(again.header("etag"), Some(&*etag));
        }
        assert_eq!(get(&world, "/brands", &[("if-none-match", "\"x\"")]).await.status, 200);
        let head = world.send("192.0.2.1", request(Method::HEAD, "/brands", &[], "")).await;
        assert_eq!((head.status, head.response.body().len()), (200, 0));
        // A restart changes nothing of it; other facts do.
        world.pass(3600);
        world.restart();
        assert_eq!(get(&world, "/brands", &[]).await.header("etag"), Some(&*etag));
        world.brand = Some(Branding { portal_name: Some("My Maple".into()), ..branding() });
        world.restart();
        let changed = get(&world, "/brands", &[]).await;
        assert_ne!(changed.header("etag"), Some(&*etag));
        assert_ne!(changed.body["timestamp"], answer.body["timestamp"]);
        assert_eq!(world.service.inner.offer.contradictions(), [""; 0]);
    }

    /// Row B4: what was not told is not offered.
    #[tokio::test]
    async fn b70_without_a_website_there_is_no_brand() {
        let world = World::new();
        assert_eq!(world.send("192.0.2.1", request(Method::GET, "/brands", &[], "")).await.status, 404);
        let offered =
            world.send("192.0.2.1", request(Method::GET, "/fhir/.well-known/smart-configuration", &[], "")).await.body;
        assert!(offered.get("user_access_brand_bundle").is_none());
        assert!(offered.get("user_access_brand_identifier").is_none());
    }
}
