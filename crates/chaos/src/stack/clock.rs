//! The clock of a process that reads from a file how far it is ahead.

use std::time::Duration;

use anyhow::{Context, ensure};
use local_servers::process::Process;
use local_servers::wait;

/// The file in the process' own directory.
pub(super) const FILE: &str = "clock";

/// The process looks ten times a second, and says so.
const DEADLINE: Duration = Duration::from_secs(10);

/// Sets the clock, and waits until the process says that it has followed.
pub(super) async fn set(process: &Process, seconds: i64) -> anyhow::Result<()> {
    let file = process.directory().join(FILE);
    // Renamed, so that nobody reads half of a number.
    let whole = file.with_extension("new");
    std::fs::write(&whole, seconds.to_string()).context("the file of the clock")?;
    std::fs::rename(&whole, &file).context("the file of the clock")?;
    let wanted = format!("the clock is {seconds} s ahead");
    wait::until(&wanted, DEADLINE, async || {
        let log = process.log();
        let last = log.lines().rfind(|line| line.contains("the clock is "));
        let last = last.unwrap_or("the clock was never set");
        ensure!(last.contains(&wanted), "{last}");
        Ok(())
    })
    .await
}
