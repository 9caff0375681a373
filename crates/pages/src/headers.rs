//! Headers of pages and of their static files. SPEC: CSP Level 3; rows A17, A18, A19.
//!
//! - No inline script or style, nothing from elsewhere, never in a frame; a script runs by the nonce of its response.
//! - `form-action` names the app's address too: browsers hold the redirects that follow a form against it.
//! - No CORS header: pages are for nobody's script (row A17).
//! - Referrer-Policy is `same-origin`, not `no-referrer`: with the latter a browser sends `Origin: null` with our own
//!   forms, and a check of that header (row A18) would refuse everybody. Other sites learn nothing either way.
//! - No Cross-Origin-Opener-Policy: it would cut an app's pop-up window from the app that waits for its answer.

use crate::{Frame, Language, View, assets::Asset};

/// Name and value.
pub type Header = (&'static str, String);

/// Headers of a page, to be set over any defaults. `redirect_uris`: where the form of the page may lead in the end,
/// such as the app's redirect URI all along a continuation, or the launch URLs of the apps of a list.
#[must_use]
pub fn of_page(frame: &Frame, view: &View, language: Language, redirect_uris: &[&str]) -> Vec<Header> {
    let script =
        if view.render().has_script() { format!("'nonce-{}'", frame.nonce.as_str()) } else { "'none'".to_owned() };
    let mut targets: Vec<String> = redirect_uris.iter().filter_map(|uri| form_target(uri)).collect();
    targets.sort();
    targets.dedup();
    let targets: String = targets.iter().map(|target| format!(" {target}")).collect();
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src 'self'; img-src 'self'; form-action 'self'{targets}; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let mut headers = vec![("content-security-policy", policy), ("content-language", language.tag().to_owned())];
    headers.extend(FIXED.map(|(name, value)| (name, value.to_owned())));
    headers
}

/// Headers of a static file.
#[must_use]
pub fn of_asset(asset: &Asset) -> Vec<Header> {
    let fixed = [
        ("content-type", asset.content_type),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ];
    fixed.map(|(name, value)| (name, value.to_owned())).to_vec()
}

/// What does not differ between pages.
pub const FIXED: [(&str, &str); 7] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// A redirect URI as a source of `form-action`: its origin, or the scheme of a native app. `None` when it cannot be one;
/// nothing else than such a source can get into the header.
#[must_use]
pub fn form_target(redirect_uri: &str) -> Option<String> {
    let (scheme, rest) = redirect_uri.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme || matches!(scheme.as_str(), "javascript" | "data" | "blob" | "file" | "about" | "vbscript") {
        return None;
    }
    if scheme != "https" && scheme != "http" {
        return Some(format!("{scheme}:"));
    }
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
    if authority.starts_with("[::1]") {
        // A source has no form for IPv6 addresses; this one is the person's own machine (RFC 8252 section 7.3).
        return Some(format!("{scheme}:"));
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_host && is_port).then(|| format!("{scheme}://{authority}").to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
