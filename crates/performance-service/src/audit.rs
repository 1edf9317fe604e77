//! Who changed what: the journal behind the gate, and the calls that read it, one file for each.

pub(crate) mod changes;
pub(crate) mod list;
pub(crate) mod verify;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use performance_store::{MAX_AUDIT_RECORDS, NewAuditRecord, ObjectHashes, RunStore};
use service_defaults::access::{Journal, Record};
use tenancy::TenantId;

use crate::windows::Windows;

/// How often the number of a caller's records begins anew.
const WINDOW: Duration = Duration::from_hours(1);

/// Records of the refused calls of one caller in a window, and of all calls of unknown ones
/// together: anybody can make them, and the log keeps everything. What is beyond them is in the
/// process' log and its metrics.
const REFUSED_IN_WINDOW: u32 = 60;

/// From so many records on the log is nearly full.
const NEARLY_FULL: u64 = MAX_AUDIT_RECORDS / 10 * 9;

/// Keeps records in the store.
pub(crate) struct StoreJournal {
    store: RunStore,
    /// Callers, of whom the unknown are one.
    refused: Windows<Option<(TenantId, Arc<str>)>>,
}

impl StoreJournal {
    pub(crate) fn new(store: RunStore) -> Self {
        Self {
            store,
            refused: Windows::new(WINDOW),
        }
    }

    fn is_too_much(&self, record: &Record) -> bool {
        let caller = record.principal.as_ref();
        let is_refused = record.status.is_some_and(|it| it.is_client_error());
        if caller.is_some() && !is_refused {
            return false;
        }
        let caller = caller.map(|it| (it.tenant.clone(), Arc::clone(&it.user)));
        let counted = self
            .refused
            .count(caller, REFUSED_IN_WINDOW, Instant::now());
        counted.is_err()
    }
}

impl Journal for StoreJournal {
    fn keep(&self, record: Record) -> BoxFuture<'static, ()> {
        let hashes = changes::take();
        if self.is_too_much(&record) {
            tracing::warn!(
                "too many refused calls of one caller: no record is kept of {}",
                record.action
            );
            return Box::pin(async {});
        }
        let store = self.store.clone();
        let entry = entry(record, hashes);
        Box::pin(async move { keep(&store, entry).await })
    }
}

/// Keeps a record, or says in the log that it could not.
pub(crate) async fn keep(store: &RunStore, entry: NewAuditRecord) {
    let action = entry.action.clone();
    match store.append_audit(entry).await {
        // Who keeps the log elsewhere can tell whether the chain was written anew.
        Ok(kept) => {
            tracing::info!(hash = %kept.hash, "audit record {}", kept.number);
            if kept.number >= NEARLY_FULL {
                let left = MAX_AUDIT_RECORDS.saturating_sub(kept.number);
                tracing::error!("the audit log has room for {left} records more");
            }
        }
        Err(error) => tracing::error!("no audit record is kept of {action}: {error}"),
    }
}

fn entry(record: Record, hashes: ObjectHashes) -> NewAuditRecord {
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
        hashes,
    }
}
