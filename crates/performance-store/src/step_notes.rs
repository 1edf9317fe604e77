//! What people say of a step in the figures of a test: it is kept with the first run of the new
//! level, and goes with that run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Row, params};

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::TestName;
use crate::run::{RunAddress, RunId};
use crate::runs::{self, timestamp};

/// The most notes of a test that are listed, those of the latest runs: its page shows two hundred
/// runs, and each may have one for each measure.
pub const MAX_NOTED_STEPS: u32 = 500;

/// Why a figure changed, as somebody says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepNote {
    /// What was said.
    pub text: String,
    /// By whom.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

/// A note, and what it is said of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedStep {
    /// The first run of the new level.
    pub run: RunId,
    /// The run's number.
    pub number: u64,
    /// The measure.
    pub measure: String,
    /// What was said.
    pub note: StepNote,
}

impl RunStore {
    /// Keeps what is said of a measure from a run on, in the place of what was said before, which
    /// it gives; nothing takes that away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn put_step_note(
        &self,
        address: &RunAddress,
        measure: &str,
        note: Option<StepNote>,
    ) -> Result<Option<StepNote>, StoreError> {
        let (address, measure) = (address.clone(), measure.to_owned());
        self.write(Operation("insert", "step_notes"), move |connection| {
            let transaction = connection.transaction()?;
            let run = runs::row_of(&transaction, &address)?;
            let before = {
                let sql = "DELETE FROM step_notes WHERE run = ?1 AND measure = ?2
                     RETURNING text, author, at_ms";
                let mut statement = transaction.prepare_cached(sql)?;
                let mut removed = statement.query(params![run, measure])?;
                let mut before = None;
                // To its end, where the change is made to last.
                while let Some(row) = removed.next()? {
                    before = Some(read(row)?);
                }
                before
            };
            if let Some(note) = note {
                let at = note.at.as_millisecond();
                transaction.execute(
                    "INSERT INTO step_notes (run, measure, text, author, at_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![run, measure, note.text, note.author, at],
                )?;
            }
            transaction.commit()?;
            Ok(before)
        })
        .await
    }

    /// What is said of a measure of a test, by run.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_notes(
        &self,
        test: &TestName,
        measure: &str,
    ) -> Result<BTreeMap<RunId, StepNote>, StoreError> {
        let noted = self.noted_steps(test, Some(measure)).await?;
        Ok(noted.into_iter().map(|it| (it.run, it.note)).collect())
    }

    /// What is said of the measures of a test, or of one of them: the newest run first, at most
    /// [`MAX_NOTED_STEPS`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn noted_steps(
        &self,
        test: &TestName,
        measure: Option<&str>,
    ) -> Result<Vec<NotedStep>, StoreError> {
        let (test, measure) = (test.clone(), measure.map(str::to_owned));
        self.read(Operation("find", "step_notes"), move |connection| {
            let sql = "SELECT id, number, measure, text, author, at_ms
                 FROM runs JOIN step_notes ON run = row_id
                 WHERE tenant = ?1 AND test_name = ?2 AND measure = coalesce(?3, measure)
                 ORDER BY number DESC, measure LIMIT ?4";
            let mut statement = connection.prepare_cached(sql)?;
            let tenant = test.tenant.as_str();
            let parameters = params![tenant, test.name, measure, MAX_NOTED_STEPS];
            let mut rows = statement.query(parameters)?;
            let mut noted = Vec::new();
            while let Some(row) = rows.next()? {
                noted.push(NotedStep {
                    run: RunId::stored(&row.get::<_, String>("id")?)?,
                    number: row.get("number")?,
                    measure: row.get("measure")?,
                    note: read(row)?,
                });
            }
            Ok(noted)
        })
        .await
    }
}

fn read(row: &Row<'_>) -> Result<StepNote, StoreError> {
    Ok(StepNote {
        text: row.get("text")?,
        author: row.get("author")?,
        at: timestamp(row.get("at_ms")?)?,
    })
}
