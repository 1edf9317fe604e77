//! What a watcher missed: the same events, with the seconds among them put together.

use performance_store::{Event, RunAddress, RunStore, StoreError};
use serde_json::json;
use serde_json::value::RawValue;

use crate::announcer::kind;
use crate::timeline;

/// Beyond this many missed seconds they come in steps of [`LONG_STEP`]: a browser that was
/// away for an hour gets 360 points, not 3,600.
const MAX_SECONDS: usize = 600;

/// Seconds of one step of a long backlog.
const LONG_STEP: u32 = 10;

/// Puts neighbouring seconds into one `backfill` that has the last one's id. A second that
/// stands alone stays what it is.
pub(super) async fn compact(
    store: &RunStore,
    run: &RunAddress,
    events: Vec<Event>,
) -> Result<Vec<Event>, StoreError> {
    let mut compacted = Vec::new();
    let mut seconds: Vec<Event> = Vec::new();
    for event in events {
        if event.kind == kind::SECOND {
            seconds.push(event);
            continue;
        }
        compacted.extend(backfill(store, run, std::mem::take(&mut seconds)).await?);
        compacted.push(event);
    }
    compacted.extend(backfill(store, run, seconds).await?);
    Ok(compacted)
}

async fn backfill(
    store: &RunStore,
    run: &RunAddress,
    mut seconds: Vec<Event>,
) -> Result<Option<Event>, StoreError> {
    if seconds.len() < 2 {
        return Ok(seconds.pop());
    }
    let Some(last) = seconds.last() else {
        return Ok(None);
    };
    let id = last.id;
    let data = if seconds.len() <= MAX_SECONDS {
        let points: Vec<Box<RawValue>> = seconds
            .into_iter()
            .map(|event| RawValue::from_string(event.data))
            .collect::<Result<_, _>>()
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        serde_json::to_string(&Backfill {
            step_seconds: 1,
            points,
        })
    } else {
        let from = seconds.first().map_or(0, time_of);
        let to = seconds.last().map_or(u32::MAX, time_of);
        let mut points = timeline::of_run(store, run, LONG_STEP, from).await?;
        points.retain(|point| point.t <= to);
        serde_json::to_string(&Backfill {
            step_seconds: LONG_STEP,
            points,
        })
    };
    Ok(Some(Event {
        id,
        kind: kind::BACKFILL.to_owned(),
        data: data.map_err(|error| StoreError::Corrupt(error.to_string()))?,
    }))
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Backfill<P> {
    step_seconds: u32,
    points: Vec<P>,
}

fn time_of(event: &Event) -> u32 {
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap_or_else(|_| json!({}));
    let t = data.get("t").and_then(serde_json::Value::as_u64);
    t.and_then(|t| u32::try_from(t).ok()).unwrap_or(0)
}
