//! The circuits of one provider, one for each model.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use instrumentation::catalogue;
use metrics::{Counter, Gauge};
use tokio::time::{Instant, sleep_until};

use super::{Circuit, CircuitPolicy, CircuitState, Pass, Verdict};
use crate::{LlmError, ProviderName, Stage};

/// Models with a circuit of their own. Models are named in requests, so the rest shares one.
const MAX_MODELS: usize = 64;

/// The circuit of the models beyond those. No model has this name, which no request can give.
const OTHERS: &str = "(others)";

/// The circuits of one provider.
pub struct Circuits {
    provider: ProviderName,
    policy: CircuitPolicy,
    by_model: Mutex<HashMap<Arc<str>, Circuit>>,
    worst: Gauge,
    refusals: Counter,
}

/// That a call may be sent. Dropped unsettled, its caller left, which says nothing.
pub(crate) struct Permit {
    circuits: Arc<Circuits>,
    model: Arc<str>,
    pass: Option<Pass>,
    /// How much time the call had; `None` without a deadline.
    time: Option<Duration>,
}

impl Circuits {
    pub(crate) fn new(provider: ProviderName, policy: CircuitPolicy) -> Self {
        let labels = [("gen_ai.provider.name", provider.telemetry_name())];
        let worst = catalogue::GEN_AI_CIRCUIT_STATE.gauge(&labels);
        worst.set(CircuitState::Closed.gauge());
        Self {
            provider,
            policy,
            by_model: Mutex::default(),
            worst,
            refusals: catalogue::GEN_AI_REFUSALS.counter(&[
                ("gen_ai.provider.name", provider.telemetry_name()),
                ("reason", "circuit_open"),
            ]),
        }
    }

    /// The state of the provider's worst circuit.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        worst(&self.lock(), Instant::now())
    }

    /// Lets a call to the model pass.
    ///
    /// # Errors
    /// [`LlmError::CircuitOpen`].
    pub(crate) fn admit(
        self: &Arc<Self>,
        model: &str,
        deadline: Option<Instant>,
    ) -> Result<Permit, LlmError> {
        let mut by_model = self.lock();
        let now = Instant::now();
        let model = name_of(model, &mut by_model, now);
        let circuit = by_model
            .entry(Arc::clone(&model))
            .or_insert_with(|| Circuit::new(self.policy, now));
        let before = circuit.era;
        let admitted = circuit.admit(now);
        let state = (circuit.era != before).then(|| circuit.state(now));
        self.show(by_model, &model, state);
        let pass = admitted.map_err(|retry_after| {
            self.refusals.increment(1);
            LlmError::CircuitOpen { retry_after }
        })?;
        Ok(Permit {
            circuits: Arc::clone(self),
            model,
            pass: Some(pass),
            time: deadline.map(|deadline| deadline.saturating_duration_since(now)),
        })
    }

    fn settle(self: &Arc<Self>, model: &Arc<str>, pass: Pass, verdict: Verdict) {
        let mut by_model = self.lock();
        let now = Instant::now();
        let Some(circuit) = by_model.get_mut(model) else {
            return;
        };
        let before = circuit.state(now);
        circuit.settle(pass, verdict, now);
        let after = circuit.state(now);
        if before != CircuitState::Open
            && after == CircuitState::Open
            && let Some(until) = circuit.opens_until()
        {
            self.show_again_at(until);
        }
        self.show(by_model, model, (after != before).then_some(after));
    }

    /// Brings the gauge up to date when an open circuit's time is over, since no call may come that
    /// would do it. There is one such task for each opening, as long as the circuit is open.
    fn show_again_at(self: &Arc<Self>, at: Instant) {
        let circuits = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep_until(at).await;
            if let Some(circuits) = circuits.upgrade() {
                circuits.show_worst(&circuits.lock());
            }
        });
    }

    /// Sets the gauge; with the circuits locked, so that its last value is that of the last change.
    fn show_worst(&self, by_model: &HashMap<Arc<str>, Circuit>) {
        self.worst.set(worst(by_model, Instant::now()).gauge());
    }

    /// Shows a change in the gauge, the log and the current span.
    fn show(
        &self,
        by_model: MutexGuard<'_, HashMap<Arc<str>, Circuit>>,
        model: &str,
        changed_to: Option<CircuitState>,
    ) {
        let Some(state) = changed_to else { return };
        self.show_worst(&by_model);
        drop(by_model);
        let provider = self.provider.telemetry_name();
        instrumentation::span_event(
            "bookstore.gen_ai.circuit.change",
            &[
                ("gen_ai.provider.name", provider),
                ("gen_ai.request.model", model),
                ("bookstore.gen_ai.circuit.state", state.as_str()),
            ],
        );
        if state == CircuitState::Open {
            tracing::warn!(provider, model, "the circuit opens: the provider fails");
        } else {
            tracing::info!(
                provider,
                model,
                state = state.as_str(),
                "the circuit changes"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Circuit>> {
        self.by_model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Takes note of how the call ended: with an answer or with this error.
    pub(crate) fn settle(mut self, error: Option<&LlmError>) {
        let fair = self
            .time
            .is_none_or(|time| time >= self.circuits.policy.fair_chance);
        let verdict = match error {
            None | Some(LlmError::Rejected { .. } | LlmError::RateLimited { .. }) => {
                Verdict::Answers
            }
            Some(LlmError::Timeout(Stage::Total)) if !fair => Verdict::Nothing,
            Some(error) if error.is_provider_fault() => Verdict::Fault,
            Some(_) => Verdict::Nothing,
        };
        self.give_back(verdict);
    }

    fn give_back(&mut self, verdict: Verdict) {
        if let Some(pass) = self.pass.take() {
            self.circuits.settle(&self.model, pass, verdict);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(Verdict::Nothing);
    }
}

/// The name under which a model has its circuit; makes room if there is none left.
fn name_of(model: &str, by_model: &mut HashMap<Arc<str>, Circuit>, now: Instant) -> Arc<str> {
    if let Some((known, _)) = by_model.get_key_value(model) {
        return Arc::clone(known);
    }
    if by_model.len() >= MAX_MODELS {
        by_model.retain(|_, circuit| !circuit.is_idle(now));
    }
    let has_room = by_model.len() < MAX_MODELS;
    let name = if has_room { model } else { OTHERS };
    name.into()
}

fn worst(by_model: &HashMap<Arc<str>, Circuit>, now: Instant) -> CircuitState {
    by_model
        .values()
        .map(|circuit| circuit.state(now))
        .max()
        .unwrap_or(CircuitState::Closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> LlmError {
        LlmError::Timeout(Stage::FirstByte)
    }

    #[tokio::test(start_paused = true)]
    async fn models_have_circuits_of_their_own_and_the_worst_is_shown() {
        let circuits = Circuits::new(ProviderName::Claude, CircuitPolicy::default());
        let circuits = Arc::new(circuits);
        for _ in 0..5 {
            let permit = circuits.admit("bad", None).expect("closed");
            permit.settle(Some(&fault()));
        }
        assert!(circuits.admit("bad", None).is_err());
        assert!(circuits.admit("good", None).is_ok());
        assert_eq!(circuits.state(), CircuitState::Open);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(circuits.state(), CircuitState::HalfOpen);
    }

    #[tokio::test(start_paused = true)]
    async fn models_beyond_the_bound_share_a_circuit_until_others_are_idle() {
        let circuits = Circuits::new(ProviderName::Claude, CircuitPolicy::default());
        let circuits = Arc::new(circuits);
        let answer = |model: &str| circuits.admit(model, None).expect("closed").settle(None);
        for number in 0..3 * MAX_MODELS {
            answer(&number.to_string());
        }
        assert_eq!(circuits.lock().len(), MAX_MODELS + 1);
        assert!(circuits.lock().contains_key(OTHERS));
        tokio::time::advance(Duration::from_secs(11)).await;
        answer("new");
        assert_eq!(circuits.lock().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_had_no_time_is_no_fault_of_the_provider() {
        let circuits = Circuits::new(ProviderName::Claude, CircuitPolicy::default());
        let circuits = Arc::new(circuits);
        let run = |time| {
            for _ in 0..5 {
                let deadline = Some(Instant::now() + Duration::from_secs(time));
                let permit = circuits.admit("model", deadline).expect("closed");
                permit.settle(Some(&LlmError::Timeout(Stage::Total)));
            }
            circuits.state()
        };
        assert_eq!(run(9), CircuitState::Closed);
        assert_eq!(run(10), CircuitState::Open);
    }
}
