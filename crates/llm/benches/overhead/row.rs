//! Which rows are asked for, and how a row is printed. Calls, streams and blocks have numbers, so
//! that only `--filter` of the options of `make bench` matters.

use test_support::bench;

/// Prints a result beside the most that it may be.
pub(crate) fn row(what: &str, value: &str, bar: &str, ratio: f64) -> anyhow::Result<()> {
    bench::row(what, value, &format!("<= {bar}"), ratio, ratio <= 1.0)
}

pub(crate) fn note(text: &str) -> anyhow::Result<()> {
    bench::note(&format!("LLM layer: {text}"))
}
