//! A response, taken apart for assertions.

use bytes::Bytes;
use serde_json::Value;

/// Status, headers and body of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header names (lower case) and values, sorted.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The same reply; it must have this status.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// `id` of the resource in the body.
    #[must_use]
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Code, diagnostics and expression of the first issue of the OperationOutcome in the body.
    #[must_use]
    pub fn issue(&self) -> (String, String, String) {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let issue = &json["issue"][0];
        (text(&issue["code"]), text(&issue["diagnostics"]), text(&issue["expression"][0]))
    }

    /// `Type/id` of the entries of a searchset with this mode, in their order.
    #[must_use]
    pub fn entries(&self, mode: &str) -> Vec<String> {
        let json = self.json();
        let entries = json["entry"].as_array().cloned().unwrap_or_default();
        let named = entries.iter().filter(|entry| entry["search"]["mode"] == mode).map(|entry| {
            let resource = &entry["resource"];
            format!("{}/{}", resource["resourceType"].as_str().unwrap_or("?"), resource["id"].as_str().unwrap_or("?"))
        });
        named.collect()
    }

    /// The URL of the Bundle's link with this relation.
    #[must_use]
    pub fn link(&self, relation: &str) -> Option<String> {
        let json = self.json();
        let links = json["link"].as_array()?;
        links.iter().find(|link| link["relation"] == relation)?["url"].as_str().map(str::to_owned)
    }
}
