//! What happened in a run, in order: the progress streams read from here, so that a
//! watcher who lost the connection misses nothing.

use rusqlite::{Connection, Transaction, params};

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunAddress;
use crate::runs;

/// The most events that one run may have: a run of four hours has 14,400 seconds,
/// and the rest is room for changes of state and warnings.
pub const MAX_EVENTS_PER_RUN: u64 = 20_000;

/// An event to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its name on the stream, such as `second`.
    pub kind: &'static str,
    /// Its data as JSON on one line.
    pub data: String,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Counts the run's events from 1 without a gap.
    pub id: u64,
    /// Its name on the stream.
    pub kind: String,
    /// Its data as JSON on one line.
    pub data: String,
}

impl RunStore {
    /// The events of a run with an id above `after`, in order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn events_after(
        &self,
        address: &RunAddress,
        after: u64,
    ) -> Result<Vec<Event>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "events"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            load(connection, run, after)
        })
        .await
    }

    /// The id of the run's last event; 0 when it has none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn last_event(&self, address: &RunAddress) -> Result<u64, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            let sql = "SELECT next_event - 1 FROM runs WHERE row_id = ?1";
            Ok(connection.query_row(sql, [run], |row| row.get(0))?)
        })
        .await
    }
}

/// Stores events in the caller's transaction and gives them their ids. Beyond
/// [`MAX_EVENTS_PER_RUN`] they are dropped, except for those that end a run.
pub(crate) fn append(
    transaction: &Transaction<'_>,
    address: &RunAddress,
    new: Vec<NewEvent>,
) -> Result<Vec<Event>, StoreError> {
    let run = runs::row_of(transaction, address)?;
    let mut stored = Vec::with_capacity(new.len());
    for event in new {
        let sql = "UPDATE runs SET next_event = next_event + 1
                   WHERE row_id = ?1 AND (next_event <= ?2 OR status NOT IN
                         ('Queued', 'Starting', 'Running'))
                   RETURNING next_event - 1";
        let mut statement = transaction.prepare_cached(sql)?;
        let mut rows = statement.query(params![run, MAX_EVENTS_PER_RUN])?;
        let Some(number) = rows.next()?.map(|row| row.get::<_, u64>(0)).transpose()? else {
            continue;
        };
        drop(rows);
        transaction.execute(
            "INSERT INTO events (run, id, kind, data) VALUES (?1, ?2, ?3, ?4)",
            params![run, number, event.kind, event.data],
        )?;
        stored.push(Event {
            id: number,
            kind: event.kind.to_owned(),
            data: event.data,
        });
    }
    Ok(stored)
}

fn load(connection: &Connection, run: i64, after: u64) -> Result<Vec<Event>, StoreError> {
    let sql = "SELECT id, kind, data FROM events WHERE run = ?1 AND id > ?2 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    // The ids of a client's making may exceed what SQLite counts to; none lies there.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let events = statement.query_map(params![run, after], |row| {
        Ok(Event {
            id: row.get(0)?,
            kind: row.get(1)?,
            data: row.get(2)?,
        })
    })?;
    Ok(events.collect::<Result<_, _>>()?)
}
