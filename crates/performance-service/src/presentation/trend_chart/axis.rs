//! Where runs stand from left to right: one after the other, or when they began.

use jiff::Timestamp;

use super::{LEFT, RIGHT, WIDTH, px};
use crate::runs::trends::{PointBody, TrendBody};

/// More labels than this would touch each other.
const MAX_LABELS: usize = 12;

/// Dates take more room.
const DATES: u8 = 5;

/// Half of a dot: the first and the last one are whole.
const EDGE: f64 = 8.0;

/// What the axis counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Along {
    /// Runs, each as wide as the others.
    #[default]
    Runs,
    /// Time.
    Dates,
}

/// All runs of a trend, those that do not count among them, in their order.
pub(super) struct RunPositions<'a> {
    along: Along,
    points: Vec<(&'a PointBody, f64)>,
    span: Option<(Timestamp, Timestamp)>,
}

impl Along {
    /// As the address has it.
    pub(crate) fn read(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("" | "runs") => Some(Self::Runs),
            Some("dates") => Some(Self::Dates),
            Some(_) => None,
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Runs => Self::Dates,
            Self::Dates => Self::Runs,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Dates => "dates",
        }
    }
}

impl<'a> RunPositions<'a> {
    /// `None` without a run.
    pub(super) fn of(trend: &'a TrendBody, along: Along) -> Option<Self> {
        let mut points: Vec<&PointBody> = trend.points.iter().chain(&trend.not_counted).collect();
        points.sort_by_key(|point| point.number);
        let first = began(points.first()?);
        let last = points.iter().filter_map(|point| began(point)).max();
        let span = first.zip(last).filter(|(first, last)| first < last);
        let count = points.len();
        let place = |(index, point): (usize, &'a PointBody)| {
            let x = match (along, span, began(point)) {
                (Along::Dates, Some((first, last)), Some(at)) => {
                    let seconds = |to: Timestamp| to.duration_since(first).as_secs_f64();
                    x_of_time(seconds(at) / seconds(last))
                }
                (Along::Runs | Along::Dates, ..) => {
                    LEFT + (WIDTH - LEFT - RIGHT) * (real(index) + 0.5) / real(count)
                }
            };
            (point, x)
        };
        Some(Self {
            along,
            points: points.into_iter().enumerate().map(place).collect(),
            span,
        })
    }

    /// Runs and where they stand.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a PointBody, f64)> {
        self.points.iter().copied()
    }

    pub(super) fn x_of(&self, point: &PointBody) -> Option<f64> {
        let mut points = self.points.iter();
        let found = points.find(|(one, _)| one.test_id == point.test_id);
        found.map(|(_, x)| *x)
    }

    /// Half of the room that a run has; none along dates.
    pub(super) fn half_width(&self) -> f64 {
        match self.along {
            Along::Runs => (WIDTH - LEFT - RIGHT) / real(self.points.len()) / 2.0,
            Along::Dates => 0.0,
        }
    }

    pub(super) fn labels(&self) -> Vec<(String, String)> {
        match (self.along, self.span) {
            (Along::Dates, Some((first, last))) => dates(first, last),
            (Along::Runs | Along::Dates, _) => {
                let every = self.points.len().div_ceil(MAX_LABELS).max(1);
                let labelled = self.points.iter().step_by(every);
                labelled
                    .map(|(point, x)| (px(*x), format!("#{}", point.number)))
                    .collect()
            }
        }
    }
}

/// Days, or times of the day where all is within two of them.
fn dates(first: Timestamp, last: Timestamp) -> Vec<(String, String)> {
    let length = last.duration_since(first);
    let format = if length.as_hours() < 48 {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d"
    };
    let label = |index: u8| {
        let share = f64::from(index) / f64::from(DATES - 1);
        let at = first.checked_add(length.mul_f64(share)).ok()?;
        // The ends stand inside of the picture.
        let place = x_of_time(share).clamp(LEFT + 30.0, WIDTH - RIGHT - 30.0);
        Some((px(place), at.strftime(format).to_string()))
    };
    (0..DATES).filter_map(label).collect()
}

fn began(point: &PointBody) -> Option<Timestamp> {
    point.at.parse().ok()
}

fn x_of_time(share: f64) -> f64 {
    LEFT + EDGE + (WIDTH - LEFT - RIGHT - 2.0 * EDGE) * share
}

/// Runs are counted in hundreds.
fn real(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
