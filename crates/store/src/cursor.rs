//! Page cursors: a position, opaque to clients, that only this store makes and that works only for
//! the caller and the search it was made for (row F4).
//!
//! Form: base64url of `1, kind(1), row(8), key`, then 16 bytes of HMAC-SHA256 under the store's own
//! secret over these bytes and the search and caller. A cursor selects nothing by itself: permit
//! and predicate are applied anew on each page.

use crate::{ReadError, limits, plan::Position};
use aws_lc_rs::{constant_time, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

const FORM: u8 = 1;
const BY_ROW: u8 = 1;
const BY_KEY: u8 = 2;
const TAG_BYTES: usize = 16;

/// The store's secret for cursors.
pub(crate) struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    fn tag(&self, position: &[u8], bound_to: &[&str]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in bound_to {
            // Lengths keep the parts apart.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.update(position);
        context.sign()
    }

    /// The cursor of a position, for this search and caller.
    pub(crate) fn cursor(&self, position: &Position, bound_to: &[&str]) -> String {
        let (kind, row, key) = match position {
            Position::Row(row) => (BY_ROW, row, &[][..]),
            Position::Key(key, row) => (BY_KEY, row, key.as_slice()),
        };
        let mut bytes = [&[FORM, kind][..], &row.to_be_bytes(), key].concat();
        let tag = self.tag(&bytes, bound_to);
        bytes.extend_from_slice(tag.as_ref().get(..TAG_BYTES).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position of a cursor.
    ///
    /// # Errors
    /// [`ReadError::Cursor`] for anything that was not made here for the same search and caller.
    pub(crate) fn position(&self, cursor: &str, bound_to: &[&str]) -> Result<Position, ReadError> {
        if cursor.len() > limits::CURSOR_BYTES_MAX {
            return Err(ReadError::Cursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| ReadError::Cursor)?;
        let (position, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or(ReadError::Cursor)?;
        let expected = self.tag(position, bound_to);
        let expected = expected.as_ref().get(..TAG_BYTES).unwrap_or_default();
        constant_time::verify_slices_are_equal(tag, expected).map_err(|_| ReadError::Cursor)?;
        let parse = || {
            let ([FORM, kind], rest) = position.split_first_chunk::<2>()? else { return None };
            let (row, key) = rest.split_first_chunk::<8>()?;
            let row = u64::from_be_bytes(*row);
            match *kind {
                BY_ROW if key.is_empty() => Some(Position::Row(row)),
                BY_KEY => Some(Position::Key(key.to_vec(), row)),
                _ => None,
            }
        };
        parse().ok_or(ReadError::Cursor)
    }
}
