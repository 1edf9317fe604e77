//! `docs/metrics.md` is the catalogue as a table.
//!
//! `UPDATE=1 cargo test -p test-support --test support metrics` writes it.

use std::fmt::Write as _;
use std::path::PathBuf;

use instrumentation::catalogue::{self, Kind, Metric};
use test_support::tools::workspace;

const HEAD: &str = "\
# Metrics

Every metric that our processes emit, made from the catalogue in `crates/instrumentation/src/catalogue.rs`. \
A test compares this file with it; `UPDATE=1 cargo test -p test-support --test support metrics` writes it anew.

| metric | kind | unit | labels | meaning |
|---|---|---|---|---|
";

const WRITTEN: &str = "
## Of load tests

What k6 measures. `/metrics` shows none of it: the performance service writes it to Prometheus while a run goes on, \
if `PERFORMANCE_REMOTE_WRITE_URL` says where.

| metric | kind | unit | labels | meaning |
|---|---|---|---|---|
";

fn document() -> PathBuf {
    workspace().join("docs/metrics.md")
}

fn render<'a>(metrics: impl Iterator<Item = &'a Metric>) -> String {
    HEAD.to_owned() + &rows(metrics)
}

fn rows<'a>(metrics: impl Iterator<Item = &'a Metric>) -> String {
    let mut text = String::new();
    for metric in metrics {
        let Metric {
            prometheus,
            unit,
            help,
            ..
        } = metric;
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|label| format!("`{}`", label.replace('.', "_")))
            .collect();
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "| `{prometheus}` | {} | {} | {} | {} |",
            kind(metric.kind),
            cell(unit),
            labels.join(" "),
            cell(help),
        );
    }
    text
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how a developer asks for the file to be written"
)]
fn the_table_of_metrics_is_the_catalogue() -> anyhow::Result<()> {
    let expected = render(catalogue::all()) + WRITTEN + &rows(catalogue::written());
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(workspace().join("docs"))?;
        std::fs::write(document(), &expected)?;
    }
    let actual = std::fs::read_to_string(document()).unwrap_or_default();
    let differing = expected
        .lines()
        .zip(actual.lines().chain(std::iter::repeat("")));
    let first = differing
        .enumerate()
        .find(|(_, (expected, actual))| expected != actual);
    assert!(
        expected == actual,
        "docs/metrics.md is not the catalogue; run this test with UPDATE=1. First difference \
         (line, expected, actual): {first:?}"
    );
    Ok(())
}

#[test]
fn a_metric_becomes_a_row() {
    static METRIC: Metric = Metric {
        name: "a.b",
        prometheus: "a_b_seconds",
        kind: Kind::Histogram,
        unit: "s",
        labels: &["error.type", "outcome"],
        buckets: &[1.0],
        help: "This | that.",
    };
    let text = render([&METRIC].into_iter());
    let row = "| `a_b_seconds` | histogram | s | `error_type` `outcome` | This \\| that. |\n";
    assert_eq!(text.strip_prefix(HEAD), Some(row));
}
