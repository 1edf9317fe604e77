//! The calls about baselines: `/api/v1/performancetest/baselines`, one file for each; and what
//! they do.

pub(crate) mod body;
pub(crate) mod establish;
pub(crate) mod list;
pub(crate) mod pins;
pub(crate) mod reverting;
pub(crate) mod rollback;
pub(crate) mod versions;
pub(crate) mod weighing;
pub(crate) mod withdraw;

use load_analysis::baseline::{Baseline, Refused, Replacement, RunFigures, SMALLEST_BASELINE};
use load_analysis::comparison::Comparison;
use load_analysis::verdict::Level;
use performance_store::{
    BaselineName, BaselineVersion, MAX_HISTORY, Run, RunId, RunStore, TestName, WithResults,
};
use service_defaults::problem::Problem;
use tenancy::{Principal, Role};

use self::body::BaselineBody;
use self::weighing::{Weighed, weigh};
use crate::app::App;
use crate::audit::changes;
use crate::comparing::{self, Measured};
use crate::idempotency;
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
    app: &App,
    caller: &Principal,
    wish: Wish,
) -> Result<BaselineVersion, Problem> {
    if wish.reason.is_some() {
        administrators_only(caller)?;
    }
    let weighed = weigh(app, caller, &wish).await?;
    let Weighed {
        name,
        newest,
        baseline,
        compared,
        ..
    } = weighed;
    if let Some(made) = made_before(caller, newest.as_ref(), &baseline) {
        return Ok(made);
    }
    let replacement = compared.map(|compared| replacement(&compared, wish.reason.as_deref()));
    let put = (baseline, replacement.transpose()?);
    put_next(&app.store, caller, (name, newest), put).await
}

/// Puts runs in force under the number that follows.
async fn put_next(
    store: &RunStore,
    caller: &Principal,
    (name, newest): (BaselineName, Option<BaselineVersion>),
    (baseline, replacement): (Baseline, Option<Replacement>),
) -> Result<BaselineVersion, Problem> {
    let version = BaselineVersion {
        name,
        version: newest.as_ref().map_or(0, |newest| newest.version) + 1,
        created_at: store.clock().stored_now(),
        created_by: caller.user.to_string(),
        replacement,
        baseline,
    };
    let put = store.put_baseline(version.clone()).await;
    put.map_err(problems::from_change)?;
    let after = BaselineBody::from(version.clone());
    match newest.map(BaselineBody::from) {
        None => changes::made(&after),
        Some(before) => changes::changed(&before, &after),
    }
    tracing::info!(
        test.name = %version.name.test,
        "version {} of a baseline is in force",
        version.version
    );
    Ok(version)
}

/// What is done by hand, whatever the figures say, takes an administrator.
pub(crate) fn administrators_only(caller: &Principal) -> Result<(), Problem> {
    if caller.role < Role::Admin {
        let detail = "a baseline is changed by hand, for a reason, by an administrator only";
        return Err(Problem::forbidden(detail).with_kind("role-needed"));
    }
    Ok(())
}

/// The version that the present request made before nobody knew: the newest one, of the same user
/// and with the same runs, or with none as well.
fn made_before(
    caller: &Principal,
    newest: Option<&BaselineVersion>,
    baseline: &Baseline,
) -> Option<BaselineVersion> {
    idempotency::id_of_made()?;
    let same = |it: &&BaselineVersion| it.created_by == *caller.user && it.baseline == *baseline;
    newest.filter(same).cloned()
}

/// The runs of a baseline with their results, oldest first.
pub(crate) async fn runs_of(
    store: &RunStore,
    version: &BaselineVersion,
) -> Result<Vec<WithResults>, Problem> {
    let stored = store
        .with_results(&version.name.tenant, version.runs())
        .await;
    stored.map_err(problems::from_store)
}

async fn latest_good(
    store: &RunStore,
    caller: &Principal,
    wish: &Wish,
) -> Result<Vec<WithResults>, Problem> {
    let test = TestName {
        tenant: caller.tenant.clone(),
        name: wish.test.clone(),
        environment: wish.environment.clone(),
        scenario: wish.scenario.clone(),
    };
    let history = store.history(&test, MAX_HISTORY).await;
    let mut runs = history.map_err(problems::from_store)?;
    runs.retain(|stored| stored.results.is_some());
    let latest = runs.last().map(|latest| name_of(&latest.run));
    runs.retain(|stored| is_good(stored) && Some(name_of(&stored.run)) == latest);
    Ok(runs.split_off(runs.len().saturating_sub(SMALLEST_BASELINE)))
}

fn is_good(stored: &WithResults) -> bool {
    let verdict = stored.run.verdict.as_ref();
    verdict.is_some_and(|verdict| matches!(verdict.level, Level::Pass | Level::Warning))
}

/// Runs of different tests, targets or scenarios are no baseline, nor are runs that do not count.
fn name_in_common(runs: &[WithResults]) -> Result<BaselineName, Problem> {
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

fn replacement(compared: &[Comparison], reason: Option<&str>) -> Result<Replacement, Problem> {
    match reason {
        Some(reason) => Replacement::by_hand(reason, compared)
            .map_err(|refused| Problem::invalid_field("reason", refused.to_string())),
        None => Replacement::if_improved(compared).map_err(|refused| {
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
