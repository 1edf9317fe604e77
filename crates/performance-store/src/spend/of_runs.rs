//! What each of some runs cost.

use std::collections::BTreeMap;

use load_analysis::dollars::Dollars;
use rusqlite::params;
use tenancy::TenantId;

use super::halves;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::MAX_HISTORY;
use crate::run::RunId;

/// What one run cost, real and simulated dollars apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunCost {
    /// What somebody pays.
    pub real: Dollars,
    /// What its simulated calls would cost.
    pub simulated: Dollars,
}

impl RunStore {
    /// What these runs cost, those without a call of a model left out; of at most
    /// [`MAX_HISTORY`](crate::MAX_HISTORY) runs.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn costs(
        &self,
        tenant: &TenantId,
        runs: Vec<RunId>,
    ) -> Result<BTreeMap<RunId, RunCost>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "spend"), move |connection| {
            let sql = "SELECT count(*),
                    coalesce(sum((pico_usd >> 32) * (simulated = 0)), 0),
                    coalesce(sum((pico_usd & 0xffffffff) * (simulated = 0)), 0),
                    coalesce(sum((pico_usd >> 32) * (simulated = 1)), 0),
                    coalesce(sum((pico_usd & 0xffffffff) * (simulated = 1)), 0)
                 FROM spend WHERE tenant = ?1 AND run = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut costs = BTreeMap::new();
            for run in runs.into_iter().take(MAX_HISTORY as usize) {
                let parameters = params![tenant.as_str(), run.to_string()];
                let (models, cost) = statement.query_row(parameters, |row| {
                    let (real, simulated) = (halves(row, 1)?, halves(row, 3)?);
                    Ok((row.get::<_, u64>(0)?, RunCost { real, simulated }))
                })?;
                costs.extend((models > 0).then_some((run, cost)));
            }
            Ok(costs)
        })
        .await
    }
}
