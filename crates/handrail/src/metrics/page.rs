//! The text that Prometheus reads. SPEC: Prometheus exposition format 0.0.4.

use super::catalogue::{Family, Kind};
use std::{
    collections::HashSet,
    fmt::{Display, Write},
};
use store::stats::Distribution;

/// A page in the making.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
    begun: HashSet<&'static str>,
}

impl Page {
    /// A value without labels.
    pub(crate) fn value(&mut self, family: &'static Family, value: impl Display) {
        self.labelled(family, &[], value);
    }

    /// A value with these labels' values. All values of a metric must come one after the other.
    pub(crate) fn labelled(&mut self, family: &'static Family, labels: &[&str], value: impl Display) {
        self.begin(family);
        self.text.push_str(family.name);
        self.labels(family.labels.iter().copied().zip(labels.iter().copied()));
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, " {value}");
    }

    /// A histogram. `scale`: what one unit of the distribution is in units of the metric.
    pub(crate) fn histogram(&mut self, family: &'static Family, labels: &[&str], found: &Distribution, scale: f64) {
        self.begin(family);
        let mut total = 0;
        let bounds = found.bounds.iter().map(|bound| exact(*bound, scale)).chain(["+Inf".to_owned()]);
        for (count, bound) in found.counts.iter().zip(bounds) {
            total += count;
            self.text.push_str(family.name);
            self.text.push_str("_bucket");
            let labels = family.labels.iter().copied().zip(labels.iter().copied());
            self.labels(labels.chain([("le", bound.as_str())]));
            let _ = writeln!(self.text, " {total}");
        }
        for (suffix, value) in [("_sum", exact(found.sum, scale)), ("_count", total.to_string())] {
            self.text.push_str(family.name);
            self.text.push_str(suffix);
            self.labels(family.labels.iter().copied().zip(labels.iter().copied()));
            let _ = writeln!(self.text, " {value}");
        }
    }

    fn begin(&mut self, family: &'static Family) {
        if self.begun.insert(family.name) {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let _ = writeln!(self.text, "# HELP {} {}\n# TYPE {} {kind}", family.name, family.help, family.name);
        }
    }

    fn labels<'a>(&mut self, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut before = '{';
        for (name, value) in labels {
            // Values are words of ours; a line must stay a line even if one was not.
            let plain = |c: char| if c.is_ascii_graphic() && c != '"' && c != '\\' { c } else { '_' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", value.chars().map(plain).collect::<String>());
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
    }

    /// The whole text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// A count of small units in larger ones, without the dust of binary fractions: 2500 µs are `0.0025`.
fn exact(count: u64, scale: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a graph does not show the 53rd bit")]
    let value = count as f64 / scale;
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue;
    use store::stats::Histogram;

    #[test]
    fn a_histogram_is_cumulative_in_seconds() {
        let histogram = Histogram::new(&[100, 2_500_000]);
        [50, 60, 1_000_000, 9_000_000].into_iter().for_each(|value| histogram.record(value));
        let mut page = Page::default();
        page.histogram(&catalogue::DURATION, &["read"], &histogram.read(), 1e6);
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "handrail_http_request_duration_seconds_bucket{interaction=\"read\",le=\"0.0001\"} 2",
                "handrail_http_request_duration_seconds_bucket{interaction=\"read\",le=\"2.5\"} 3",
                "handrail_http_request_duration_seconds_bucket{interaction=\"read\",le=\"+Inf\"} 4",
                "handrail_http_request_duration_seconds_sum{interaction=\"read\"} 10.00011",
                "handrail_http_request_duration_seconds_count{interaction=\"read\"} 4",
            ]
        );
    }
}
