//! F23 through the command: an entry changed, removed, moved or added is found, and at its place.

use crate::support::{Server, ok, run, stdout};
use audit::frame::{HEADER_BYTES, RECORD_BYTES};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};

/// A data directory whose log holds a few events, and where each record of it lies.
struct Log {
    own: tempfile::TempDir,
    segment: PathBuf,
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
}

async fn log() -> Log {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let mut server = Server::on(&data, &[]);
    let token = server.full_token();
    let mut http = server.http().await;
    for number in 0..8 {
        let body = format!(r#"{{"resourceType":"Patient","id":"a{number}"}}"#);
        assert_eq!(http.put_as(&token, "PUT", &format!("/fhir/Patient/a{number}"), &body).await.status, 201);
        assert_eq!(http.get_as(&token, &format!("/fhir/Patient/a{number}")).await.status, 200);
    }
    ok(&verify(&data));
    assert_eq!(server.stop("TERM"), Some(0));
    let report = ok(&verify(&data));
    assert!(report.starts_with("OK: ") && report.contains("checkpoints  "), "{report}");

    let mut segments: Vec<_> = std::fs::read_dir(data.join("audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    segments.sort();
    let segment = segments.swap_remove(0);
    let bytes = std::fs::read(&segment).unwrap();
    let (mut records, mut at) = (Vec::new(), HEADER_BYTES);
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        records.push(at..at + length + RECORD_BYTES);
        at += length + RECORD_BYTES;
    }
    assert!(records.len() > 16, "each request has its record");
    Log { own, segment, bytes, records }
}

fn verify(data: &Path) -> std::process::Output {
    run(["audit", "verify", "--data", data.to_str().unwrap()])
}

impl Log {
    /// Verifies the log with these bytes in place of the first segment's.
    fn with(&self, bytes: &[u8]) -> (Option<i32>, String) {
        std::fs::write(&self.segment, bytes).unwrap();
        let output = verify(&self.own.path().join("data"));
        (output.status.code(), stdout(&output))
    }

    fn assert_broken_at(&self, bytes: &[u8], sequence: usize) {
        let (code, text) = self.with(bytes);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.starts_with("DAMAGED: ") && text.contains(&format!("entry {sequence} ")), "{sequence}: {text}");
    }
}

#[tokio::test]
async fn f23_damage_is_found_at_its_place() {
    let log = log().await;
    let record = |sequence: usize| log.bytes[log.records[sequence - 1].clone()].to_vec();
    let spliced = |from: usize, to: usize, middle: &[u8]| {
        let (start, end) = (log.records[from - 1].start, log.records[to - 1].end);
        [&log.bytes[..start], middle, &log.bytes[end..]].concat()
    };

    for sequence in [1, 7, log.records.len()] {
        let mut altered = record(sequence);
        altered[20] ^= 1;
        log.assert_broken_at(&spliced(sequence, sequence, &altered), sequence);
    }
    for sequence in [1, 9] {
        log.assert_broken_at(&spliced(sequence, sequence, &[]), sequence);
    }
    log.assert_broken_at(&spliced(5, 6, &[record(6), record(5)].concat()), 5);
    log.assert_broken_at(&spliced(4, 4, &[record(4), record(4)].concat()), 5);

    let (code, text) = log.with(&log.bytes);
    assert_eq!(code, Some(0), "the untouched log again: {text}");
}

#[tokio::test]
async fn f23_an_end_that_a_checkpoint_covers_cannot_be_cut() {
    let log = log().await;
    let (code, text) = log.with(&log.bytes[..log.records[9].end]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cut"), "{text}");
}
