//! Faults that somebody caused while a run was on, as who caused them told: events of the run,
//! which pictures and reports show as bands over what was measured meanwhile.

use std::ops::Range;

use jiff::Timestamp;
use performance_store::{Event, NewEvent, RunAddress, RunStore, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::announcer::{self, kind};

/// Of one run: fifty kills, each with its begin and its end, and as many again.
pub(crate) const MAX_FAULT_EVENTS: u64 = 200;

/// What an event says of its fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FaultMoment {
    /// It is on from now.
    Begin,
    /// It is over.
    End,
    /// It took no time, such as the loss of a cache's contents.
    Instant,
}

/// An event as it is stored and streamed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FaultEvent {
    /// The run's id.
    pub(crate) test_id: String,
    /// What the event says.
    pub(crate) moment: FaultMoment,
    /// What the fault is called; its begin and its end have the same name.
    pub(crate) name: String,
    /// More about it; may be empty.
    pub(crate) detail: String,
    /// When the service was told.
    pub(crate) at: String,
}

/// A fault with its begin and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fault {
    /// What it is called.
    pub(crate) name: String,
    /// More about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    /// When it began.
    pub(crate) began_at: String,
    /// When it ended; absent while it is on, and where nobody told its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
}

impl Fault {
    /// Its seconds of a run whose first second is `origin` (Unix time) and which has so many; at
    /// least one. `None` when it was over before, or its times cannot be read.
    pub(crate) fn seconds(&self, origin: i64, seconds: u32) -> Option<Range<u32>> {
        let second = |at: &String| {
            let at: Timestamp = at.parse().ok()?;
            Some(at.as_millisecond().div_euclid(1_000) - origin)
        };
        let last = match &self.ended_at {
            Some(ended) => second(ended)?,
            None => i64::from(seconds),
        };
        let begin = second(&self.began_at)?.max(0);
        let end = last.max(begin + 1);
        if last < 0 {
            return None;
        }
        Some(u32::try_from(begin).ok()?..u32::try_from(end).ok()?)
    }
}

/// The event for the store.
pub(crate) fn event(told: &FaultEvent) -> NewEvent {
    announcer::event(kind::FAULT, told)
}

/// The faults of a run in the order in which they began.
pub(crate) async fn of_run(store: &RunStore, run: &RunAddress) -> Result<Vec<Fault>, StoreError> {
    Ok(paired(&store.events_named(run, kind::FAULT).await?))
}

/// Gives each end to the last open begin of its name; an end without one is dropped.
fn paired(events: &[Event]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let told = events.iter().filter_map(|event| {
        serde_json::from_str::<FaultEvent>(&event.data)
            .inspect_err(|error| tracing::error!("a stored fault cannot be read: {error}"))
            .ok()
    });
    for event in told {
        let open = |fault: &&mut Fault| fault.name == event.name && fault.ended_at.is_none();
        match event.moment {
            FaultMoment::End => {
                if let Some(begun) = faults.iter_mut().rev().find(open) {
                    begun.ended_at = Some(event.at);
                }
            }
            FaultMoment::Begin | FaultMoment::Instant => faults.push(Fault {
                ended_at: (event.moment == FaultMoment::Instant).then(|| event.at.clone()),
                name: event.name,
                detail: event.detail,
                began_at: event.at,
            }),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(moment: FaultMoment, name: &str, second: i64) -> Event {
        let event = FaultEvent {
            test_id: String::new(),
            moment,
            name: name.to_owned(),
            detail: String::new(),
            at: Timestamp::from_second(second).expect("a time").to_string(),
        };
        Event {
            id: 1,
            kind: kind::FAULT.to_owned(),
            data: super::event(&event).data,
        }
    }

    #[test]
    fn ends_belong_to_the_last_open_begin_of_their_name() {
        use FaultMoment::{Begin, End, Instant};
        let faults = paired(&[
            told(Begin, "store", 110),
            told(Begin, "cache", 112),
            told(End, "store", 115),
            told(End, "nobody", 116),
            told(Instant, "flush", 117),
            told(Begin, "store", 120),
        ]);
        let seconds: Vec<_> = faults.iter().map(|one| one.seconds(100, 30)).collect();
        assert_eq!(
            seconds,
            [Some(10..15), Some(12..30), Some(17..18), Some(20..30)]
        );
    }

    #[test]
    fn what_was_over_before_the_run_measured_is_not_shown() {
        let faults = paired(&[
            told(FaultMoment::Begin, "early", 90),
            told(FaultMoment::End, "early", 95),
            told(FaultMoment::Begin, "long", 90),
            told(FaultMoment::End, "long", 105),
        ]);
        assert_eq!(faults[0].seconds(100, 30), None);
        assert_eq!(faults[1].seconds(100, 30), Some(0..5));
    }
}
