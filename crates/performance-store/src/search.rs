//! Finding runs by what they are.

use rusqlite::ToSql;
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::{Run, RunStatus};
use crate::runs::{self, MAX_LISTED_RUNS};

/// What is looked for; an absent part matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// The name of the test, whole.
    pub test: Option<String>,
    /// The scenario's name.
    pub scenario: Option<String>,
    /// The target's name.
    pub environment: Option<String>,
    /// The state.
    pub status: Option<RunStatus>,
    /// The level of the verdict, as it is spelled.
    pub level: Option<String>,
    /// Only runs with a smaller number: where the next page begins.
    pub before: Option<u64>,
    /// The most runs, up to [`MAX_LISTED_RUNS`].
    pub limit: u32,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The runs, newest first.
    pub runs: Vec<Run>,
    /// How many match, the runs of all pages together.
    pub total: u64,
}

/// Conditions of a query but for `before`, on parameters 1 to 6.
const CONDITIONS: &str = "tenant = ?1 AND test_name = coalesce(?2, test_name)
    AND scenario = coalesce(?3, scenario) AND environment = coalesce(?4, environment)
    AND status = coalesce(?5, status) AND (?6 IS NULL OR verdict ->> 'level' = ?6)";

impl RunStore {
    /// A tenant's runs that match, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn find(&self, tenant: &TenantId, query: RunQuery) -> Result<Found, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let (tenant, status) = (tenant.as_str(), query.status.map(RunStatus::as_str));
            let most = query.limit.min(MAX_LISTED_RUNS);
            // No number is beyond the store's, so that every run is before such a one.
            let before = query.before.map(|it| i64::try_from(it).unwrap_or(i64::MAX));
            let parameters: [&dyn ToSql; 8] = [
                &tenant,
                &query.test,
                &query.scenario,
                &query.environment,
                &status,
                &query.level,
                &before,
                &most,
            ];
            let sql = format!("SELECT count(*) FROM runs WHERE {CONDITIONS}");
            let total = connection
                .prepare_cached(&sql)?
                .query_row(&parameters[..6], |row| row.get(0))?;
            let condition = format!("{CONDITIONS} AND number < coalesce(?7, number + 1)");
            let runs = runs::newest(connection, &condition, "?8", &parameters[..])?;
            Ok(Found { runs, total })
        })
        .await
    }
}
