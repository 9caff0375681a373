//! Attachments and Binaries: what they say of their data against the data itself.
//!
//! Size in bytes, hash (SHA-1), media type by its shape and by the first bytes of the data, a second file
//! hidden behind the first. What a URL points at is never fetched, so its size and hash are not known here.
//! Addresses that would run as a program are refused.
//! SPEC: R4 datatypes.html#attachment, binary.html; security rows F37, F38. Left out: virus scanners, the contents
//! of archives, texts that are no HTML to a browser which is told not to sniff (row F36).

use crate::finding::Place;
use crate::limits::{POLYGLOT_HEAD_BYTES, ZIP_COMMENT_BYTES_MAX};
use crate::walk::Walk;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use fhir::issue::{Issue, IssueType};
use fhir::json::Value;
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Base64 as R4's format has it: padded; bits that no byte uses may be set.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Bytes of a SHA-1 digest.
const HASH_BYTES: usize = 20;

impl<'t> Walk<'t> {
    /// Checks an Attachment or a Binary.
    pub(crate) fn attachment(&mut self, value: Value<'t>, place: &Place<'_>) {
        let content_type = value.get("contentType").and_then(Value::as_str);
        let media_type = content_type.as_deref().map(MediaType::parse);
        if let (Some(None), Some(member)) = (media_type, value.get("contentType")) {
            let text = "contentType is a media type: type/subtype, with parameters after ;";
            self.about(member, "contentType", IssueType::CodeInvalid, text, place);
        }
        if let Some(member) = value.get("url")
            && let Some(url) = member.as_str()
            && let Err(text) = address(&url)
        {
            self.about(member, "url", IssueType::Value, text, place);
        }
        let Some(data) = value.get("data").and_then(Value::as_str) else {
            if let Some(hash) = value.get("hash")
                && hash.as_str().and_then(|text| decoded(&text)).is_some_and(|hash| hash.len() != HASH_BYTES)
            {
                let text = "a hash is the SHA-1 of the data: expected 20 bytes in base64";
                let here = Place { parent: Some(place), name: "hash", index: None };
                self.findings.add_at(Issue::warning(IssueType::Value, text), &here, hash.span().start);
            }
            return;
        };
        // What is no base64 was told as such already.
        let Some(data) = decoded(&data) else { return };
        if let Some(size) = value.get("size")
            && let Some(said) = size.number_text().and_then(|text| text.parse::<u64>().ok())
            && said != data.len() as u64
        {
            let text = format!("size says {said} bytes, the data has {}", data.len());
            self.about(size, "size", IssueType::Value, text, place);
        }
        if let Some(hash) = value.get("hash")
            && let Some(said) = hash.as_str().and_then(|text| decoded(&text))
            && said != digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &data).as_ref()
        {
            self.about(hash, "hash", IssueType::Value, "the hash is not the SHA-1 of the data", place);
        }
        if let (Some(member), Some(Some(media_type))) = (value.get("contentType"), media_type)
            && let Err(text) = media_type.fits(&data)
        {
            self.about(member, "contentType", IssueType::Value, text, place);
        }
    }

    fn about(
        &mut self,
        member: Value<'t>,
        name: &str,
        code: IssueType,
        text: impl Into<Cow<'static, str>>,
        place: &Place<'_>,
    ) {
        let here = Place { parent: Some(place), name, index: None };
        self.findings.add_at(Issue::error(code, text), &here, member.span().start);
    }
}

/// Whether an app may be given this address (row F38). Nothing here fetches it; an app may follow it with a click.
fn address(url: &str) -> Result<(), &'static str> {
    // Browsers pass over white space and control characters in front of and within a scheme.
    let plain: String =
        url.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(64).collect::<String>().to_ascii_lowercase();
    let Some((scheme, rest)) = plain.split_once(':') else { return Ok(()) };
    match scheme {
        "javascript" | "vbscript" | "file" | "blob" | "about" | "view-source" | "filesystem" => {
            Err("an address of this scheme runs a program or leads into the reader's own machine")
        }
        "data" => {
            let kinds = [
                "image/png",
                "image/jpeg",
                "image/gif",
                "image/webp",
                "audio/",
                "video/",
                "text/plain",
                "application/pdf",
            ];
            let is_one = kinds.iter().any(|kind| rest.starts_with(kind));
            if is_one {
                Ok(())
            } else {
                Err("a data: address holds an image, sound, film, PDF or plain text; other data belong into data")
            }
        }
        _ => Ok(()),
    }
}

/// The bytes of a base64Binary, white space apart.
fn decoded(text: &str) -> Option<Vec<u8>> {
    if text.contains([' ', '\t', '\r', '\n']) {
        let letters: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        return BASE64.decode(letters).ok();
    }
    BASE64.decode(text).ok()
}

/// A media type without its parameters.
#[derive(Debug, Clone, Copy)]
struct MediaType<'t>(&'t str);

/// What the first bytes of data tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Jpeg,
    Gif,
    Webp,
    Tiff,
    Pdf,
    Rtf,
    Zip,
    Gzip,
    Html,
    Program,
}

/// Media types whose data begins in one way alone.
const KNOWN: &[(&str, Format)] = &[
    ("application/gzip", Format::Gzip),
    ("application/pdf", Format::Pdf),
    ("application/rtf", Format::Rtf),
    ("application/zip", Format::Zip),
    ("image/gif", Format::Gif),
    ("image/jpeg", Format::Jpeg),
    ("image/jpg", Format::Jpeg),
    ("image/png", Format::Png),
    ("image/tiff", Format::Tiff),
    ("image/webp", Format::Webp),
    ("text/rtf", Format::Rtf),
];

impl<'t> MediaType<'t> {
    /// SPEC: RFC 6838 section 4.2.
    fn parse(text: &'t str) -> Option<Self> {
        let (name, parameters) = text.split_once(';').unwrap_or((text, "a=b"));
        let name = name.trim_end_matches([' ', '\t']);
        let (kind, subtype) = name.split_once('/')?;
        let is_name = |part: &str| {
            let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            (1..=127).contains(&part.len())
                && part.starts_with(|first: char| first.is_ascii_alphanumeric())
                && part.bytes().all(may_stand)
        };
        (is_name(kind) && is_name(subtype) && parameters.contains('=')).then_some(Self(name))
    }

    fn is(self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    fn is_kind(self, kind: &str) -> bool {
        self.0.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind))
    }

    /// Whether data may be of this type.
    fn fits(self, data: &[u8]) -> Result<(), &'static str> {
        let found = format(data);
        let expected = KNOWN.iter().find(|(name, _)| self.is(name)).map(|(_, format)| *format);
        if let Some(expected) = expected {
            if found != Some(expected) {
                return Err("the data does not begin as data of this contentType does");
            }
            if expected != Format::Pdf && position(head(data), b"%PDF-").is_some() {
                return Err("the data is of this contentType and PDF at once");
            }
        }
        let is_any = self.is("application/octet-stream");
        if found == Some(Format::Program) && !is_any {
            return Err("the data is a program, which its contentType does not say");
        }
        let is_media = ["image", "audio", "video", "font"].iter().any(|kind| self.is_kind(kind));
        if expected.is_none() && found.is_some() {
            if self.is_kind("text") && !matches!(found, Some(Format::Html | Format::Rtf)) {
                return Err("the data is no text, which its contentType says");
            }
            if is_media && matches!(found, Some(Format::Html | Format::Pdf | Format::Zip | Format::Gzip | Format::Rtf))
            {
                return Err("the data does not begin as data of this contentType does");
            }
        }
        if (is_media || expected.is_some_and(|format| format != Format::Zip)) && ends_as_archive(data) {
            return Err("the data is of this contentType and an archive at once");
        }
        Ok(())
    }
}

/// What the data begins as, when that is something known.
fn format(data: &[u8]) -> Option<Format> {
    let starts: &[(&[u8], Format)] = &[
        (b"\x89PNG\r\n\x1a\n", Format::Png),
        (b"\xFF\xD8\xFF", Format::Jpeg),
        (b"GIF87a", Format::Gif),
        (b"GIF89a", Format::Gif),
        (b"II*\0", Format::Tiff),
        (b"MM\0*", Format::Tiff),
        (b"%PDF-", Format::Pdf),
        (b"{\\rtf", Format::Rtf),
        (b"PK\x03\x04", Format::Zip),
        (b"PK\x05\x06", Format::Zip),
        (b"\x1F\x8B\x08", Format::Gzip),
        (b"\x7FELF", Format::Program),
        (b"\0asm", Format::Program),
        (b"\xCA\xFE\xBA\xBE", Format::Program),
        (b"\xCF\xFA\xED\xFE", Format::Program),
        (b"\xFE\xED\xFA\xCF", Format::Program),
    ];
    if let Some((_, format)) = starts.iter().find(|(start, _)| data.starts_with(start)) {
        return Some(*format);
    }
    if data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WEBP") {
        return Some(Format::Webp);
    }
    // Two letters are no proof: the header of a program has zeros behind them.
    if data.starts_with(b"MZ") && data.get(2..64).is_some_and(|header| header.contains(&0)) {
        return Some(Format::Program);
    }
    let text = head(data).trim_ascii_start();
    let begins = |start: &[u8]| text.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start));
    let html: [&[u8]; 5] = [b"<!doctype html", b"<html", b"<script", b"<body", b"<iframe"];
    html.into_iter().any(begins).then_some(Format::Html)
}

/// The part of data in which other readers look for a beginning.
fn head(data: &[u8]) -> &[u8] {
    data.get(..POLYGLOT_HEAD_BYTES).unwrap_or(data)
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Whether a reader of ZIP, which begins at the end, would take the data: the last record is there, and its
/// comment fills the rest.
fn ends_as_archive(data: &[u8]) -> bool {
    const RECORD_BYTES: usize = 22;
    let from = data.len().saturating_sub(RECORD_BYTES + ZIP_COMMENT_BYTES_MAX);
    let tail = data.get(from..).unwrap_or_default();
    tail.windows(RECORD_BYTES).enumerate().any(|(at, record)| {
        let comment = match (record.get(20), record.get(21)) {
            (Some(low), Some(high)) => usize::from(u16::from_le_bytes([*low, *high])),
            _ => return false,
        };
        record.starts_with(b"PK\x05\x06") && at + RECORD_BYTES + comment == tail.len()
    })
}
