//! What the programs of `make bench` say, and how they are asked: rows are five fields between
//! tabs (what, value, bar, ratio to it, verdict), other lines are notes. A missed bar is a result, no
//! error.

use std::io::Write;

use anyhow::Context;

/// The text of an option such as `--filter`; `None` where it is not given.
///
/// # Errors
/// It is given without a value.
pub fn option(name: &str) -> anyhow::Result<Option<String>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    if arguments.next().is_none() {
        return Ok(None);
    }
    let value = arguments.next();
    Ok(Some(
        value.with_context(|| format!("{name} needs a value"))?,
    ))
}

/// Whether one of these rows is asked for.
///
/// # Errors
/// `--filter` without a value.
pub fn is_wanted(rows: &[&str]) -> anyhow::Result<bool> {
    let filter = option("--filter")?.unwrap_or_default().to_lowercase();
    Ok(rows.iter().any(|row| row.to_lowercase().contains(&filter)))
}

/// Prints a result beside its bar.
///
/// # Errors
/// Standard output is closed.
pub fn row(what: &str, value: &str, bar: &str, ratio: f64, met: bool) -> anyhow::Result<()> {
    let verdict = if met { "met" } else { "MISSED" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}\t{value}\t{bar}\t{ratio:.3}\t{verdict}")?;
    Ok(())
}

/// Prints a line that is no row.
///
/// # Errors
/// Standard output is closed.
pub fn note(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// The resident set of this process in MiB.
///
/// # Errors
/// The kernel does not tell.
pub fn resident_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(kib.parse::<f64>()? / 1_024.0)
}
