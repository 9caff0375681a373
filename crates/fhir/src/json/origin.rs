//! Where the values of a tree stood in the text that its JSON was made from: XML has lines and columns
//! that a person can look up, the JSON made of it has not.

use bytes::Bytes;
use std::sync::Arc;

/// The text, and where in it each part of the JSON came from.
#[derive(Debug)]
pub(crate) struct Places {
    /// The text that was read.
    pub(crate) text: Bytes,
    /// Bytes of the JSON and the byte of the text that each came from; sorted by the first.
    pub(crate) starts: Vec<(u32, u32)>,
}

/// The places of one tree: those of a larger one, from some byte of its JSON on.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    places: Arc<Places>,
    from: usize,
}

impl Origin {
    pub(crate) fn new(places: Places) -> Self {
        Self { places: Arc::new(places), from: 0 }
    }

    /// The places of a value that begins at this byte of the JSON.
    pub(crate) fn shifted(&self, by: usize) -> Self {
        Self { places: Arc::clone(&self.places), from: self.from + by }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.places.text
    }

    /// The byte of the text that a byte of the JSON came from.
    pub(crate) fn offset(&self, json: usize) -> usize {
        let starts = &self.places.starts;
        let after = starts.partition_point(|(start, _)| *start as usize <= json + self.from);
        after.checked_sub(1).and_then(|at| starts.get(at)).map_or(0, |(_, text)| *text as usize)
    }
}

/// Lines and columns of bytes, in the order in which they were asked for.
pub(super) fn positions(text: &[u8], offsets: impl Iterator<Item = usize>) -> Vec<(u32, u32)> {
    let mut order: Vec<(usize, usize)> = offsets.enumerate().map(|(at, offset)| (offset, at)).collect();
    order.sort_unstable();
    let mut found = vec![(1, 1); order.len()];
    let (mut at, mut line, mut column) = (0usize, 1u32, 1u32);
    for (offset, asked) in order {
        for byte in text.get(at..offset.min(text.len())).unwrap_or_default() {
            match byte {
                b'\n' => (line, column) = (line.saturating_add(1), 1),
                // Continuation bytes are no characters of their own.
                0x80..=0xbf => {}
                _ => column = column.saturating_add(1),
            }
        }
        at = at.max(offset);
        if let Some(place) = found.get_mut(asked) {
            *place = (line, column);
        }
    }
    found
}
