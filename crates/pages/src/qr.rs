//! A QR code as a picture in the page, for a phone's camera. SPEC: ISO/IEC 18004, by the crate `qrcodegen`.

use crate::html::{Element, el};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;

/// Modules of white around the code that readers need.
const QUIET_ZONE: i32 = 4;

/// A text as a picture, or nothing when it is too long for one (over 2 kB).
pub(crate) fn picture(text: &str, label: &str) -> Option<Element> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let start = x;
            while x < code.size() && code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                // A run of dark modules as one bar.
                let _ = write!(path, "M{} {}h{}v1h-{}z", start + QUIET_ZONE, y + QUIET_ZONE, x - start, x - start);
            }
            x += 1;
        }
    }
    let size = code.size() + 2 * QUIET_ZONE;
    let picture = el("svg").class("qr").attr("viewBox", &format!("0 0 {size} {size}")).attr("role", "img");
    Some(picture.attr("aria-label", label).attr("shape-rendering", "crispEdges").add(el("path").attr("d", &path)))
}
