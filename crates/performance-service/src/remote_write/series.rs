//! The series that a run has in Prometheus, with the labels that tell them apart.

use std::collections::BTreeMap;

use instrumentation::catalogue::{self, Kind, Metric};
use load_analysis::aggregate::SecondBucket;
use load_analysis::series::{SeriesTags, SeriesValue};

use super::source::{SOURCES, Source, Total, Value};
use super::wire::{Label, STALE, Sample, TimeSeries};

/// Sets of labels that a run may have over all metrics; what comes beyond is not written. Our
/// largest suite has 60, and one of a histogram is 18 series in Prometheus.
const MAX_LABEL_SETS: usize = 250;

/// A second, and how long the mark of a run's end is there: an annotation that looks each 15 s
/// finds it once.
const SECOND_MS: i64 = 1_000;
const MARK_MS: i64 = 15_000;

#[derive(Debug)]
struct Entry {
    metric: &'static Metric,
    total: Total,
    /// Whether Prometheus knows of it.
    written: bool,
}

/// All series of a run, as they are after the seconds that were added.
#[derive(Debug)]
pub(super) struct RunSeries {
    identity: [(&'static str, String); 2],
    /// By metric and values of labels.
    entries: BTreeMap<(&'static str, Vec<String>), Entry>,
    /// The newest second that was written.
    newest: Option<i64>,
}

impl RunSeries {
    /// Of a run of which the seconds up to `known` were written before.
    pub(super) fn new(id: &str, scenario: &str, known: Option<i64>) -> Self {
        Self {
            identity: identity(id, scenario),
            entries: BTreeMap::new(),
            newest: known,
        }
    }

    /// Adds what was measured in a second. Setup and teardown are no load.
    pub(super) fn add(&mut self, bucket: &SecondBucket) {
        let before = self.newest.is_some_and(|newest| bucket.second <= newest);
        for (key, value) in &bucket.series {
            if !key.tags.is_load(value.kind()) {
                continue;
            }
            for source in SOURCES {
                if source.k6 == key.metric.as_ref() {
                    self.count(source, &key.tags, value, before);
                }
            }
        }
    }

    fn count(&mut self, source: &Source, tags: &SeriesTags, value: &SeriesValue, before: bool) {
        let Some(total) = source.total_of(value) else {
            return;
        };
        let key = (source.metric.prometheus, source.labels_of(tags));
        let room = self.entries.len() < MAX_LABEL_SETS;
        match self.entries.get_mut(&key) {
            Some(entry) => entry.total.add(total, source),
            None if room => {
                let entry = Entry {
                    metric: source.metric,
                    total,
                    written: before,
                };
                self.entries.insert(key, entry);
            }
            None => {}
        }
    }

    /// All series at the end of a second; `None` when it was written before. A sum that is new
    /// begins with 0 a second earlier, so that its first growth is seen.
    pub(super) fn as_of(&mut self, second: i64) -> Option<Vec<TimeSeries>> {
        if self.newest.is_some_and(|newest| second <= newest) {
            return None;
        }
        let at = (second + 1) * SECOND_MS;
        let mut all = vec![self.active(&[(1.0, at)])];
        for ((_, labels), entry) in &mut self.entries {
            let begins = !entry.written && entry.metric.kind != Kind::Gauge;
            entry.written = true;
            let first = begins.then_some((0.0, at - SECOND_MS));
            for value in entry.total.values(entry.metric) {
                let samples: Vec<_> = first.into_iter().chain([(value.value, at)]).collect();
                let labels = all_labels(&self.identity, entry.metric, labels, &value);
                all.push(series(labels, &samples));
            }
        }
        self.newest = Some(second);
        Some(all)
    }

    /// The end of all series that Prometheus knows of.
    pub(super) fn ended(&self) -> Vec<TimeSeries> {
        let Some(newest) = self.newest else {
            return Vec::new();
        };
        let end = [(STALE, (newest + 2) * SECOND_MS)];
        let mut all = vec![self.active(&end)];
        for ((_, labels), entry) in self.entries.iter().filter(|(_, entry)| entry.written) {
            for value in entry.total.values(entry.metric) {
                let labels = all_labels(&self.identity, entry.metric, labels, &value);
                all.push(series(labels, &end));
            }
        }
        all
    }

    fn active(&self, samples: &[(f64, i64)]) -> TimeSeries {
        marker(&catalogue::LOAD_ACTIVE, &self.identity, None, samples)
    }
}

/// The mark of a run's end, `at` milliseconds since the Unix epoch.
pub(super) fn mark_of_end(id: &str, scenario: &str, verdict: &str, at: i64) -> TimeSeries {
    let verdict = Some(("verdict", verdict.to_owned()));
    let samples = [(1.0, at), (STALE, at + MARK_MS)];
    marker(
        &catalogue::LOAD_VERDICT,
        &identity(id, scenario),
        verdict,
        &samples,
    )
}

/// The labels of every series of a run. Scenarios are spelled as `performance_runs_total` has them.
fn identity(id: &str, scenario: &str) -> [(&'static str, String); 2] {
    [
        ("test_id", id.to_owned()),
        ("scenario", scenario.to_ascii_lowercase()),
    ]
}

fn marker(
    metric: &'static Metric,
    identity: &[(&'static str, String)],
    more: Option<(&'static str, String)>,
    samples: &[(f64, i64)],
) -> TimeSeries {
    let labels = identity.iter().cloned().chain(more);
    let mut labels: Vec<_> = labels.map(|(name, value)| label(name, &value)).collect();
    labels.push(label("__name__", metric.prometheus));
    series(labels, samples)
}

/// The labels of a value in Prometheus' spelling; an empty one is none.
fn all_labels(
    identity: &[(&'static str, String)],
    metric: &Metric,
    values: &[String],
    value: &Value,
) -> Vec<Label> {
    let own = metric.labels.iter().zip(values);
    let own = own.filter(|(_, value)| !value.is_empty());
    let own = own.map(|(name, value)| label(&name.replace('.', "_"), value));
    let run = identity.iter().map(|(name, value)| label(name, value));
    let name = format!("{}{}", metric.prometheus, value.suffix);
    let bound = value.bound.iter().map(|bound| label("le", bound));
    run.chain(own)
        .chain([label("__name__", &name)])
        .chain(bound)
        .collect()
}

fn label(name: &str, value: &str) -> Label {
    Label {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// Prometheus wants labels in the order of their names.
fn series(mut labels: Vec<Label>, samples: &[(f64, i64)]) -> TimeSeries {
    labels.sort();
    let samples = samples.iter();
    TimeSeries {
        labels,
        samples: samples
            .map(|(value, timestamp)| Sample {
                value: *value,
                timestamp: *timestamp,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use load_analysis::metric::MetricKind;
    use load_analysis::series::SeriesKey;

    use super::*;

    fn tags(scenario: &str, status: &str) -> SeriesTags {
        SeriesTags {
            scenario: scenario.to_owned(),
            status: status.to_owned(),
            ..SeriesTags::default()
        }
    }

    fn second(second: i64, parts: &[(&str, MetricKind, SeriesTags, &[f64])]) -> SecondBucket {
        let series = parts.iter().map(|(metric, kind, tags, values)| {
            let mut value = SeriesValue::empty(*kind);
            values
                .iter()
                .for_each(|one| value.record(second * 1_000_000, *one));
            let key = SeriesKey {
                metric: (*metric).into(),
                tags: tags.clone().into(),
            };
            (key, value)
        });
        SecondBucket {
            second,
            series: series.collect(),
        }
    }

    fn requests(at: i64, count: usize) -> SecondBucket {
        let ones = vec![1.0; count];
        second(
            at,
            &[("http_reqs", MetricKind::Counter, tags("load", "200"), &ones)],
        )
    }

    /// What a second wrote of one series, as pairs of value and milliseconds.
    fn samples(written: &[TimeSeries], labels: &[(&str, &str)]) -> Vec<(f64, i64)> {
        let has = |series: &&TimeSeries| {
            labels
                .iter()
                .all(|(name, value)| series.labels.contains(&label(name, value)))
        };
        let found: Vec<_> = written.iter().filter(has).collect();
        assert!(found.len() < 2, "{found:?}");
        let samples = found.iter().flat_map(|series| &series.samples);
        samples.map(|one| (one.value, one.timestamp)).collect()
    }

    const REQUESTS: &[(&str, &str)] = &[("__name__", "k6_http_reqs_total")];

    #[test]
    fn a_sum_begins_with_zero_and_grows_by_late_parts_too() {
        let mut run = RunSeries::new("an-id", "Load", None);
        run.add(&requests(100, 3));
        let written = run.as_of(100).unwrap();
        assert_eq!(
            samples(&written, REQUESTS),
            [(0.0, 100_000), (3.0, 101_000)]
        );
        let labels: Vec<_> = written[1]
            .labels
            .iter()
            .map(|one| (&*one.name, &*one.value))
            .collect();
        assert_eq!(
            labels,
            [
                ("__name__", "k6_http_reqs_total"),
                ("k6_scenario", "load"),
                ("scenario", "load"),
                ("status", "200"),
                ("test_id", "an-id"),
            ]
        );
        run.add(&requests(100, 2));
        assert_eq!(run.as_of(100), None);
        run.add(&requests(101, 1));
        let written = run.as_of(101).unwrap();
        assert_eq!(samples(&written, REQUESTS), [(6.0, 102_000)]);
    }

    #[test]
    fn what_an_earlier_life_wrote_is_counted_alone() {
        let mut run = RunSeries::new("an-id", "Load", Some(100));
        run.add(&requests(99, 3));
        assert_eq!(run.as_of(99), None);
        run.add(&requests(100, 4));
        assert_eq!(run.as_of(100), None);
        run.add(&requests(101, 5));
        assert_eq!(
            samples(&run.as_of(101).unwrap(), REQUESTS),
            [(12.0, 102_000)]
        );
    }

    #[test]
    fn a_trend_is_a_histogram_in_seconds() {
        let mut run = RunSeries::new("an-id", "Load", None);
        let times = [0.4, 5.0, 7.0, 90_000.0];
        run.add(&second(
            7,
            &[(
                "http_req_duration",
                MetricKind::Trend,
                tags("load", ""),
                &times,
            )],
        ));
        let written = run.as_of(7).unwrap();
        let name = "k6_http_req_duration_seconds";
        let last = |labels: &[(&str, &str)]| samples(&written, labels).last().unwrap().0;
        for (bound, count) in [
            ("0.0005", 1.0),
            ("0.005", 2.0),
            ("0.01", 3.0),
            ("60", 3.0),
            ("+Inf", 4.0),
        ] {
            let labels = [("__name__", &*format!("{name}_bucket")), ("le", bound)];
            assert!((last(&labels) - count).abs() < f64::EPSILON, "{bound}");
        }
        assert!((last(&[("__name__", &format!("{name}_sum"))]) - 90.0124).abs() < 1e-9);
        assert!((last(&[("__name__", &format!("{name}_count"))]) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn setup_is_no_load_and_checks_have_two_results() {
        let mut run = RunSeries::new("an-id", "Load", None);
        run.add(&second(
            7,
            &[
                (
                    "checks",
                    MetricKind::Rate,
                    tags("load", ""),
                    &[1.0, 1.0, 0.0],
                ),
                ("checks", MetricKind::Rate, tags("", ""), &[1.0]),
                ("http_reqs", MetricKind::Counter, tags("", "200"), &[1.0]),
            ],
        ));
        let written = run.as_of(7).unwrap();
        assert_eq!(samples(&written, REQUESTS), []);
        assert_eq!(
            samples(&written, &[("result", "pass")]),
            [(0.0, 7_000), (2.0, 8_000)]
        );
        assert_eq!(
            samples(&written, &[("result", "fail")]),
            [(0.0, 7_000), (1.0, 8_000)]
        );
    }

    #[test]
    fn a_script_cannot_make_series_without_end() {
        let mut run = RunSeries::new("an-id", "Load", None);
        for status in 0..10 * MAX_LABEL_SETS {
            let tags = tags("load", &status.to_string());
            run.add(&second(
                7,
                &[("http_reqs", MetricKind::Counter, tags, &[1.0])],
            ));
        }
        assert_eq!(run.as_of(7).unwrap().len(), 1 + MAX_LABEL_SETS);
    }

    #[test]
    fn the_end_is_after_the_last_second() {
        let mut run = RunSeries::new("an-id", "Load", None);
        assert_eq!(run.ended(), []);
        run.add(&requests(100, 3));
        run.as_of(100).unwrap();
        let ended = run.ended();
        assert_eq!(ended.len(), 2);
        for series in &ended {
            assert_eq!(series.samples[0].timestamp, 102_000);
            assert_eq!(series.samples[0].value.to_bits(), STALE.to_bits());
        }
    }
}
