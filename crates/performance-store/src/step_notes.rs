//! What people say of a step in the figures of a test: it is kept with the first run of the new
//! level, and goes with that run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::TestName;
use crate::run::{RunAddress, RunId};
use crate::runs::{self, timestamp};

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

impl RunStore {
    /// Keeps what is said of a measure from a run on, in the place of what was said before; nothing
    /// takes that away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn put_step_note(
        &self,
        address: &RunAddress,
        measure: &str,
        note: Option<StepNote>,
    ) -> Result<(), StoreError> {
        let (address, measure) = (address.clone(), measure.to_owned());
        self.write(Operation("insert", "step_notes"), move |connection| {
            let transaction = connection.transaction()?;
            let run = runs::row_of(&transaction, &address)?;
            let sql = "DELETE FROM step_notes WHERE run = ?1 AND measure = ?2";
            transaction.execute(sql, params![run, measure])?;
            if let Some(note) = note {
                let at = note.at.as_millisecond();
                transaction.execute(
                    "INSERT INTO step_notes (run, measure, text, author, at_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![run, measure, note.text, note.author, at],
                )?;
            }
            transaction.commit()?;
            Ok(())
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
        let (test, measure) = (test.clone(), measure.to_owned());
        self.read(Operation("find", "step_notes"), move |connection| {
            let sql = "SELECT id, text, author, at_ms FROM step_notes JOIN runs ON run = row_id
                 WHERE tenant = ?1 AND test_name = ?2 AND measure = ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![test.tenant.as_str(), test.name, measure])?;
            let mut notes = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let id: String = row.get("id")?;
                let corrupt = |_| StoreError::Corrupt(format!("run id {id:?}"));
                let note = StepNote {
                    text: row.get("text")?,
                    author: row.get("author")?,
                    at: timestamp(row.get("at_ms")?)?,
                };
                notes.insert(id.parse().map_err(corrupt)?, note);
            }
            Ok(notes)
        })
        .await
    }
}
