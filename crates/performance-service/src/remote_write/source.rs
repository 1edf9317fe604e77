//! Which of k6's metrics are written, and what was counted of them.

use instrumentation::catalogue::{self, Metric};
use load_analysis::series::{SeriesTags, SeriesValue};

/// A trend of k6 is in milliseconds.
const MILLISECONDS: f64 = 1_000.0;

/// What is taken of a metric of k6.
enum Part {
    Sum,
    Latest,
    Passes,
    Fails,
    Histogram,
}

/// Where a metric of the catalogue comes from, and the values of labels that are no tags.
pub(super) struct Source {
    pub(super) k6: &'static str,
    part: Part,
    pub(super) metric: &'static Metric,
    fixed: &'static [(&'static str, &'static str)],
}

const fn source(k6: &'static str, part: Part, metric: &'static Metric) -> Source {
    labelled(k6, part, metric, &[])
}

const fn labelled(
    k6: &'static str,
    part: Part,
    metric: &'static Metric,
    fixed: &'static [(&'static str, &'static str)],
) -> Source {
    Source {
        k6,
        part,
        metric,
        fixed,
    }
}

/// Everything that is written.
#[rustfmt::skip]
pub(super) static SOURCES: &[Source] = &[
    source("vus", Part::Latest, &catalogue::LOAD_USERS),
    source("iterations", Part::Sum, &catalogue::LOAD_ITERATIONS),
    source("dropped_iterations", Part::Sum, &catalogue::LOAD_DROPPED_ITERATIONS),
    source("http_reqs", Part::Sum, &catalogue::LOAD_REQUESTS),
    source("http_req_failed", Part::Passes, &catalogue::LOAD_FAILED_REQUESTS),
    source("http_req_duration", Part::Histogram, &catalogue::LOAD_REQUEST_DURATION),
    labelled("checks", Part::Passes, &catalogue::LOAD_CHECKS, &[("result", "pass")]),
    labelled("checks", Part::Fails, &catalogue::LOAD_CHECKS, &[("result", "fail")]),
    source("data_received", Part::Sum, &catalogue::LOAD_DATA_RECEIVED),
    source("ai_ttft", Part::Histogram, &catalogue::LOAD_FIRST_TOKEN),
    labelled("ai_tokens_input", Part::Sum, &catalogue::LOAD_TOKENS, &[("token.kind", "input")]),
    labelled("ai_tokens_output", Part::Sum, &catalogue::LOAD_TOKENS, &[("token.kind", "output")]),
    labelled("ai_cost_real_pico_usd", Part::Sum, &catalogue::LOAD_COST, &[("simulated", "false")]),
    labelled("ai_cost_simulated_pico_usd", Part::Sum, &catalogue::LOAD_COST, &[("simulated", "true")]),
];

/// What was counted of one set of labels.
#[derive(Debug)]
pub(super) enum Total {
    Number(f64),
    Histogram {
        up_to: Vec<u64>,
        count: u64,
        sum: f64,
    },
}

/// One value of a total as a series of Prometheus.
pub(super) struct Value {
    /// What the name of the metric ends with.
    pub(super) suffix: &'static str,
    /// The label `le`.
    pub(super) bound: Option<String>,
    pub(super) value: f64,
}

impl Source {
    /// The values of the metric's labels in the tags of k6, in the order of the catalogue; empty
    /// for those of the run itself.
    pub(super) fn labels_of(&self, tags: &SeriesTags) -> Vec<String> {
        let value = |name: &&str| {
            let fixed = self.fixed.iter().find(|(fixed, _)| fixed == name);
            match (*name, fixed) {
                (_, Some((_, value))) => value,
                ("scenario", None) => "",
                ("k6.scenario", None) => &tags.scenario,
                (name, None) => tags.get(name),
            }
            .to_owned()
        };
        self.metric.labels.iter().map(value).collect()
    }

    /// What a second measured; `None` for a metric of the script's own under a name of k6.
    pub(super) fn total_of(&self, value: &SeriesValue) -> Option<Total> {
        match (&self.part, value) {
            (Part::Sum, SeriesValue::Counter { sum, .. }) => Some(Total::Number(*sum)),
            (Part::Latest, SeriesValue::Gauge(gauge)) => {
                gauge.map(|gauge| Total::Number(gauge.value))
            }
            (Part::Passes, SeriesValue::Rate { passes, .. }) => Some(Total::Number(float(*passes))),
            (Part::Fails, SeriesValue::Rate { passes, total }) => {
                Some(Total::Number(float(total - passes)))
            }
            (Part::Histogram, SeriesValue::Trend(distribution)) => {
                let bounds = self.metric.buckets.iter();
                let bounds: Vec<_> = bounds.map(|bound| bound * MILLISECONDS).collect();
                Some(Total::Histogram {
                    up_to: distribution.counts_up_to(&bounds),
                    count: distribution.count(),
                    sum: distribution.sum() / MILLISECONDS,
                })
            }
            _ => None,
        }
    }
}

impl Total {
    /// Adds what a later second measured.
    pub(super) fn add(&mut self, more: Self, source: &Source) {
        match (self, more) {
            (Self::Number(latest), Self::Number(value)) if matches!(source.part, Part::Latest) => {
                *latest = value;
            }
            (Self::Number(total), Self::Number(value)) => *total += value,
            (
                Self::Histogram { up_to, count, sum },
                Self::Histogram {
                    up_to: more_up_to,
                    count: more,
                    sum: more_sum,
                },
            ) => {
                up_to.iter_mut().zip(more_up_to).for_each(|(a, b)| *a += b);
                *count += more;
                *sum += more_sum;
            }
            // The same metric has the same kind of value.
            _ => {}
        }
    }

    /// What it is in Prometheus: one value of a number; of a histogram one for each bound, and
    /// two more.
    pub(super) fn values(&self, metric: &Metric) -> Vec<Value> {
        let value = |suffix, bound, value| Value {
            suffix,
            bound,
            value,
        };
        match self {
            Self::Number(number) => vec![value("", None, *number)],
            Self::Histogram { up_to, count, sum } => {
                let bounds = metric.buckets.iter().map(f64::to_string).zip(up_to);
                let last = ("+Inf".to_owned(), count);
                bounds
                    .chain([last])
                    .map(|(bound, count)| value("_bucket", Some(bound), float(*count)))
                    .chain([
                        value("_count", None, float(*count)),
                        value("_sum", None, *sum),
                    ])
                    .collect()
            }
        }
    }
}

/// A count as Prometheus has it.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a run stay far below 2^53, where a float is still exact"
)]
const fn float(count: u64) -> f64 {
    count as f64
}
