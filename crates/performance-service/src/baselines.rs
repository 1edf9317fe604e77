//! The calls about baselines: `/api/v1/performancetest/baselines`, one file for each; and what
//! they do.

pub(crate) mod body;
pub(crate) mod establish;
pub(crate) mod list;
pub(crate) mod versions;

use load_analysis::baseline::{Baseline, Refused, Replacement, RunFigures, SMALLEST_BASELINE};
use load_analysis::comparison::Comparison;
use load_analysis::verdict::Level;
use performance_store::{
    BaselineName, BaselineVersion, MAX_HISTORY, Run, RunId, RunStore, TestName,
};
use service_defaults::problem::Problem;
use tenancy::{Principal, Role};

use crate::comparing::{self, Measured};
use crate::problems;

/// What a new baseline is asked for with.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) test: String,
    pub(crate) environment: Option<String>,
    pub(crate) scenario: Option<String>,
    /// The latest good runs when absent.
    pub(crate) runs: Option<Vec<RunId>>,
    /// Why, when it may be worse than the one in force.
    pub(crate) reason: Option<String>,
}

/// The baseline that a run is held against.
pub(crate) fn name_of(run: &Run) -> BaselineName {
    BaselineName {
        tenant: run.tenant.clone(),
        test: run.test_name.clone(),
        environment: run.environment.clone(),
        scenario: run.scenario.clone(),
    }
}

/// Establishes a baseline, or replaces the one in force: by itself only when the new runs are
/// better, else with a reason.
///
/// # Errors
/// 400 for runs that make no baseline, 403 by hand without the role admin, 404 for unknown ones, 409 when the one in force stays.
pub(crate) async fn establish(
    store: &RunStore,
    caller: &Principal,
    wish: Wish,
) -> Result<BaselineVersion, Problem> {
    if wish.reason.is_some() && caller.role < Role::Admin {
        let detail = "a baseline is replaced by hand, for a reason, by an administrator only";
        return Err(Problem::forbidden(detail).with_kind("role-needed"));
    }
    let runs = match &wish.runs {
        Some(ids) => {
            let stored = store.with_results(&caller.tenant, ids.clone()).await;
            comparing::measured(stored.map_err(problems::from_store)?)
        }
        None => latest_good(store, caller, &wish).await?,
    };
    let name = name_in_common(&runs)?;
    let baseline = Baseline::establish(runs.iter().map(figures).collect());
    let baseline = baseline.map_err(|refused| of_runs(&refused))?;
    let before = store.baseline(&name).await.map_err(problems::from_store)?;
    let replacement = match &before {
        None => None,
        Some(before) => Some(replacement(store, before, &runs, wish.reason.as_deref()).await?),
    };
    let version = BaselineVersion {
        name,
        version: before.map_or(0, |before| before.version) + 1,
        created_at: store.clock().stored_now(),
        created_by: caller.user.to_string(),
        replacement,
        baseline,
    };
    let put = store.put_baseline(version.clone()).await;
    put.map_err(problems::from_change)?;
    tracing::info!(
        test.name = %version.name.test,
        "version {} of a baseline is in force",
        version.version
    );
    Ok(version)
}

/// The runs of a baseline with their results, oldest first.
pub(crate) async fn runs_of(
    store: &RunStore,
    version: &BaselineVersion,
) -> Result<Vec<Measured>, Problem> {
    let ids = version.baseline.runs.iter();
    let ids: Vec<RunId> = ids.filter_map(|run| run.run.parse().ok()).collect();
    let stored = store.with_results(&version.name.tenant, ids).await;
    Ok(comparing::measured(stored.map_err(problems::from_store)?))
}

async fn latest_good(
    store: &RunStore,
    caller: &Principal,
    wish: &Wish,
) -> Result<Vec<Measured>, Problem> {
    let test = TestName {
        tenant: caller.tenant.clone(),
        name: wish.test.clone(),
        environment: wish.environment.clone(),
        scenario: wish.scenario.clone(),
    };
    let history = store.history(&test, MAX_HISTORY).await;
    let mut runs = comparing::measured(history.map_err(problems::from_store)?);
    let latest = runs.last().map(|latest| name_of(&latest.run));
    runs.retain(|measured| is_good(measured) && Some(name_of(&measured.run)) == latest);
    Ok(runs.split_off(runs.len().saturating_sub(SMALLEST_BASELINE)))
}

fn is_good(measured: &Measured) -> bool {
    let verdict = measured.run.verdict.as_ref();
    verdict.is_some_and(|verdict| matches!(verdict.level, Level::Pass | Level::Warning))
}

/// Runs of different tests, targets or scenarios are no baseline, nor are runs that do not count.
fn name_in_common(runs: &[Measured]) -> Result<BaselineName, Problem> {
    let invalid = |reason: String| Problem::invalid_field("runs", reason);
    let Some(first) = runs.first() else {
        let reason = format!("a baseline needs {SMALLEST_BASELINE} good runs, there are none");
        return Err(invalid(reason));
    };
    let name = name_of(&first.run);
    if let Some(other) = runs.iter().find(|one| name_of(&one.run) != name) {
        let reason = format!(
            "#{} and #{} are not of the same test, target and scenario",
            first.run.number, other.run.number
        );
        return Err(invalid(reason));
    }
    if let Some(bad) = runs.iter().find(|one| !is_good(one)) {
        let reason = format!("#{} is neither PASS nor WARNING", bad.run.number);
        return Err(invalid(reason));
    }
    Ok(name)
}

async fn replacement(
    store: &RunStore,
    before: &BaselineVersion,
    runs: &[Measured],
    reason: Option<&str>,
) -> Result<Replacement, Problem> {
    let compared: Vec<Comparison> = comparing::compare_groups(&runs_of(store, before).await?, runs);
    match reason {
        Some(reason) => Replacement::by_hand(reason, &compared)
            .map_err(|refused| Problem::invalid_field("reason", refused.to_string())),
        None => Replacement::if_improved(&compared).map_err(|refused| {
            let detail = format!("the baseline stays; with a reason it is replaced. {refused}");
            Problem::conflict(detail).with_kind("not-improved")
        }),
    }
}

fn figures(measured: &Measured) -> RunFigures {
    RunFigures {
        run: measured.run.id.to_string(),
        figures: comparing::figures(&measured.results),
    }
}

fn of_runs(refused: &Refused) -> Problem {
    Problem::invalid_field("runs", refused.to_string())
}
