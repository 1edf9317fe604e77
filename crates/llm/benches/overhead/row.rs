//! Which rows are asked for, and how a row is printed: five fields between tabs, which are what,
//! value, bar, ratio to it, verdict. Other lines are notes. A missed bar is a result, no error.

use std::io::Write;

use anyhow::Context;

/// The text of `--filter`. Calls, streams and blocks have numbers, so the other options of
/// `make bench` do not matter.
pub(crate) fn filter() -> anyhow::Result<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--filter");
    if arguments.next().is_none() {
        return Ok(String::new());
    }
    let filter = arguments.next().context("--filter needs a value")?;
    Ok(filter.to_lowercase())
}

/// Prints a result beside the most that it may be.
pub(crate) fn row(what: &str, value: &str, bar: &str, ratio: f64) -> anyhow::Result<()> {
    let verdict = if ratio <= 1.0 { "met" } else { "MISSED" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}\t{value}\t<= {bar}\t{ratio:.3}\t{verdict}")?;
    Ok(())
}

pub(crate) fn note(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "LLM layer: {text}")?;
    Ok(())
}
