//! The bundle of user-access brands: by it apps show people whose server this is. SPEC: SMART App Launch 2.2 user-access
//! brands and endpoints; rows B70, B71.
//!
//! One facility, one portal, one endpoint. Left out: hierarchies of brands, data-absent reasons (what is required is
//! required of the operator too).

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

const PROFILES: &str = "http://hl7.org/fhir/smart-app-launch/StructureDefinition/";
const EXTENSIONS: &str = "http://hl7.org/fhir/StructureDefinition/";
const CATEGORY: &str = "http://hl7.org/fhir/smart-app-launch/CodeSystem/user-access-category";

/// The system of an identifier that is a URL.
pub const URL_SYSTEM: &str = "urn:ietf:rfc:3986";

/// The facility as people know it; from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand<'a> {
    /// Its name.
    pub name: &'a str,
    /// Other names that people may look for.
    pub aliases: &'a [String],
    /// Its public website, an https URL.
    pub website: &'a str,
    /// Logo: an https URL of an SVG, or of a PNG of 1024 by 1024.
    pub logo: Option<&'a str>,
    /// Terms for using the logo: an https URL.
    pub logo_license: Option<&'a str>,
    /// System, when there is one, and value of the identifier; `None`: [`site_root`] of the website.
    pub identifier: Option<(Option<&'a str>, &'a str)>,
    /// City, state, postal code; any of them may be empty.
    pub address: Option<(&'a str, &'a str, &'a str)>,
    /// What people call the place where they sign in.
    pub portal_name: &'a str,
    /// Who may sign in, and what they find there.
    pub portal_description: Option<&'a str>,
    /// Where people sign in.
    pub portal_url: &'a str,
    /// Where developers of apps learn how to register.
    pub developers_url: &'a str,
}

/// The bundle as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// JSON.
    pub body: Vec<u8>,
    /// A weak entity tag, with its quotes.
    pub etag: String,
}

/// The https root of a website without `www.`, as an identifier; `None` when it is not https.
#[must_use]
pub fn site_root(website: &str) -> Option<String> {
    let rest = website.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (!host.is_empty()).then(|| format!("https://{host}"))
}

impl Brand<'_> {
    /// System and value of the one identifier: what `user_access_brand_identifier` says too.
    #[must_use]
    pub fn identifier(&self) -> Option<(Option<String>, String)> {
        match self.identifier {
            Some((system, value)) => Some((system.map(str::to_owned), value.to_owned())),
            None => site_root(self.website).map(|root| (Some(URL_SYSTEM.to_owned()), root)),
        }
    }

    /// The bundle. `changed` is a FHIR instant: when the facts changed last, at the latest when the server started.
    #[must_use]
    pub fn published(&self, issuer: &str, fhir_base: &str, changed: &str) -> Published {
        let entry = |resource: Value| {
            let part = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
            let full = format!("{issuer}/brands/{}/{}", part("resourceType"), part("id"));
            json!({ "fullUrl": full, "resource": resource })
        };
        let entries = json!([entry(self.organization(changed)), entry(self.endpoint(fhir_base, changed))]);
        let bundle = json!({
            "resourceType": "Bundle",
            "id": "brands",
            "meta": { "lastUpdated": changed, "profile": [format!("{PROFILES}user-access-brands-bundle")] },
            "type": "collection",
            "timestamp": changed,
            "entry": entries,
        });
        let body = bundle.to_string().into_bytes();
        let hash = digest::digest(&digest::SHA256, &body);
        let short: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Published { etag: format!("W/\"{short}\""), body }
    }

    fn organization(&self, changed: &str) -> Value {
        let mut organization = Map::new();
        let mut put = |name: &str, value: Value| organization.insert(name.to_owned(), value);
        put("resourceType", json!("Organization"));
        put("id", json!("facility"));
        put("meta", json!({ "lastUpdated": changed, "profile": [format!("{PROFILES}user-access-brand")] }));
        let mut extensions = Vec::new();
        let branding: Vec<Value> = [("brandLogo", self.logo), ("brandLogoLicense", self.logo_license)]
            .into_iter()
            .filter_map(|(name, url)| url.map(|url| json!({ "url": name, "valueUrl": url })))
            .collect();
        if !branding.is_empty() {
            extensions.push(json!({ "extension": branding, "url": format!("{EXTENSIONS}organization-brand") }));
        }
        let mut portal = vec![json!({ "url": "portalName", "valueString": self.portal_name })];
        if let Some(text) = self.portal_description {
            portal.push(json!({ "url": "portalDescription", "valueMarkdown": text }));
        }
        portal.push(json!({ "url": "portalUrl", "valueUrl": self.portal_url }));
        portal.push(json!({ "url": "portalEndpoint", "valueReference": { "reference": "Endpoint/fhir-r4" } }));
        extensions.push(json!({ "extension": portal, "url": format!("{EXTENSIONS}organization-portal") }));
        put("extension", Value::Array(extensions));
        if let Some((system, value)) = self.identifier() {
            put(
                "identifier",
                match system {
                    Some(system) => json!([{ "system": system, "value": value }]),
                    None => json!([{ "value": value }]),
                },
            );
        }
        put("active", json!(true));
        put("type", json!([{ "coding": [{ "system": CATEGORY, "code": "clinical", "display": "Clinical" }] }]));
        put("name", json!(self.name));
        if !self.aliases.is_empty() {
            put("alias", json!(self.aliases));
        }
        put("telecom", json!([{ "system": "url", "value": self.website }]));
        if let Some((city, state, postal_code)) = self.address {
            let parts = [("city", city), ("state", state), ("postalCode", postal_code)];
            let address: Map<String, Value> = parts
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect();
            if !address.is_empty() {
                put("address", json!([address]));
            }
        }
        put("endpoint", json!([{ "reference": "Endpoint/fhir-r4" }]));
        Value::Object(organization)
    }

    fn endpoint(&self, fhir_base: &str, changed: &str) -> Value {
        const TERMINOLOGY: &str = "http://terminology.hl7.org/CodeSystem/";
        json!({
            "resourceType": "Endpoint",
            "id": "fhir-r4",
            "meta": { "lastUpdated": changed, "profile": [format!("{PROFILES}user-access-endpoint")] },
            "extension": [{ "url": format!("{EXTENSIONS}endpoint-fhir-version"), "valueCode": "4.0.1" }],
            "status": "active",
            "connectionType": { "system": format!("{TERMINOLOGY}endpoint-connection-type"), "code": "hl7-fhir-rest" },
            "name": format!("FHIR R4 at {}", self.name),
            "contact": [{ "system": "url", "value": self.developers_url }],
            "payloadType": [{ "coding": [{ "system": format!("{TERMINOLOGY}endpoint-payload-type"), "code": "none" }] }],
            "address": fhir_base,
        })
    }
}

#[cfg(test)]
mod tests;
