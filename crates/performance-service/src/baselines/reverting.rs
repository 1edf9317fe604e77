//! The way back from a baseline: to an earlier version, or to none.

use load_analysis::baseline::{Baseline, Refused, Replacement};
use performance_store::{BaselineName, BaselineVersion, RunStore, StoreError, WithResults};
use service_defaults::problem::Problem;
use tenancy::Principal;

use super::{administrators_only, made_before, put_next, runs_of};
use crate::app::App;
use crate::comparing;
use crate::comparisons::compare_at;
use crate::problems;

/// Puts the runs of an earlier version in force again, under a number of its own: nothing of the
/// history is lost.
///
/// # Errors
/// 400 for a version that is not kept or has no runs, or without a reason; 403 without the role
/// admin; 404 without a baseline; 409 when it is the one in force, or its runs are gone.
pub(crate) async fn roll_back(
    app: &App,
    caller: &Principal,
    name: BaselineName,
    version: u64,
    reason: &str,
) -> Result<BaselineVersion, Problem> {
    administrators_only(caller)?;
    let versions = app.store.baseline_versions(&name).await;
    let versions = versions.map_err(problems::from_store)?;
    let newest = versions.first().ok_or_else(none)?;
    let wanted = versions.iter().find(|one| one.version == version);
    let Some(wanted) = wanted.filter(|one| one.is_reference()) else {
        let reason = "must be that of a version that is kept and has runs";
        return Err(Problem::invalid_field("version", reason));
    };
    if let Some(made) = made_before(caller, Some(newest), &wanted.baseline) {
        return Ok(made);
    }
    if wanted.baseline == newest.baseline {
        return Err(Problem::conflict("the runs of this version are in force"));
    }
    let place = app.comparisons.place(&caller.tenant).await?;
    let runs = kept_runs(&app.store, wanted).await?;
    let in_force = if newest.is_reference() {
        runs_of(&app.store, newest).await?
    } else {
        Vec::new()
    };
    let work = move || {
        let (in_force, runs) = (comparing::measured(in_force), comparing::measured(runs));
        comparing::compare_groups(&in_force, &runs)
    };
    let compared = compare_at(place, work).await?;
    let replacement = Replacement::back_to(version, reason, &compared);
    let replacement = Some(replacement.map_err(|refused| of_reason(&refused))?);
    let baseline = wanted.baseline.clone();
    let newest = Some(newest.clone());
    put_next(&app.store, caller, (name, newest), (baseline, replacement)).await
}

/// Takes a baseline out of force; its versions stay to be seen, and to be put in force again.
///
/// # Errors
/// 400 without a reason, 403 without the role admin, 404 when none is in force.
pub(crate) async fn withdraw(
    app: &App,
    caller: &Principal,
    name: BaselineName,
    reason: &str,
) -> Result<BaselineVersion, Problem> {
    administrators_only(caller)?;
    let newest = app.store.newest_baseline(&name).await;
    let newest = newest.map_err(problems::from_store)?;
    let nothing = Baseline::default();
    if let Some(made) = made_before(caller, newest.as_ref(), &nothing) {
        return Ok(made);
    }
    let newest = newest.filter(BaselineVersion::is_reference);
    let newest = Some(newest.ok_or_else(none)?);
    let replacement = Replacement::withdrawn(reason).map_err(|refused| of_reason(&refused))?;
    let put = (nothing, Some(replacement));
    put_next(&app.store, caller, (name, newest), put).await
}

/// The runs of a version that is not in force: retention or somebody may have removed them.
async fn kept_runs(
    store: &RunStore,
    version: &BaselineVersion,
) -> Result<Vec<WithResults>, Problem> {
    let stored = store
        .with_results(&version.name.tenant, version.runs())
        .await;
    let Err(StoreError::NotFound) = stored else {
        return stored.map_err(problems::from_store);
    };
    let gone = store
        .missing_runs(&version.name.tenant, version.runs())
        .await;
    let gone = gone.map_err(problems::from_store)?.into_iter().next();
    let gone = gone.ok_or_else(problems::no_such_run)?;
    let run = gone.to_string();
    Err(problems::from_store(StoreError::RunGone { run }))
}

fn none() -> Problem {
    Problem::not_found("there is no such baseline")
}

fn of_reason(refused: &Refused) -> Problem {
    Problem::invalid_field("reason", refused.to_string())
}
