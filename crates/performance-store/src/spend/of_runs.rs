//! What each of some runs cost.

use std::collections::BTreeMap;

use load_analysis::spend::{Amount, Spend};
use rusqlite::params;
use tenancy::TenantId;

use super::amount;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::MAX_HISTORY;
use crate::run::RunId;

impl RunStore {
    /// What these runs cost, without its parts by model; those without a call of a model are left
    /// out. Of at most [`MAX_HISTORY`](crate::MAX_HISTORY) runs.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn costs(
        &self,
        tenant: &TenantId,
        runs: Vec<RunId>,
    ) -> Result<BTreeMap<RunId, Spend>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "spend"), move |connection| {
            let sql = "SELECT simulated, sum(calls), sum(unpriced_calls),
                    sum(input_tokens), sum(output_tokens),
                    sum(pico_usd >> 32), sum(pico_usd & 0xffffffff)
                 FROM spend WHERE tenant = ?1 AND run = ?2 GROUP BY simulated";
            let mut statement = connection.prepare_cached(sql)?;
            let mut costs = BTreeMap::new();
            for run in runs.into_iter().take(MAX_HISTORY as usize) {
                let parameters = params![tenant.as_str(), run.to_string()];
                let kinds = statement.query_map(parameters, |row| {
                    Ok((row.get::<_, bool>(0)?, amount(row, 1)?))
                })?;
                costs.extend(together(kinds)?.map(|spend| (run, spend)));
            }
            Ok(costs)
        })
        .await
    }
}

/// Both kinds of dollars of a run; `None` without any.
fn together(
    kinds: impl Iterator<Item = rusqlite::Result<(bool, Amount)>>,
) -> rusqlite::Result<Option<Spend>> {
    let mut together: Option<Spend> = None;
    for kind in kinds {
        let (simulated, amount) = kind?;
        let spend = together.get_or_insert_default();
        if simulated {
            spend.simulated = amount;
        } else {
            spend.real = amount;
        }
    }
    Ok(together)
}
