//! The state machine of runs. Every change is a compare-and-set on the status and
//! the fence, in one transaction with the events that tell of it.

mod admission;
mod adoption;
mod changes;
mod container;
mod rows;

use rusqlite::{OptionalExtension, params};
use tenancy::TenantId;

pub use self::adoption::ToldSeconds;
use self::rows::{COLUMNS, collect};
pub(crate) use self::rows::{
    check, fenced_row, latest_id, load, optional_timestamp, row_of, timestamp,
};
use crate::database::{Operation, RunStore};
use crate::deliveries;
use crate::error::StoreError;
use crate::events::{self, Event, NewEvent};
use crate::run::{Outcome, Position, Run, RunAddress, Step};
use crate::spend;
use crate::tenant_load;
use crate::webhooks::WebhookEvent;

/// The most runs that one listing gives.
pub const MAX_LISTED_RUNS: u32 = 500;

/// Which runs to list, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFilter {
    /// All of them, newest first.
    All,
    /// Those that are starting or running, oldest first.
    Active,
    /// Those that are not over, in their turn: the active ones, then those that wait.
    Unfinished,
    /// Those that are over, newest first.
    Finished,
}

impl RunFilter {
    const fn condition(self) -> &'static str {
        match self {
            Self::All => "TRUE",
            Self::Active => "status IN ('Starting', 'Running')",
            Self::Unfinished => "status IN ('Queued', 'Starting', 'Running')",
            Self::Finished => "status IN ('Completed', 'Failed', 'Cancelled')",
        }
    }

    const fn order(self) -> &'static str {
        match self {
            Self::All | Self::Finished => "number DESC",
            Self::Active | Self::Unfinished => "number",
        }
    }
}

/// Runs on a condition, newest first; `limit` is the number's place among the parameters.
pub(crate) fn newest<P: rusqlite::Params>(
    connection: &rusqlite::Connection,
    condition: &str,
    limit: &str,
    parameters: P,
) -> Result<Vec<Run>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM runs WHERE {condition} ORDER BY number DESC LIMIT {limit}");
    collect(connection, &sql, parameters)
}

impl RunStore {
    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn get(&self, address: &RunAddress) -> Result<Run, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "runs"), move |connection| {
            load(connection, &address)
        })
        .await
    }

    /// The results document of a run as JSON; `None` while it has none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn results(&self, address: &RunAddress) -> Result<Option<String>, StoreError> {
        self.document(address, "results").await
    }

    /// What a run was expected to take, as JSON; `None` where nobody could tell.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn forecast(&self, address: &RunAddress) -> Result<Option<String>, StoreError> {
        self.document(address, "forecast").await
    }

    async fn document(
        &self,
        address: &RunAddress,
        column: &'static str,
    ) -> Result<Option<String>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let sql = format!("SELECT {column} FROM runs WHERE tenant = ?1 AND id = ?2");
            let parameters = params![address.tenant.as_str(), address.id.to_string()];
            let found = connection.query_row(&sql, parameters, |row| row.get(0));
            found.optional()?.ok_or(StoreError::NotFound)
        })
        .await
    }

    /// A tenant's runs, at most [`MAX_LISTED_RUNS`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(
        &self,
        tenant: &TenantId,
        filter: RunFilter,
        limit: u32,
    ) -> Result<Vec<Run>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM runs WHERE tenant = ?1 AND {}
                 ORDER BY {} LIMIT ?2",
                filter.condition(),
                filter.order()
            );
            let limit = limit.min(MAX_LISTED_RUNS);
            collect(connection, &sql, params![tenant.as_str(), limit])
        })
        .await
    }

    /// The run whose turn it is: of the tenant that started one longest ago, the run that has
    /// waited longest. So nobody waits for more than one run of each other tenant.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn next_queued(&self) -> Result<Option<Run>, StoreError> {
        self.read(Operation("find", "runs"), |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM runs AS waiting WHERE status = 'Queued'
                 ORDER BY (SELECT max(started_at_ms) FROM runs AS begun
                           WHERE begun.tenant = waiting.tenant) NULLS FIRST, row_id
                 LIMIT 1"
            );
            Ok(collect(connection, &sql, [])?.pop())
        })
        .await
    }

    /// How many runs wait, all tenants together.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn queue_depth(&self) -> Result<u64, StoreError> {
        self.read(Operation("count", "runs"), |connection| {
            let sql = "SELECT count(*) FROM runs WHERE status = 'Queued'";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .await
    }

    /// The runs of all tenants that are starting or running, oldest first. After a
    /// start of the service these are the ones that the last one left behind.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn active(&self) -> Result<Vec<Run>, StoreError> {
        self.read(Operation("find", "runs"), |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM runs WHERE {} ORDER BY row_id",
                RunFilter::Active.condition()
            );
            collect(connection, &sql, [])
        })
        .await
    }

    /// Moves a run one step on and stores the events that tell of it.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is not at `expected`, or the step does not
    /// start there.
    pub async fn advance(
        &self,
        address: &RunAddress,
        expected: Position,
        step: Step,
        told: Vec<NewEvent>,
    ) -> Result<(Run, Vec<Event>), StoreError> {
        let (address, store) = (address.clone(), self.clone());
        self.write(Operation("update", "runs"), move |connection| {
            let transaction = connection.transaction()?;
            let row = check(&transaction, &address, expected)?;
            if expected.status != step.begins_at() {
                return Err(StoreError::Moved {
                    actual: expected.status,
                });
            }
            let now = store.clock().now();
            changes::apply(&transaction, row, step, now)?;
            let events = events::append(&transaction, &address, told)?;
            let run = load(&transaction, &address)?;
            if step == Step::Run {
                deliveries::note(&transaction, &run, WebhookEvent::RunStarted, now)?;
            }
            transaction.commit()?;
            if step == Step::Take {
                store.note_taken(row);
            }
            Ok((run, events))
        })
        .await
    }

    /// Ends a run and stores its last events, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is not at `expected` or is over already.
    pub async fn finish(
        &self,
        address: &RunAddress,
        expected: Position,
        outcome: Outcome,
        told: Vec<NewEvent>,
    ) -> Result<(Run, Vec<Event>), StoreError> {
        let (address, store) = (address.clone(), self.clone());
        self.write(Operation("update", "runs"), move |connection| {
            let transaction = connection.transaction()?;
            let row = check(&transaction, &address, expected)?;
            if expected.status.is_final() || !outcome.status.is_final() {
                return Err(StoreError::Moved {
                    actual: expected.status,
                });
            }
            let run = load(&transaction, &address)?;
            if run.put_on_no_load() {
                tenant_load::give_back(&transaction, &run)?;
            }
            let now = store.clock().now();
            changes::close(&transaction, row, &outcome, (store.taken_since(row), now))?;
            if let Some(spend) = &outcome.spend {
                spend::book(&transaction, &load(&transaction, &address)?, spend, now)?;
            }
            let events = events::append(&transaction, &address, told)?;
            let run = load(&transaction, &address)?;
            deliveries::note(&transaction, &run, WebhookEvent::RunCompleted, now)?;
            transaction.commit()?;
            store.forget_taken(row);
            Ok((run, events))
        })
        .await
    }
}
