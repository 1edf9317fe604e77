//! The metrics of the conductor.

use std::time::Duration;

use instrumentation::catalogue;
use load_analysis::spend::Spend;
use metrics::{Counter, Gauge, Histogram};

/// Handles, made once.
pub(super) struct Measures {
    active: Gauge,
    queue_depth: Gauge,
    queue_wait: Histogram,
    samples: Counter,
    lag: Gauge,
    verdict: Histogram,
    real: Money,
    simulated: Money,
}

/// What concerns one kind of dollars.
struct Money {
    spent: Counter,
    stops: Counter,
}

impl Measures {
    pub(super) fn new() -> Self {
        Self {
            real: Money::of("false"),
            simulated: Money::of("true"),
            active: catalogue::PERFORMANCE_RUNS_ACTIVE.gauge(&[]),
            queue_depth: catalogue::PERFORMANCE_QUEUE_DEPTH.gauge(&[]),
            queue_wait: catalogue::PERFORMANCE_QUEUE_WAIT.histogram(&[]),
            samples: catalogue::PERFORMANCE_INGEST_SAMPLES.counter(&[]),
            lag: catalogue::PERFORMANCE_INGEST_LAG.gauge(&[]),
            verdict: catalogue::PERFORMANCE_VERDICT_DURATION.histogram(&[]),
        }
    }

    pub(super) fn queue_depth(&self, runs: u64) {
        self.queue_depth
            .set(f64::from(u32::try_from(runs).unwrap_or(u32::MAX)));
    }

    pub(super) fn resumed(&self) {
        self.active.set(1.0);
    }

    pub(super) fn taken(&self, waited: Duration) {
        self.active.set(1.0);
        self.queue_wait.record(waited.as_secs_f64());
    }

    pub(super) fn ingested(&self, samples: u64, lag: Option<Duration>) {
        self.samples.increment(samples);
        if let Some(lag) = lag {
            self.lag.set(lag.as_secs_f64());
        }
    }

    /// So long after the end of its load a run had its verdict.
    pub(super) fn judged(&self, took: Duration) {
        self.verdict.record(took.as_secs_f64());
    }

    /// What a run cost that is over.
    pub(super) fn spent(&self, spend: &Spend) {
        for (money, amount) in [(&self.real, spend.real), (&self.simulated, spend.simulated)] {
            let cost = u64::try_from(amount.cost.pico()).unwrap_or(u64::MAX);
            money.spent.increment(cost);
        }
        if let Some(reached) = spend.reached.filter(|reached| reached.stopped) {
            let money = if reached.simulated {
                &self.simulated
            } else {
                &self.real
            };
            money.stops.increment(1);
        }
    }

    /// A run is over; `verdict` is its level in lower case, or how it ended without one.
    pub(super) fn ended(&self, scenario: &str, verdict: &str) {
        self.active.set(0.0);
        self.lag.set(0.0);
        catalogue::PERFORMANCE_RUNS
            .counter(&[("scenario", scenario), ("verdict", verdict)])
            .increment(1);
    }
}

impl Money {
    fn of(simulated: &'static str) -> Self {
        let labels = [("simulated", simulated)];
        Self {
            spent: catalogue::PERFORMANCE_RUN_SPEND.counter(&labels),
            stops: catalogue::PERFORMANCE_BUDGET_STOPS.counter(&labels),
        }
    }
}
