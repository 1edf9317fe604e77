//! How many iterations an open load was asked to begin, beside those that came to their end.

use std::collections::BTreeMap;

use super::executor::{Executor, LoadModel, executors, first_iteration};
use crate::execution::ExecutionPlan;
use crate::verdict::{AskedLoad, Seen};

/// Between the last iteration of a plan and its end; a slower rate has longer pauses.
const LAST_PAUSE: f64 = 1.0;

/// Holds the open executors of a run against the iterations that ended, by scenario. `cut_off` is
/// for how many seconds samples came of a load that may have been ended before its plan; `None`
/// of one that was carried out. The last sample does not tell the two apart: iterations that wait
/// for a target until they are interrupted leave none.
#[must_use]
pub fn asked_load(
    plan: Option<&ExecutionPlan>,
    cut_off: Option<f64>,
    iterations: &BTreeMap<String, f64>,
) -> Seen<AskedLoad> {
    let executors = executors(plan);
    let open: Vec<&Executor> = executors
        .iter()
        .filter(|executor| executor.model == LoadModel::Arrivals)
        .collect();
    if executors.is_empty() {
        return Seen::Unknown("Nobody knows what load the script asked for.".to_owned());
    }
    if open.is_empty() {
        return Seen::NotApplicable("users, who ask for no rate".to_owned());
    }
    if iterations.contains_key("") {
        let why = "Too many tag sets to tell whose iterations ended.";
        return Seen::Unknown(why.to_owned());
    }
    let until = cut_off.map_or(f64::INFINITY, |seconds| {
        first_iteration(&executors) + seconds
    });
    if open
        .iter()
        .any(|executor| until + pause(executor) < executor.end())
    {
        return Seen::NotApplicable("the load ended before its plan".to_owned());
    }
    let asked = open
        .iter()
        .filter_map(|it| it.asked_iterations(until))
        .sum();
    let ended = |it: &&Executor| iterations.get(&it.scenario).copied().unwrap_or(0.0);
    Seen::Value(AskedLoad {
        asked,
        achieved: open.iter().map(ended).sum(),
        slack: crate::number::from_size(open.len()),
    })
}

/// The longest between the last iteration and the planned end: of a falling rate the last ones
/// are far apart.
fn pause(executor: &Executor) -> f64 {
    let last = executor.pieces().last();
    let rate = last.map_or(0.0, |piece| f64::midpoint(piece.from, piece.to));
    if rate > 0.0 {
        LAST_PAUSE + 2.0 / rate
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{Course, PlannedLoad};

    fn rate(per_second: f64, seconds: f64) -> ExecutionPlan {
        ExecutionPlan::of_one(PlannedLoad::Arrivals(Course::constant(per_second, seconds)))
    }

    fn ended(count: f64) -> BTreeMap<String, f64> {
        [("load".to_owned(), count), ("other".to_owned(), 7.0)].into()
    }

    #[test]
    fn what_was_asked_is_held_against_what_ended() {
        let Seen::Value(load) = asked_load(Some(&rate(10.0, 20.0)), Some(20.4), &ended(197.0))
        else {
            panic!("an open load asks for a number");
        };
        assert!((load.asked - 200.0).abs() < 1e-9 && (load.achieved - 197.0).abs() < 1e-9);
    }

    /// The target froze: what waits for it is interrupted in the end, without a sample.
    #[test]
    fn a_load_that_was_carried_out_is_asked_for_whole() {
        let seen = asked_load(Some(&rate(10.0, 60.0)), None, &ended(350.0));
        let Seen::Value(load) = seen else {
            panic!("an open load asks for a number: {seen:?}");
        };
        assert!((load.asked - 600.0).abs() < 1e-9 && (load.achieved - 350.0).abs() < 1e-9);
    }

    #[test]
    fn what_asks_for_nothing_is_not_held_against_anything() {
        let users = ExecutionPlan::of_one(PlannedLoad::Users(Course::constant(10.0, 20.0)));
        let is_out = |seen| matches!(seen, Seen::NotApplicable(_));
        assert!(is_out(asked_load(Some(&users), None, &ended(5.0))));
        let open = rate(10.0, 20.0);
        assert!(
            is_out(asked_load(Some(&open), Some(15.0), &ended(5.0))),
            "it was aborted"
        );
        let is_unknown = |seen| matches!(seen, Seen::Unknown(_));
        assert!(is_unknown(asked_load(None, None, &ended(5.0))));
        let bound = [(String::new(), 5.0)].into();
        assert!(is_unknown(asked_load(Some(&open), None, &bound)));
    }
}
