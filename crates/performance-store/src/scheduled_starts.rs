//! What became of the starts of schedules: each time that an expression names is taken once.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunId;
use crate::runs::timestamp;
use crate::schedules::{self, NextStart, Schedule};

/// Starts of a schedule that are kept; older ones are forgotten.
pub const MAX_STARTS: u32 = 50;

/// What became of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartOutcome {
    /// Taken, and not known to have become a run yet.
    Taken,
    /// There is a run.
    Started,
    /// There was something else to run.
    Skipped,
    /// Nobody was there at the time.
    Missed,
    /// The run was refused.
    Refused,
}

/// A start, or several that were missed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledStart {
    /// The time that the expression names; of several, the first.
    pub due: Timestamp,
    /// When it was taken.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: StartOutcome,
    /// The run, where there is one.
    pub run: Option<RunId>,
    /// Why there is none, or why it came late, in a sentence; empty where nothing was unusual.
    pub cause: String,
    /// How many they are.
    pub starts: u64,
}

impl StartOutcome {
    const ALL: [Self; 5] = [
        Self::Taken,
        Self::Started,
        Self::Skipped,
        Self::Missed,
        Self::Refused,
    ];

    /// The word of the API and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Started => "started",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
            Self::Refused => "refused",
        }
    }
}

impl RunStore {
    /// Takes the start that a schedule has next, notes it, and moves the schedule on; false when
    /// the schedule was changed, or somebody else took the start.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn take_start(
        &self,
        schedule: &Schedule,
        start: ScheduledStart,
        next: Option<NextStart>,
    ) -> Result<bool, StoreError> {
        let schedule = schedule.clone();
        self.write(Operation("update", "schedules"), move |connection| {
            let transaction = connection.transaction()?;
            let due = schedule.next.map(|next| next.due);
            let moved = match due {
                Some(due) => schedules::move_on(&transaction, &schedule, due, next)?,
                None => false,
            };
            if moved {
                put(&transaction, &schedule, &start)?;
            }
            transaction.commit()?;
            Ok(moved)
        })
        .await
    }

    /// Notes a start, in the place of what was noted for the same time.
    ///
    /// # Errors
    /// When the store does not answer, or the schedule is gone.
    pub async fn note_start(
        &self,
        schedule: &Schedule,
        start: ScheduledStart,
    ) -> Result<(), StoreError> {
        let schedule = schedule.clone();
        self.write(Operation("insert", "scheduled_starts"), move |connection| {
            let transaction = connection.transaction()?;
            put(&transaction, &schedule, &start)?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// Calls every start missed that was taken and became nothing that is known: the service ended
    /// meanwhile. How many they were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn abandon_starts(&self, cause: &'static str) -> Result<usize, StoreError> {
        self.write(Operation("update", "scheduled_starts"), move |connection| {
            let sql = "UPDATE scheduled_starts SET outcome = ?2, cause = ?3 WHERE outcome = ?1";
            let (taken, missed) = (StartOutcome::Taken, StartOutcome::Missed);
            Ok(connection.execute(sql, params![taken.as_str(), missed.as_str(), cause])?)
        })
        .await
    }

    /// How many runs of a tenant wait that this asked for; see [`crate::Run::triggered_by`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn waiting_for(
        &self,
        tenant: &TenantId,
        triggered_by: &str,
    ) -> Result<u64, StoreError> {
        let (tenant, triggered_by) = (tenant.clone(), triggered_by.to_owned());
        self.read(Operation("count", "runs"), move |connection| {
            let sql = "SELECT count(*) FROM runs
                       WHERE status = 'Queued' AND tenant = ?1 AND triggered_by = ?2";
            let parameters = params![tenant.as_str(), triggered_by];
            Ok(connection.query_row(sql, parameters, |row| row.get(0))?)
        })
        .await
    }

    /// How many runs of all tenants are not over.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn unfinished(&self) -> Result<u64, StoreError> {
        self.read(Operation("count", "runs"), |connection| {
            let sql = "SELECT count(*) FROM runs
                       WHERE status IN ('Queued', 'Starting', 'Running')";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .await
    }

    /// The latest start of each of a tenant's schedules that goes on, by the schedule's name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn latest_starts(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, ScheduledStart)>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "scheduled_starts"), move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT schedule, due_at_ms, at_ms, outcome, run, cause, starts
                 FROM scheduled_starts AS one
                 WHERE tenant = ?1 AND due_at_ms = (
                     SELECT max(due_at_ms) FROM scheduled_starts
                     WHERE tenant = one.tenant AND schedule = one.schedule)
                     AND NOT EXISTS (
                         SELECT 1 FROM schedules
                         WHERE tenant = one.tenant AND name = one.schedule AND paused)
                 ORDER BY schedule",
            )?;
            let mut rows = statement.query([tenant.as_str()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.get("schedule")?, read(row)?));
            }
            Ok(found)
        })
        .await
    }

    /// The latest starts of a schedule, newest first, at most [`MAX_STARTS`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn starts(
        &self,
        tenant: &TenantId,
        schedule: &str,
        limit: u32,
    ) -> Result<Vec<ScheduledStart>, StoreError> {
        let (tenant, schedule) = (tenant.clone(), schedule.to_owned());
        self.read(Operation("find", "scheduled_starts"), move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT due_at_ms, at_ms, outcome, run, cause, starts FROM scheduled_starts
                 WHERE tenant = ?1 AND schedule = ?2 ORDER BY due_at_ms DESC LIMIT ?3",
            )?;
            let mut rows = statement.query(params![tenant.as_str(), schedule, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        })
        .await
    }
}

fn put(
    connection: &Connection,
    schedule: &Schedule,
    start: &ScheduledStart,
) -> Result<(), StoreError> {
    let tenant = schedule.tenant.as_str();
    connection.execute(
        "INSERT OR REPLACE INTO scheduled_starts
             (tenant, schedule, due_at_ms, at_ms, outcome, run, cause, starts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            tenant,
            schedule.name,
            start.due.as_millisecond(),
            start.at.as_millisecond(),
            start.outcome.as_str(),
            start.run.map(|run| run.to_string()),
            start.cause,
            start.starts,
        ],
    )?;
    connection.execute(
        "DELETE FROM scheduled_starts WHERE tenant = ?1 AND schedule = ?2 AND due_at_ms NOT IN (
             SELECT due_at_ms FROM scheduled_starts WHERE tenant = ?1 AND schedule = ?2
             ORDER BY due_at_ms DESC LIMIT ?3)",
        params![tenant, schedule.name, MAX_STARTS],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ScheduledStart, StoreError> {
    let word: String = row.get("outcome")?;
    let outcome = StartOutcome::ALL
        .into_iter()
        .find(|outcome| outcome.as_str() == word)
        .ok_or_else(|| StoreError::Corrupt(format!("a start that is {word:?}")))?;
    let run: Option<String> = row.get("run")?;
    let run = run.map(|id| id.parse()).transpose();
    Ok(ScheduledStart {
        due: timestamp(row.get("due_at_ms")?)?,
        at: timestamp(row.get("at_ms")?)?,
        outcome,
        run: run.map_err(|_| StoreError::Corrupt("the run of a start".to_owned()))?,
        cause: row.get("cause")?,
        starts: row.get("starts")?,
    })
}
