//! Folders in memory, and what changed in them since they were read.
//!
//! A patient of whom much is written is also the one who is read most. To make a folder costs a
//! look-up for each resource in it, so a change does not drop it: it notes the row, and the next
//! reader reads that row again ([`crate::folder::Folder::brought_up`]).
//!
//! INVARIANT: an entry stands for the moment of the view that read it; every batch that has begun
//! since and touches it has noted its number and rows there. A batch first writes its number into
//! the hash's slot ([`super::hot`]) and then notes; a folder comes in only when the slot is not above
//! its moment, both under the lock of the shelf. So whichever comes first, none is missed.

use super::{
    hot::{Hot, Shelf},
    key::Row,
};
use crate::{folder::Folder, limits, stats::ShelfStats};
use std::sync::{Arc, atomic::Ordering};

/// Parts of the shelf: a folder takes up to half a megabyte, of which each part must hold several.
const SHARDS: usize = 16;

/// Patient and type → what lies there.
#[derive(Debug)]
pub(crate) struct Folders(Shelf<Box<[u8]>, Followed>);

#[derive(Debug, Clone)]
struct Followed {
    folder: Arc<Folder>,
    /// Batches begun since, and the rows that they changed.
    changed: Vec<(u64, Row)>,
}

/// What is known of a folder.
pub(crate) enum Shelved {
    /// It is in memory.
    Kept(Arc<Folder>),
    /// It is, but these rows are to be read again, and it is to be kept anew.
    Behind(Arc<Folder>, Vec<Row>, Place),
    /// It was asked for before: to be made, and kept.
    Wanted(Place),
    /// It is not worth making.
    Rare,
}

/// Where a folder is kept.
pub(crate) struct Place {
    hash: u64,
    prefix: Box<[u8]>,
    /// Number of the view that read the folder which is brought up to date.
    from: Option<u64>,
}

impl Folders {
    pub(crate) fn new() -> Self {
        Self(Shelf::new(limits::FOLDERS_BYTES, SHARDS))
    }

    pub(crate) fn stats(&self) -> ShelfStats {
        self.0.stats("folders")
    }

    /// The folder for a view of this moment.
    pub(crate) fn of(&self, hot: &Hot, hash: u64, prefix: &[u8], moment: u64) -> Shelved {
        let looked = self.0.look(hash, prefix, |followed, read_at| {
            // A batch that is not published may be in the view or not.
            let is_ahead = followed.changed.iter().any(|(number, _)| *number > moment);
            let is_older = read_at > moment && hot.slot(hash)?.load(Ordering::Acquire) > moment;
            Some(if is_ahead || is_older {
                Shelved::Rare
            } else if followed.changed.is_empty() {
                Shelved::Kept(Arc::clone(&followed.folder))
            } else {
                let mut rows: Vec<Row> = followed.changed.iter().map(|(_, row)| *row).collect();
                rows.sort_unstable();
                rows.dedup();
                let place = Place { hash, prefix: prefix.into(), from: Some(read_at) };
                Shelved::Behind(Arc::clone(&followed.folder), rows, place)
            })
        });
        looked.unwrap_or_else(|| match hot.is_worth_making(hash) {
            true => Shelved::Wanted(Place { hash, prefix: prefix.into(), from: None }),
            false => Shelved::Rare,
        })
    }

    /// Notes what a batch that has begun will change.
    pub(crate) fn note(&self, number: u64, touched: &[(u64, Row)]) {
        for (hash, row) in touched {
            self.0.change(*hash, |followed| {
                followed.changed.push((number, *row));
                followed.changed.len() <= limits::FOLDER_CHANGES_MAX
            });
        }
    }

    /// Keeps a folder that the view of this moment has made or brought up to date.
    pub(crate) fn keep(&self, hot: &Hot, place: Place, folder: Arc<Folder>, moment: u64) {
        let Place { hash, prefix, from } = place;
        let bytes = prefix.len() + folder.bytes();
        self.0.keep_when(hash, prefix, bytes, moment, |there| match there {
            // What was noted meanwhile is still to be read.
            Some((followed, read_at)) if from == Some(read_at) => {
                let changed = followed.changed.iter().filter(|(number, _)| *number > moment).copied().collect();
                Some(Followed { folder, changed })
            }
            // Somebody else was quicker.
            Some((_, read_at)) if read_at >= moment => None,
            _ => {
                let is_current = hot.slot(hash).is_some_and(|slot| slot.load(Ordering::Acquire) <= moment);
                is_current.then(|| Followed { folder, changed: Vec::new() })
            }
        });
    }
}

#[cfg(test)]
mod tests;
