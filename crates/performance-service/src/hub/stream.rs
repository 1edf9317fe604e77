//! The streams themselves. The announcer only wakes them up early: whatever it skipped is
//! read from the store, so that a slow watcher sees no gap and no event twice.

use futures_util::Stream;
use performance_store::{Event, RunAddress};
use tenancy::TenantId;

use tokio::sync::broadcast::error::RecvError;

use super::backlog;
use crate::announcer::kind;
use crate::app::App;

/// An event for a watcher; the id is the one to come back with.
pub(super) struct Told {
    pub(super) id: Option<u64>,
    pub(super) event: Event,
}

/// One run from `after` to its end.
pub(super) fn one_run(
    app: &App,
    run: RunAddress,
    after: u64,
    place: impl Send + 'static,
) -> impl Stream<Item = Told> + Send + 'static {
    // Listen first, then read: what happens in between is seen twice and told once.
    let mut live = app.announcer.subscribe();
    let store = app.store.clone();
    let shutdown = app.shutdown.clone();
    async_stream::stream! {
        let _place = place;
        let mut last = after;
        loop {
            let missed = match store.events_after(&run, last).await {
                Ok(events) => backlog::compact(&store, &run, events).await,
                Err(error) => Err(error),
            };
            let Ok(missed) = missed else {
                // The watcher comes back with the last id and gets the rest then.
                return;
            };
            for event in missed {
                last = event.id;
                let is_end = event.kind == kind::END;
                yield Told { id: Some(last), event };
                if is_end {
                    return;
                }
            }
            // Announced events follow each other; at a gap the store is asked again.
            loop {
                let Some(received) = shutdown.run_until_cancelled(live.recv()).await else {
                    return;
                };
                match received {
                    Ok(announced) if announced.run != run || announced.event.id <= last => {}
                    Ok(announced) if announced.event.id == last + 1 => {
                        last = announced.event.id;
                        let is_end = announced.event.kind == kind::END;
                        yield Told { id: Some(last), event: announced.event };
                        if is_end {
                            return;
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }
}

/// All runs of a tenant from now on. Ids count per run, so these events have none, and a
/// watcher that reads too slowly misses some.
pub(super) fn all_runs(
    app: &App,
    tenant: TenantId,
    place: impl Send + 'static,
) -> impl Stream<Item = Told> + Send + 'static {
    let mut live = app.announcer.subscribe();
    let shutdown = app.shutdown.clone();
    async_stream::stream! {
        let _place = place;
        while let Some(received) = shutdown.run_until_cancelled(live.recv()).await {
            match received {
                Ok(announced) if announced.run.tenant == tenant => {
                    yield Told { id: None, event: announced.event };
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}
