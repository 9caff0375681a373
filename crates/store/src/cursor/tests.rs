//! What a cursor tells, and to whom (row F4).

use super::*;

fn secret() -> Secret {
    Secret::new(b"a secret of a test")
}

#[test]
fn a_cursor_shows_nothing_of_its_position() {
    let mark = Mark::Match("p-17".into(), b"birchwater".to_vec());
    let cursor = secret().cursor(&mark, &["search", "Patient"]).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    for shown in [&b"birchwater"[..], b"p-17"] {
        assert!(!bytes.windows(shown.len()).any(|window| window == shown));
    }
    let shorter = secret().cursor(&Mark::Match("p-17".into(), b"ash".to_vec()), &["search", "Patient"]).unwrap();
    assert_eq!(cursor.len(), shorter.len(), "nor of its length");
}

#[test]
fn it_is_read_back_for_the_same_search_and_caller_alone() {
    for mark in [
        Mark::Match("p-17".into(), b"birchwater".to_vec()),
        Mark::Match("x".into(), Vec::new()),
        Mark::Number(42, Vec::new()),
        Mark::Number(u64::MAX, vec![0; 300]),
    ] {
        let cursor = secret().cursor(&mark, &["search", "me"]).unwrap();
        assert_eq!(cursor, secret().cursor(&mark, &["search", "me"]).unwrap(), "equal positions, equal cursors");
        assert_eq!(secret().mark(&cursor, &["search", "me"]).unwrap(), mark);
        assert!(matches!(secret().mark(&cursor, &["search", "you"]), Err(ReadError::Cursor)));
        assert!(matches!(secret().mark(&cursor, &["searchme"]), Err(ReadError::Cursor)));
        assert!(matches!(Secret::new(b"another").mark(&cursor, &["search", "me"]), Err(ReadError::Cursor)));
    }
}

#[test]
fn any_changed_byte_is_refused() {
    let cursor = secret().cursor(&Mark::Number(7, Vec::new()), &[]).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        assert!(matches!(secret().mark(&URL_SAFE_NO_PAD.encode(forged), &[]), Err(ReadError::Cursor)), "byte {at}");
    }
    assert!(matches!(secret().mark("", &[]), Err(ReadError::Cursor)));
}
