//! Journals as a crash leaves them.

use super::*;

/// An item in the engine's form.
fn item(keyspace: u64, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0];
    bytes.extend(keyspace.to_le_bytes());
    bytes.extend(u16::try_from(key.len()).unwrap().to_le_bytes());
    bytes.extend([u32::try_from(value.len()).unwrap().to_le_bytes(); 2].concat());
    bytes.extend(key);
    bytes.extend(value);
    bytes
}

/// A batch of ours with this number, which also writes to `keyspace`.
fn written_batch(number: u64, keyspace: u64) -> Vec<u8> {
    let items = [item(1, BATCH, &number.to_be_bytes()), item(keyspace, b"key", b"value")].concat();
    let mut hash = Xxh3::new();
    hash.update(&items);
    let mut bytes = vec![1];
    bytes.extend(2u32.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(items);
    bytes.push(3);
    bytes.extend(hash.digest().to_le_bytes());
    bytes.extend(TRAILER);
    bytes
}

fn read_bytes(bytes: &[u8]) -> (Journal, Reached) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("0.jnl");
    std::fs::write(&path, bytes).unwrap();
    let mut reached = Reached::default();
    let journal = read(&path, &mut reached).unwrap();
    (journal, reached)
}

#[test]
fn whole_batches_are_read() {
    let (journal, reached) = read_bytes(&[written_batch(1, 4), written_batch(2, 5)].concat());
    assert_eq!((journal.batches, journal.tail), (2, Tail::Clean));
    assert_eq!((reached.number, reached.keyspaces), (Some(2), BTreeSet::from([1, 4, 5])));
}

/// A torn write left bytes in the last batch that read as an item of a keyspace which nobody ever made. The start
/// held the missing keyspace for damage and refused a directory in which nothing was lost (found by `xtask crash`).
#[test]
fn an_unfinished_batch_says_nothing_of_keyspaces() {
    let (first, torn) = (written_batch(1, 4), written_batch(2, 10_759_969_674_457_251_847));
    for cut in 1..torn.len() {
        let bytes = [&first[..], &torn[..cut]].concat();
        let (journal, reached) = read_bytes(&bytes);
        assert_eq!(journal.tail, Tail::Unfinished(first.len() as u64), "{cut} bytes of the second");
        assert_eq!((journal.batches, reached.keyspaces), (1, BTreeSet::from([1, 4])), "{cut} bytes of the second");
    }
    let mut flipped = [first.clone(), torn].concat();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    let (journal, reached) = read_bytes(&flipped);
    assert_eq!(journal.tail, Tail::Unfinished(first.len() as u64));
    assert_eq!(reached.keyspaces, BTreeSet::from([1, 4]));
}
