//! A run as a comment for a pull request: the verdict, its reasons, target against actual.

use askama::Template;
use load_analysis::escape::markdown as plain;
use load_analysis::results::Results;

use super::Report;

/// Longer comments are refused by the code hosts, whose bound is 65,536.
const MAX_BYTES: usize = 60_000;

/// Rows that are shown at once; further ones are folded.
const OPEN_ROWS: usize = 5;

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
    exit_code: u8,
    /// What the calls of models cost.
    cost: Option<String>,
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
        exit_code: report.exit_code(),
        cost: report.results.as_ref().and_then(cost),
    };
    let mut text = comment.render()?;
    while text.len() > MAX_BYTES && comment.folded.pop().is_some() {
        comment.left_out += 1;
        text = comment.render()?;
    }
    Ok(text)
}

fn cost(results: &Results) -> Option<String> {
    let spend = results.spend.as_ref()?;
    Some(plain(&format!("{}: {}", spend.in_words(), spend.made_of())))
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
