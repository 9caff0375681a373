//! The static files of the pages: one stylesheet, one script (for passkeys alone), one icon. Nothing from elsewhere. And
//! what apps that are opened from here may look like. SPEC: SMART App Launch 2.2 `smart_style_url`; row B50.
//!
//! Pages ask for them with `?v=` and a version made from the content, so a browser may keep them for good.

/// A file that every browser may keep.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Path on this server.
    pub path: &'static str,
    /// Changes with the content.
    pub version: &'static str,
    /// Value of the Content-Type header.
    pub content_type: &'static str,
    /// The content.
    pub body: &'static str,
}

/// The stylesheet.
pub const STYLE: Asset = Asset {
    path: "/assets/style.css",
    version: text(&STYLE_VERSION),
    content_type: "text/css; charset=utf-8",
    body: include_str!("../assets/style.css"),
};

/// The passkey script.
pub const SCRIPT: Asset = Asset {
    path: "/assets/passkey.js",
    version: text(&SCRIPT_VERSION),
    content_type: "text/javascript; charset=utf-8",
    body: include_str!("../assets/passkey.js"),
};

/// The sign in the browser's tab.
pub const ICON: Asset = Asset {
    path: "/assets/icon.svg",
    version: text(&ICON_VERSION),
    content_type: "image/svg+xml",
    body: include_str!("../assets/icon.svg"),
};

/// The same look for apps that are opened from here, as SMART has them read it: the tokens of [`STYLE`].
pub const STYLE_OF_APPS: Asset = Asset {
    path: "/assets/smart-style.json",
    version: text(&STYLE_OF_APPS_VERSION),
    content_type: "application/json",
    body: include_str!("../assets/smart-style.json"),
};

/// All of them.
pub const ALL: [Asset; 4] = [STYLE, SCRIPT, ICON, STYLE_OF_APPS];

/// The file at a path (without query).
#[must_use]
pub fn find(path: &str) -> Option<Asset> {
    ALL.into_iter().find(|asset| asset.path == path)
}

const STYLE_VERSION: [u8; 16] = digest(include_bytes!("../assets/style.css"));
const SCRIPT_VERSION: [u8; 16] = digest(include_bytes!("../assets/passkey.js"));
const STYLE_OF_APPS_VERSION: [u8; 16] = digest(include_bytes!("../assets/smart-style.json"));
const ICON_VERSION: [u8; 16] = digest(include_bytes!("../assets/icon.svg"));

/// FNV-1a of 64 bits in hexadecimal digits, while compiling: tells two versions apart, promises nothing else.
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling: an index out of bounds does not compile")]
const fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    let mut digits = [0; 16];
    let mut place = 16;
    while place > 0 {
        place -= 1;
        digits[place] = b"0123456789abcdef"[(hash & 15) as usize];
        hash >>= 4;
    }
    digits
}

const fn text(digits: &'static [u8; 16]) -> &'static str {
    match std::str::from_utf8(digits) {
        Ok(text) => text,
        Err(_) => "",
    }
}

#[cfg(test)]
mod tests;
