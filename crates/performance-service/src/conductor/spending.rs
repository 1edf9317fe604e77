//! What a run spends while it goes on, and when that is enough.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use load_analysis::spend::Spend;
use performance_store::{Run, RunAddress};
use tokio::time::{Instant, MissedTickBehavior};

use super::collector::Collector;
use super::execution::lock;
use super::{Shared, pause};
use crate::ledger::{BilledTarget, Ledger, LedgerError};
use crate::money_limits::{RunBudget, UnknownSpend};

/// How often the ledger is asked: what is spent in between, and while k6 stops, is the overshoot.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a ledger may be silent, as it is while its service starts anew.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often the ledger is asked at the end, until it says the same twice: calls that k6 left are
/// cancelled and booked within a second.
const LAST_ASKS: u32 = 6;

/// Silent answers at the end after which what is known is all.
const LAST_SILENCES: u32 = 2;

/// Between two of them.
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// Whose ledger is asked, and what the run may spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Billing {
    pub(super) target: BilledTarget,
    pub(super) budget: RunBudget,
}

/// Why a run is to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exhausted {
    /// It has spent what it may.
    Cap,
    /// Nobody can tell what it spends.
    Unknown(String),
}

/// One run's money.
pub(super) struct Spending<'a> {
    ledger: &'a dyn Ledger,
    billing: Billing,
    run: RunAddress,
    /// Whether the ledger has told anything, so that there is one.
    has_told: AtomicBool,
    /// What the load script has counted.
    samples: Box<dyn Fn() -> Spend + Send + Sync + 'a>,
    /// What is known so far, for those who look at the run.
    known: &'a Mutex<Option<(RunAddress, Spend)>>,
}

impl<'a> Spending<'a> {
    /// The money of a run whose samples are collected here.
    pub(super) fn of_run(
        shared: &'a Shared,
        run: &Run,
        billing: Billing,
        collector: &Arc<Mutex<Collector>>,
    ) -> Self {
        let collector = Arc::clone(collector);
        let counted =
            move || Spend::of_samples(|metric| lock(&collector).aggregator.counted(metric));
        Self {
            ledger: shared.ledger.as_ref(),
            billing,
            run: run.address(),
            has_told: AtomicBool::new(false),
            samples: Box::new(counted),
            known: &shared.spending,
        }
    }

    /// Resolves when the run is to stop for its money.
    pub(super) async fn exhausted(&self) -> Exhausted {
        let mut asks = tokio::time::interval(ASK_INTERVAL);
        asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let budget = self.billing.budget;
        let mut is_kept = true;
        let mut answered = Instant::now();
        let mut before = Spend::default();
        loop {
            asks.tick().await;
            let answer = if is_kept {
                self.ask().await
            } else {
                Err(LedgerError::Absent)
            };
            is_kept &= answer != Err(LedgerError::Absent);
            let (told, silence) = match answer {
                Ok(spend) => (spend, None),
                Err(LedgerError::Absent) => ((self.samples)(), None),
                Err(silence) => ((self.samples)(), Some(silence)),
            };
            // What is spent is not given back.
            before = larger(told, before);
            self.note(&before);
            if before.reached(budget.cap).is_some() {
                return Exhausted::Cap;
            }
            let must_know = budget.asked || !before.real.cost.is_zero();
            match silence {
                None => answered = Instant::now(),
                Some(silence)
                    if must_know
                        && budget.unknown == UnknownSpend::Stop
                        && answered.elapsed() >= PATIENCE =>
                {
                    return Exhausted::Unknown(silence.to_string());
                }
                Some(_) => {}
            }
        }
    }

    /// What the run cost when its load is over, with the cap that it reached; `None` when no model
    /// was called.
    pub(super) async fn settled(&self, stopped_for: Option<&Exhausted>) -> Option<Spend> {
        let mut spend = self.last_word().await;
        spend.reached = spend.reached(self.billing.budget.cap);
        if let Some(reached) = &mut spend.reached {
            reached.stopped = stopped_for == Some(&Exhausted::Cap);
        }
        (!spend.is_nothing()).then_some(spend)
    }

    async fn last_word(&self) -> Spend {
        let mut before: Option<Spend> = None;
        let mut silences = 0;
        for _ in 0..LAST_ASKS {
            match self.ask().await {
                Ok(spend) if spend.is_nothing() || before.as_ref() == Some(&spend) => return spend,
                Ok(spend) => before = Some(spend),
                Err(LedgerError::Absent) => break,
                Err(silence) => {
                    tracing::warn!(test.id = %self.run.id, "{silence}");
                    silences += 1;
                    if silences == LAST_SILENCES {
                        break;
                    }
                }
            }
            pause(LAST_PAUSE).await;
        }
        before.unwrap_or_else(|| larger(self.latest(), (self.samples)()))
    }

    /// Asks the ledger. One that has told is not absent afterwards: while its service is
    /// replaced, a proxy before it answers in its own way.
    async fn ask(&self) -> Result<Spend, LedgerError> {
        let id = self.run.id.to_string();
        let answer = self.ledger.spend(&self.billing.target, &id).await;
        match answer {
            Ok(_) => self.has_told.store(true, Ordering::Relaxed),
            Err(LedgerError::Absent) if self.has_told.load(Ordering::Relaxed) => {
                let reason = "something else answers in its place";
                return Err(LedgerError::Silent(reason.to_owned()));
            }
            Err(_) => {}
        }
        answer
    }

    fn note(&self, spend: &Spend) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((self.run.clone(), spend.clone()));
    }

    /// What was known last.
    fn latest(&self) -> Spend {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let own = known.as_ref().filter(|(run, _)| *run == self.run);
        own.map(|(_, spend)| spend.clone()).unwrap_or_default()
    }
}

/// Both are less than what was spent, so the larger one is nearer.
fn larger(one: Spend, other: Spend) -> Spend {
    let cost = |spend: &Spend| (spend.real.cost, spend.simulated.cost);
    if cost(&other) > cost(&one) {
        other
    } else {
        one
    }
}

impl Exhausted {
    /// The reason of the stop as a sentence without its full stop.
    pub(super) fn sentence(&self, spend: Option<&Spend>) -> String {
        let reached = spend.and_then(|spend| spend.reached);
        match (self, reached) {
            (Self::Cap, Some(reached)) => format!("stopped by its budget: {}", reached.sentence()),
            (Self::Cap, None) => "stopped by its budget".to_owned(),
            (Self::Unknown(silence), _) => {
                format!("stopped by its budget: nobody can tell what it spends, {silence}")
            }
        }
    }
}

/// What must be known of a run that ended by itself beyond its cap.
pub(super) fn remark(spend: Option<&Spend>) -> Option<String> {
    let reached = spend?.reached.filter(|reached| !reached.stopped)?;
    let sentence = reached.sentence();
    Some(format!(
        "The run ended before its budget stopped it: {sentence}."
    ))
}

impl Shared {
    /// What a run cost that nobody watches any more. Its script and limits may be gone since, but
    /// not the target that it was paid through.
    pub(super) async fn spend_of(&self, run: &Run) -> Option<Spend> {
        let Some(target) = self.planner.billed(&run.environment) else {
            tracing::error!(test.id = %run.id, "what the run cost is unknown: {} is not listed any more", run.environment);
            return None;
        };
        let spending = Spending {
            ledger: self.ledger.as_ref(),
            billing: Billing {
                target,
                budget: RunBudget::none(),
            },
            run: run.address(),
            has_told: AtomicBool::new(false),
            samples: Box::new(Spend::default),
            known: &self.spending,
        };
        spending.settled(None).await
    }

    /// What is known of the money of a run under way.
    pub(super) fn known_spend(&self, run: &RunAddress) -> Option<Spend> {
        let known = self.spending.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, spend) = known.as_ref()?;
        (of == run && !spend.is_nothing()).then(|| spend.clone())
    }
}

#[cfg(test)]
mod tests;
