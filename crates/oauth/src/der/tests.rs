//! Encodings as X.690 and RFC 5280 give them.

use super::*;
use proptest::prelude::*;

#[test]
fn values_of_the_standard() {
    assert_eq!(oid(&[1, 2, 840, 113_549, 1, 1, 11]), [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]);
    assert_eq!(oid(&[2, 5, 29, 20]), [6, 3, 0x55, 0x1d, 0x14]);
    assert_eq!(oid(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 0]), [6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 0]);
    assert_eq!((number(0), number(127), number(128)), (vec![2, 1, 0], vec![2, 1, 127], vec![2, 2, 0, 128]));
    assert_eq!(integer(&[0, 0, 0x7f, 0xff]), [2, 2, 0x7f, 0xff]);
    assert_eq!(bits(&[1, 2]), [3, 3, 0, 1, 2]);
    assert_eq!(explicit(2, &octets(b"x")), [0xa2, 3, 4, 1, b'x']);
    assert_eq!(extension(&[2, 5, 29, 20], true, &number(1)).get(..8).unwrap(), [0x30, 13, 6, 3, 0x55, 0x1d, 0x14, 1]);
    assert_eq!(value(OCTET_STRING, &[7; 300]).get(..4).unwrap(), [4, 0x82, 1, 44]);
}

#[test]
fn moments() {
    let text = |der: Vec<u8>| (der.first().copied().unwrap(), String::from_utf8(der.get(2..).unwrap().into()).unwrap());
    for (at_s, year, rest) in [
        (0, "1970", "0101000000Z"),
        (951_782_400, "2000", "0229000000Z"),
        (1_795_442_645, "2026", "1123140405Z"),
        (2_524_607_999, "2049", "1231235959Z"),
        (2_524_608_000, "2050", "0101000000Z"),
        (4_107_542_400, "2100", "0301000000Z"),
        (-1, "1969", "1231235959Z"),
    ] {
        assert_eq!(text(generalized_time(at_s)), (GENERALIZED_TIME, format!("{year}{rest}")));
        let short = (UTC_TIME, format!("{}{rest}", year.get(2..).unwrap()));
        let long = (GENERALIZED_TIME, format!("{year}{rest}"));
        assert_eq!(text(time(at_s)), if year < "2050" { short } else { long });
    }
}

#[test]
fn what_is_not_the_shortest_is_refused() {
    for wrong in [
        &[][..],
        &[0x30],
        &[0x30, 0x80, 0, 0],
        &[0x30, 0x81, 1, 0],
        &[0x04, 0x82, 0, 0x80],
        &[0x1f, 1, 0],
        &[0x04, 2, 0],
        &[0x04, 0x85, 1, 0, 0, 0, 0],
    ] {
        assert_eq!(Reader::new(wrong).take(), Err(Malformed), "{wrong:?}");
    }
    assert_eq!(Reader::only(&[5, 0, 5, 0], NULL).map(|_| ()), Err(Malformed), "something follows");
}

proptest! {
    #[test]
    fn what_is_written_is_read(content in prop::collection::vec(any::<u8>(), 0..400), tag in 0u8..0x1f, rest: u8) {
        let mut der = value(tag, &content);
        der.push(rest);
        let mut reader = Reader::new(&der);
        let found = reader.take().unwrap();
        prop_assert_eq!((found.tag, found.content, found.whole.len()), (tag, content.as_slice(), der.len() - 1));
        prop_assert!(!reader.is_empty() && reader.end().is_err());
    }

    #[test]
    fn anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut reader = Reader::new(&bytes);
        while let Ok(value) = reader.take() {
            prop_assert!(value.whole.len() >= value.content.len() + 2);
        }
    }
}
