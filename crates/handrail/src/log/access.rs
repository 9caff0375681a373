//! The line of a request: who asked for what kind of thing, how it ended, how long it took.
//!
//! It names the interaction and the resource type, never the URL, an id of a resource or a search
//! value; the audit log has those under the same request id. Written by hand: a line of the tracing
//! formatter costs several times as much, and there may be one for every request.

use super::{Format, lines};
use crate::{clock, limits};
use std::{io::Write, net::IpAddr, time::Duration};

/// Which requests get a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// None.
    None,
    /// Those that were refused or slow.
    Problems,
    /// All.
    All,
}

/// What the line of a request says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    /// Request id, as in the response's `X-Request-Id` and in the audit log.
    pub(crate) request_id: &'a str,
    /// Code of the interaction or endpoint.
    pub(crate) interaction: &'a str,
    /// Resource type of the URL.
    pub(crate) resource_type: Option<&'a str>,
    /// Status.
    pub(crate) status: u16,
    /// Why it was refused, as one word.
    pub(crate) refused: Option<&'a str>,
    /// From head to answer.
    pub(crate) took: Duration,
    /// Bytes of the answer's body.
    pub(crate) bytes: u64,
    /// The client, when it proved who it is.
    pub(crate) client: Option<&'a str>,
    /// Where it came from.
    pub(crate) peer: IpAddr,
}

/// Writes the line, if this request gets one.
pub(crate) fn log(which: Which, format: Format, answered: &Answered<'_>) {
    let problem = answered.status >= 400 || answered.took >= limits::SLOW;
    if which == Which::All || (which == Which::Problems && problem) {
        lines::send(line(format, answered));
    }
}

fn line(format: Format, answered: &Answered<'_>) -> Vec<u8> {
    let level = match answered.status {
        500.. => "ERROR",
        _ if answered.took >= limits::SLOW => "WARN",
        _ => "INFO",
    };
    let mut line = Vec::with_capacity(384);
    // Writing to a Vec cannot fail.
    let _ = match format {
        Format::Json => write!(line, r#"{{"timestamp":"{}","level":"{level}","message":"answered""#, clock::now()),
        Format::Text => write!(line, "{} {level:>5} answered", clock::now()),
    };
    let mut text = |name: &str, value: Option<&str>| {
        let Some(value) = value else { return };
        let _ = match format {
            Format::Json => write!(line, r#","{name}":""#),
            Format::Text => write!(line, " {name}="),
        };
        // All of these are ours or were checked; a line must stay a line even if one was not.
        let plain = |b: u8| if b.is_ascii_alphanumeric() || b"-._:/".contains(&b) { b } else { b'?' };
        line.extend(value.bytes().map(plain));
        if format == Format::Json {
            line.push(b'"');
        }
    };
    text("request_id", Some(answered.request_id).filter(|id| !id.is_empty()));
    text("interaction", Some(answered.interaction));
    text("type", answered.resource_type);
    text("refused", answered.refused);
    text("client", answered.client);
    let (status, bytes, peer) = (answered.status, answered.bytes, answered.peer.to_canonical());
    let (ms, us) = (answered.took.as_millis(), answered.took.subsec_micros() % 1000);
    let _ = match format {
        Format::Json => writeln!(
            line,
            r#","status":{status},"ms":{ms}.{us:03},"bytes":{bytes},"peer":"{peer}","target":"handrail::access"}}"#
        ),
        Format::Text => writeln!(line, " status={status} ms={ms}.{us:03} bytes={bytes} peer={peer}"),
    };
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered() -> Answered<'static> {
        Answered {
            request_id: "a-1",
            interaction: "search-type",
            resource_type: Some("Observation"),
            status: 403,
            refused: Some("scope"),
            took: Duration::from_micros(12_034),
            bytes: 512,
            client: Some("c1"),
            peer: "::ffff:192.0.2.1".parse().unwrap(),
        }
    }

    #[test]
    fn a_line_is_json_with_every_fact() {
        let line: serde_json::Value = serde_json::from_slice(&line(Format::Json, &answered())).unwrap();
        assert_eq!(line["interaction"], "search-type");
        assert_eq!(line["type"], "Observation");
        assert_eq!(line["status"], 403);
        assert_eq!(line["ms"], 12.034);
        assert_eq!(line["peer"], "192.0.2.1");
        assert_eq!(line["request_id"], "a-1");
    }

    #[test]
    fn a_line_stays_one_line() {
        let strange = Answered { client: Some("x\"\n{\"level\":\"forged\""), ..answered() };
        for format in [Format::Json, Format::Text] {
            let line = line(format, &strange);
            assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
        }
        serde_json::from_slice::<serde_json::Value>(&line(Format::Json, &strange)).unwrap();
    }

    /// The cost of a line, printed by `--nocapture`; it is asserted only to be no mistake of a magnitude.
    #[test]
    fn a_line_costs_microseconds() {
        let started = std::time::Instant::now();
        for _ in 0..1000 {
            std::hint::black_box(line(Format::Json, &answered()));
        }
        let each = started.elapsed() / 1000;
        println!("{each:?} a line");
        assert!(each < Duration::from_millis(1));
    }
}
