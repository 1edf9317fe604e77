//! The lines that the load generator and the service wrote about a run.

use jiff::Timestamp;
use rusqlite::params;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunAddress;
use crate::runs;

/// The most lines kept of one run: a script that logs on every request would
/// otherwise fill the disk. The first ones are kept, they name the cause.
pub const MAX_LOG_LINES_PER_RUN: u64 = 10_000;

/// The longest line kept, in bytes; longer ones are cut at a character.
pub const MAX_LOG_LINE_BYTES: usize = 4_096;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, as far as its writer said, else when it was read.
    pub at: Timestamp,
    /// Who wrote it, such as `k6` or `service`.
    pub source: String,
    /// The text without its line end.
    pub text: String,
}

impl RunStore {
    /// Adds lines to a run that is not over. Lines beyond [`MAX_LOG_LINES_PER_RUN`]
    /// are dropped, and one line more says so.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is over or belongs to another conductor.
    pub async fn append_logs(
        &self,
        address: &RunAddress,
        fence: u64,
        lines: Vec<LogLine>,
    ) -> Result<(), StoreError> {
        let address = address.clone();
        self.write(Operation("insert", "log_lines"), move |connection| {
            let transaction = connection.transaction()?;
            let run = runs::fenced_row(&transaction, &address, fence)?;
            let mut count: u64 = transaction.query_row(
                "SELECT log_lines FROM runs WHERE row_id = ?1",
                [run],
                |row| row.get(0),
            )?;
            for line in lines {
                if count > MAX_LOG_LINES_PER_RUN {
                    break;
                }
                let text = if count == MAX_LOG_LINES_PER_RUN {
                    "more lines were written; they are not kept"
                } else {
                    cut(&line.text)
                };
                count += 1;
                transaction.execute(
                    "INSERT INTO log_lines (run, number, at_ms, source, text)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![run, count, line.at.as_millisecond(), line.source, text],
                )?;
            }
            transaction.execute(
                "UPDATE all_runs SET log_lines = ?2 WHERE row_id = ?1",
                params![run, count],
            )?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// All lines of a run in the order in which they were written.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn logs(&self, address: &RunAddress) -> Result<Vec<LogLine>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "log_lines"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            let sql = "SELECT at_ms, source, text FROM log_lines WHERE run = ?1 ORDER BY number";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([run])?;
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                lines.push(LogLine {
                    at: runs::timestamp(row.get(0)?)?,
                    source: row.get(1)?,
                    text: row.get(2)?,
                });
            }
            Ok(lines)
        })
        .await
    }
}

/// The longest beginning of `text` that fits into a line and ends with a whole character.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_LOG_LINE_BYTES))
        .unwrap_or(text)
}
