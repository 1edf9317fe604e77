//! The slowest requests of a run, one by one: histograms know how slow they were, and not which.
//!
//! A script that names the trace of its measurements (the metadata `trace_id` of k6) has what a
//! model took beside them: its samples are found by the trace, as they share nothing else.

use serde::{Deserialize, Serialize};

use crate::number;
use crate::sample::Sample;

/// Requests of a run that are kept: more than anybody reads one by one.
pub const MAX_SLOWEST: usize = 30;

/// Characters of a name that are kept; a script without names has addresses here.
const MAX_NAME: usize = 200;

/// One request of the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SlowRequest {
    /// When it ended, in microseconds since the Unix epoch.
    pub ended_at: i64,
    /// Its duration in milliseconds.
    pub duration: f64,
    /// The request's name: the suite's grouping of URLs.
    pub name: String,
    /// The HTTP status, `0` when no answer came.
    pub status: String,
    /// Its trace, where the script names it: 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What its call of a model took.
    pub model: ModelCall,
}

/// The call of a model behind a request; what nobody measured is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelCall {
    /// How long it waited for its turn, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<f64>,
    /// From the request to the first token, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft: Option<f64>,
    /// Tokens that the model read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens that it wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// What it cost, in 10⁻¹² US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_pico_usd: Option<u64>,
    /// What a simulated one would have cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated_pico_usd: Option<u64>,
}

/// Keeps the slowest requests of the samples that it is shown.
#[derive(Debug, Default)]
pub(crate) struct Slowest(Vec<SlowRequest>);

impl Slowest {
    pub(crate) fn add(&mut self, sample: &Sample<'_>) {
        match (sample.metric.as_ref(), sample.trace_id) {
            ("http_req_duration", _) if sample.is_load() => self.take(sample),
            (metric, Some(trace_id)) if metric.starts_with("ai_") => {
                let mut kept = self.0.iter_mut();
                let request = kept.find(|it| it.trace_id.as_deref() == Some(trace_id));
                if let Some(request) = request {
                    request.model.tell(metric, sample.value);
                }
            }
            _ => {}
        }
    }

    /// The requests, the slowest first.
    pub(crate) fn requests(&self) -> Vec<SlowRequest> {
        let mut requests = self.0.clone();
        requests.sort_by(|one, other| other.duration.total_cmp(&one.duration));
        requests
    }

    fn take(&mut self, sample: &Sample<'_>) {
        if self.0.len() == MAX_SLOWEST {
            let durations = self.0.iter().map(|request| request.duration).enumerate();
            let least = durations.min_by(|one, other| one.1.total_cmp(&other.1));
            match least {
                Some((index, duration)) if duration < sample.value => {
                    self.0.swap_remove(index);
                }
                _ => return,
            }
        }
        let tag = |name| sample.tags.get(name).unwrap_or_default();
        self.0.push(SlowRequest {
            ended_at: sample.time,
            duration: sample.value,
            name: tag("name").chars().take(MAX_NAME).collect(),
            status: tag("status").to_owned(),
            trace_id: sample.trace_id.map(str::to_owned),
            model: ModelCall::default(),
        });
    }
}

impl ModelCall {
    fn tell(&mut self, metric: &str, value: f64) {
        let count = Some(number::whole(value.max(0.0).round()));
        match metric {
            "ai_queue" => self.queue = Some(value),
            "ai_ttft" => self.ttft = Some(value),
            "ai_tokens_input" => self.input_tokens = count,
            "ai_tokens_output" => self.output_tokens = count,
            "ai_cost_real_pico_usd" => self.real_pico_usd = count,
            "ai_cost_simulated_pico_usd" => self.simulated_pico_usd = count,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Contains, MetricKind};
    use crate::sample::Tags;

    fn add(slowest: &mut Slowest, metric: &str, value: f64, trace_id: Option<&str>) {
        let tags = Tags::from_iter([("scenario", "load"), ("name", "GET /"), ("status", "200")]);
        slowest.add(&Sample {
            time: 7,
            metric: metric.into(),
            kind: MetricKind::Trend,
            contains: Contains::Time,
            value,
            tags: &tags,
            trace_id,
        });
    }

    #[test]
    fn the_slowest_of_many_are_kept_in_order() {
        let mut slowest = Slowest::default();
        // 97 has no common divisor with 1,000, so that each number comes once, in no order.
        for index in 0..1_000 {
            add(
                &mut slowest,
                "http_req_duration",
                f64::from(index * 97 % 1_000),
                None,
            );
        }
        let durations: Vec<f64> = slowest.requests().iter().map(|it| it.duration).collect();
        let expected: Vec<f64> = (970..1_000).rev().map(f64::from).collect();
        assert_eq!(durations, expected);
    }

    #[test]
    fn what_a_model_took_is_found_by_its_trace() {
        let mut slowest = Slowest::default();
        let (one, other) = ("1".repeat(32), "2".repeat(32));
        for (trace, first_token) in [(&one, 10.0), (&other, 20.0)] {
            add(
                &mut slowest,
                "http_req_duration",
                first_token * 2.0,
                Some(trace),
            );
            add(&mut slowest, "ai_ttft", first_token, Some(trace));
            add(&mut slowest, "ai_tokens_output", 5.0, Some(trace));
        }
        // Of a request that nobody kept.
        add(&mut slowest, "ai_ttft", 30.0, Some(&"3".repeat(32)));
        add(&mut slowest, "ai_ttft", 40.0, None);
        let requests = slowest.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].trace_id.as_ref(), Some(&other));
        assert_eq!(requests[0].model.ttft, Some(20.0));
        assert_eq!(requests[1].model.ttft, Some(10.0));
        assert_eq!(requests[1].model.output_tokens, Some(5));
        assert_eq!(requests[1].model.real_pico_usd, None);
    }
}
