//! The tables that people read, and `target/bench.json` for machines.

use crate::load::{AtRate, Measured};
use serde_json::{Value, json};

/// One row: a subject beside its reference, or a figure beside its bound.
#[derive(Debug)]
pub(crate) struct Row {
    work: String,
    subject: String,
    reference: String,
    /// The figure that the bound speaks of.
    figure: f64,
    unit: &'static str,
    at_least: f64,
    aim: f64,
    /// Whether less is better.
    less: bool,
    turns: Vec<(Measured, Measured)>,
    open: Vec<Open>,
    /// The open loop's bound of p99, in milliseconds.
    p99_ms: f64,
}

/// One rate of the open loop, ours and beside it the bare server's.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) ours: AtRate,
    pub(crate) theirs: Option<AtRate>,
}

impl Open {
    fn holds(&self, p99_ms: f64) -> bool {
        self.ours.unanswered == 0 && self.ours.measured.p99_us <= p99_ms * 1e3
    }
}

impl Row {
    /// A figure with its bounds: at least (or at most), and the aim.
    pub(crate) fn figure(
        work: String,
        subject: String,
        figure: f64,
        unit: &'static str,
        (at_least, aim): (f64, f64),
        less: bool,
    ) -> Self {
        let (turns, open) = (Vec::new(), Vec::new());
        Self { work, subject, reference: "-".into(), figure, unit, at_least, aim, less, turns, open, p99_ms: 0.0 }
    }

    /// A figure without bounds.
    pub(crate) fn told(work: String, subject: String, figure: f64, unit: &'static str) -> Self {
        Self::figure(work, subject, figure, unit, (0.0, 0.0), false)
    }

    fn has_bounds(&self) -> bool {
        self.at_least > 0.0
    }

    /// Rates of subject and reference, medians of several turns.
    pub(crate) fn ratio(work: String, subject: &[Measured], reference: &[Measured], bounds: (f64, f64)) -> Self {
        let (s, r) = (median(subject), median(reference));
        let figure = if r.per_second > 0.0 { s.per_second / r.per_second } else { 0.0 };
        Self {
            reference: describe(&r, reference),
            turns: subject.iter().cloned().zip(reference.iter().cloned()).collect(),
            ..Self::figure(work, describe(&s, subject), figure, "of the reference", bounds, false)
        }
    }

    /// Says that the reference is the small store.
    pub(crate) fn of_small_store(self) -> Self {
        Self { unit: "of the small store", ..self }
    }

    /// Says that the reference is without consents and labels.
    pub(crate) fn of_none(self) -> Self {
        Self { unit: "of without", ..self }
    }

    /// What the large store costs beside the small one, as a ratio of which 1 is no more.
    pub(crate) fn of_costs(large: &Self, small: &Self) -> Self {
        let figure = if large.figure > 0.0 { small.figure / large.figure } else { 0.0 };
        Self {
            reference: small.subject.clone(),
            ..Self::figure(
                format!("{}, beside the small store", large.work),
                large.subject.clone(),
                figure,
                "of the small store",
                (0.7, 0.9),
                false,
            )
        }
    }

    /// With what the open loop found.
    pub(crate) fn with_open(self, open: Vec<Open>, p99_ms: f64) -> Self {
        Self { open, p99_ms, ..self }
    }

    fn meets(&self, bound: f64) -> bool {
        if self.less { self.figure <= bound } else { self.figure >= bound }
    }

    /// Whether it misses what it must reach at least.
    pub(crate) fn is_short(&self) -> bool {
        !self.meets(self.at_least)
    }

    fn verdict(&self) -> &'static str {
        if !self.has_bounds() {
            "-"
        } else if self.meets(self.aim) {
            "aim met"
        } else if self.meets(self.at_least) {
            "met"
        } else {
            "SHORT"
        }
    }
}

/// The turn with the median throughput.
pub(crate) fn median(turns: &[Measured]) -> Measured {
    let mut turns = turns.to_vec();
    turns.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    turns.get(turns.len() / 2).cloned().unwrap_or_default()
}

fn describe(m: &Measured, turns: &[Measured]) -> String {
    let low = turns.iter().map(|t| t.per_second).fold(f64::INFINITY, f64::min);
    let high = turns.iter().map(|t| t.per_second).fold(0.0, f64::max);
    let processor = if m.processor_us > 0.0 { format!(", CPU {:.0} µs", m.processor_us) } else { String::new() };
    format!("{:.0}/s ({low:.0}-{high:.0}), {}{processor}", m.per_second, latencies(m))
}

fn latencies(m: &Measured) -> String {
    format!(
        "p50 {:.2} p99 {:.2} p99.9 {:.2} max {:.1} ms",
        m.p50_us / 1e3,
        m.p99_us / 1e3,
        m.p999_us / 1e3,
        m.max_us / 1e3
    )
}

/// The table, in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out =
        String::from("| work | handrail | reference | figure | bound | aim | |\n|---|---|---|---|---|---|---|\n");
    for row in rows {
        let sign = if row.less { "≤" } else { "≥" };
        let bounds = if row.has_bounds() { format!("{sign} {} | {}", row.at_least, row.aim) } else { "- | -".into() };
        out.push_str(&format!(
            "| {} | {} | {} | {:.2} {} | {bounds} | {} |\n",
            row.work,
            row.subject,
            row.reference,
            row.figure,
            row.unit,
            row.verdict()
        ));
    }
    out
}

/// The open loops, in Markdown: one line for each rate, and for each row the highest that holds.
pub(crate) fn open_loops(rows: &[Row]) -> String {
    if rows.iter().all(|row| row.open.is_empty()) {
        return String::new();
    }
    let mut out = String::from("| open loop | due/s | handrail | bare server at the same rate |\n|---|---|---|---|\n");
    let mut highest = String::new();
    for row in rows.iter().filter(|row| !row.open.is_empty()) {
        for open in &row.open {
            let side = |at: &AtRate| match at.unanswered {
                0 => latencies(&at.measured),
                n => format!("{}, {n} not answered", latencies(&at.measured)),
            };
            let theirs = open.theirs.as_ref().map_or("-".into(), side);
            out.push_str(&format!("| {} | {:.0} | {} | {theirs} |\n", row.work, open.ours.rate, side(&open.ours)));
        }
        let holding = row.open.iter().filter(|open| open.holds(row.p99_ms)).map(|open| open.ours.rate);
        let holding = holding.fold(0.0, f64::max);
        let bound = row.p99_ms;
        highest.push_str(&format!("highest of these rates with p99 within {bound} ms, {}: {holding:.0}/s\n", row.work));
    }
    format!("{out}\n{highest}")
}

fn measured(m: &Measured) -> Value {
    json!({
        "requests": m.requests, "per_second": m.per_second, "p50_us": m.p50_us, "p99_us": m.p99_us,
        "p999_us": m.p999_us, "max_us": m.max_us, "processor_us": m.processor_us,
    })
}

fn at_rate(at: &AtRate) -> Value {
    json!({ "rate": at.rate, "unanswered": at.unanswered, "measured": measured(&at.measured) })
}

/// The same for machines, with the profiles' shares.
pub(crate) fn json(rows: &[Row], profiles: Value) -> Value {
    let row = |row: &Row| {
        let turns: Vec<Value> =
            row.turns.iter().map(|(ours, theirs)| json!([measured(ours), measured(theirs)])).collect();
        let open: Vec<Value> = row
            .open
            .iter()
            .map(|open| json!({ "handrail": at_rate(&open.ours), "reference": open.theirs.as_ref().map(at_rate) }))
            .collect();
        json!({
            "work": row.work, "subject": row.subject, "reference": row.reference, "figure": row.figure,
            "unit": row.unit, "at_least": row.at_least, "aim": row.aim, "less_is_better": row.less,
            "verdict": row.verdict(), "turns": turns, "open": open, "p99_bound_ms": row.p99_ms,
        })
    };
    json!({ "rows": rows.iter().map(row).collect::<Vec<_>>(), "profiles": profiles })
}
