//! Runs that may become a baseline, held against the one in force before anything is decided.

use std::cmp::Reverse;

use load_analysis::baseline::{Baseline, Replacement};
use load_analysis::comparison::{Comparison, Direction};
use performance_store::{BaselineName, BaselineVersion, Run};
use service_defaults::problem::Problem;
use tenancy::Principal;

use super::{Wish, figures, latest_good, name_in_common, of_runs, runs_of};
use crate::app::App;
use crate::comparing;
use crate::comparisons::compare_at;
use crate::problems;

/// Runs that may become a baseline, beside the one in force.
pub(crate) struct Weighed {
    pub(crate) name: BaselineName,
    /// The runs, oldest first.
    pub(crate) runs: Vec<Run>,
    /// What they would make.
    pub(crate) baseline: Baseline,
    /// The newest version, which may be one that withdrew the one before.
    pub(crate) newest: Option<BaselineVersion>,
    /// The runs held against those in force; absent where none is.
    pub(crate) compared: Option<Vec<Comparison>>,
}

/// What becomes of runs that are weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is nothing to replace.
    First,
    /// They are in force already.
    InForce,
    /// They replace those in force by themselves: the measures by which they are better.
    ByThemselves(Vec<String>),
    /// They replace them for a reason only: what stands against them.
    ForAReason(String),
}

impl Weighed {
    pub(crate) fn outcome(&self) -> Outcome {
        let Some(compared) = &self.compared else {
            return Outcome::First;
        };
        let same = |newest: &BaselineVersion| newest.baseline.runs == self.baseline.runs;
        if self.newest.as_ref().is_some_and(same) {
            return Outcome::InForce;
        }
        match Replacement::if_improved(compared) {
            Ok(Replacement::Improved(measures)) => Outcome::ByThemselves(measures),
            Ok(_) => Outcome::ByThemselves(Vec::new()),
            Err(refused) => Outcome::ForAReason(refused.to_string()),
        }
    }

    /// What nobody would see any more: sentences on measures that became worse, first those that
    /// decide.
    pub(crate) fn hides(&self) -> Vec<String> {
        let compared = self.compared.iter().flatten();
        let worse = compared.filter(|one| one.direction == Direction::Worse);
        let mut worse: Vec<&Comparison> = worse.collect();
        worse.sort_by_key(|one| Reverse(one.level));
        worse.into_iter().map(|one| one.sentence.clone()).collect()
    }
}

/// Holds the runs that are wished for, or the latest good ones, against the baseline in force.
///
/// # Errors
/// 400 for runs that make no baseline, 404 for unknown ones, 429 and 503 when too many comparisons
/// wait.
pub(crate) async fn weigh(app: &App, caller: &Principal, wish: &Wish) -> Result<Weighed, Problem> {
    let place = app.comparisons.place(&caller.tenant).await?;
    let runs = match &wish.runs {
        Some(ids) => {
            let stored = app.store.with_results(&caller.tenant, ids.clone()).await;
            stored.map_err(problems::from_store)?
        }
        None => latest_good(&app.store, caller, wish).await?,
    };
    let name = name_in_common(&runs)?;
    let newest = app.store.newest_baseline(&name).await;
    let newest = newest.map_err(problems::from_store)?;
    let before = newest.as_ref().filter(|newest| newest.is_reference());
    let in_force = match before {
        Some(before) => Some(runs_of(&app.store, before).await?),
        None => None,
    };
    let asked = runs.iter().map(|stored| stored.run.clone()).collect();
    let work = move || {
        let runs = comparing::measured(runs);
        let baseline = Baseline::establish(runs.iter().map(figures).collect());
        let in_force = in_force.map(comparing::measured);
        let compared = in_force.map(|in_force| comparing::compare_groups(&in_force, &runs));
        (baseline, compared)
    };
    let (baseline, compared) = compare_at(place, work).await?;
    let baseline = baseline.map_err(|refused| of_runs(&refused))?;
    Ok(Weighed {
        name,
        runs: asked,
        baseline,
        newest,
        compared,
    })
}
