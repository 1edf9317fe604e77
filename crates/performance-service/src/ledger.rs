//! The port to whoever knows what the model calls of a run cost.

mod api;

use async_trait::async_trait;
use load_analysis::spend::Spend;
use secrecy::SecretString;
use service_defaults::allow_list::AllowList;
use service_defaults::environment::Environment;

pub(crate) use self::api::ApiLedger;

/// Tells what runs cost.
#[async_trait]
pub(crate) trait Ledger: Send + Sync {
    /// What the calls of a run have cost so far, those included whose answer nobody got.
    ///
    /// # Errors
    /// [`LedgerError`], within a deadline of the implementation's own.
    async fn spend(&self, target: &BilledTarget, run: &str) -> Result<Spend, LedgerError>;
}

/// A target, whose calls of models are paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BilledTarget {
    /// Its name in the list of targets.
    pub(crate) name: String,
    /// Its address, without a slash at the end.
    pub(crate) base_url: String,
}

/// Why a ledger does not tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LedgerError {
    /// There is none: the target calls no models, or is of another make.
    #[error("the target keeps no ledger")]
    Absent,
    /// There may be one; for now it cannot be asked.
    #[error("the ledger of the target does not answer: {0}")]
    Silent(String),
}

/// Where ledgers are, beyond those that targets keep for everybody to read.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// The service with the ledger, by the name of the target; others are asked themselves.
    pub addresses: AllowList,
    /// What these services, and no others, are sent.
    pub token: Option<SecretString>,
}

impl LedgerSettings {
    /// Reads the settings.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        Self {
            addresses: environment.parsed(
                "PERFORMANCE_LEDGERS",
                "",
                "Where the ledgers of targets are, if not at the target: target=http://host:port,…",
            ),
            token: environment.secret(
                "PERFORMANCE_LEDGER_TOKEN",
                "Token with the role viewer for PERFORMANCE_LEDGERS; no other target is sent it",
            ),
        }
    }
}
