//! The level of load that a plan asks for, over time, all executors together.

use serde::{Deserialize, Serialize};

use super::executor::{Executor, LoadModel, Piece, first_iteration};

/// Corners of a course: a plan with more stages has nobody's shape in mind.
const MAX_CORNERS: usize = 400;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AskedCourse {
    /// Whether levels are iterations per second; else they are users. Where a plan has both, the
    /// users are left out: they ask for no rate.
    pub arrivals: bool,
    /// Where the level turns, in the order of time. Between two corners it changes evenly; two
    /// corners at one moment are a jump.
    pub corners: Vec<Corner>,
}

/// A moment and the level at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Corner {
    /// Seconds since the load began.
    pub at: f64,
    /// Iterations per second, or users.
    pub level: f64,
}

impl AskedCourse {
    /// The course of these executors; `None` where there is none to show.
    pub(super) fn of(executors: &[Executor]) -> Option<Self> {
        let is_open = |executor: &&Executor| executor.model == LoadModel::Arrivals;
        let arrivals = executors.iter().any(|executor| is_open(&executor));
        let shown = executors.iter().filter(|it| is_open(it) == arrivals);
        let pieces: Vec<Piece> = shown.flat_map(Executor::pieces).collect();
        let ends = pieces.iter().flat_map(|piece| [piece.begin, piece.end]);
        let mut moments: Vec<f64> = ends.collect();
        moments.sort_by(f64::total_cmp);
        moments.dedup();
        let began = first_iteration(executors);
        let corner = |at: f64, level: f64| Corner {
            at: (at - began).max(0.0),
            level,
        };
        let corners: Vec<Corner> = moments
            .windows(2)
            .filter(|between| between[1] > began)
            .flat_map(|between| {
                let (begin, end) = (between[0].max(began), between[1]);
                let covers = |piece: &&Piece| piece.begin <= begin && piece.end >= end;
                let level = |at| {
                    let levels = pieces.iter().filter(covers).map(|it| it.level_at(at));
                    levels.sum::<f64>()
                };
                [corner(begin, level(begin)), corner(end, level(end))]
            })
            .collect();
        let is_shown = !corners.is_empty() && corners.len() <= MAX_CORNERS;
        is_shown.then_some(Self { arrivals, corners })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{Course, ExecutionPlan, PlannedLoad, PlannedScenario, Stage};

    fn course(scenarios: Vec<(f64, PlannedLoad)>) -> Option<AskedCourse> {
        let scenario = |(start, load)| PlannedScenario {
            name: "load".to_owned(),
            start,
            load,
        };
        let plan = ExecutionPlan {
            scenarios: scenarios.into_iter().map(scenario).collect(),
        };
        AskedCourse::of(&super::super::executor::executors(Some(&plan)))
    }

    fn corners(course: Option<AskedCourse>) -> Vec<(f64, f64)> {
        let corners = course.map(|course| course.corners).unwrap_or_default();
        corners.iter().map(|it| (it.at, it.level)).collect()
    }

    #[test]
    fn executors_that_overlap_are_added() {
        let ramp = Course {
            from: 2.0,
            stages: vec![Stage {
                seconds: 10.0,
                to: 6.0,
            }],
        };
        let both = course(vec![
            (0.0, PlannedLoad::Arrivals(ramp)),
            (5.0, PlannedLoad::Arrivals(Course::constant(10.0, 10.0))),
        ]);
        assert!(both.as_ref().is_some_and(|course| course.arrivals));
        let expected = [
            (0.0, 2.0),
            (5.0, 4.0),
            (5.0, 14.0),
            (10.0, 16.0),
            (10.0, 10.0),
            (15.0, 10.0),
        ];
        assert_eq!(corners(both), expected);
    }

    #[test]
    fn users_are_shown_where_nothing_has_a_rate() {
        let users = || PlannedLoad::Users(Course::constant(3.0, 4.0));
        assert_eq!(
            corners(course(vec![(0.0, users())])),
            [(0.0, 3.0), (4.0, 3.0)]
        );
        let rate = PlannedLoad::Arrivals(Course::constant(7.0, 4.0));
        let both = course(vec![(0.0, users()), (0.0, rate)]);
        assert_eq!(corners(both), [(0.0, 7.0), (4.0, 7.0)]);
        assert_eq!(course(Vec::new()), None);
    }
}
