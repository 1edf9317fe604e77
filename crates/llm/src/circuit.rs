//! The state machine of one circuit. Time comes from outside, and nothing is locked here.

mod circuits;
mod window;

use std::time::Duration;

use tokio::time::Instant;

use window::Window;

pub use circuits::Circuits;
pub(crate) use circuits::Permit;

/// Fewest calls in the window that say anything about a share of faults.
const MIN_CALLS: u32 = 20;

/// When another call finds the probe under way: a probe's end cannot be foreseen.
const PROBE_RETRY: Duration = Duration::from_secs(1);

/// When a provider is no longer asked.
///
/// A circuit also opens when half of at least 20 calls in ten seconds failed by the provider's
/// fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitPolicy {
    /// Provider faults in a row that open a circuit; 0 turns the breaker off.
    pub faults: u32,
    /// How long a circuit stays open at first; the time doubles each time that the probe fails.
    pub open: Duration,
    /// The longest time that a circuit stays open, unless `open` is longer.
    pub max_open: Duration,
    /// A call that ran out of its caller's time counts as a fault only if it had this long: an
    /// earlier attempt may have used up the rest.
    pub fair_chance: Duration,
}

impl Default for CircuitPolicy {
    fn default() -> Self {
        Self {
            faults: 5,
            open: Duration::from_secs(1),
            max_open: Duration::from_secs(30),
            fair_chance: Duration::from_secs(10),
        }
    }
}

/// The state of a circuit, the better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CircuitState {
    /// Calls pass.
    Closed,
    /// One call passes, to try.
    HalfOpen,
    /// No call passes.
    Open,
}

impl CircuitState {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }

    /// The value of the gauge.
    const fn gauge(self) -> f64 {
        match self {
            Self::Closed => 0.0,
            Self::HalfOpen => 1.0,
            Self::Open => 2.0,
        }
    }
}

/// What a call says about its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It answers; a refusal is an answer too.
    Answers,
    /// It failed.
    Fault,
    /// Nothing: the caller left, or the provider was not asked.
    Nothing,
}

/// One circuit: that of a provider's model.
struct Circuit {
    policy: CircuitPolicy,
    phase: Phase,
    /// Counts the changes of phase, so that a call from an earlier phase says nothing any more.
    era: u64,
    in_a_row: u32,
    window: Window,
    /// How often it has opened since it was last closed.
    times_opened: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Instant },
    Probing,
}

/// That a call may pass: the era in which it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pass(u64);

impl Circuit {
    fn new(policy: CircuitPolicy, now: Instant) -> Self {
        Self {
            policy,
            phase: Phase::Closed,
            era: 0,
            in_a_row: 0,
            window: Window::new(now),
            times_opened: 0,
        }
    }

    fn state(&self, now: Instant) -> CircuitState {
        match self.phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open { until } if now < until => CircuitState::Open,
            Phase::Open { .. } | Phase::Probing => CircuitState::HalfOpen,
        }
    }

    /// Lets a call pass, or says when to ask again.
    fn admit(&mut self, now: Instant) -> Result<Pass, Duration> {
        match self.phase {
            Phase::Closed => {}
            Phase::Open { until } if now < until => return Err(until - now),
            Phase::Open { .. } => self.turn(Phase::Probing),
            Phase::Probing => return Err(PROBE_RETRY),
        }
        Ok(Pass(self.era))
    }

    /// Takes note of how a call ended.
    fn settle(&mut self, pass: Pass, verdict: Verdict, now: Instant) {
        if pass.0 != self.era {
            return;
        }
        match (self.phase, verdict) {
            (Phase::Closed, Verdict::Answers | Verdict::Fault) => {
                self.count(verdict == Verdict::Fault, now);
            }
            (Phase::Probing, Verdict::Answers) => {
                self.in_a_row = 0;
                self.times_opened = 0;
                self.window = Window::new(now);
                self.turn(Phase::Closed);
            }
            (Phase::Probing, Verdict::Fault) => self.open(now),
            // The next call is the probe.
            (Phase::Probing, Verdict::Nothing) => self.turn(Phase::Open { until: now }),
            (Phase::Closed, Verdict::Nothing) | (Phase::Open { .. }, _) => {}
        }
    }

    /// When an open one is half open.
    fn opens_until(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open { until } => Some(until),
            Phase::Closed | Phase::Probing => None,
        }
    }

    /// Whether forgetting it would lose nothing.
    fn is_idle(&self, now: Instant) -> bool {
        self.phase == Phase::Closed && self.window.count(now).0 == 0
    }

    fn count(&mut self, is_fault: bool, now: Instant) {
        self.window.add(now, is_fault);
        self.in_a_row = if is_fault {
            self.in_a_row.saturating_add(1)
        } else {
            0
        };
        let (calls, faults) = self.window.count(now);
        let half = calls >= MIN_CALLS && faults.saturating_mul(2) >= calls;
        if self.policy.faults > 0 && (self.in_a_row >= self.policy.faults || half) {
            self.open(now);
        }
    }

    fn open(&mut self, now: Instant) {
        let doubled = 2_u32.saturating_pow(self.times_opened);
        let time = self.policy.open.saturating_mul(doubled);
        self.times_opened = self.times_opened.saturating_add(1);
        let until = now + time.min(self.policy.max_open.max(self.policy.open));
        self.turn(Phase::Open { until });
    }

    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.era += 1;
    }
}

#[cfg(test)]
mod tests;
