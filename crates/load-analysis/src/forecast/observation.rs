//! What one iteration took in a finished run.

use crate::execution::ExecutionPlan;
use crate::number::from_count;
use crate::results::Results;

/// An earlier run, as far as a plan can be scaled by it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Observation {
    /// Iterations that came to their end.
    pub iterations: f64,
    /// How long one took, on average.
    pub iteration_seconds: f64,
    /// Requests of the load.
    pub load_requests: f64,
    /// Requests of setup and teardown.
    pub other_requests: f64,
    /// How long the load lasted.
    pub load_seconds: f64,
    /// Tokens that models read, of the whole run.
    pub input_tokens: f64,
    /// Tokens that models wrote.
    pub output_tokens: f64,
    /// Pico-dollars that somebody paid.
    pub real: f64,
    /// Pico-dollars that simulated calls would have cost.
    pub simulated: f64,
    /// Calls without a price.
    pub unpriced_calls: u64,
    /// The load generator's share of the processors.
    pub generator_cpu: Option<f64>,
}

impl Observation {
    /// What the results of a run tell; `None` for one that had no iteration or no request.
    #[must_use]
    pub fn of(results: &Results) -> Option<Self> {
        let value = |metric: &str, statistic: &str| {
            let metric = results.metrics.get(metric)?;
            metric.values.get(statistic).copied()
        };
        let load_seconds = results.coverage.load_seconds;
        let iterations = value("iterations", "count")?;
        let requests = value("http_reqs", "count")?;
        let load_requests = value("http_reqs", "rate")? * load_seconds;
        let iteration_seconds = value("iteration_duration", "avg")? / 1_000.0;
        let counts = iterations >= 1.0 && requests >= 1.0;
        if !(counts && load_seconds > 0.0 && iteration_seconds > 0.0) {
            return None;
        }
        let spend = results.spent();
        let tokens = |of: fn(&crate::spend::Amount) -> u64| {
            from_count(of(&spend.real).saturating_add(of(&spend.simulated)))
        };
        Some(Self {
            iterations,
            iteration_seconds,
            load_requests,
            other_requests: (requests - load_requests).max(0.0),
            load_seconds,
            input_tokens: tokens(|amount| amount.input_tokens),
            output_tokens: tokens(|amount| amount.output_tokens),
            real: spend.real.cost.approximate_pico(),
            simulated: spend.simulated.cost.approximate_pico(),
            unpriced_calls: spend.unpriced_calls(),
            generator_cpu: results.coverage.generator_cpu,
        })
    }

    /// Requests of the load per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.load_requests / self.load_seconds
    }

    /// Iterations that a plan makes if each takes as long as here.
    pub(super) fn iterations_of(&self, plan: &ExecutionPlan) -> f64 {
        plan.planned_iterations() + plan.user_seconds() / self.iteration_seconds
    }

    /// A quantity of this run for as many iterations as a plan makes.
    pub(super) fn times(&self, quantity: f64, plan: &ExecutionPlan) -> f64 {
        quantity / self.iterations * self.iterations_of(plan)
    }

    pub(super) fn requests_of(&self, plan: &ExecutionPlan) -> f64 {
        self.times(self.load_requests, plan) + self.other_requests
    }

    pub(super) fn mean_rate_of(&self, plan: &ExecutionPlan) -> f64 {
        let seconds = plan.seconds(Some(self.iteration_seconds));
        if seconds > 0.0 {
            self.times(self.load_requests, plan) / seconds
        } else {
            0.0
        }
    }

    pub(super) fn peak_rate_of(&self, plan: &ExecutionPlan) -> f64 {
        let begun = plan
            .moments()
            .map(|moment| moment.arrivals + moment.users / self.iteration_seconds);
        begun.fold(0.0, f64::max) * self.load_requests / self.iterations
    }

    /// The generator works as much for each request as here.
    pub(super) fn cpu_of(&self, plan: &ExecutionPlan) -> f64 {
        let share = self.generator_cpu.unwrap_or(0.0);
        share * self.mean_rate_of(plan) / self.rate()
    }
}
