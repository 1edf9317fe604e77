//! A run as a `JUnit` test suite: a case for its validity, one for each limit and threshold.

use askama::Template;
use load_analysis::targets::TargetLine;

use super::Report;
use crate::presentation::words;

#[derive(Template)]
#[template(path = "report.xml")]
struct Suite {
    name: String,
    at: String,
    /// Why the run does not count.
    invalid: Option<String>,
    cases: Vec<Case>,
    failures: usize,
    skipped: usize,
    /// Who started it, and what the calls of models cost in exact dollars.
    properties: Vec<(&'static str, String)>,
}

struct Case {
    name: String,
    /// The sentence of a crossed threshold.
    failure: Option<String>,
    /// The sentence of a limit that too few samples cannot decide: neither green nor red.
    skipped: Option<String>,
}

pub(super) fn render(report: &Report) -> askama::Result<String> {
    let cases: Vec<Case> = report.judged().iter().map(case).collect();
    let begun = report.run.started_at.unwrap_or(report.run.queued_at);
    Suite {
        name: characters(&format!("{} #{}", report.run.test_name, report.run.number)),
        at: begun.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        invalid: (!report.is_valid()).then(|| characters(&report.reasons().join(" "))),
        failures: cases.iter().filter(|case| case.failure.is_some()).count(),
        skipped: cases.iter().filter(|case| case.skipped.is_some()).count(),
        cases,
        properties: properties(report),
    }
    .render()
}

fn properties(report: &Report) -> Vec<(&'static str, String)> {
    let mut properties = Vec::new();
    let started_by = characters(&words::started_by(&report.run));
    if !started_by.is_empty() {
        properties.push(("started.by", started_by));
    }
    let results = report.results.as_ref();
    if let Some(spend) = results.and_then(|results| results.spend.as_ref()) {
        properties.push(("cost.real.usd", spend.real.cost.decimal()));
        properties.push(("cost.simulated.usd", spend.simulated.cost.decimal()));
    }
    properties
}

fn case(line: &TargetLine) -> Case {
    let sentence = || {
        let actual = format!("actual {}, target {}", line.actual, line.target);
        characters(&format!("{actual}, {} samples", line.samples))
    };
    Case {
        name: characters(&format!("{}: {}", line.metric, line.target)),
        failure: (!line.ok).then(sentence),
        skipped: line.is_undecided().then(sentence),
    }
}

/// XML 1.0 has no way to write most control characters.
fn characters(text: &str) -> String {
    let allowed = |character: &char| !character.is_control() || matches!(character, '\n' | '\t');
    text.chars().filter(allowed).collect()
}
