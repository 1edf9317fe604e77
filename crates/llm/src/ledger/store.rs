//! What the ledger needs of a place that keeps its rows.

use async_trait::async_trait;
use tenancy::TenantId;

use super::{
    Assessment, LedgerError, LedgerFilter, LedgerGroup, LedgerPage, LedgerRow, LedgerTotal,
    ScoreCount, StoredExperiment,
};

/// Is shown one row after the other.
pub(super) type Visitor = Box<dyn FnMut(&LedgerRow) + Send>;

/// `SQLite` or `MongoDB`.
#[async_trait]
pub(super) trait LedgerStore: Send + Sync {
    /// Writes all rows; those that are there already stay as they are. Called from the writer's
    /// own thread, so it may block, for a bounded time.
    fn insert(&self, rows: &[LedgerRow]) -> Result<(), LedgerError>;

    /// A page of the rows that match, newest first.
    async fn rows(
        &self,
        filter: &LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerRow>, LedgerError>;

    /// How many rows match.
    async fn count(&self, filter: &LedgerFilter) -> Result<u64, LedgerError>;

    /// Exact sums of the rows that match.
    async fn totals(
        &self,
        filter: &LedgerFilter,
        group: LedgerGroup,
    ) -> Result<Vec<LedgerTotal>, LedgerError>;

    /// The limits of every tenant that has some, as text.
    async fn budgets(&self) -> Result<Vec<(String, String)>, LedgerError>;

    /// Keeps or forgets the limits of a tenant.
    async fn set_budget(
        &self,
        tenant: &TenantId,
        limits: Option<String>,
    ) -> Result<(), LedgerError>;

    /// Every tenant's experiments.
    async fn experiments(&self) -> Result<Vec<StoredExperiment>, LedgerError>;

    /// Keeps a new experiment, unless its name is taken or another one of its tenant runs for the
    /// same; whether it did.
    async fn start_experiment(&self, experiment: StoredExperiment) -> Result<bool, LedgerError>;

    /// Keeps an experiment, also in place of what it was before.
    async fn put_experiment(&self, experiment: StoredExperiment) -> Result<(), LedgerError>;

    /// Keeps what somebody thinks of an answer, in place of what they thought before.
    async fn assess(&self, assessment: Assessment) -> Result<(), LedgerError>;

    /// How often a variant got each score.
    async fn scores(
        &self,
        tenant: &TenantId,
        variant: &str,
    ) -> Result<Vec<ScoreCount>, LedgerError>;

    /// Shows every row that matches, one at a time, in no particular order.
    async fn visit(&self, filter: &LedgerFilter, visitor: Visitor) -> Result<(), LedgerError>;
}
