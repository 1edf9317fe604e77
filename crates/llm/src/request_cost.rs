//! What a request costs in the end, whoever was asked how often.

use std::sync::{Arc, Mutex, PoisonError};

use instrumentation::catalogue::GEN_AI_REQUEST_COST;
use metrics::Histogram;
use money::PicoUsd;

use crate::measured::as_label;

/// The sum of a request's priced attempts: retries, other providers, one more try after an answer
/// that could not be used. It is counted when the last one who works on the request lets go of it,
/// however that came.
#[derive(Debug, Clone, Default)]
pub struct RequestCost(Arc<Sums>);

/// By whether the money is simulated, which is never added to real money.
#[derive(Debug, Default)]
struct Sums(Mutex<[Option<Sum>; 2]>);

#[derive(Debug, Clone, Copy)]
struct Sum {
    /// Who was paid last.
    provider: &'static str,
    total: PicoUsd,
}

impl RequestCost {
    pub(crate) fn add(&self, provider: &'static str, simulated: bool, cost: PicoUsd) {
        let Sums(sums) = &*self.0;
        let sum = &mut sums.lock().unwrap_or_else(PoisonError::into_inner)[usize::from(simulated)];
        let before = sum.map_or(PicoUsd::ZERO, |sum| sum.total);
        *sum = Some(Sum {
            provider,
            total: before.checked_add(cost).unwrap_or(before),
        });
    }

    /// Where such sums are counted.
    pub(crate) fn histogram(provider: &'static str, simulated: bool) -> Histogram {
        GEN_AI_REQUEST_COST.histogram(&[
            ("gen_ai.provider.name", provider),
            ("simulated", as_label(simulated)),
        ])
    }
}

impl PartialEq for RequestCost {
    /// Whether they are of the same request.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for RequestCost {}

impl Drop for Sums {
    fn drop(&mut self) {
        let Self(sums) = self;
        let sums = *sums.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (sum, simulated) in sums.into_iter().zip([false, true]) {
            if let Some(Sum { provider, total }) = sum {
                let histogram = RequestCost::histogram(provider, simulated);
                histogram.record(total.approximate_usd());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn attempts_are_summed_and_kinds_of_money_are_apart() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let text = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let (cost, dollar) = (RequestCost::default(), PicoUsd::new(1_000_000_000_000));
            cost.add("openai", false, dollar);
            let attempt = cost.clone();
            attempt.add("anthropic", false, dollar);
            attempt.add("ollama", true, dollar);
            drop(cost);
            assert!(!text.render().contains("request_cost"), "it is not over");
            drop(attempt);
            drop(RequestCost::default());
        });
        let text = text.render();
        for (labels, dollars) in [
            ("gen_ai_provider_name=\"anthropic\",simulated=\"false\"", 2),
            ("gen_ai_provider_name=\"ollama\",simulated=\"true\"", 1),
        ] {
            for (suffix, value) in [("sum", dollars), ("count", 1)] {
                let line =
                    format!("bookstore_gen_ai_request_cost_usd_{suffix}{{{labels}}} {value}\n");
                assert!(text.contains(&line), "{line}{text}");
            }
        }
        assert!(!text.contains("openai"), "{text}");
    }
}
