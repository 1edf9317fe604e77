//! The runs of a test before and after a run.

use rusqlite::{OptionalExtension, params};

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::{Run, RunId};

/// Runs beside a run in the order of their numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// The one before it; absent for the first.
    pub before: Option<RunId>,
    /// The one after it; absent for the newest.
    pub after: Option<RunId>,
}

impl RunStore {
    /// The runs of the same test beside this one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn neighbours(&self, run: &Run) -> Result<Neighbours, StoreError> {
        let (tenant, test) = (run.tenant.clone(), run.test_name.clone());
        let number = run.number;
        self.read(Operation("neighbours", "runs"), move |connection| {
            let beside = |order: &str| {
                let sql = format!(
                    "SELECT id FROM runs WHERE tenant = ?1 AND test_name = ?2 AND number {order} LIMIT 1"
                );
                let found: Option<String> = connection
                    .prepare_cached(&sql)?
                    .query_row(params![tenant.as_str(), test, number], |row| row.get(0))
                    .optional()?;
                Ok::<_, StoreError>(found.and_then(|id| id.parse().ok()))
            };
            Ok(Neighbours {
                before: beside("< ?3 ORDER BY number DESC")?,
                after: beside("> ?3 ORDER BY number")?,
            })
        })
        .await
    }
}
