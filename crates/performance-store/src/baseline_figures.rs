//! One measure of baselines, without reading the rest of them: a baseline has hundreds.

use rusqlite::{OptionalExtension, params};

use crate::baselines::BaselineName;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::MAX_HISTORY;
use crate::run::RunId;

/// A measure of a baseline in force: its runs, oldest first, with their figures.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineFigures {
    /// Whose and what for.
    pub name: BaselineName,
    /// Each run that has the measure, and its figure.
    pub figures: Vec<(RunId, f64)>,
}

impl RunStore {
    /// A measure of these baselines, those left out that are not there; at most
    /// [`MAX_HISTORY`](crate::MAX_HISTORY) are looked for.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn baseline_figures(
        &self,
        names: Vec<BaselineName>,
        measure: &str,
    ) -> Result<Vec<BaselineFigures>, StoreError> {
        let measure = measure.to_owned();
        self.read(Operation("find", "baselines"), move |connection| {
            let newest = "SELECT document FROM baselines
                 WHERE tenant = ?1 AND test_name = ?2 AND environment = ?3 AND scenario = ?4
                 ORDER BY version DESC LIMIT 1";
            let figures = "SELECT value ->> 'run', value -> 'figures' ->> ?2
                 FROM json_each(?1, '$.runs') WHERE value -> 'figures' ->> ?2 IS NOT NULL";
            let mut newest = connection.prepare_cached(newest)?;
            let mut figures = connection.prepare_cached(figures)?;
            let mut found = Vec::new();
            for name in names.into_iter().take(MAX_HISTORY as usize) {
                let document = newest.query_row(name.parameters(), |row| row.get::<_, String>(0));
                let Some(document) = document.optional()? else {
                    continue;
                };
                let rows = figures.query_map(params![document, measure], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))
                })?;
                let parsed = rows.map(|row| {
                    let (run, figure) = row?;
                    Ok((RunId::stored(&run)?, figure))
                });
                let figures = parsed.collect::<Result<_, StoreError>>()?;
                found.push(BaselineFigures { name, figures });
            }
            Ok(found)
        })
        .await
    }
}
