//! What a script plans to do: its scenarios as users, arrivals or iterations over time. k6 says so
//! before a run (`k6 inspect --execution-requirements`).

use serde::{Deserialize, Serialize};

/// The load that a run plans. Scenarios may overlap.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionPlan {
    /// By name.
    pub scenarios: Vec<PlannedScenario>,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedScenario {
    /// Its name in the script.
    pub name: String,
    /// Seconds from the start of the run to its own.
    pub start: f64,
    /// What it does.
    pub load: PlannedLoad,
}

/// How the load of a scenario is given. A constant one is a single stage that stays where it
/// began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PlannedLoad {
    /// Closed model: so many users, each of which begins anew when it is done.
    Users(Course),
    /// Open model: so many iterations begin each second.
    Arrivals(Course),
    /// A number of iterations, however long they take.
    Iterations {
        /// Users that share them.
        users: f64,
        /// All iterations together.
        count: f64,
        /// Seconds after which what is left is not begun any more.
        longest: f64,
    },
}

/// A quantity over time, in straight lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Where it begins.
    pub from: f64,
    /// The lines, one after the other.
    pub stages: Vec<Stage>,
}

/// One straight line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// How long it takes; 0 is a jump.
    pub seconds: f64,
    /// Where it ends.
    pub to: f64,
}

/// What a plan does at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moment {
    /// Users of the closed model, those that share iterations included.
    pub users: f64,
    /// Iterations of the open model that begin in a second.
    pub arrivals: f64,
}

impl Course {
    /// A quantity that stays the same.
    #[must_use]
    pub fn constant(value: f64, seconds: f64) -> Self {
        let stage = Stage { seconds, to: value };
        Self {
            from: value,
            stages: vec![stage],
        }
    }

    /// How long it takes, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.stages.iter().map(|stage| stage.seconds).sum()
    }

    /// The quantity times the time: user-seconds, or iterations.
    #[must_use]
    pub fn area(&self) -> f64 {
        let mut before = self.from;
        let mut area = 0.0;
        for stage in &self.stages {
            area += stage.seconds * before.midpoint(stage.to);
            before = stage.to;
        }
        area
    }

    /// The quantity at a time, 0 outside of it. Where it jumps, the larger of both.
    fn at(&self, time: f64) -> f64 {
        let (mut begin, mut before) = (0.0, self.from);
        let mut found: f64 = 0.0;
        for stage in &self.stages {
            let end = begin + stage.seconds;
            if (begin..=end).contains(&time) {
                let share = if stage.seconds > 0.0 {
                    (time - begin) / stage.seconds
                } else {
                    1.0
                };
                found = found.max(share.mul_add(stage.to - before, before));
            }
            (begin, before) = (end, stage.to);
        }
        found
    }

    /// The times where a line ends or begins.
    fn corners(&self) -> impl Iterator<Item = f64> + '_ {
        let ends = self.stages.iter().scan(0.0, |end, stage| {
            *end += stage.seconds;
            Some(*end)
        });
        std::iter::once(0.0).chain(ends)
    }
}

impl PlannedScenario {
    /// The longest that it puts on load, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        match &self.load {
            PlannedLoad::Users(course) | PlannedLoad::Arrivals(course) => course.seconds(),
            PlannedLoad::Iterations { longest, .. } => *longest,
        }
    }

    fn at(&self, time: f64) -> Moment {
        let time = time - self.start;
        match &self.load {
            PlannedLoad::Users(course) => Moment {
                users: course.at(time),
                arrivals: 0.0,
            },
            PlannedLoad::Arrivals(course) => Moment {
                users: 0.0,
                arrivals: course.at(time),
            },
            PlannedLoad::Iterations { users, longest, .. } => Moment {
                users: if (0.0..=*longest).contains(&time) {
                    *users
                } else {
                    0.0
                },
                arrivals: 0.0,
            },
        }
    }

    fn corners(&self) -> Vec<f64> {
        let within = match &self.load {
            PlannedLoad::Users(course) | PlannedLoad::Arrivals(course) => {
                course.corners().collect()
            }
            PlannedLoad::Iterations { longest, .. } => vec![0.0, *longest],
        };
        let corner = |time: f64| self.start + time;
        within.into_iter().map(corner).collect()
    }
}

impl ExecutionPlan {
    /// Every moment at which a line begins or ends: the quantities are largest at one of them.
    pub fn moments(&self) -> impl Iterator<Item = Moment> + '_ {
        let corners = self.scenarios.iter().flat_map(PlannedScenario::corners);
        corners.map(|time| self.at(time))
    }

    /// What all scenarios do together at a time.
    #[must_use]
    pub fn at(&self, time: f64) -> Moment {
        let each = self.scenarios.iter().map(|scenario| scenario.at(time));
        each.fold(Moment::default(), |sum, one| Moment {
            users: sum.users + one.users,
            arrivals: sum.arrivals + one.arrivals,
        })
    }

    /// The most users of the closed model at once.
    #[must_use]
    pub fn peak_users(&self) -> f64 {
        let users = self.moments().map(|moment| moment.users);
        users.fold(0.0, f64::max)
    }

    /// Users of the closed model times seconds.
    #[must_use]
    pub fn user_seconds(&self) -> f64 {
        let of = |scenario: &PlannedScenario| match &scenario.load {
            PlannedLoad::Users(course) => course.area(),
            _ => 0.0,
        };
        self.scenarios.iter().map(of).sum()
    }

    /// Iterations that the plan itself says: arrivals, and those that are counted.
    #[must_use]
    pub fn planned_iterations(&self) -> f64 {
        let of = |scenario: &PlannedScenario| match &scenario.load {
            PlannedLoad::Users(_) => 0.0,
            PlannedLoad::Arrivals(course) => course.area(),
            PlannedLoad::Iterations { count, .. } => *count,
        };
        self.scenarios.iter().map(of).sum()
    }

    /// Seconds of load, when one iteration takes so many; without that, as long as it may take.
    #[must_use]
    pub fn seconds(&self, iteration_seconds: Option<f64>) -> f64 {
        let end = |scenario: &PlannedScenario| {
            let length = match (&scenario.load, iteration_seconds) {
                (
                    PlannedLoad::Iterations {
                        users,
                        count,
                        longest,
                    },
                    Some(each),
                ) => ((count / users.max(1.0)).ceil() * each).min(*longest),
                _ => scenario.seconds(),
            };
            scenario.start + length
        };
        self.scenarios.iter().map(end).fold(0.0, f64::max)
    }
}

#[cfg(test)]
impl ExecutionPlan {
    /// A single scenario that begins at once.
    pub(crate) fn of_one(load: PlannedLoad) -> Self {
        let scenario = PlannedScenario {
            name: "load".to_owned(),
            start: 0.0,
            load,
        };
        Self {
            scenarios: vec![scenario],
        }
    }
}
