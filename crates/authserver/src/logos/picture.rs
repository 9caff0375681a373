//! What is a logo: PNG, JPEG or GIF by its bytes, of so many bytes and pixels. SPEC: row F60; PNG (ISO/IEC 15948) clause
//! 11.2.2, JFIF with ISO/IEC 10918-1 annex B, GIF89a section 18.
//!
//! What the other side calls it means nothing. SVG is none: it can hold a script.

use crate::{limits, random};
use aws_lc_rs::digest;
use bytes::Bytes;

/// A picture that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    bytes: Bytes,
    media_type: &'static str,
    etag: String,
}

impl Picture {
    /// `None` when it is none.
    pub(crate) fn of(bytes: Bytes) -> Option<Self> {
        if bytes.len() > limits::LOGO_BYTES_MAX {
            return None;
        }
        let (media_type, size) = [("image/png", png(&bytes)), ("image/gif", gif(&bytes)), ("image/jpeg", jpeg(&bytes))]
            .into_iter()
            .find_map(|(media_type, size)| Some((media_type, size?)))?;
        let fits = |pixels: u32| (1..=limits::LOGO_PIXELS_MAX).contains(&pixels);
        if !fits(size.0) || !fits(size.1) {
            return None;
        }
        let hash = digest::digest(&digest::SHA256, &bytes);
        let etag = format!("\"{}\"", random::hex(hash.as_ref().get(..16)?));
        Some(Self { bytes, media_type, etag })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// With its quotes.
    pub(crate) fn etag(&self) -> &str {
        &self.etag
    }
}

/// Width and height.
type Size = (u32, u32);

fn wide(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn narrow(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn png(bytes: &[u8]) -> Option<Size> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    // The header comes first and has 13 bytes.
    (rest.get(..8)? == b"\0\0\0\x0dIHDR").then_some(())?;
    Some((wide(rest, 8)?, wide(rest, 12)?))
}

fn gif(bytes: &[u8]) -> Option<Size> {
    let rest = bytes.strip_prefix(b"GIF89a").or_else(|| bytes.strip_prefix(b"GIF87a"))?;
    Some((u32::from(narrow(rest, 0)?.swap_bytes()), u32::from(narrow(rest, 2)?.swap_bytes())))
}

/// Walks the segments to the one that begins the frame.
fn jpeg(bytes: &[u8]) -> Option<Size> {
    let rest = bytes.strip_prefix(b"\xff\xd8")?;
    let mut at = 0usize;
    loop {
        let (0xff, kind) = (*rest.get(at)?, *rest.get(at.checked_add(1)?)?) else { return None };
        match kind {
            // Fill.
            0xff => at += 1,
            // The frame: any way of coding but the tables that lie among its numbers.
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                return Some((u32::from(narrow(rest, at + 7)?), u32::from(narrow(rest, at + 5)?)));
            }
            // The data, or the end, without a frame before.
            0xd8..=0xda | 0x00 => return None,
            0x01 | 0xd0..=0xd7 => at += 2,
            _ => at = at.checked_add(2)?.checked_add(usize::from(narrow(rest, at + 2)?).max(2))?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x06\0\0\0");
        bytes
    }

    fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
        let mut bytes =
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xff\xdb\0\x04ab\xff\xc2\0\x0b\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend(b"\x01\x01\x11\0");
        bytes
    }

    fn gif_of(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes
    }

    fn kind(bytes: impl Into<Bytes>) -> Option<&'static str> {
        Picture::of(bytes.into()).map(|picture| picture.media_type())
    }

    #[test]
    fn f60_pictures_are_known_by_their_bytes() {
        assert_eq!(kind(png_of(64, 48)), Some("image/png"));
        assert_eq!(kind(jpeg_of(64, 48)), Some("image/jpeg"));
        assert_eq!(kind(gif_of(64, 48)), Some("image/gif"));
        assert_eq!(jpeg(&jpeg_of(64, 48)), Some((64, 48)));
        assert_eq!(gif(&gif_of(64, 48)), Some((64, 48)));
        for none in [
            &b""[..],
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"<!doctype html><script>alert(1)</script>",
            b"{\"keys\":[]}",
            b"RIFF\0\0\0\0WEBPVP8 ",
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIDAT\0\0\0\x01\0\0\0\x01",
            b"\xff\xd8\xff\xd9",
            b"\xff\xd8\xff\xe0\0\0",
            b"GIF89a",
        ] {
            assert_eq!(kind(none), None);
        }
    }

    #[test]
    fn f60_pictures_are_bounded() {
        let most = limits::LOGO_PIXELS_MAX;
        assert!(kind(png_of(most, most)).is_some());
        assert_eq!(kind(png_of(most + 1, 1)), None);
        assert_eq!(kind(png_of(1, u32::MAX)), None);
        assert_eq!(kind(png_of(0, 1)), None);
        assert_eq!(kind(jpeg_of(u16::MAX, 1)), None);
        assert_eq!(kind(gif_of(1, u16::MAX)), None);
        let mut large = png_of(64, 64);
        large.resize(limits::LOGO_BYTES_MAX, 0);
        assert!(kind(large.clone()).is_some());
        large.push(0);
        assert_eq!(kind(large), None);
    }

    /// Whatever is cut off or changed, nothing breaks.
    #[test]
    fn any_bytes_are_judged() {
        for whole in [png_of(9, 9), jpeg_of(9, 9), gif_of(9, 9)] {
            for at in 0..whole.len() {
                let _ = kind(whole[..at].to_vec());
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut changed = whole.clone();
                    changed[at] = value;
                    let _ = kind(changed);
                }
            }
        }
    }
}
