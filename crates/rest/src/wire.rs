//! HTTP syntax, and the only file that knows it: request heads in, responses out.
//!
//! Header names, `http` types and status lines stay here (and the status codes in
//! [`crate::outcome`]); the rest of the crate speaks FHIR. Security headers and CORS (rows A12 to
//! A19) are the binary's, on every response. SPEC: R4 http.html, RFC 9110, RFC 6750.

mod http_date;

use crate::{
    failure::Failure,
    limits,
    outcome::{Challenge, Mapped, Success},
    route::Exchange,
};
use bytes::Bytes;
use fhir::{
    Instant, VersionId,
    issue::{Issue, IssueType, operation_outcome},
    json::Tree,
    schema::{self, Schema},
};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT, ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH,
        IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
    },
};
use http_body_util::Full;
use oauth::{bearer::BearerError, caller::Grant};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, convert::Infallible, net::IpAddr, sync::Arc};

/// The response that leaves.
pub type Response = http::Response<Full<Bytes>>;

const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
const FHIR_XML: &str = "application/fhir+xml; charset=utf-8";
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
const X_PROVENANCE: HeaderName = HeaderName::from_static("x-provenance");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const CATEGORY: HeaderName = HeaderName::from_static("category");
const PURPOSE_OF_USE: HeaderName = HeaderName::from_static("x-purpose-of-use");
const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A connection that the listener accepted: where it comes from, and the certificate that it showed. The first proof
/// of a request.
#[derive(Clone)]
pub struct Accepted {
    pub(crate) address: IpAddr,
    pub(crate) certificate_thumbprint: Option<[u8; 32]>,
    pub(crate) principal: Option<Arc<Grant>>,
}

impl Accepted {
    /// A peer at this address, as the socket reports it.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self { address, certificate_thumbprint: None, principal: None }
    }

    /// The same peer, who proved in the handshake to hold the key of the certificate with this SHA-256 (row A8).
    #[must_use]
    pub fn with_certificate(self, thumbprint: [u8; 32]) -> Self {
        Self { certificate_thumbprint: Some(thumbprint), ..self }
    }

    /// The same peer, whose certificate stands for this system by itself (row A10): for a request without a token.
    #[must_use]
    pub fn with_principal(self, principal: Arc<Grant>) -> Self {
        Self { principal: Some(principal), ..self }
    }
}

/// A request method, as far as FHIR knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are HTTP's")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
    Patch,
    Other,
}

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Other => "OTHER",
        }
    }

    /// From `Bundle.entry.request.method` or a request line. HEAD is GET here: only its body differs.
    pub(crate) fn parse(name: &str) -> Self {
        match name {
            "GET" | "HEAD" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "PATCH" => Self::Patch,
            _ => Self::Other,
        }
    }
}

/// SPEC: RFC 6902 section 6.
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";

/// What the body's Content-Type says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// FHIR JSON.
    Json,
    /// FHIR XML.
    Xml,
    /// JSON Patch (RFC 6902).
    JsonPatch,
    /// A search form.
    Form,
    /// There is no Content-Type.
    Absent,
    /// Anything else, or an encoding of it.
    Other,
}

/// A version tag, or any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`
    Any,
    /// Versions of ours; tags that are not ours are dropped: they match nothing.
    Versions(Vec<VersionId>),
}

/// What `Prefer: return=` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    Minimal,
    Representation,
    OperationOutcome,
}

/// `Prefer`, as far as it concerns this server. SPEC: R4 http.html#ops, search.html#errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prefer {
    pub(crate) returns: Option<Return>,
    pub(crate) lenient: bool,
}

/// The head of a request: everything but its body.
#[derive(Debug)]
pub(crate) struct Request {
    parts: http::request::Parts,
}

impl Request {
    /// Parts head and body. The body stays closed until [`crate::body::Unread::read`].
    pub(crate) fn split<B>(request: http::Request<B>) -> (Self, crate::body::Unread<B>) {
        let (parts, body) = request.into_parts();
        (Self { parts }, crate::body::Unread::new(body))
    }

    pub(crate) fn method(&self) -> Method {
        Method::parse(self.parts.method.as_str())
    }

    fn is_head(&self) -> bool {
        self.parts.method == http::Method::HEAD
    }

    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The query string, still encoded; empty when there is none.
    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The Authorization header; two of them are malformed. Row B64: nowhere else is a token looked for.
    pub(crate) fn authorization(&self) -> Result<Option<&str>, BearerError> {
        self.single(&AUTHORIZATION).map_err(|()| BearerError::Malformed)
    }

    /// The DPoP proof; two of them prove nothing (RFC 9449 section 4.3).
    pub(crate) fn dpop(&self) -> Result<Option<&str>, BearerError> {
        self.single(&DPOP).map_err(|()| BearerError::Unproven)
    }

    /// The method as it was sent.
    pub(crate) fn method_name(&self) -> &str {
        self.parts.method.as_str()
    }

    /// The client's request id, when it is short and plain (rows F61, F15).
    pub(crate) fn request_id(&self) -> Option<&str> {
        let plain = |id: &&str| {
            (1..=limits::REQUEST_ID_CHARS_MAX).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        self.single(&X_REQUEST_ID).ok().flatten().filter(plain)
    }

    pub(crate) fn media_type(&self) -> MediaType {
        let encoded = self.parts.headers.get_all(CONTENT_ENCODING).iter().any(|value| value != "identity");
        let Ok(declared) = self.single(&CONTENT_TYPE) else { return MediaType::Other };
        let Some(declared) = declared else { return if encoded { MediaType::Other } else { MediaType::Absent } };
        let mut parts = declared.split(';');
        let essence = parts.next().unwrap_or_default().trim();
        let fits = parts.all(parameter_fits);
        if encoded || !fits {
            MediaType::Other
        } else if is_json(essence) {
            MediaType::Json
        } else if is_xml(essence) {
            MediaType::Xml
        } else if essence.eq_ignore_ascii_case(JSON_PATCH) {
            MediaType::JsonPatch
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            MediaType::Form
        } else {
            MediaType::Other
        }
    }

    /// Bytes of the body as declared.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// Whether the client takes what we write. `_format` in the query, when given, overrides Accept
    /// (row H41).
    pub(crate) fn accepts_json(&self, format: Option<&str>) -> bool {
        if let Some(format) = format {
            return is_format_json(format);
        }
        let mut none = true;
        for value in self.parts.headers.get_all(ACCEPT) {
            none = false;
            if value.to_str().is_ok_and(|value| value.split(',').any(range_takes_json)) {
                return true;
            }
        }
        none
    }

    /// What the client would rather have of JSON and XML, where both are written; `None`: neither.
    pub(crate) fn preferred(&self, format: Option<&str>) -> Option<MediaType> {
        if let Some(format) = format {
            let is_json = is_format_json(format).then_some(MediaType::Json);
            return is_json.or_else(|| is_format_xml(format).then_some(MediaType::Xml));
        }
        let mut best: Option<(f32, MediaType)> = None;
        let mut none = true;
        for value in self.parts.headers.get_all(ACCEPT) {
            none = false;
            for range in value.to_str().unwrap_or_default().split(',') {
                let media = if range_takes_json(range) {
                    MediaType::Json
                } else if range_takes_xml(range) {
                    MediaType::Xml
                } else {
                    continue;
                };
                let quality = range.split(';').find_map(quality).unwrap_or(1.0);
                if best.is_none_or(|(other, _)| quality > other) {
                    best = Some((quality, media));
                }
            }
        }
        if none { Some(MediaType::Json) } else { best.map(|(_, media)| media) }
    }

    /// Whether an answer to this may leave as XML: `$validate` alone speaks both.
    pub(crate) fn is_of_both_forms(&self) -> bool {
        self.path().trim_end_matches('/').ends_with("/$validate")
    }

    /// `If-Match`.
    pub(crate) fn if_match(&self) -> Result<Option<Tags>, Failure> {
        Ok(self.conditional(&IF_MATCH)?.map(tags))
    }

    /// `If-None-Match`.
    pub(crate) fn if_none_match(&self) -> Result<Option<Tags>, Failure> {
        Ok(self.conditional(&IF_NONE_MATCH)?.map(tags))
    }

    /// `If-Modified-Since` in seconds since the epoch; what is no date is ignored (RFC 9110).
    pub(crate) fn if_modified_since_s(&self) -> Option<i64> {
        http_date::parse_unix_seconds(self.single(&IF_MODIFIED_SINCE).ok()??)
    }

    /// `If-None-Exist`: a query string.
    pub(crate) fn if_none_exist(&self) -> Result<Option<&str>, Failure> {
        self.conditional(&IF_NONE_EXIST)
    }

    /// The values of `Category`, one after the other; what is no text is left out.
    pub(crate) fn categories(&self) -> impl Iterator<Item = &str> {
        self.parts.headers.get_all(CATEGORY).iter().filter_map(|value| value.to_str().ok())
    }

    /// `X-Purpose-Of-Use`: what the request is for, as it stands there.
    pub(crate) fn purpose_of_use(&self) -> Result<Option<&str>, Failure> {
        self.conditional(&PURPOSE_OF_USE)
    }

    /// `X-Provenance`: JSON, not read yet.
    pub(crate) fn x_provenance(&self) -> Result<Option<&str>, Failure> {
        self.conditional(&X_PROVENANCE)
    }

    /// `Prefer`. Preferences that are not ours are ignored, as RFC 7240 says.
    pub(crate) fn prefer(&self) -> Prefer {
        let mut prefer = Prefer::default();
        for value in self.parts.headers.get_all(PREFER) {
            for preference in value.to_str().unwrap_or_default().split([',', ';']) {
                match preference.trim() {
                    "return=minimal" => prefer.returns = Some(Return::Minimal),
                    "return=representation" => prefer.returns = Some(Return::Representation),
                    "return=OperationOutcome" => prefer.returns = Some(Return::OperationOutcome),
                    "handling=lenient" => prefer.lenient = true,
                    "handling=strict" => prefer.lenient = false,
                    _ => {}
                }
            }
        }
        prefer
    }

    fn conditional(&self, name: &HeaderName) -> Result<Option<&str>, Failure> {
        self.single(name).map_err(|()| {
            let issue =
                Issue::error(IssueType::Invalid, format!("the header {name} must be given once, as plain text"));
            Failure::request(issue.at(format!("http.{name}")))
        })
    }

    /// A header that may be there once; `Err` when it is repeated or not text.
    fn single(&self, name: &HeaderName) -> Result<Option<&str>, ()> {
        let mut values = self.parts.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
            (Some(_), Some(_)) => Err(()),
        }
    }
}

/// Reads `W/"3"`, `"3"` or `3`, a list of them, or `*`.
pub(crate) fn tags(text: &str) -> Tags {
    if text.trim() == "*" {
        return Tags::Any;
    }
    let version = |tag: &str| {
        let tag = tag.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        VersionId::parse(tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag)).ok()
    };
    Tags::Versions(text.split(',').filter_map(version).collect())
}

/// A query or form value, decoded: `+` is a space. `None` when it is no UTF-8, or a `%` is not
/// followed by two hexadecimal digits.
pub(crate) fn decode(value: &str) -> Option<String> {
    if !value.contains(['%', '+']) {
        return Some(value.to_owned());
    }
    let is_encoded =
        |rest: &str| rest.as_bytes().first_chunk::<2>().is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !value.split('%').skip(1).all(is_encoded) {
        return None;
    }
    percent_decode_str(&value.replace('+', " ")).decode_utf8().ok().map(Cow::into_owned)
}

fn is_json(essence: &str) -> bool {
    ["application/fhir+json", "application/json", "text/json"].iter().any(|name| essence.eq_ignore_ascii_case(name))
}

/// `_format`: a short code or a media type, in which an unescaped `+` arrives as a space.
fn is_format_json(format: &str) -> bool {
    let mut parts = format.split(';');
    let essence = parts.next().unwrap_or_default().trim().replace(' ', "+");
    (is_json(&essence) || essence.eq_ignore_ascii_case("json")) && parts.all(parameter_fits)
}

/// One range of an Accept header.
fn range_takes_json(range: &str) -> bool {
    let mut parts = range.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    let takes = essence == "*/*" || essence.eq_ignore_ascii_case("application/*") || is_json(essence);
    takes && parts.all(|parameter| parameter_fits(parameter) && !is_quality_zero(parameter))
}

fn is_quality_zero(parameter: &str) -> bool {
    quality(parameter).is_some_and(|quality| quality <= 0.0)
}

/// `q=0.5`
fn quality(parameter: &str) -> Option<f32> {
    let (name, quality) = parameter.trim().split_once('=')?;
    quality.trim().parse().ok().filter(|_| name.eq_ignore_ascii_case("q"))
}

fn is_xml(essence: &str) -> bool {
    ["application/fhir+xml", "application/xml", "text/xml"].iter().any(|name| essence.eq_ignore_ascii_case(name))
}

fn is_format_xml(format: &str) -> bool {
    let mut parts = format.split(';');
    let essence = parts.next().unwrap_or_default().trim().replace(' ', "+");
    (is_xml(&essence) || essence.eq_ignore_ascii_case("xml")) && parts.all(parameter_fits)
}

/// One range of an Accept header that names XML itself.
fn range_takes_xml(range: &str) -> bool {
    let mut parts = range.split(';');
    is_xml(parts.next().unwrap_or_default().trim())
        && parts.all(|parameter| parameter_fits(parameter) && !is_quality_zero(parameter))
}

/// Media type parameters that would change what the body is: the character set and the FHIR version.
fn parameter_fits(parameter: &str) -> bool {
    let Some((name, value)) = parameter.trim().split_once('=') else { return true };
    let value = value.trim_matches('"');
    match name.to_ascii_lowercase().as_str() {
        "charset" => ["utf-8", "utf8", "us-ascii"].iter().any(|name| value.eq_ignore_ascii_case(name)),
        "fhirversion" => value == "4.0" || value == "4.0.1",
        _ => true,
    }
}

/// Why a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// The peer was too slow.
    Slow,
    /// The server had no room for it (row F66).
    Busy,
    /// The connection failed.
    Broken,
}

impl From<Infallible> for BodyEnd {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// An answer in FHIR's terms, before it is a response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) success: Success,
    pub(crate) etag: Option<VersionId>,
    pub(crate) last_modified: Option<Instant>,
    pub(crate) location: Option<String>,
    /// Empty: no body.
    pub(crate) body: Bytes,
    /// What the body is.
    pub(crate) media: MediaType,
}

impl Reply {
    /// A body without version, such as a Bundle.
    pub(crate) fn document(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { success: Success::Ok, etag: None, last_modified: None, location: None, body, media: MediaType::Json }
    }
}

/// A response that is done.
pub(crate) fn respond(reply: Reply, request_id: &Arc<str>, head: &Request) -> Response {
    let mut response = http::Response::new(Full::new(if head.is_head() { Bytes::new() } else { reply.body.clone() }));
    *response.status_mut() = reply.success.status();
    let headers = response.headers_mut();
    // Those here, and those that the binary adds: security and CORS.
    headers.reserve(20);
    if !reply.body.is_empty() {
        headers.insert(CONTENT_TYPE, content_type(reply.media));
    }
    if let Some(version) = reply.etag {
        insert(headers, ETAG, &etag(version));
    }
    if let Some(instant) = reply.last_modified {
        insert(headers, LAST_MODIFIED, &http_date::format(instant));
    }
    if let Some(location) = &reply.location {
        insert(headers, LOCATION, location);
    }
    insert(headers, X_REQUEST_ID, request_id);
    response
}

fn content_type(media: MediaType) -> HeaderValue {
    HeaderValue::from_static(if media == MediaType::Xml { FHIR_XML } else { FHIR_JSON })
}

/// An OperationOutcome in XML. Characters that XML does not have are replaced. `None` when it cannot be
/// written, which the tables of R4 rule out.
pub(crate) fn outcome_xml(issues: &[Issue], schema: &Schema) -> Option<Vec<u8>> {
    let clean = |text: &str| -> String {
        let is_odd = |c: char| fhir::xml::forbidden_character(c.encode_utf8(&mut [0; 4])).is_some();
        text.chars().map(|c| if is_odd(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
    };
    let clean = |issue: &Issue| Issue {
        diagnostics: clean(&issue.diagnostics).into(),
        expression: issue.expression.as_deref().map(clean),
        ..issue.clone()
    };
    let issues: Vec<Issue> = issues.iter().map(clean).collect();
    let tree = Tree::parse(operation_outcome(&issues)).ok()?;
    fhir::xml::write(&tree, schema).ok()
}

/// A response that says why not.
pub(crate) fn refuse(mapped: &Mapped, request_id: Option<&str>, is_head: bool) -> Response {
    refuse_in(mapped, request_id, is_head, None)
}

fn refuse_in(mapped: &Mapped, request_id: Option<&str>, is_head: bool, xml: Option<Vec<u8>>) -> Response {
    let media = if xml.is_some() { MediaType::Xml } else { MediaType::Json };
    let body = Bytes::from(xml.unwrap_or_else(|| operation_outcome(&mapped.issues)));
    let body = if is_head { Bytes::new() } else { body };
    let mut response = http::Response::new(Full::new(body));
    *response.status_mut() = mapped.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(media));
    if let Some(challenge) = mapped.challenge {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge_text(challenge)));
    }
    if let Some(nonce) = &mapped.dpop_nonce {
        insert(headers, DPOP_NONCE, nonce);
    }
    if !mapped.allow.is_empty() {
        let names: Vec<&str> = mapped.allow.iter().map(|method| method.name()).collect();
        insert(headers, ALLOW, &names.join(", "));
    }
    if let Some(seconds) = mapped.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(request_id) = request_id {
        insert(headers, X_REQUEST_ID, request_id);
    }
    response
}

/// The refusal of this request, with its body left out for HEAD; in XML where that was asked for and is spoken.
pub(crate) fn refuse_request(mapped: &Mapped, request_id: &str, head: &Request) -> Response {
    let wants_xml = || {
        let format = Exchange::of(head.query()).format;
        head.preferred(format.as_deref()) == Some(MediaType::Xml)
    };
    let xml = (head.is_of_both_forms() && wants_xml()).then(|| outcome_xml(&mapped.issues, schema::r4())).flatten();
    refuse_in(mapped, Some(request_id), head.is_head(), xml)
}

pub(crate) fn challenge_text(challenge: Challenge) -> &'static str {
    match challenge {
        Challenge::Bare => "Bearer",
        Challenge::InvalidToken => "Bearer error=\"invalid_token\"",
        Challenge::DpopNonce => "DPoP error=\"use_dpop_nonce\"",
        Challenge::StepUp => "Bearer error=\"insufficient_user_authentication\", max_age=\"300\"",
        Challenge::InsufficientScope => "Bearer error=\"insufficient_scope\"",
    }
}

/// `W/"3"`: also `Bundle.entry.response.etag`.
pub(crate) fn etag(version: VersionId) -> String {
    ["W/\"", &version.number().to_string(), "\""].concat()
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // What we write is ASCII without control characters: ids, dates and our own base URL.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
