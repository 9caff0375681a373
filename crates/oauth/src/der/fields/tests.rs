//! One encoding alone is read, and what the lab writes is.

use super::*;
use crate::der::value;
use crate::pki::der as other;
use proptest::prelude::*;

#[test]
fn one_encoding_alone() {
    assert_eq!(Reader::only(&[4, 2, 7, 8], OCTET_STRING).unwrap().content, [7, 8]);
    for bad in [
        &[][..],
        &[4],
        &[4, 1],
        &[4, 0x80, 0, 0],          // an open end
        &[4, 0x81, 1, 7],          // a longer length than need be
        &[4, 0x82, 0, 0x80],       // with a zero in front
        &[4, 0x85, 1, 0, 0, 0, 0], // beyond four bytes
        &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x1f, 0x81, 1, 0], // a tag of several bytes
        &[4, 1, 7, 0],       // something behind it
    ] {
        assert_eq!(Reader::only(bad, OCTET_STRING), Err(Malformed), "{bad:?}");
    }
    for bad in [&[2, 0][..], &[2, 2, 0, 1], &[2, 2, 0xff, 0x80]] {
        assert_eq!(Reader::new(bad).integer(), Err(Malformed), "{bad:?}");
    }
    assert_eq!(Reader::new(&[2, 2, 0, 0x80]).small(), Ok(128));
    assert_eq!(Reader::new(&[2, 1, 0x80]).small(), Err(Malformed), "negative");
    assert_eq!(Reader::new(&[2, 5, 1, 0, 0, 0, 0]).small(), Err(Malformed));
    assert_eq!(Reader::new(&[1, 1, 1]).flag(), Err(Malformed));
    assert_eq!(Reader::new(&[3, 2, 1, 2]).bits(), Err(Malformed));
    assert_eq!(Reader::new(&[6, 1, 0x81]).oid(), Err(Malformed));
}

#[test]
fn times() {
    let read = |tag: u8, text: &str| Reader::new(&value(tag, text.as_bytes())).time();
    assert_eq!(read(UTC_TIME, "700101000000Z"), Ok(0));
    assert_eq!(read(UTC_TIME, "491231235959Z"), Ok(2_524_607_999));
    assert_eq!(read(UTC_TIME, "500101000000Z"), Ok(-631_152_000));
    assert_eq!(read(GENERALIZED_TIME, "20240229120000Z"), Ok(1_709_208_000));
    assert_eq!(read(GENERALIZED_TIME, "99991231235959Z"), Ok(253_402_300_799));
    for bad in [
        "20230229120000Z",
        "20241301000000Z",
        "20240101000000",
        "20240101000000.5Z",
        "20240101000000+0100",
        "2024010100Z",
        "20240101006000Z",
        "2024010x000000Z",
        "20240100000000Z",
    ] {
        assert_eq!(read(GENERALIZED_TIME, bad), Err(Malformed), "{bad}");
    }
    assert_eq!(read(OCTET_STRING, "20240229120000Z"), Err(Malformed));
}

#[test]
fn object_identifiers_for_people() {
    for text in ["2.5.29.15", "1.3.6.1.5.5.7.3.9", "2.16.840.1.101.3.4.2.1", "0.9.2342.19200300.100.1.25", "2.999.3"] {
        assert_eq!(dotted(Reader::new(&other::oid(text)).oid().unwrap()), text);
    }
}

proptest! {
    #[test]
    fn what_the_lab_writes_is_read(content in proptest::collection::vec(any::<u8>(), 0..400), unix_s in 0_i64..253_402_300_799) {
        let whole = other::octets(&content);
        prop_assert_eq!(&value(OCTET_STRING, &content), &whole);
        prop_assert_eq!(Reader::new(&whole).octets(), Ok(content.as_slice()));
        prop_assert_eq!(Reader::new(&other::time(unix_s)).time(), Ok(unix_s));
    }

    #[test]
    fn hostile_bytes_end_somewhere(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut reader = Reader::new(&bytes);
        while reader.take().is_ok() {}
        let _ = Reader::new(&bytes).time();
        let _ = dotted(&bytes);
    }
}
