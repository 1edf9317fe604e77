//! The circuits of one provider, one for each model.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use instrumentation::catalogue;
use metrics::{Counter, Gauge};
use tokio::time::{Instant, sleep_until};

use super::{Circuit, CircuitPolicy, CircuitState, Pass, Phase, Verdict};
use crate::{LlmError, ProviderName, Stage};

/// Models with a circuit of their own. Models are named in requests, so the rest shares one.
const MAX_MODELS: usize = 64;

/// The circuit of the models beyond those. No model has this name, which no request can give.
const OTHERS: &str = "(others)";

/// How long after its time an open circuit is kept that no call has tried since: nobody asks for
/// the model any more, and its provider would show as half open for good.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

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
    /// Whether it is the one that tries a provider that failed.
    is_probe: bool,
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
        let is_probe = circuit.phase == Phase::Probing;
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
            is_probe,
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
            self.show_again_at(until, Arc::clone(model), circuit.era);
        }
        self.show(by_model, model, (after != before).then_some(after));
    }

    /// The pass of a call that goes on after it has closed the circuit.
    fn next_pass(&self, model: &Arc<str>) -> Option<Pass> {
        let by_model = self.lock();
        let circuit = by_model.get(model)?;
        (circuit.phase == Phase::Closed).then_some(Pass(circuit.era))
    }

    /// Brings the gauge up to date when an open circuit's time is over, since no call may come that
    /// would do it, and forgets the circuit when none has come for long. There is one such task for
    /// each opening, of which there is one a second at most.
    fn show_again_at(self: &Arc<Self>, at: Instant, model: Arc<str>, era: u64) {
        let circuits = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep_until(at).await;
            if let Some(circuits) = circuits.upgrade() {
                circuits.show_worst(&circuits.lock());
            }
            sleep_until(at + FORGOTTEN_AFTER).await;
            if let Some(circuits) = circuits.upgrade() {
                circuits.forget(&model, era);
            }
        });
    }

    /// Takes a circuit off the list that nothing has happened to since.
    fn forget(&self, model: &Arc<str>, era: u64) {
        let mut by_model = self.lock();
        if by_model.get(model).is_some_and(|known| known.era == era) {
            by_model.remove(model);
            self.show_worst(&by_model);
        }
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
    /// The answer has text. That is what a probe asks for; how the rest comes counts like the end of
    /// any other call.
    pub(crate) fn note_text(&mut self) {
        if std::mem::take(&mut self.is_probe) {
            self.give_back(Verdict::Answers);
            self.pass = self.circuits.next_pass(&self.model);
        }
    }

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
mod tests;
