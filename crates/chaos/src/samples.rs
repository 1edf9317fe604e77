//! What probes got, and figures over parts of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Answers kept of one experiment: an hour of all probes is half of it.
const MAX_SAMPLES: usize = 500_000;

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A whole reply with this status.
    Status(u16),
    /// A stream that ended by telling of its failure.
    StreamError,
    /// No connection came about, so that nobody had the request.
    Unreached,
    /// No reply in time, or one that broke off.
    Nothing,
}

/// One request of a probe.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Which probe.
    pub(crate) probe: &'static str,
    /// When it was sent, in seconds from the first second of load.
    pub(crate) at: f64,
    /// Until the answer was there, or given up, in milliseconds.
    pub(crate) took_ms: f64,
    /// What came.
    pub(crate) answer: Answer,
    /// Whether that is what users want.
    pub(crate) right: bool,
}

impl Sample {
    /// When it ended, in seconds from the first second of load.
    pub(crate) fn ended(&self) -> f64 {
        self.at + self.took_ms / 1_000.0
    }
}

/// Where all probes put what they got.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    origin: Instant,
    kept: Arc<Mutex<Vec<Sample>>>,
}

impl Samples {
    /// An empty place whose time begins now.
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            kept: Arc::default(),
        }
    }

    /// Seconds since the begin.
    pub(crate) fn now(&self) -> f64 {
        self.origin.elapsed().as_secs_f64()
    }

    /// The moment so many seconds after the begin.
    pub(crate) fn moment(&self, seconds: f64) -> tokio::time::Instant {
        let after = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        (self.origin + after).into()
    }

    /// Keeps one.
    pub(crate) fn add(&self, sample: Sample) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_SAMPLES {
            kept.push(sample);
        }
    }

    /// All of them so far.
    pub(crate) fn all(&self) -> Vec<Sample> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }
}

/// A request under way; one that is given up is a wrong answer that took until then.
pub(crate) struct Asked {
    samples: Samples,
    probe: &'static str,
    at: f64,
    began: Instant,
    ended: Option<(Answer, bool)>,
}

impl Asked {
    /// From now on.
    pub(crate) fn new(samples: &Samples, probe: &'static str) -> Self {
        Self {
            samples: samples.clone(),
            probe,
            at: samples.now(),
            began: Instant::now(),
            ended: None,
        }
    }

    /// What came, now.
    pub(crate) fn end(mut self, answer: Answer, right: bool) {
        self.ended = Some((answer, right));
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let (answer, right) = self.ended.unwrap_or((Answer::Nothing, false));
        self.samples.add(Sample {
            probe: self.probe,
            at: self.at,
            took_ms: self.began.elapsed().as_secs_f64() * 1_000.0,
            answer,
            right,
        });
    }
}

/// Figures over some answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// How many requests.
    pub(crate) requests: usize,
    /// Of them with a status from 200 to 299, and so on.
    pub(crate) status_2xx: usize,
    /// See above; a 404 of who asks for what is not there is right.
    pub(crate) status_4xx: usize,
    /// See above.
    pub(crate) status_5xx: usize,
    /// Streams that told of their failure.
    pub(crate) stream_errors: usize,
    /// Requests that nobody had.
    pub(crate) unreached: usize,
    /// No answer.
    pub(crate) nothing: usize,
    /// The share of right answers; absent without requests.
    pub(crate) right: Option<f64>,
    /// Half of the answers took at most so many milliseconds.
    pub(crate) p50_ms: Option<f64>,
    /// 95 of 100 answers took at most so many milliseconds.
    pub(crate) p95_ms: Option<f64>,
    /// The longest, in milliseconds.
    pub(crate) max_ms: Option<f64>,
}

impl Figures {
    /// Figures over these.
    pub(crate) fn of<'a>(samples: impl Iterator<Item = &'a Sample>) -> Self {
        let samples: Vec<&Sample> = samples.collect();
        let class = |first: u16| {
            let of_class =
                |one: &&&Sample| matches!(one.answer, Answer::Status(code) if code / 100 == first);
            samples.iter().filter(of_class).count()
        };
        let count = |answer: Answer| samples.iter().filter(|one| one.answer == answer).count();
        let right = samples.iter().filter(|one| one.right).count();
        let mut times: Vec<f64> = samples.iter().map(|one| one.took_ms).collect();
        times.sort_by(f64::total_cmp);
        Self {
            requests: samples.len(),
            status_2xx: class(2),
            status_4xx: class(4),
            status_5xx: class(5),
            stream_errors: count(Answer::StreamError),
            unreached: count(Answer::Unreached),
            nothing: count(Answer::Nothing),
            right: share(right, samples.len()),
            p50_ms: quantile(&times, 50),
            p95_ms: quantile(&times, 95),
            max_ms: times.last().copied(),
        }
    }
}

/// A share of some; `None` of none.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// The smallest value that so many of a hundred do not exceed (nearest rank).
fn quantile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(took_ms: f64, answer: Answer, right: bool) -> Sample {
        Sample {
            probe: "list",
            at: 0.0,
            took_ms,
            answer,
            right,
        }
    }

    #[test]
    fn classes_are_counted_apart_and_percentiles_are_of_all() {
        let mut samples: Vec<Sample> = (1..=18)
            .map(|n| sample(f64::from(n), Answer::Status(200), true))
            .collect();
        samples.push(sample(19.0, Answer::Status(503), false));
        samples.push(sample(900.0, Answer::Nothing, false));
        let figures = Figures::of(samples.iter());
        let counts = (figures.status_2xx, figures.status_5xx, figures.nothing);
        assert_eq!(counts, (18, 1, 1));
        assert_eq!(figures.right, Some(0.9));
        assert_eq!(figures.p50_ms, Some(10.0));
        assert_eq!(figures.p95_ms, Some(19.0));
        assert_eq!(figures.max_ms, Some(900.0));
        assert_eq!(Figures::of([].iter()).right, None);
    }
}
