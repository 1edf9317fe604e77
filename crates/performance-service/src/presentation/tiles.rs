//! The six numbers on top of a run.

use load_analysis::dollars::Dollars;
use load_analysis::results::LEAST_FOR_P99;
use load_analysis::spend::Spend;

use super::numbers::{number, share, whole};
use crate::picture::LoadFigures;
use crate::timeline::{TimelinePoint, count};

/// One of them.
pub(crate) struct Tile {
    pub(crate) name: &'static str,
    /// What the live script updates.
    pub(crate) key: &'static str,
    pub(crate) value: String,
}

/// The six of the load, over so many seconds of it. What the whole run spent is known better than
/// its samples tell.
pub(crate) fn of_load(load: &LoadFigures, seconds: f64, spend: Option<&Spend>) -> Vec<Tile> {
    let milliseconds = |share| load.durations.quantile(share).map(ms_text);
    let p99 = match load.durations.count() {
        0 => None,
        few if few < LEAST_FOR_P99 => Some(format!("–, n = {}", whole(few))),
        _ => milliseconds(0.99),
    };
    let failed = load.failed_share();
    let failed = failed.map(|rate| format!("{} ({})", share(rate), whole(load.failed)));
    let (held, checks) = load.checks;
    let checked = (checks > 0).then(|| share(count(held) / count(checks)));
    let rate = (seconds > 0.0).then(|| {
        let rate = number(count(load.requests) / seconds);
        format!("{} ({rate}/s)", whole(load.requests))
    });
    let (p50, p95) = (milliseconds(0.5), milliseconds(0.95));
    if load.has_models() || spend.is_some() {
        let first_token = load.ttft.quantile(0.95).map(ms_text);
        return tiles([
            ("p95", "p95", p95),
            ("p99", "p99", p99),
            ("failed", "errors", failed),
            ("requests", "rate", rate),
            ("first token, p95", "ttft", first_token),
            ("models cost", "cost", cost(load, spend)),
        ]);
    }
    tiles([
        ("p50", "p50", p50),
        ("p95", "p95", p95),
        ("p99", "p99", p99),
        ("failed", "errors", failed),
        ("requests", "rate", rate),
        ("checks held", "checks", checked),
    ])
}

/// The same of the latest second of a run that goes on; money is that of the run so far.
pub(crate) fn live(
    latest: Option<&TimelinePoint>,
    load: &LoadFigures,
    spend: Option<&Spend>,
) -> Vec<Tile> {
    let point = latest.cloned().unwrap_or_default();
    let p95 = point.p95.map(ms_text);
    let p99 = point.p99.map(ms_text);
    let failed = point.error_rate.map(share);
    let rate = latest.map(|point| number(point.requests_per_second));
    if load.has_models() || spend.is_some() {
        return tiles([
            ("p95, last second", "p95", p95),
            ("p99, last second", "p99", p99),
            ("failed, last second", "errors", failed),
            ("requests/s", "rate", rate),
            (
                "first token p95, last second",
                "ttft",
                point.ttft_p95.map(ms_text),
            ),
            ("models cost so far", "cost", cost(load, spend)),
        ]);
    }
    let checks = point.checks_passed + point.checks_failed;
    let checked = format!("{} of {}", whole(point.checks_passed), whole(checks));
    tiles([
        ("p50, last second", "p50", point.p50.map(ms_text)),
        ("p95, last second", "p95", p95),
        ("p99, last second", "p99", p99),
        ("failed, last second", "errors", failed),
        ("requests/s", "rate", rate),
        (
            "checks, last second",
            "checks",
            (checks > 0).then_some(checked),
        ),
    ])
}

/// Real and simulated money beside each other, never in one sum.
fn cost(load: &LoadFigures, spend: Option<&Spend>) -> Option<String> {
    let dollars = |pico: Option<u64>| pico.map(|pico| Dollars::of_pico(pico.into()));
    let real = dollars(load.real_pico_usd).map(|amount| amount.to_string());
    let simulated = dollars(load.simulated_pico_usd).map(|amount| format!("sim {amount}"));
    let of_samples = match (real, simulated) {
        (Some(real), Some(simulated)) => Some(format!("{real} and {simulated}")),
        (one, other) => one.or(other),
    };
    spend.map(Spend::in_words).or(of_samples)
}

fn tiles(of: [(&'static str, &'static str, Option<String>); 6]) -> Vec<Tile> {
    of.map(|(name, key, value)| Tile {
        name,
        key,
        value: value.unwrap_or_else(|| "–".to_owned()),
    })
    .into()
}

fn ms_text(milliseconds: f64) -> String {
    format!("{} ms", number(milliseconds))
}
