//! The scenarios of a plan in one form: a level over time.

use super::Model;
use crate::execution::{ExecutionPlan, PlannedLoad, PlannedScenario, Stage};

/// One scenario: virtual users or iterations per second, over time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Executor {
    pub(super) scenario: String,
    /// What its levels count.
    pub(super) model: LoadModel,
    /// Seconds from the begin of the load to its own.
    start: f64,
    /// The level that its first stage begins with.
    from: f64,
    stages: Vec<Stage>,
}

/// What the level of an executor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadModel {
    /// Closed: users who wait for their answers.
    Users,
    /// Open: iterations begun per second, whether or not answers come.
    Arrivals,
}

/// The executors of a plan; none of one that is not known. Of iterations that users share only
/// the latest end is known.
pub(super) fn executors(plan: Option<&ExecutionPlan>) -> Vec<Executor> {
    let scenarios = plan.map(|plan| plan.scenarios.as_slice());
    scenarios
        .unwrap_or_default()
        .iter()
        .map(Executor::of)
        .collect()
}

/// The model of all executors together; `None` without any.
pub(super) fn model(executors: &[Executor]) -> Option<Model> {
    let model = |executor: &Executor| match executor.model {
        LoadModel::Users => Model::Closed,
        LoadModel::Arrivals => Model::Open,
    };
    let models = executors.iter().map(model);
    models.reduce(|all, one| if all == one { all } else { Model::Mixed })
}

/// Seconds from the begin of the plan to its first iteration, with which samples begin.
pub(super) fn first_iteration(executors: &[Executor]) -> f64 {
    let first = executors.iter().filter_map(Executor::first_iteration);
    let first = first.fold(f64::INFINITY, f64::min);
    if first.is_finite() { first } else { 0.0 }
}

/// A stretch of time of one executor in which its level stays or changes evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    pub(super) begin: f64,
    pub(super) end: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Executor {
    fn of(scenario: &PlannedScenario) -> Self {
        let (model, from, stages) = match &scenario.load {
            PlannedLoad::Users(course) => (LoadModel::Users, course.from, course.stages.clone()),
            PlannedLoad::Arrivals(course) => {
                (LoadModel::Arrivals, course.from, course.stages.clone())
            }
            PlannedLoad::Iterations { users, longest, .. } => {
                let stage = Stage {
                    seconds: *longest,
                    to: *users,
                };
                (LoadModel::Users, *users, vec![stage])
            }
        };
        Self {
            scenario: scenario.name.clone(),
            model,
            start: scenario.start,
            from,
            stages,
        }
    }

    /// Seconds from the begin of the load to its planned end; of one that is over with its
    /// iterations, to its latest end.
    pub(super) fn end(&self) -> f64 {
        self.start + self.stages.iter().map(|stage| stage.seconds).sum::<f64>()
    }

    /// Iterations that an open executor was asked to begin until so many seconds after the begin
    /// of the load: the area below its rate. `None` for users, who ask for no number.
    pub(super) fn asked_iterations(&self, until: f64) -> Option<f64> {
        let of = |piece: Piece| {
            let end = piece.end.min(until);
            let at_end = piece.level_at(end);
            ((end - piece.begin) * (piece.from + at_end) / 2.0).max(0.0)
        };
        (self.model == LoadModel::Arrivals).then(|| self.pieces().map(of).sum())
    }

    /// Seconds from the begin of the load to the first iteration: k6 starts a user when the
    /// level reaches one, and an arrival of a growing rate when the area below it does.
    pub(super) fn first_iteration(&self) -> Option<f64> {
        if self.from > 0.0 {
            return Some(self.start);
        }
        let mut area = 0.0;
        for piece in self.pieces() {
            let length = piece.end - piece.begin;
            let rise = piece.to - piece.from;
            match self.model {
                LoadModel::Users if piece.to >= 1.0 => {
                    let share = ((1.0 - piece.from) / rise).clamp(0.0, 1.0);
                    return Some(length.mul_add(share, piece.begin));
                }
                LoadModel::Users => {}
                LoadModel::Arrivals => {
                    let grown = length * (piece.from + piece.to) / 2.0;
                    if area + grown >= 1.0 {
                        return Some(piece.begin + piece.time_to_area(1.0 - area));
                    }
                    area += grown;
                }
            }
        }
        None
    }

    /// Its stages with their times and both levels; a jump between two stages has no length.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let mut level = self.from;
        let mut time = self.start;
        self.stages.iter().map(move |stage| {
            let piece = Piece {
                begin: time,
                end: time + stage.seconds,
                from: level,
                to: stage.to,
            };
            (time, level) = (piece.end, piece.to);
            piece
        })
    }
}

impl Piece {
    pub(super) fn level_at(&self, time: f64) -> f64 {
        let length = self.end - self.begin;
        if length <= 0.0 {
            return self.to;
        }
        let share = ((time - self.begin) / length).clamp(0.0, 1.0);
        (self.to - self.from).mul_add(share, self.from)
    }

    /// After how many seconds the area below the level is so large; it is within the piece.
    fn time_to_area(&self, area: f64) -> f64 {
        let slope = (self.to - self.from) / (self.end - self.begin);
        if slope.abs() < f64::EPSILON {
            return area / self.from;
        }
        // from·t + slope·t²/2 = area
        let root = (2.0 * slope).mul_add(area, self.from * self.from);
        (root.max(0.0).sqrt() - self.from) / slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executor(model: LoadModel, from: f64, stages: &[(f64, f64)]) -> Executor {
        let stage = |(seconds, to): &(f64, f64)| Stage {
            seconds: *seconds,
            to: *to,
        };
        Executor {
            scenario: "load".to_owned(),
            model,
            start: 5.0,
            from,
            stages: stages.iter().map(stage).collect(),
        }
    }

    fn near(actual: Option<f64>, expected: f64) {
        let actual = actual.unwrap();
        assert!((actual - expected).abs() < 1e-9, "{actual} {expected}");
    }

    #[test]
    fn the_area_below_a_rate_is_what_was_asked() {
        let rate = executor(LoadModel::Arrivals, 0.0, &[(10.0, 4.0), (20.0, 4.0)]);
        near(rate.asked_iterations(f64::MAX), 20.0 + 80.0);
        near(rate.asked_iterations(10.0), 5.0);
        near(rate.asked_iterations(3.0), 0.0);
        near(rate.asked_iterations(20.0), 20.0 + 20.0);
        near(Some(rate.end()), 35.0);
        let users = executor(LoadModel::Users, 1.0, &[(10.0, 4.0)]);
        assert_eq!(users.asked_iterations(9.0), None);
    }

    #[test]
    fn the_first_iteration_comes_when_the_level_reaches_it() {
        let users = |from, to| executor(LoadModel::Users, from, &[(60.0, to)]);
        near(users(0.0, 5.0).first_iteration(), 5.0 + 12.0);
        near(users(2.0, 5.0).first_iteration(), 5.0);
        assert_eq!(users(0.0, 0.0).first_iteration(), None);
        let rate = |stages: &[(f64, f64)]| executor(LoadModel::Arrivals, 0.0, stages);
        // 0.1·t²/2 = 1
        near(
            rate(&[(10.0, 1.0)]).first_iteration(),
            5.0 + 20.0_f64.sqrt(),
        );
        near(rate(&[(0.0, 2.0), (9.0, 2.0)]).first_iteration(), 5.5);
    }
}
