//! A case in words: scopes, worlds, requests as lines for `curl`, the first difference.

use super::{
    Case, Tally,
    ask::Ask,
    script::{Event, Moment},
};
use std::fmt::Write;

/// The case in words.
pub(super) fn of(case: &Case) -> String {
    let mut out = format!(
        "replay: cargo xtask twin --replay {}\nscopes: {}\nthe worlds (first | second):\n",
        case.seed, case.plan.scope
    );
    for moment in &case.plan.moments {
        let [one, two] = moment.events.each_ref().map(event_text);
        let same = if one == two { one.clone() } else { format!("{one}\n      | {two}") };
        let Moment { kind, id, after_s, copies, .. } = moment;
        let times = if *copies > 1 { format!(" ({copies} times)") } else { String::new() };
        let _ = writeln!(out, "  +{after_s} s {}/{id}{times}: {same}", kind.name());
    }
    out.push_str("the caller's requests:\n");
    for ask in &case.asks {
        let _ = writeln!(out, "  {}", line(ask));
    }
    match case.run(&mut Tally::default()) {
        Some(difference) => {
            let _ = writeln!(out, "request {} differs: {}", difference.at + 1, difference.text);
        }
        None => out.push_str("no difference\n"),
    }
    out
}

fn event_text(event: &Event) -> String {
    match event {
        Event::Nothing => "-".to_owned(),
        Event::Put(shape) => shape.json().to_string(),
        Event::Delete => "deleted".to_owned(),
        Event::Noise(count) => format!("{count} searches of another client"),
    }
}

/// A request as a line for `curl`.
pub(super) fn line(ask: &Ask) -> String {
    let plain = match ask {
        Ask::Next => return "curl \"$NEXT\"".to_owned(),
        Ask::Send(plain) => plain,
    };
    let mut line = format!("curl -X {} \"$BASE/{}\"", plain.method, plain.path);
    for (name, value) in &plain.headers {
        let _ = write!(line, " -H '{name}: {value}'");
    }
    if let Some((media_type, body)) = &plain.body {
        let _ = write!(line, " -H 'content-type: {media_type}' -d '{body}'");
    }
    line
}
