//! The table that people read, and `target/bench.json` for machines.

use crate::load::Measured;

/// One row: a subject beside its reference, or a figure beside its bound.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) subject: String,
    pub(crate) reference: String,
    /// The figure that the bound speaks of.
    pub(crate) figure: f64,
    pub(crate) unit: &'static str,
    pub(crate) at_least: f64,
    pub(crate) aim: f64,
    /// Whether less is better.
    pub(crate) less: bool,
}

impl Row {
    /// Rates of subject and reference, medians of several turns.
    pub(crate) fn ratio(work: String, subject: &[Measured], reference: &[Measured], at_least: f64, aim: f64) -> Self {
        let (s, r) = (median(subject), median(reference));
        Self {
            work,
            subject: describe(&s, subject),
            reference: describe(&r, reference),
            figure: if r.per_second > 0.0 { s.per_second / r.per_second } else { 0.0 },
            unit: "of the reference",
            at_least,
            aim,
            less: false,
        }
    }

    fn meets(&self, bound: f64) -> bool {
        if self.less { self.figure <= bound } else { self.figure >= bound }
    }

    fn verdict(&self) -> &'static str {
        if self.meets(self.aim) {
            "aim met"
        } else if self.meets(self.at_least) {
            "met"
        } else {
            "SHORT"
        }
    }
}

fn median(turns: &[Measured]) -> Measured {
    let mut turns = turns.to_vec();
    turns.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    turns.get(turns.len() / 2).cloned().unwrap_or_default()
}

fn describe(m: &Measured, turns: &[Measured]) -> String {
    let low = turns.iter().map(|t| t.per_second).fold(f64::INFINITY, f64::min);
    let high = turns.iter().map(|t| t.per_second).fold(0.0, f64::max);
    format!(
        "{:.0}/s ({low:.0}-{high:.0}), p50 {:.2} p99 {:.2} p99.9 {:.2} ms",
        m.per_second,
        m.p50_us / 1e3,
        m.p99_us / 1e3,
        m.p999_us / 1e3
    )
}

/// The table, in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out =
        String::from("| work | handrail | reference | figure | at least | aim | |\n|---|---|---|---|---|---|---|\n");
    for row in rows {
        out.push_str(&format!(
            "| {} | {} | {} | {:.2} {} | {} | {} | {} |\n",
            row.work,
            row.subject,
            row.reference,
            row.figure,
            row.unit,
            row.at_least,
            row.aim,
            row.verdict()
        ));
    }
    out
}

/// The same for machines.
pub(crate) fn json(rows: &[Row]) -> serde_json::Value {
    rows.iter()
        .map(|row| {
            serde_json::json!({
                "work": row.work, "subject": row.subject, "reference": row.reference, "figure": row.figure,
                "unit": row.unit, "at_least": row.at_least, "aim": row.aim, "verdict": row.verdict(),
            })
        })
        .collect()
}
