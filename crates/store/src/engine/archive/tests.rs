//! Frames with each of their bits flipped.

use super::*;
use std::io::Write;

fn archive(path: &Path) -> Vec<u8> {
    let mut writer = sfa::Writer::from_writer(File::create(path).unwrap());
    writer.start("tables").unwrap();
    writer.write_all(b"some bytes").unwrap();
    writer.start("meta").unwrap();
    writer.write_all(b"more bytes").unwrap();
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

/// Bits of the number of entries asked for 40 gigabytes, before any checksum was compared.
#[test]
fn each_bit_of_the_frame_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("7");
    let whole = archive(&path);
    assert_eq!(fault(&path).unwrap(), None);
    let contents = whole.windows(4).position(|window| window == b"TOC!").unwrap();
    for at in contents..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            std::fs::write(&path, flipped).unwrap();
            assert!(fault(&path).unwrap().is_some(), "byte {at}, bit {bit}");
        }
    }
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(fault(&path).unwrap().is_some(), "{length} bytes");
    }
}
