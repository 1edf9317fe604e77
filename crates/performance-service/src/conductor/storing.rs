//! The end of a run, offered to the store until it is taken, and told.

use std::borrow::Cow;
use std::time::Duration;

use performance_store::{NewEvent, Outcome, Run, RunAddress, RunStatus, StoreError};

use super::ending::without_load;
use super::{Shared, pause};
use crate::announcer;
use crate::runs::body::VerdictBody;

/// How long a store that did not take the end of a run is left alone; each time twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait: a disk that was full is noticed to have room again within this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Shared {
    /// Offers the end to the store until it is taken: a store that cannot keep the end of this
    /// run could not begin the next one either. At the shutdown the deadline of the conductor
    /// ends this; the next start of the service marks the run as interrupted then. An end that is
    /// refused for what it holds is stored without its results: no other try would change that.
    pub(super) async fn store_end(&self, run: &Run, outcome: &Outcome) {
        let mut outcome = Cow::Borrowed(outcome);
        let mut wait = FIRST_WAIT;
        while let Err(error) = self.offer_end(run, &outcome).await {
            tracing::error!(test.id = %run.id, "the end is not stored: {error}");
            match error {
                StoreError::Refused(_) if outcome.results.is_some() => {
                    outcome = Cow::Owned(without_results(&outcome, &error));
                }
                StoreError::NotFound | StoreError::Refused(_) | StoreError::Corrupt(_) => return,
                _ => {
                    pause(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// Stores the end and tells it.
    pub(super) async fn offer_end(&self, run: &Run, outcome: &Outcome) -> Result<(), StoreError> {
        let address = run.address();
        // Asked anew, since a step of ours that timed out may have happened all the same.
        let found = self.store.get(&address).await?;
        let events = if found.status.is_final() {
            // So may an end have been. Watchers notice what they miss before its last event.
            let last = self.store.last_event(&address).await?;
            let before = last.saturating_sub(1);
            self.store.events_after(&address, before).await?
        } else {
            let told = told(&address, outcome);
            let outcome = outcome.clone();
            let ended = self.store.finish(&address, found.position(), outcome, told);
            ended.await?.1
        };
        self.announcer.announce(&address, events);
        Ok(())
    }
}

/// The end of a run whose results the store refuses. What it cost is booked all the same.
fn without_results(outcome: &Outcome, refusal: &StoreError) -> Outcome {
    Outcome {
        spend: outcome.spend.clone(),
        ..without_load(
            RunStatus::Failed,
            format!("its results are not kept: {refusal}"),
        )
    }
}

/// The events that end a run.
fn told(run: &RunAddress, outcome: &Outcome) -> Vec<NewEvent> {
    let reason = outcome.error.as_deref().unwrap_or_default();
    let status = outcome.status.as_str();
    let last_but_one = match (&outcome.verdict, outcome.status) {
        (Some(verdict), RunStatus::Completed) => {
            announcer::completed(run, &VerdictBody::from(verdict))
        }
        (_, RunStatus::Failed) => announcer::failed(run, reason),
        _ => announcer::status(run, status, reason),
    };
    vec![last_but_one, announcer::end(run, status)]
}
