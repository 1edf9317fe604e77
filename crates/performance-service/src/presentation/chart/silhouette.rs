//! The load that was asked for, as a grey shape behind what was measured.

use std::ops::Range;

use load_analysis::phases::{AskedCourse, Corner};

use super::super::path::Path;
use super::time_axis::TimeAxis;

/// Where a strip shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Never,
    /// Its shape alone, as high as the strip: its unit is another one.
    Shape,
    /// On the strip's axis, if it is a rate of iterations.
    Arrivals,
    /// On the strip's axis, if it is a number of users.
    Users,
}

impl Shown {
    /// The highest level within a window, as the strip's axis counts; `None` where nothing is
    /// shown.
    pub(super) fn highest(self, asked: Option<&AskedCourse>, window: &Range<u32>) -> Option<f64> {
        let asked = asked?;
        let fits = match self {
            Self::Never => false,
            Self::Shape => true,
            Self::Arrivals => asked.arrivals,
            Self::Users => !asked.arrivals,
        };
        let levels = sides(&asked.corners, window).map(|corner| corner.level);
        let highest = levels.fold(0.0, f64::max);
        (fits && highest > 0.0).then_some(highest)
    }
}

/// The outline over a strip whose bottom is at `y(0)`.
pub(super) fn outline(asked: &AskedCourse, axis: &TimeAxis, y: impl Fn(f64) -> f64) -> String {
    let mut path = Path::default();
    let mut ends: Option<(f64, f64)> = None;
    for Corner { at, level } in sides(&asked.corners, &axis.window()) {
        let x = axis.x(at);
        match ends {
            None => path.move_to(x, y(level)),
            Some(_) => path.line_to(x, y(level)),
        }
        ends = Some((ends.map_or(x, |(first, _)| first), x));
    }
    if let Some((first, last)) = ends {
        path.line_to(last, y(0.0));
        path.line_to(first, y(0.0));
        path.close();
    }
    path.text()
}

/// Both ends of each side that a window has a part of, cut at its edges. A jump has none.
fn sides(corners: &[Corner], window: &Range<u32>) -> impl Iterator<Item = Corner> {
    let (from, to) = (f64::from(window.start), f64::from(window.end));
    let sides = corners
        .windows(2)
        .filter(|side| side[0].at < side[1].at)
        .filter(move |side| side[1].at > from && side[0].at < to);
    sides.flat_map(move |side| {
        let (begin, end) = (side[0], side[1]);
        let slope = (end.level - begin.level) / (end.at - begin.at);
        [begin.at.max(from), end.at.min(to)].map(|at| Corner {
            at,
            level: slope.mul_add(at - begin.at, begin.level),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> AskedCourse {
        let corner = |at, level| Corner { at, level };
        AskedCourse {
            arrivals: true,
            corners: vec![
                corner(0.0, 0.0),
                corner(10.0, 20.0),
                corner(10.0, 5.0),
                corner(20.0, 5.0),
            ],
        }
    }

    #[test]
    fn a_window_cuts_the_shape() {
        let levels = |window| -> Vec<(f64, f64)> {
            let corners = ramp().corners;
            sides(&corners, &window)
                .map(|it| (it.at, it.level))
                .collect()
        };
        assert_eq!(levels(5..10), [(5.0, 10.0), (10.0, 20.0)]);
        assert_eq!(levels(12..15), [(12.0, 5.0), (15.0, 5.0)]);
        assert_eq!(
            levels(8..12).len(),
            4,
            "the jump between two sides has none"
        );
        assert!(levels(30..40).is_empty());
    }

    #[test]
    fn a_rate_is_no_number_of_users() {
        let highest = |shown: Shown| shown.highest(Some(&ramp()), &(0..20));
        assert_eq!(highest(Shown::Arrivals), Some(20.0));
        assert_eq!(highest(Shown::Shape), Some(20.0));
        assert_eq!(highest(Shown::Users), None);
        assert_eq!(highest(Shown::Never), None);
        assert_eq!(Shown::Shape.highest(Some(&ramp()), &(30..40)), None);
    }

    #[test]
    fn the_outline_is_closed_at_the_bottom() {
        let axis = TimeAxis::new(1, &(0..20));
        let path = outline(&ramp(), &axis, |level| 100.0 - level);
        assert_eq!(path, "M56 100l442 -20l0 15l442 0l0 5l-884 0Z");
    }
}
