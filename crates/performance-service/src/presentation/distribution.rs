//! How long requests took, all of them: each share of them and what it took at most.

use std::fmt::Write as _;

use load_analysis::distribution::Distribution;
use load_analysis::notation::counted;

use super::chart::{Tick, round_up};
use super::numbers::{axis_label, number, px, whole};
use super::path::Path;
use crate::picture::BaselineDurations;
use crate::timeline::count;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 40.0;

/// The axis of percentiles ends with 99.99: four nines.
const NINES: f64 = 4.0;

/// Points of a curve.
const POINTS: u32 = 160;

/// Percentiles with a label, and a row of the table each.
const PERCENTS: [f64; 9] = [0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99];

/// Of these there is room for a label: 25 and 75 are too near to their neighbours.
const LABELLED: [f64; 7] = [0.0, 50.0, 90.0, 95.0, 99.0, 99.9, 99.99];

/// A percentile is told from so many samples on that ten of them lie beyond it; below, from any.
const LEAST_BEYOND: f64 = 10.0;
const ALWAYS_TOLD: f64 = 95.0;

/// What stands on the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Percentiles to the right, on a scale of nines; durations upwards.
    Percentiles,
    /// Durations to the right, the share that took no longer upwards.
    Shares,
}

/// A picture, ready to be written into the page.
pub(crate) struct DistributionPicture {
    pub(crate) form: Form,
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    pub(crate) title: &'static str,
    pub(crate) across: &'static str,
    pub(crate) across_x: String,
    pub(crate) across_y: String,
    pub(crate) x_ticks: Vec<Tick>,
    pub(crate) y_ticks: Vec<Tick>,
    pub(crate) x_label_y: String,
    /// The path of this run, and that of the baseline.
    pub(crate) run: String,
    pub(crate) baseline: Option<String>,
    pub(crate) caption: String,
    /// What the baseline is made of.
    pub(crate) of_baseline: Option<String>,
    pub(crate) rows: Vec<PercentileRow>,
}

/// A row of the table; durations in milliseconds.
pub(crate) struct PercentileRow {
    pub(crate) percentile: String,
    pub(crate) run: String,
    pub(crate) baseline: String,
    pub(crate) difference: String,
}

/// Draws durations; `None` without any.
pub(crate) fn draw(
    durations: &Distribution,
    baseline: Option<&BaselineDurations>,
    form: Form,
) -> Option<DistributionPicture> {
    let longest = durations.max()?;
    let of_baseline = baseline.map(|baseline| &baseline.durations);
    let longest = of_baseline
        .and_then(Distribution::max)
        .map_or(longest, |other| other.max(longest));
    let limit = round_up(longest.max(f64::MIN_POSITIVE));
    let (across, up) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let x = |share: f64| LEFT + across * share;
    let y = |share: f64| HEIGHT - BOTTOM - up * share;
    let place = |percent: f64, milliseconds: f64| match form {
        Form::Percentiles => (x(nines(percent) / NINES), y(milliseconds / limit)),
        Form::Shares => (x(milliseconds / limit), y(percent / 100.0)),
    };
    let percents = LABELLED.map(|percent| Tick {
        at: px(x(nines(percent) / NINES)),
        label: format!("{percent}"),
    });
    let even = |parts: u32| (0..=parts).map(move |part| f64::from(part) / f64::from(parts));
    let milliseconds = |parts, to: &dyn Fn(f64) -> f64| -> Vec<Tick> {
        let ticks = even(parts).map(|share| Tick {
            at: px(to(share)),
            label: axis_label(share * limit),
        });
        ticks.collect()
    };
    let shares = even(4).map(|share| Tick {
        at: px(y(share)),
        label: axis_label(share * 100.0),
    });
    let (x_ticks, y_ticks) = match form {
        Form::Percentiles => (percents.into(), milliseconds(2, &y)),
        Form::Shares => (milliseconds(5, &x), shares.collect()),
    };
    Some(DistributionPicture {
        form,
        width: px(WIDTH),
        height: px(HEIGHT),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        top: px(TOP),
        bottom: px(HEIGHT - BOTTOM),
        title: match form {
            Form::Percentiles => "Duration at most, ms",
            Form::Shares => "Share of requests, %",
        },
        across: match form {
            Form::Percentiles => "of all requests, %",
            Form::Shares => "duration at most, ms",
        },
        across_x: px(x(0.5)),
        across_y: px(HEIGHT - 6.0),
        x_ticks,
        y_ticks,
        x_label_y: px(HEIGHT - BOTTOM + 16.0),
        run: curve(durations, place),
        baseline: of_baseline.map(|baseline| curve(baseline, place)),
        caption: caption(durations, of_baseline),
        of_baseline: baseline.map(BaselineDurations::words),
        rows: rows(durations, of_baseline),
    })
}

/// How many nines a percentile has: 0 of 0 %, 1 of 90 %, 2 of 99 %.
fn nines(percent: f64) -> f64 {
    (-(1.0 - percent / 100.0).log10()).clamp(0.0, NINES)
}

/// The curve ends where a single request is left.
fn curve(durations: &Distribution, place: impl Fn(f64, f64) -> (f64, f64)) -> String {
    let last = count(durations.count()).log10().min(NINES);
    let mut path = Path::default();
    for point in 0..=POINTS {
        let nines = last * f64::from(point) / f64::from(POINTS);
        let share = 1.0 - 10_f64.powf(-nines);
        let Some(milliseconds) = durations.quantile(share) else {
            break;
        };
        let (x, y) = place(share * 100.0, milliseconds);
        match point {
            0 => path.move_to(x, y),
            _ => path.line_to(x, y),
        }
    }
    path.text()
}

fn told(durations: &Distribution, percent: f64) -> Option<f64> {
    let beyond = count(durations.count()) * (1.0 - percent / 100.0);
    // A hair below, since the share of 99.9 is no exact float.
    let is_told = percent <= ALWAYS_TOLD || beyond > LEAST_BEYOND - 1e-6;
    durations.quantile(percent / 100.0).filter(|_| is_told)
}

fn caption(durations: &Distribution, baseline: Option<&Distribution>) -> String {
    let mut caption = counted(durations.count(), "request");
    for percent in [50.0, 95.0, 99.0] {
        let Some(here) = told(durations, percent) else {
            continue;
        };
        let before = baseline.and_then(|baseline| told(baseline, percent));
        let before = before.map(|there| format!(" (baseline {} ms)", number(there)));
        let _infallible = write!(
            caption,
            "; {percent} % took at most {} ms{}",
            number(here),
            before.unwrap_or_default()
        );
    }
    caption + "."
}

fn rows(durations: &Distribution, baseline: Option<&Distribution>) -> Vec<PercentileRow> {
    let text =
        |value: Option<f64>, n: u64| value.map_or_else(|| format!("–, n = {}", whole(n)), number);
    let row = |percent: f64| {
        let here = told(durations, percent);
        let there = baseline.and_then(|baseline| told(baseline, percent));
        PercentileRow {
            percentile: format!("{percent}"),
            run: text(here, durations.count()),
            baseline: baseline.map_or_else(String::new, |it| text(there, it.count())),
            difference: difference(here, there),
        }
    };
    let longest = PercentileRow {
        percentile: "100".to_owned(),
        run: durations.max().map_or_else(String::new, number),
        baseline: baseline
            .and_then(Distribution::max)
            .map_or_else(String::new, number),
        difference: difference(durations.max(), baseline.and_then(Distribution::max)),
    };
    PERCENTS.into_iter().map(row).chain([longest]).collect()
}

/// `+3.10, +12.4 %`, or nothing where one of both is not told.
fn difference(here: Option<f64>, there: Option<f64>) -> String {
    let Some((here, there)) = here.zip(there) else {
        return "–".to_owned();
    };
    let sign = if here < there { "−" } else { "+" };
    let difference = (here - there).abs();
    let share = if there > 0.0 {
        format!(", {sign}{:.1} %", 100.0 * difference / there)
    } else {
        String::new()
    };
    format!("{sign}{}{share}", number(difference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred() -> Distribution {
        let mut durations = Distribution::default();
        (0..=100).for_each(|step| durations.record(f64::from(step)));
        durations
    }

    #[test]
    fn a_scale_of_nines() {
        let near = |percent: f64, expected: f64| (nines(percent) - expected).abs() < 1e-9;
        assert!(near(0.0, 0.0) && near(90.0, 1.0) && near(99.99, 4.0) && near(100.0, 4.0));
    }

    #[test]
    fn few_requests_tell_no_high_percentile() {
        let picture = draw(&hundred(), None, Form::Percentiles).expect("durations");
        let rows: Vec<(&str, &str)> = picture
            .rows
            .iter()
            .map(|row| (row.percentile.as_str(), row.run.as_str()))
            .collect();
        assert_eq!(rows[5], ("95", "95"));
        assert_eq!(rows[6], ("99", "–, n = 101"));
        assert_eq!(rows[9], ("100", "100"));
        assert!(
            picture
                .caption
                .starts_with("101 requests; 50 % took at most 50 ms;")
        );
    }

    #[test]
    fn shares_end_at_the_longest() {
        let picture = draw(&hundred(), None, Form::Shares).expect("durations");
        let (begin, steps) = picture.run.split_once('l').expect("a curve");
        assert_eq!(begin, "M56 220");
        let right = |step: &str| -> f64 {
            let (right, _) = step.split_once(' ').expect("two numbers");
            right.parse().expect("a number")
        };
        let end = 56.0 + steps.split('l').map(right).sum::<f64>();
        assert!((931.0..932.0).contains(&end), "{end}");
        assert_eq!(picture.x_ticks[5].label, "100");
        assert!(draw(&Distribution::default(), None, Form::Shares).is_none());
    }

    #[test]
    fn differences_have_a_sign() {
        assert_eq!(difference(Some(110.0), Some(100.0)), "+10, +10.0 %");
        assert_eq!(difference(Some(90.0), Some(100.0)), "−10, −10.0 %");
        assert_eq!(difference(None, Some(1.0)), "–");
    }
}
