//! The one list of metrics: name, unit, labels, buckets and HELP text of each.
//!
//! Components make handles from these constants; dashboards, rules and `docs/metrics.md` are
//! checked against [`all`] and [`written`]. A family stands here from the commit on that emits it.
//! No identifier, prompt, user or trace id is ever a label of what is scraped.

mod api;
mod budget;
mod gen_ai;
mod http;
mod load;
mod performance;
mod process;
mod simulator;
mod store;
mod telemetry;

pub use api::*;
pub use budget::*;
pub use gen_ai::*;
pub use http::*;
pub use load::*;
pub use performance::*;
pub use process::*;
pub use simulator::*;
pub use store::*;
pub use telemetry::*;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata};

/// What a metric does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram,
}

/// One metric family.
#[derive(Debug)]
pub struct Metric {
    /// OpenTelemetry's spelling, with dots.
    pub name: &'static str,
    /// Prometheus' spelling, with the unit's suffix and `_total` on counters.
    pub prometheus: &'static str,
    /// What it does over time.
    pub kind: Kind,
    /// UCUM unit, as OpenTelemetry writes it.
    pub unit: &'static str,
    /// Labels, in OpenTelemetry's spelling.
    pub labels: &'static [&'static str],
    /// Upper bounds; empty unless a histogram.
    pub buckets: &'static [f64],
    /// The HELP text.
    pub help: &'static str,
}

static METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

impl Metric {
    /// A handle to the series with these label values.
    pub fn counter(&self, labels: &[(&'static str, &str)]) -> Counter {
        debug_assert_eq!(self.kind, Kind::Counter, "{}", self.name);
        metrics::with_recorder(|recorder| recorder.register_counter(&self.key(labels), &METADATA))
    }

    /// A handle to the series with these label values.
    pub fn gauge(&self, labels: &[(&'static str, &str)]) -> Gauge {
        debug_assert_eq!(self.kind, Kind::Gauge, "{}", self.name);
        metrics::with_recorder(|recorder| recorder.register_gauge(&self.key(labels), &METADATA))
    }

    /// A handle to the series with these label values.
    pub fn histogram(&self, labels: &[(&'static str, &str)]) -> Histogram {
        debug_assert_eq!(self.kind, Kind::Histogram, "{}", self.name);
        metrics::with_recorder(|recorder| recorder.register_histogram(&self.key(labels), &METADATA))
    }

    fn key(&self, labels: &[(&'static str, &str)]) -> Key {
        debug_assert!(
            labels.len() == self.labels.len()
                && labels.iter().all(|(label, _)| self.labels.contains(label)),
            "{} has labels {:?}, got {labels:?}",
            self.name,
            self.labels
        );
        let labels: Vec<Label> = labels
            .iter()
            .map(|(label, value)| Label::new(*label, (*value).to_owned()))
            .collect();
        Key::from_parts(self.prometheus, labels)
    }
}

/// What is written to Prometheus while a load test goes on, and is on no `/metrics`.
pub fn written() -> impl Iterator<Item = &'static Metric> {
    LOAD_FAMILY.iter().copied()
}

/// Every metric that `/metrics` shows, grouped by what it measures.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [
        HTTP_FAMILY,
        STORE_FAMILY,
        GEN_AI_FAMILY,
        BUDGET_FAMILY,
        API_FAMILY,
        PROCESS_FAMILY,
        PERFORMANCE_FAMILY,
        SIMULATOR_FAMILY,
        TELEMETRY_FAMILY,
    ]
    .into_iter()
    .flatten()
    .copied()
}

macro_rules! metrics_family {
    (family $family:ident; $($(#[$doc:meta])* $constant:ident = $kind:ident $name:literal as $prometheus:literal,
        $unit:literal, [$($label:literal),*], $buckets:expr, $help:literal;)*) => {
        $(
            #[doc = concat!("The metric `", $name, "`; its HELP text says what it counts.")]
            $(#[$doc])*
            pub static $constant: super::Metric = super::Metric {
                name: $name,
                prometheus: $prometheus,
                kind: super::Kind::$kind,
                unit: $unit,
                labels: &[$($label),*],
                buckets: $buckets,
                help: $help,
            };
        )*
        pub(super) static $family: &[&super::Metric] = &[$(&$constant),*];
    };
}
use metrics_family;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn suffix(metric: &Metric) -> &'static str {
        match metric.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            "USD" => "_usd",
            "pUSD" => "_pico_usd",
            _ => "",
        }
    }

    #[test]
    fn prometheus_names_follow_from_the_dotted_ones() {
        for metric in all().chain(written()) {
            let mut expected = metric.name.replace('.', "_");
            if !expected.ends_with(suffix(metric)) {
                expected.push_str(suffix(metric));
            }
            if metric.kind == Kind::Counter {
                expected.push_str("_total");
            }
            assert_eq!(metric.prometheus, expected);
        }
    }

    #[test]
    fn names_are_unique_and_buckets_ascend() {
        let mut names = HashSet::new();
        for metric in all().chain(written()) {
            assert!(
                names.insert(metric.prometheus),
                "{} stands twice",
                metric.prometheus
            );
            assert_eq!(
                metric.kind == Kind::Histogram,
                !metric.buckets.is_empty(),
                "{}",
                metric.name
            );
            assert!(
                metric.buckets.windows(2).all(|pair| pair[0] < pair[1]),
                "{}",
                metric.name
            );
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
