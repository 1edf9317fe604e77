//! Whether users waited for a target that did not answer any more when their time was over.

use super::executor::{Executor, LoadModel, executors, first_iteration};
use crate::execution::{ExecutionPlan, PlannedLoad};
use crate::notation::{self, number};

/// A shorter silence at the end may be chance.
const SHORTEST: f64 = 10.0;

/// So many times the longest iteration is longer than any that nobody cut off.
const LONGEST_ITERATIONS: f64 = 3.0;

/// Why the figures of a load of users do not count that was carried out: nothing came to an end
/// any more long before the plan did. What users wait for then is interrupted and leaves no sample,
/// so that the figures are those of a target that answers. `load_seconds` is from the first sample
/// of the load to the last, `longest_iteration` in seconds; without any nothing can be told.
#[must_use]
pub fn silence(
    plan: Option<&ExecutionPlan>,
    last_end: f64,
    longest_iteration: Option<f64>,
) -> Option<String> {
    let executors = executors(plan);
    let has_an_end = plan.into_iter().flat_map(|plan| &plan.scenarios);
    let has_an_end = has_an_end.map(|one| !matches!(one.load, PlannedLoad::Iterations { .. }));
    let users = executors
        .iter()
        .zip(has_an_end)
        .filter(|(executor, has_an_end)| *has_an_end && executor.model == LoadModel::Users);
    let planned = users
        .filter_map(|(executor, _)| last_user(executor))
        .reduce(f64::max)?;
    let silent = planned - (first_iteration(&executors) + last_end);
    let longest = longest_iteration?;
    if silent <= SHORTEST.max(LONGEST_ITERATIONS * longest) {
        return None;
    }
    Some(format!(
        "nothing came to an end in the last {} of the load, while its users went on and their \
         longest iteration took {} s: the target did not answer any more, and what was asked of \
         it is in no figure",
        notation::time(silent),
        number(longest)
    ))
}

/// Seconds from the begin of the load to the last moment at which the plan has a user.
fn last_user(executor: &Executor) -> Option<f64> {
    let moments = executor.pieces().filter_map(|piece| {
        if piece.to >= 1.0 {
            return Some(piece.end);
        }
        let length = piece.end - piece.begin;
        let share = (piece.from - 1.0) / (piece.from - piece.to);
        (piece.from >= 1.0).then(|| length.mul_add(share, piece.begin))
    });
    moments.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{Course, Stage};

    fn users(seconds: f64) -> ExecutionPlan {
        ExecutionPlan::of_one(PlannedLoad::Users(Course::constant(10.0, seconds)))
    }

    #[test]
    fn a_target_that_froze_is_told() {
        let told = silence(Some(&users(60.0)), 35.0, Some(0.4)).unwrap();
        assert!(
            told.contains("in the last 25 s") && told.contains("took 0.40 s"),
            "{told}"
        );
    }

    #[test]
    fn what_may_be_chance_is_not() {
        for (seconds, longest) in [
            // To the end, and beyond it: the time that iterations have to end.
            (59.8, Some(0.4)),
            (75.0, Some(0.4)),
            (51.0, Some(0.4)),
            // Users think for long, or nobody knows for how long.
            (35.0, Some(9.0)),
            (35.0, None),
        ] {
            assert_eq!(
                silence(Some(&users(60.0)), seconds, longest),
                None,
                "{seconds}"
            );
        }
        assert_eq!(silence(None, 35.0, Some(0.4)), None);
    }

    /// Levels without a user ask for nothing, nor do rates and numbers of iterations.
    #[test]
    fn only_users_are_waited_for() {
        let stage = |seconds: f64, to: f64| Stage { seconds, to };
        let ramp = ExecutionPlan::of_one(PlannedLoad::Users(Course {
            from: 10.0,
            stages: vec![stage(30.0, 10.0), stage(10.0, 0.0), stage(60.0, 0.0)],
        }));
        assert_eq!(silence(Some(&ramp), 38.0, Some(0.4)), None);
        assert!(silence(Some(&ramp), 28.0, Some(0.4)).is_some());
        let rate = ExecutionPlan::of_one(PlannedLoad::Arrivals(Course::constant(10.0, 60.0)));
        assert_eq!(silence(Some(&rate), 30.0, Some(0.4)), None);
        let iterations = ExecutionPlan::of_one(PlannedLoad::Iterations {
            users: 2.0,
            count: 20.0,
            longest: 600.0,
        });
        assert_eq!(silence(Some(&iterations), 5.0, Some(0.4)), None);
    }
}
