//! A strict reader of the text that Prometheus scrapes. SPEC: Prometheus exposition format 0.0.4.

use std::collections::{BTreeMap, BTreeSet};

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// Kind by metric.
    pub(crate) kinds: BTreeMap<String, String>,
    /// Value by series, as written: `name{label="value"}`.
    pub(crate) samples: BTreeMap<String, f64>,
}

impl Exposition {
    /// Reads a page and asserts all that the format asks for.
    pub(crate) fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let mut done = BTreeSet::new();
        let mut current = String::new();
        assert!(text.ends_with('\n'), "the last line ends");
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(!words.is_empty() && done.insert(name.to_owned()), "a metric stands in one place: {line}");
                current = name.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, current, "TYPE follows its HELP");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                page.kinds.insert(name.to_owned(), kind.to_owned());
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                let (name, labels) = series.split_once('{').map_or((series, ""), |(name, rest)| {
                    (name, rest.strip_suffix('}').unwrap_or_else(|| panic!("{line}")))
                });
                let kind = &page.kinds[&current];
                let suffix = name.strip_prefix(current.as_str()).unwrap_or_else(|| panic!("{line} under {current}"));
                let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
                assert!(suffixes.contains(&suffix), "{line}");
                check_labels(labels);
                let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
                assert!(kind == "gauge" || value >= 0.0, "{line}");
                assert!(page.samples.insert(series.to_owned(), value).is_none(), "twice: {series}");
            }
        }
        page.check_histograms();
        page
    }

    /// The value of a series; 0 when it is not there.
    pub(crate) fn value(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or_default()
    }

    fn check_histograms(&self) {
        for (series, count) in
            self.samples.iter().filter(|(series, _)| series.split('{').next().unwrap().ends_with("_count"))
        {
            let Some(name) = self.kinds.keys().find(|name| series.starts_with(&format!("{name}_count"))) else {
                continue;
            };
            let labels = series.split_once('{').map_or("", |(_, rest)| rest.trim_end_matches('}'));
            let of = format!("{name}_bucket{{{labels}{}le=", if labels.is_empty() { "" } else { "," });
            let mut buckets: Vec<(f64, f64)> = self
                .samples
                .iter()
                .filter_map(|(bucket, count)| {
                    let bound = bucket.strip_prefix(&of)?.trim_matches(['"', '}']);
                    Some((if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() }, *count))
                })
                .collect();
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(
                buckets.len() > 2 && buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1),
                "{series}: {buckets:?}"
            );
            assert_eq!(buckets.last().unwrap(), &(f64::INFINITY, *count), "{series}");
        }
    }
}

fn check_labels(labels: &str) {
    if labels.is_empty() {
        return;
    }
    for label in labels.split("\",") {
        let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{labels}"));
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{labels}");
        let value = value.trim_end_matches('"');
        assert!(!value.contains(['"', '\\', '\n']), "{labels}");
    }
}
