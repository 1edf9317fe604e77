//! What lists say of runs beside their rows: what they cost, and how far they are from the
//! baseline of their test.

use std::collections::BTreeMap;

use load_analysis::comparison::{Comparison, Subject, compare};
use load_analysis::objective::{Better, Priority};
use load_analysis::spend::Spend;
use load_analysis::unit::Unit;
use load_analysis::verdict::Level;
use performance_store::{BaselineFigures, BaselineName, Run, RunId, RunStore, StoreError};
use tenancy::TenantId;

use crate::baselines::name_of;
use crate::runs::trends::USUAL_MEASURE;

/// How sentences call the usual measure, here as in comparisons.
const USUAL_NAME: &str = "p95 of http_req_duration";

/// What stands beside a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// Absent for a run without a call of a model.
    pub(crate) cost: Option<Spend>,
    /// Absent without a baseline, without the usual measure, and for a run that is INVALID.
    pub(crate) against: Option<Against>,
}

/// A run and the baseline in force.
#[derive(Debug, Clone)]
pub(crate) enum Against {
    /// It is one of the baseline's runs.
    PartOfIt,
    /// The usual measure of the run, held against those of the baseline.
    Compared(Box<Comparison>),
}

/// What stands beside each of these runs.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn standings(
    store: &RunStore,
    tenant: &TenantId,
    runs: &[&Run],
) -> Result<BTreeMap<RunId, Standing>, StoreError> {
    let over = runs.iter().filter(|run| run.status.is_final());
    let ids: Vec<RunId> = over.clone().map(|run| run.id).collect();
    let costs = store.costs(tenant, ids.clone()).await?;
    let figures = store.figures(tenant, ids, USUAL_MEASURE).await?;
    let mut names: Vec<BaselineName> = Vec::new();
    for name in over.clone().map(|run| name_of(run)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let baselines = store.baseline_figures(names, USUAL_MEASURE).await?;
    let against = |run: &Run| {
        // The figures of such a run do not show what was asked.
        let verdict = run.verdict.as_ref()?;
        if verdict.level == Level::Invalid {
            return None;
        }
        let name = name_of(run);
        let baseline = baselines.iter().find(|one| one.name == name)?;
        held_against(baseline, run.id, *figures.get(&run.id)?)
    };
    let standing = |run: &&&Run| {
        let standing = Standing {
            cost: costs.get(&run.id).cloned(),
            against: against(run),
        };
        (run.id, standing)
    };
    Ok(over.map(|run| standing(&run)).collect())
}

fn held_against(baseline: &BaselineFigures, run: RunId, figure: f64) -> Option<Against> {
    if baseline.figures.iter().any(|(id, _)| *id == run) {
        return Some(Against::PartOfIt);
    }
    let reference: Vec<f64> = baseline.figures.iter().map(|(_, it)| *it).collect();
    let subject = Subject::of_figures(
        (USUAL_NAME, Unit::Milliseconds),
        Better::Lower,
        Priority::P2,
        (reference, vec![figure]),
    );
    let compared = compare(&[subject]).pop()?;
    compared
        .effect
        .is_finite()
        .then(|| Against::Compared(Box::new(compared)))
}
