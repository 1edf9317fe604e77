//! A run as a comment for a pull request: the verdict, its reasons, target against actual.

use askama::Template;
use load_analysis::comparison::Comparison;
use load_analysis::escape::markdown as plain;
use load_analysis::findings::{Finding, Findings};
use load_analysis::notation;
use load_analysis::results::Results;

use super::{Compared, Report};
use crate::comparing;
use crate::picture::Picture;
use crate::presentation::fault_table::{self, FaultRow};
use crate::presentation::words;

/// Longer comments are refused by the code hosts, whose bound is 65,536.
const MAX_BYTES: usize = 60_000;

/// Faults that are named; the run's page has all.
const MAX_FAULTS: usize = 20;

/// Rows that are shown at once; further ones are folded.
const OPEN_ROWS: usize = 5;

/// Sentences on measures beside the baseline; the page that compares has all.
const MAX_COMPARED: usize = 10;

#[derive(Template)]
#[template(path = "report.md")]
struct Comment {
    symbol: &'static str,
    level: &'static str,
    name: String,
    number: u64,
    address: String,
    reasons: Vec<String>,
    open: Vec<Row>,
    folded: Vec<Row>,
    left_out: usize,
    valid: bool,
    /// Conditions that held, of all.
    validity: String,
    /// What is judged.
    phase: String,
    /// How the run stands beside the baseline in force, or how to hold it against other runs.
    beside: Option<Beside>,
    /// Where the time went, and what to do about it.
    findings: Vec<String>,
    /// What somebody broke meanwhile.
    faults: Vec<String>,
    exit_code: u8,
    started_by: String,
    /// What the calls of models cost.
    cost: Option<String>,
}

/// A sentence, and what it rests on.
struct Beside {
    says: String,
    sentences: Vec<String>,
}

struct Row {
    metric: String,
    target: String,
    actual: String,
    reading: &'static str,
    ok: bool,
}

pub(super) fn render(report: &Report) -> askama::Result<String> {
    let mut rows: Vec<Row> = report
        .judged()
        .into_iter()
        .map(|line| Row {
            metric: plain(&line.metric),
            target: plain(&line.target),
            actual: plain(&line.actual),
            reading: line.reading,
            ok: line.ok,
        })
        .collect();
    let folded = rows.split_off(rows.len().min(OPEN_ROWS));
    let results = report.results.as_ref();
    let validity = results.and_then(|results| results.validity.as_ref());
    let phases = results.and_then(|results| results.phases.as_ref());
    let found = results.and_then(|results| results.findings.as_ref());
    let mut comment = Comment {
        symbol: symbol(report.level()),
        level: report.level(),
        name: plain(&report.run.test_name),
        number: report.run.number,
        address: report.address.clone(),
        reasons: report.reasons().iter().map(|text| plain(text)).collect(),
        open: rows,
        folded,
        left_out: 0,
        valid: report.is_valid(),
        validity: validity.map(|it| plain(&it.summary)).unwrap_or_default(),
        beside: beside(&report.compared),
        findings: found.map(findings).unwrap_or_default(),
        faults: faults(&report.picture),
        phase: phases.map(|it| plain(&it.sentence)).unwrap_or_default(),
        exit_code: report.exit_code(),
        started_by: plain(&words::started_by(&report.run)),
        cost: report.results.as_ref().and_then(cost),
    };
    let mut text = comment.render()?;
    while text.len() > MAX_BYTES && comment.folded.pop().is_some() {
        comment.left_out += 1;
        text = comment.render()?;
    }
    Ok(text)
}

/// The worst first, then the runs that could tell more.
fn beside(compared: &Compared) -> Option<Beside> {
    let body = match compared {
        Compared::NotAsked => return None,
        Compared::Missing(reason) => {
            let says = format!(
                "Not compared: {}. `perf compare RUN RUN` holds runs against each other; good ones \
                 make a baseline (`perf baseline establish`).",
                plain(reason)
            );
            let sentences = Vec::new();
            return Some(Beside { says, sentences });
        }
        Compared::Against(body) => body,
    };
    let mut told: Vec<&Comparison> = body.comparisons.iter().filter(comparing::is_told).collect();
    told.sort_by_key(|one| std::cmp::Reverse(one.level));
    let line = |one: &&Comparison| {
        let level = one.level.map(|level| format!("**{}** ", level.as_str()));
        level.unwrap_or_default() + &plain(&one.sentence)
    };
    let mut sentences: Vec<String> = told.iter().take(MAX_COMPARED).map(line).collect();
    let rest = body.comparisons.len() - sentences.len();
    if rest > 0 {
        let rest = notation::whole(rest as u64);
        sentences.push(format!(
            "{rest} other measures are on the page that compares."
        ));
    }
    sentences.extend(body.rerun.iter().map(|rerun| plain(&rerun.sentence)));
    let (runs, level) = (body.reference.len(), body.level);
    let says = format!(
        "Beside the {} of the baseline: {level}",
        words::runs(runs as u64)
    );
    Some(Beside { says, sentences })
}

fn cost(results: &Results) -> Option<String> {
    let spend = results.spend.as_ref()?;
    Some(plain(&format!("{}: {}", spend.in_words(), spend.made_of())))
}

/// Findings on a line each, the weightiest first.
fn findings(found: &Findings) -> Vec<String> {
    let line = |one: &Finding| {
        plain(&format!(
            "{}: {} {}",
            one.part, one.sentence, one.recommendation
        ))
    };
    found.findings.iter().map(line).collect()
}

/// Faults on a line each, with what users saw meanwhile.
fn faults(picture: &Picture) -> Vec<String> {
    let line = |row: FaultRow| {
        plain(&format!(
            "{} from {} to {}: {} of {} requests failed, highest p95 {}",
            row.name, row.from, row.to, row.failed, row.requests, row.worst_p95
        ))
    };
    let rows = fault_table::rows(picture).into_iter();
    rows.take(MAX_FAULTS).map(line).collect()
}

const fn symbol(level: &str) -> &'static str {
    match level.as_bytes() {
        b"PASS" => "✓",
        b"WARNING" => "!",
        b"FAIL" => "✕",
        b"CRITICAL" => "⬣",
        b"INCONCLUSIVE" => "≈",
        _ => "⊘",
    }
}
