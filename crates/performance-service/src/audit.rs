//! Who changed what: the journal behind the gate, and the calls that read it, one file for each.

pub(crate) mod list;
pub(crate) mod verify;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use performance_store::{NewAuditRecord, RunStore};
use service_defaults::access::{Journal, Record};
use tokio::time::Instant;

/// How often the number of unknown callers' records begins anew.
const WINDOW: Duration = Duration::from_mins(1);

/// Records of unknown callers in a window: whoever reaches the port can make them, and the log
/// keeps everything. What is beyond them is in the process' log and its metrics.
const UNKNOWN_IN_WINDOW: u32 = 60;

/// Keeps records in the store.
pub(crate) struct StoreJournal {
    store: RunStore,
    unknown: Arc<Mutex<Window>>,
}

struct Window {
    since: Instant,
    records: u32,
}

impl StoreJournal {
    pub(crate) fn new(store: RunStore) -> Self {
        let window = Window {
            since: Instant::now(),
            records: 0,
        };
        Self {
            store,
            unknown: Arc::new(Mutex::new(window)),
        }
    }

    fn is_too_much(&self) -> bool {
        let mut window = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.elapsed() >= WINDOW {
            (window.since, window.records) = (Instant::now(), 0);
        }
        window.records += 1;
        window.records > UNKNOWN_IN_WINDOW
    }
}

impl Journal for StoreJournal {
    fn keep(&self, record: Record) -> BoxFuture<'static, ()> {
        if record.principal.is_none() && self.is_too_much() {
            tracing::warn!(
                "too many unknown callers: no record is kept of {}",
                record.action
            );
            return Box::pin(async {});
        }
        let store = self.store.clone();
        Box::pin(async move { keep(&store, entry(record)).await })
    }
}

/// Keeps a record, or says in the log that it could not.
pub(crate) async fn keep(store: &RunStore, entry: NewAuditRecord) {
    let action = entry.action.clone();
    match store.append_audit(entry).await {
        // Who keeps the log elsewhere can tell whether the chain was written anew.
        Ok(kept) => tracing::info!(hash = %kept.hash, "audit record {}", kept.number),
        Err(error) => tracing::error!("no audit record is kept of {action}: {error}"),
    }
}

fn entry(record: Record) -> NewAuditRecord {
    let outcome = match record.status.map(|status| status.as_u16()) {
        None => "abandoned",
        Some(..400) => "done",
        Some(400..500) => "refused",
        Some(500..) => "failed",
    };
    let (tenant, user) = record.principal.map_or((None, String::new()), |principal| {
        (Some(principal.tenant), principal.user.as_ref().to_owned())
    });
    NewAuditRecord {
        tenant,
        user,
        action: record.action,
        object: record.object,
        outcome: outcome.to_owned(),
        status: record.status.map_or(0, |status| status.as_u16()),
        request_id: record.request_id,
    }
}
