//! A run and a comparison for the eye.

use load_analysis::notation::{counted, number, share, whole};
use load_analysis::percentile_interval::has_enough_samples;
use load_analysis::results::Results;
use load_analysis::targets::TargetLine;
use load_analysis::validity::CheckState;
use load_analysis::verdict::Verdict;

use crate::service::{Compared, Comparison, Run, Service};
use crate::table::{Column, table};

const TARGETS: [Column; 5] = [
    Column::Left("target"),
    Column::Left("wanted"),
    Column::Right("actual"),
    Column::Right("samples"),
    Column::Left("result"),
];

/// The verdict with its reasons, target against actual, the figures.
pub(crate) fn run(service: &Service, run: &Run) -> String {
    let mut text = format!("{} ({}, {}): ", run.name(), run.scenario, run.target);
    match &run.verdict {
        Some(verdict) => text.push_str(&judgement(verdict)),
        None => text.push_str(&format!("{}, without a verdict\n", run.status)),
    }
    if let Some(error) = run
        .error_message
        .as_ref()
        .filter(|error| !text.contains(*error))
    {
        text.push_str(&format!("  {error}\n"));
    }
    if let Some(results) = run.results() {
        text.push('\n');
        text.push_str(&targets(&TargetLine::all(&results)));
        text.push_str(&format!("  {}\n", figures(&results)));
        if let Some(spend) = &results.spend {
            let cost = spend.in_words();
            text.push_str(&format!("  cost {cost}: {}\n", spend.made_of()));
        }
        text.push_str(&evidence(&results));
    }
    text + &format!("  {}\n", service.page(&run.test_id))
}

/// The level on the first line, then the reasons.
pub(crate) fn judgement(verdict: &Verdict) -> String {
    let mut text = format!("{}\n", verdict.level.as_str());
    for (index, reason) in verdict.reasons.iter().enumerate() {
        text.push_str(&format!("  {}. {reason}\n", index + 1));
    }
    text
}

/// Target against actual.
pub(crate) fn targets(lines: &[TargetLine]) -> String {
    let row = |line: &TargetLine| {
        let result = line.reading.to_owned();
        let [metric, target, actual, samples] =
            [&line.metric, &line.target, &line.actual, &line.samples].map(Clone::clone);
        vec![metric, target, actual, samples, result]
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    table(&TARGETS, &rows)
}

/// What the load was and how it was answered, on one line.
fn figures(results: &Results) -> String {
    let value = |metric: &str, stat: &str| {
        let metric = results.metrics.get(metric)?;
        metric.values.get(stat).copied()
    };
    let Some(requests) = value("http_reqs", "count") else {
        return "no requests".to_owned();
    };
    let mut parts = vec![counted(rounded(requests), "request")];
    let rate = value("http_reqs", "rate").map(|rate| format!("{}/s", number(rate)));
    let failed = value("http_req_failed", "rate").map(|rate| format!("{} failed", share(rate)));
    parts.extend(rate.into_iter().chain(failed));
    for (name, stat, percent) in [
        ("p50", "med", 50.0),
        ("p95", "p(95)", 95.0),
        ("p99", "p(99)", 99.0),
    ] {
        let samples = rounded(requests);
        let time =
            value("http_req_duration", stat).filter(|_| has_enough_samples(percent, samples));
        parts.extend(time.map(|time| format!("{name} {} ms", number(time))));
    }
    parts.extend(value("checks", "rate").map(|rate| format!("{} of checks held", share(rate))));
    parts.join(", ")
}

/// Whether the run counts, and which part of it was judged.
fn evidence(results: &Results) -> String {
    let mut text = String::new();
    if let Some(validity) = &results.validity {
        let open = validity.checks.iter();
        let open = open.filter(|check| check.state == CheckState::Unknown);
        let why: Vec<&str> = open.map(|check| check.sentence.as_str()).collect();
        text.push_str(&format!("  {} {}", validity.summary, why.join(" ")));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    if let Some(phases) = &results.phases {
        text.push_str(&format!("  {}\n", phases.sentence));
        for phase in &phases.phases {
            text.push_str(&format!("    {}\n", phase.line()));
        }
    }
    if let Some(found) = &results.findings {
        text.push_str(&format!("  {}\n", found.note));
        for one in &found.findings {
            let (sentence, advice) = (&one.sentence, &one.recommendation);
            text.push_str(&format!("    {}: {sentence} {advice}\n", one.part));
        }
    }
    text
}

/// A count that k6's statistics hold as a float.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are whole, not negative, and below 2^53"
)]
fn rounded(count: f64) -> u64 {
    count.round().max(0.0) as u64
}

/// What decided, what else changed, and how much stayed the same.
pub(crate) fn compared(compared: &Compared) -> String {
    let mut text = format!("{}\n", compared.level.as_str());
    for told in notable(compared) {
        let level = told.level.map_or("", |level| level.as_str());
        text.push_str(&format!("  {level:<12} {}\n", told.sentence));
    }
    text.push_str(&format!("  {}\n", rest(compared)));
    if let Some(rerun) = &compared.rerun {
        text.push_str(&format!("  {}\n", rerun.sentence));
    }
    if !compared.differs.is_empty() {
        let differs = compared.differs.join(", ");
        text.push_str(&format!(
            "  Not only the time differs between the runs: {differs}.\n"
        ));
    }
    text
}

/// The measures that decide, and those that became others.
pub(crate) fn notable(compared: &Compared) -> impl Iterator<Item = &Comparison> {
    let changed =
        |one: &&Comparison| matches!(one.direction.as_str(), "better" | "worse" | "changed");
    let decides = |one: &&Comparison| one.level.is_some();
    let all = &compared.comparisons;
    let informs = all.iter().filter(move |one| !decides(one) && changed(one));
    all.iter().filter(decides).chain(informs)
}

/// How many measures are not worth a line.
pub(crate) fn rest(compared: &Compared) -> String {
    let left = compared.comparisons.len() - notable(compared).count();
    let left = whole(left as u64);
    format!("{left} other measures show no certain change.")
}
