//! How fast and how punctual the simulator is, and whether its memory stays flat.
//!
//! Each row is five fields between tabs: what, value, bar, ratio to it, verdict; other lines are
//! notes. A missed bar is a result, no error.

mod client;
mod cores;
mod punctuality;
mod throughput;

use std::io::Write;

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let filter = option("--filter")?.unwrap_or_default().to_lowercase();
    let seconds: u64 = match option("--seconds")? {
        Some(text) => text.parse().context("--seconds needs a number")?,
        None => 3,
    };
    let wanted = |rows: &[&str]| rows.iter().any(|row| row.to_lowercase().contains(&filter));
    if wanted(&throughput::ROWS) {
        throughput::measure(seconds)?;
    }
    if wanted(&punctuality::ROWS) {
        punctuality::measure(seconds)?;
    }
    Ok(())
}

fn option(name: &str) -> anyhow::Result<Option<String>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    if arguments.next().is_none() {
        return Ok(None);
    }
    let value = arguments.next();
    Ok(Some(
        value.with_context(|| format!("{name} needs a value"))?,
    ))
}

/// Prints a result and whether it meets its bar.
fn row(what: &str, value: &str, bar: &str, ratio: f64, met: bool) -> anyhow::Result<()> {
    let verdict = if met { "met" } else { "MISSED" };
    writeln!(
        std::io::stdout().lock(),
        "{what}\t{value}\t{bar}\t{ratio:.3}\t{verdict}"
    )?;
    Ok(())
}

fn note(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}
