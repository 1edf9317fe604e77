//! A few figures as a line without axes, from zero.

use super::numbers::number;
use super::path::Path;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 20.0;

/// A line, ready to be written into the page.
pub(crate) struct Sparkline {
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) path: String,
    /// The same in words.
    pub(crate) label: String,
}

/// Draws figures, oldest first; `None` for fewer than two, which are no line.
pub(crate) fn draw(figures: &[f64]) -> Option<Sparkline> {
    let (first, last) = (figures.first()?, figures.last()?);
    let largest = figures.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let steps = u32::try_from(figures.len().checked_sub(1)?).ok()?;
    let mut path = Path::default();
    for (step, figure) in (0..=steps).zip(figures) {
        let x = WIDTH * f64::from(step) / f64::from(steps.max(1));
        let y = 1.0 + (HEIGHT - 2.0) * (1.0 - figure / largest);
        match step {
            0 => path.move_to(x, y),
            _ => path.line_to(x, y),
        }
    }
    (steps > 0).then(|| Sparkline {
        width: format!("{WIDTH}"),
        height: format!("{HEIGHT}"),
        path: path.text(),
        label: format!(
            "{} runs, the first {}, the last {}",
            figures.len(),
            number(*first),
            number(*last)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_needs_two_figures() {
        assert!(draw(&[]).is_none() && draw(&[1.0]).is_none());
        let line = draw(&[1.0, 2.0, 0.0]).expect("three figures make a line");
        assert_eq!(line.path, "M0 10l60 -9l60 18");
    }
}
