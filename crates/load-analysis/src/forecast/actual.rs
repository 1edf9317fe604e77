//! What was forecast against what came.

use serde::Serialize;

use super::{Estimate, Forecast, Observation, Range};
use crate::dollars::Dollars;
use crate::notation::{self, number, share};
use crate::results::Results;

/// One figure of a forecast and of the run, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForecastLine {
    /// What it is.
    pub figure: &'static str,
    /// What was expected; `–` where nothing was known.
    pub expected: String,
    /// From where to where.
    pub range: String,
    /// What it rests on.
    pub basis: String,
    /// What came; absent before the end of the run, and where nothing was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// Whether it lies in the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<bool>,
    /// Whether anything is known: something was expected, or something other than nothing came.
    #[serde(skip)]
    pub has_figure: bool,
}

/// The lines of a forecast, with what came once there are results.
#[must_use]
pub fn against(forecast: &Forecast, results: Option<&Results>) -> Vec<ForecastLine> {
    let came = results.and_then(Observation::of);
    let mut lines = load(forecast, came.as_ref());
    lines.extend(models(forecast, came.as_ref()));
    let share = |value: &f64| share(*value);
    let cpu = came.and_then(|run| run.generator_cpu);
    lines.push(line(
        "load generator's CPU",
        &forecast.generator_cpu,
        cpu,
        share,
    ));
    lines
}

/// What nothing was expected of, figure and reason of each, as one sentence; `None` without any.
#[must_use]
pub fn not_forecast<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let (figures, reasons): (Vec<_>, Vec<_>) = lines.unzip();
    let reason = reasons.first()?;
    Some(format!("Not forecast: {} ({reason}).", figures.join(", ")))
}

/// Time, iterations, requests and their rates.
fn load(forecast: &Forecast, came: Option<&Observation>) -> Vec<ForecastLine> {
    let of = |value: fn(&Observation) -> f64| came.map(value);
    let requests = of(|run| run.load_requests + run.other_requests);
    let rate = "requests per second";
    let peak = "requests per second, peak";
    vec![
        line(
            "time",
            &forecast.seconds,
            of(|run| run.load_seconds),
            |it| notation::time(*it),
        ),
        line(
            "iterations",
            &forecast.iterations,
            of(|run| run.iterations),
            count,
        ),
        line("requests", &forecast.requests, requests, count),
        line(rate, &forecast.mean_rate, of(Observation::rate), per_second),
        line(peak, &forecast.peak_rate, None, per_second),
    ]
}

/// Tokens and dollars.
fn models(forecast: &Forecast, came: Option<&Observation>) -> Vec<ForecastLine> {
    let of = |value: fn(&Observation) -> f64| came.map(value);
    let money = |value: fn(&Observation) -> f64| of(value).map(Dollars::estimated);
    let sim = |sum: &Dollars| format!("sim {sum}");
    let (real, simulated) = (money(|run| run.real), money(|run| run.simulated));
    vec![
        line(
            "tokens in",
            &forecast.input_tokens,
            of(|run| run.input_tokens),
            count,
        ),
        line(
            "tokens out",
            &forecast.output_tokens,
            of(|run| run.output_tokens),
            count,
        ),
        line("real dollars", &forecast.real, real, Dollars::to_string),
        line("simulated dollars", &forecast.simulated, simulated, sim),
    ]
}

fn line<T: PartialOrd + Default>(
    figure: &'static str,
    estimate: &Estimate<T>,
    actual: Option<T>,
    write: impl Fn(&T) -> String,
) -> ForecastLine {
    let none = || "–".to_owned();
    let range = estimate.range.as_ref();
    let within = |actual: &T| {
        let holds = |range: &Range<T>| *actual >= range.low && *actual <= range.high;
        range.map(holds)
    };
    ForecastLine {
        figure,
        expected: range.map_or_else(none, |range| write(&range.expected)),
        range: range.map_or_else(none, |range| {
            format!("{} – {}", write(&range.low), write(&range.high))
        }),
        has_figure: range.is_some() || actual.as_ref().is_some_and(|it| *it != T::default()),
        basis: estimate.basis.clone(),
        within: actual.as_ref().and_then(within),
        actual: actual.map(|actual| write(&actual)),
    }
}

fn count(value: &f64) -> String {
    number(value.round())
}

fn per_second(rate: &f64) -> String {
    format!("{}/s", number(*rate))
}
