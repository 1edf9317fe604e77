//! Tells watchers what happened. The store is the truth: an event is stored first, then
//! announced here, and whoever missed an announcement reads it from the store.

use load_analysis::dollars::Dollars;
use load_analysis::spend::Spend;
use performance_store::{Event, NewEvent, Run, RunAddress};
use serde::Serialize;
use serde_json::json;
use tokio::sync::broadcast;

use crate::runs::body::VerdictBody;
use crate::timeline::TimelinePoint;

/// Announcements that a slow watcher may be behind before it has to read the store.
const BACKLOG: usize = 256;

/// The names of events.
pub(crate) mod kind {
    pub(crate) const STARTED: &str = "TestStarted";
    pub(crate) const STATUS: &str = "TestStatusUpdate";
    pub(crate) const SECOND: &str = "second";
    pub(crate) const BACKFILL: &str = "backfill";
    pub(crate) const FAULT: &str = "fault";
    pub(crate) const COMPLETED: &str = "TestCompleted";
    pub(crate) const FAILED: &str = "TestFailed";
    pub(crate) const END: &str = "end";
}

/// One stored event on its way to the watchers.
#[derive(Debug, Clone)]
pub(crate) struct Announcement {
    pub(crate) run: RunAddress,
    pub(crate) event: Event,
}

/// All watchers of this instance.
#[derive(Debug, Clone)]
pub(crate) struct Announcer(broadcast::Sender<Announcement>);

impl Announcer {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// What is announced from now on, of all runs of all tenants.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Announcement> {
        self.0.subscribe()
    }

    pub(crate) fn announce(&self, run: &RunAddress, events: Vec<Event>) {
        for event in events {
            let run = run.clone();
            // Nobody listening is no failure: the events are stored.
            drop(self.0.send(Announcement { run, event }));
        }
    }
}

/// A change of state, told in a sentence.
pub(crate) fn status(run: &RunAddress, status: &str, message: &str) -> NewEvent {
    event(
        kind::STATUS,
        &json!({
            "testId": run.id.to_string(),
            "status": status,
            "message": message,
            "timestamp": now(),
        }),
    )
}

/// Load begins.
pub(crate) fn started(run: &Run) -> NewEvent {
    event(
        kind::STARTED,
        &json!({
            "testId": run.id.to_string(),
            "testName": run.test_name,
            "scenario": run.scenario,
            "timestamp": now(),
        }),
    )
}

/// One second of load, with what the run has cost by then, if it called models.
pub(crate) fn second(run: &RunAddress, point: &TimelinePoint, spend: Option<&Spend>) -> NewEvent {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Second<'a> {
        test_id: String,
        #[serde(flatten)]
        point: &'a TimelinePoint,
        #[serde(skip_serializing_if = "Option::is_none")]
        cost: Option<CostSoFar>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct CostSoFar {
        text: String,
        real: Dollars,
        simulated: Dollars,
    }
    let cost = spend.map(|spend| CostSoFar {
        text: spend.in_words(),
        real: spend.real.cost,
        simulated: spend.simulated.cost,
    });
    let second = Second {
        test_id: run.id.to_string(),
        point,
        cost,
    };
    event(kind::SECOND, &second)
}

/// The load generator came to its own end.
pub(crate) fn completed(run: &RunAddress, verdict: &VerdictBody) -> NewEvent {
    event(
        kind::COMPLETED,
        &json!({
            "testId": run.id.to_string(),
            "status": "Completed",
            "verdict": verdict,
            "timestamp": now(),
        }),
    )
}

/// The run failed.
pub(crate) fn failed(run: &RunAddress, message: &str) -> NewEvent {
    event(
        kind::FAILED,
        &json!({
            "testId": run.id.to_string(),
            "status": "Failed",
            "errorMessage": message,
            "timestamp": now(),
        }),
    )
}

/// Nothing comes after this.
pub(crate) fn end(run: &RunAddress, status: &str) -> NewEvent {
    let data = json!({"testId": run.id.to_string(), "status": status});
    event(kind::END, &data)
}

/// An event of this name.
pub(crate) fn event(kind: &'static str, data: &impl Serialize) -> NewEvent {
    // Plain values of ours always serialise; an empty object would still keep the order.
    let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    NewEvent { kind, data }
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}
