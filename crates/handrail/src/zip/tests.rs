//! Archives made here: stored and deflated files; what is damaged is an error.

use super::{entries, open};
use flate2::{Compression, write::DeflateEncoder};
use std::io::{Read, Write};

/// An archive of these files, every second deflated.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for (at, (name, text)) in files.iter().enumerate() {
        let deflated = at % 2 == 1;
        let packed = if deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        } else {
            text.as_bytes().to_vec()
        };
        let head = u32::try_from(out.len()).unwrap();
        let method = if deflated { 8u16 } else { 0 };
        let sizes = [packed.len(), text.len()].map(|len| u32::try_from(len).unwrap());
        let name_len = u16::try_from(name.len()).unwrap();
        let mut common = Vec::new();
        for number in [20u16, 0, method, 0, 0] {
            common.extend(number.to_le_bytes());
        }
        common.extend(0u32.to_le_bytes());
        sizes.iter().for_each(|size| common.extend(size.to_le_bytes()));
        common.extend(name_len.to_le_bytes());
        common.extend(0u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(&packed);
        list.extend(b"PK\x01\x02\x14\x00");
        list.extend(&common);
        list.extend([0; 10]);
        list.extend(0u16.to_le_bytes());
        list.truncate(list.len() - 2);
        list.extend(head.to_le_bytes());
        list.extend(name.as_bytes());
    }
    let (at, len) = (u32::try_from(out.len()).unwrap(), u32::try_from(list.len()).unwrap());
    let count = u16::try_from(files.len()).unwrap();
    out.extend(&list);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(len.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend(5u16.to_le_bytes());
    out.extend(b"hello");
    out
}

#[test]
fn files_are_listed_and_read() {
    let long = "line\n".repeat(10_000);
    let files = [("a/one.txt", "first"), ("a/two.txt", long.as_str()), ("a/", ""), ("three", "")];
    let own = tempfile::tempdir().unwrap();
    let path = own.path().join("a.zip");
    std::fs::write(&path, archive(&files)).unwrap();
    let found = entries(&path).unwrap();
    assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["a/one.txt", "a/two.txt", "three"]);
    for entry in &found {
        let mut text = String::new();
        open(&path, entry).unwrap().read_to_string(&mut text).unwrap();
        let wanted = files.iter().find(|(name, _)| *name == entry.name).unwrap().1;
        assert!(text == wanted && entry.bytes == wanted.len() as u64, "{}", entry.name);
    }
}

#[test]
fn what_is_no_archive_is_an_error() {
    let own = tempfile::tempdir().unwrap();
    let path = own.path().join("a.zip");
    let good = archive(&[("one", "first"), ("two", "second")]);
    for cut in 0..good.len() {
        std::fs::write(&path, &good[..cut]).unwrap();
        if let Ok(found) = entries(&path) {
            for entry in found {
                let _ = open(&path, &entry).map(|mut file| file.read_to_end(&mut Vec::new()));
            }
        }
    }
    std::fs::write(&path, b"PK\x05\x06").unwrap();
    assert!(entries(&path).is_err());
}
