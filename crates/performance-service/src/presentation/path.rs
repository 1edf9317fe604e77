//! The `d` of an SVG path, to a tenth of a unit. Lines go in steps from place to place, which are
//! shorter than places: a page with a long run stays below 100 kB.

use std::fmt::Write as _;

/// A path under the pen.
#[derive(Default)]
pub(crate) struct Path {
    text: String,
    /// Where the pen is, in whole tenths, so that steps do not add up to an error.
    at: (f64, f64),
}

impl Path {
    /// Lifts the pen and sets it down here.
    pub(crate) fn move_to(&mut self, x: f64, y: f64) {
        self.at = (tenths(x), tenths(y));
        let _infallible = write!(self.text, "M{} {}", units(self.at.0), units(self.at.1));
    }

    /// Draws a straight line to here.
    pub(crate) fn line_to(&mut self, x: f64, y: f64) {
        let end = (tenths(x), tenths(y));
        let (right, down) = (end.0 - self.at.0, end.1 - self.at.1);
        self.at = end;
        let _infallible = write!(self.text, "l{} {}", units(right), units(down));
    }

    /// A dash that shows a lone point; the pen stays where it is.
    pub(crate) fn dot(&mut self, x: f64, y: f64) {
        self.move_to(x, y);
        let _infallible = write!(self.text, "h3M{} {}", units(self.at.0), units(self.at.1));
    }

    /// Draws a line to where the pen was set down last.
    pub(crate) fn close(&mut self) {
        self.text.push('Z');
    }

    /// The `d`.
    pub(crate) fn text(self) -> String {
        self.text
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round()
}

/// Whole tenths as a number without needless digits.
fn units(tenths: f64) -> f64 {
    // No `-0`.
    tenths / 10.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_steps_that_add_up() {
        let mut path = Path::default();
        path.move_to(1.04, 2.0);
        for step in 1..=3 {
            path.line_to(1.04 + f64::from(step) * 0.14, 2.0);
        }
        path.line_to(0.0, 0.0);
        path.close();
        // At 1.0, 1.2, 1.3, 1.5, to the tenth.
        assert_eq!(path.text(), "M1 2l0.2 0l0.1 0l0.2 0l-1.5 -2Z");
    }

    #[test]
    fn a_lone_point_is_a_dash() {
        let mut path = Path::default();
        path.dot(5.0, 6.0);
        path.line_to(7.0, 6.0);
        assert_eq!(path.text(), "M5 6h3M5 6l2 0");
    }
}
