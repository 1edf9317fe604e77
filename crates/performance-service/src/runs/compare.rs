//! `GET /compare`.

pub(crate) mod differences;

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use load_analysis::comparison::{self, Comparison, MAX_RUNS, Rerun, Took};
use load_analysis::verdict::Level;
use performance_store::{RunId, WithResults};
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use utoipa::ToSchema;

use self::differences::Difference;
use super::body::RunBody;
use crate::app::App;
use crate::baselines;
use crate::comparing::{self, Measured};
use crate::comparisons::compare_at;
use crate::problems;

/// Stands for the runs of the baseline in force.
pub(crate) const BASELINE: &str = "baseline";

/// Which runs.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompareQuery {
    /// Ids with commas between; the first run is the reference of the others.
    pub(crate) runs: Option<String>,
    /// Ids of the runs compared with, oldest first, at most 30; or `baseline`, the one in force for
    /// the test, target and scenario of the first run in question.
    pub(crate) reference: Option<String>,
    /// Ids of the runs in question, oldest first, at most 30.
    pub(crate) candidate: Option<String>,
}

/// Two groups of runs, held against each other.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComparisonBody {
    /// The runs compared with.
    pub(crate) reference: Vec<RunBody>,
    /// The runs in question.
    pub(crate) candidate: Vec<RunBody>,
    /// What else differs between the runs than the time, such as `target` or `option duration`: what
    /// explains a difference by itself.
    pub(crate) differs: Vec<String>,
    /// Which part of the runs is compared: `steady`, without warm-up and ramps, or `run` where one
    /// of them has no steady phase.
    pub(crate) phase: &'static str,
    /// The worst of what the deciding measures say: `PASS`, `WARNING`, `FAIL`, `CRITICAL` or
    /// `INCONCLUSIVE`; `INVALID` when a run has no figures that count.
    pub(crate) level: &'static str,
    /// 0 PASS · 1 WARNING, INCONCLUSIVE · 2 FAIL, CRITICAL, INVALID.
    pub(crate) exit_code: u8,
    /// Every measure that all runs have.
    #[schema(value_type = Vec<Object>)]
    pub(crate) comparisons: Vec<Comparison>,
    /// The runs that could decide what is inconclusive for want of them, with their time and cost:
    /// `{measures, runsNeeded, referenceRuns, candidateRuns, seconds, real, simulated, sentence}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) rerun: Option<Rerun>,
}

/// Both groups with their figures.
pub(crate) struct Groups {
    pub(crate) reference: Vec<Measured>,
    pub(crate) candidate: Vec<Measured>,
}

/// Compares two groups of runs measure by measure: what became better or worse, by how much, and
/// how sure that is. Few runs on a side give an answer of low confidence.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/compare",
    tag = "runs",
    params(CompareQuery),
    responses(
        (status = 200, body = ComparisonBody),
        (status = 400, description = "Not two groups of 1 to 30 different runs each"),
        (status = 404, description = "No such run, or no baseline"),
        (status = 409, description = "A run has no results, or is all of the baseline"),
        (status = 429, description = "Too many comparisons of the tenant wait"),
        (status = 503, description = "Too many comparisons wait"),
    )
)]
pub(crate) async fn compare(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<CompareQuery>,
) -> Result<Json<ComparisonBody>, Problem> {
    let (_, body) = of_groups(&app, &caller.tenant, &query, Groups::compared).await?;
    Ok(Json(body))
}

/// Reads the groups that a query names, and says of them what is asked.
pub(crate) async fn of_groups<T: Send + 'static>(
    app: &App,
    tenant: &TenantId,
    query: &CompareQuery,
    asked: impl FnOnce(&Groups) -> T + Send + 'static,
) -> Result<(Groups, T), Problem> {
    let named = named(query)?;
    let place = app.comparisons.place(tenant).await?;
    let (reference, candidate) = stored(app, tenant, named).await?;
    let work = move || {
        let groups = Groups {
            reference: measured(reference)?,
            candidate: measured(candidate)?,
        };
        let answer = asked(&groups);
        Ok((groups, answer))
    };
    compare_at(place, work).await?
}

/// The ids of both groups; none of the reference where that is the baseline.
type Named = (Option<Vec<RunId>>, Vec<RunId>);

/// The groups that a query names.
fn named(query: &CompareQuery) -> Result<Named, Problem> {
    let (reference, candidate) = match &query.runs {
        Some(runs) => {
            let mut ids = ids("runs", runs.split(','))?;
            let candidate = ids.split_off(1);
            if candidate.is_empty() {
                return Err(Problem::invalid_field("runs", "must name two runs or more"));
            }
            (Some(ids), candidate)
        }
        None if query.reference.as_deref() == Some(BASELINE) => {
            (None, listed("candidate", query.candidate.as_ref())?)
        }
        None => (
            Some(listed("reference", query.reference.as_ref())?),
            listed("candidate", query.candidate.as_ref())?,
        ),
    };
    let both = |id: &RunId| reference.iter().flatten().any(|other| other == id);
    if let Some(id) = candidate.iter().find(|id| both(id)) {
        let reason = format!("{id} is of the reference: no run is held against itself");
        return Err(Problem::invalid_field("candidate", reason));
    }
    Ok((reference, candidate))
}

/// The runs of both groups as they are stored.
async fn stored(
    app: &App,
    tenant: &TenantId,
    (reference, candidate): Named,
) -> Result<(Vec<WithResults>, Vec<WithResults>), Problem> {
    let with_results = async |ids: Vec<RunId>| {
        let found = app.store.with_results(tenant, ids).await;
        found.map_err(problems::from_store)
    };
    let candidate = with_results(candidate).await?;
    let reference = match reference {
        Some(reference) => with_results(reference).await?,
        None => of_baseline(app, &candidate).await?,
    };
    Ok((reference, candidate))
}

/// The runs of the baseline that the first candidate is held against, without the candidates:
/// they would be held against themselves.
async fn of_baseline(app: &App, candidate: &[WithResults]) -> Result<Vec<WithResults>, Problem> {
    let missing = || Problem::not_found("the test has no baseline for this target and scenario");
    let first = candidate.first().ok_or_else(missing)?;
    let found = app.store.baseline(&baselines::name_of(&first.run)).await;
    let version = found.map_err(problems::from_store)?.ok_or_else(missing)?;
    let mut runs = baselines::runs_of(&app.store, &version).await?;
    runs.retain(|one| candidate.iter().all(|other| other.run.id != one.run.id));
    if runs.is_empty() {
        let detail = "the baseline has no other runs than the candidates";
        return Err(Problem::conflict(detail));
    }
    Ok(runs)
}

impl Groups {
    /// What the comparison says.
    pub(crate) fn compared(&self) -> ComparisonBody {
        let comparisons = comparing::compare_groups(&self.reference, &self.candidate);
        let deciding = comparisons.iter().filter_map(|one| one.level);
        let (level, rerun) = if self.all_count() {
            let level = deciding.max().unwrap_or(Level::Inconclusive);
            let took = |runs: &[Measured]| runs.iter().map(took).collect::<Vec<_>>();
            let (reference, candidate) = (took(&self.reference), took(&self.candidate));
            (
                level,
                comparison::rerun(&comparisons, &reference, &candidate),
            )
        } else {
            (Level::Invalid, None)
        };
        let body = |runs: &[Measured]| {
            let body = |measured: &Measured| RunBody::new(&measured.run, None);
            runs.iter().map(body).collect()
        };
        ComparisonBody {
            reference: body(&self.reference),
            candidate: body(&self.candidate),
            differs: self.differences().into_iter().map(|it| it.what).collect(),
            phase: comparing::compared_phase(&self.reference, &self.candidate),
            level: level.as_str(),
            exit_code: level.exit_code(),
            comparisons,
            rerun,
        }
    }

    /// Whether the figures of every run show what was asked.
    fn all_count(&self) -> bool {
        let mut runs = self.reference.iter().chain(&self.candidate);
        let counts = |measured: &Measured| {
            let verdict = measured.run.verdict.as_ref();
            verdict.is_some_and(|verdict| verdict.level != Level::Invalid)
        };
        !self.reference.is_empty() && !self.candidate.is_empty() && runs.all(counts)
    }

    /// What was asked of the runs that is not the same in all of them.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        differences::between(self.reference.iter().chain(&self.candidate))
    }
}

/// What a run took, from its place in front of the queue to its verdict.
fn took(measured: &Measured) -> Took {
    let run = &measured.run;
    let time = run.started_at.zip(run.completed_at);
    let time = time.map(|(from, to)| to.duration_since(from).unsigned_abs());
    Took {
        time: time.unwrap_or_default(),
        spend: measured.results.spent(),
    }
}

fn measured(stored: Vec<WithResults>) -> Result<Vec<Measured>, Problem> {
    let wanted = stored.len();
    let measured = comparing::measured(stored);
    if measured.len() < wanted {
        let detail = "a run has no results: it is not over, or put no load on its target";
        return Err(Problem::conflict(detail));
    }
    Ok(measured)
}

fn listed(field: &str, list: Option<&String>) -> Result<Vec<RunId>, Problem> {
    ids(field, list.into_iter().flat_map(|list| list.split(',')))
}

/// Reads the ids of a group of runs.
pub(crate) fn ids<'a>(
    field: &str,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<RunId>, Problem> {
    let ids: Result<Vec<RunId>, _> = texts.into_iter().map(|id| id.trim().parse()).collect();
    match ids {
        // A run that counts twice seems to confirm itself.
        Ok(ids) if ids.iter().collect::<HashSet<_>>().len() < ids.len() => {
            Err(Problem::invalid_field(field, "names a run twice"))
        }
        Ok(ids) if (1..=MAX_RUNS).contains(&ids.len()) => Ok(ids),
        _ => {
            let reason = format!("must be 1 to {MAX_RUNS} ids of runs");
            Err(Problem::invalid_field(field, reason))
        }
    }
}
