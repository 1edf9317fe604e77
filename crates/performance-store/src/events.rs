//! What happened in a run, in order: the progress streams read from here, so that a
//! watcher who lost the connection misses nothing.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

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

    /// The events of a run that have this name, in order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn events_named(
        &self,
        address: &RunAddress,
        kind: &'static str,
    ) -> Result<Vec<Event>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "events"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            let sql = "SELECT id, kind, data FROM events WHERE run = ?1 AND kind = ?2 ORDER BY id";
            let mut statement = connection.prepare_cached(sql)?;
            let events = statement.query_map(params![run, kind], read)?;
            Ok(events.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The latest event of a run that has this name; `None` when there is none yet.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn latest_event(
        &self,
        address: &RunAddress,
        kind: &'static str,
    ) -> Result<Option<Event>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "events"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            let sql = "SELECT id, kind, data FROM events WHERE run = ?1 AND kind = ?2
                       ORDER BY id DESC LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row(params![run, kind], read).optional()?)
        })
        .await
    }

    /// Stores what somebody else than the conductor tells of a run that is starting or running.
    /// It changes nothing of the run, so that it takes no fence.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run waits or is over, [`StoreError::TooMany`] when it has
    /// `most` events of this name, or no room for any.
    pub async fn tell(
        &self,
        address: &RunAddress,
        event: NewEvent,
        most: u64,
    ) -> Result<Event, StoreError> {
        let address = address.clone();
        self.write(Operation("insert", "events"), move |connection| {
            let transaction = connection.transaction()?;
            let run = runs::load(&transaction, &address)?;
            if !run.status.is_active() {
                return Err(StoreError::Moved { actual: run.status });
            }
            let row = runs::row_of(&transaction, &address)?;
            let sql = "SELECT count(*) FROM events WHERE run = ?1 AND kind = ?2";
            let told: u64 =
                transaction.query_row(sql, params![row, event.kind], |row| row.get(0))?;
            let too_many = StoreError::TooMany {
                what: "events of this kind in the run",
                limit: most,
            };
            if told >= most {
                return Err(too_many);
            }
            let stored = append(&transaction, &address, vec![event])?;
            let stored = stored.into_iter().next().ok_or(too_many)?;
            transaction.commit()?;
            Ok(stored)
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
        let sql = "UPDATE all_runs SET next_event = next_event + 1
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
    let events = statement.query_map(params![run, after], read)?;
    Ok(events.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get(0)?,
        kind: row.get(1)?,
        data: row.get(2)?,
    })
}
