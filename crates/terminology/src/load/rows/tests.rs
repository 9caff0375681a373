//! Records as RFC 4180 and RF2 write them; what cannot be is named with its line.

use super::{Lines, RECORD_BYTES_MAX, ReadError, Record};

fn records(text: &str, separator: u8) -> Result<Vec<Vec<String>>, u64> {
    let mut input = text.as_bytes();
    let mut lines = Lines::new(&mut input);
    let (mut record, mut all) = (Record::default(), Vec::new());
    loop {
        match record.read_quoted(&mut lines, separator) {
            Ok(true) => all.push((0..record.len()).map(|at| record.get(at).to_owned()).collect()),
            Ok(false) => return Ok(all),
            Err(ReadError::Line(line, _)) => return Err(line),
            Err(ReadError::Io(_)) => return Err(0),
        }
    }
}

#[test]
fn quoted_records() {
    let text = "\u{feff}\"A\",B,\"C d\"\r\n1,\"two, \"\"2\"\"\",\n\"a\nb\",x\"y,\"\"\nlast";
    let wanted = [vec!["A", "B", "C d"], vec!["1", "two, \"2\"", ""], vec!["a\nb", "x\"y", ""], vec!["last"]];
    assert_eq!(records(text, b',').expect("records"), wanted);
    assert_eq!(records("a;b\n", b';').expect("records"), [vec!["a", "b"]]);
    assert_eq!(records("", b',').expect("records"), Vec::<Vec<String>>::new());
    assert!(records("a,\"b\n\n", b',').is_err(), "a quote that is not closed");
    assert_eq!(records(&format!("a\n{}", "x".repeat(RECORD_BYTES_MAX + 1)), b','), Err(2));
    assert_eq!(records(&",".repeat(1000), b','), Err(1));
    assert!(records(&format!("\"{}", "x\n".repeat(RECORD_BYTES_MAX)), b',').is_err(), "a quote over all lines");
}

#[test]
fn lines_that_are_not_utf_8_are_named() {
    let mut input: &[u8] = b"good\nb\xffd\n";
    let mut lines = Lines::new(&mut input);
    let mut record = Record::default();
    assert!(matches!(record.read_tabs(&mut lines), Ok(true)));
    assert!(matches!(record.read_tabs(&mut lines), Err(ReadError::Line(2, "not UTF-8"))));
}
