//! Load from `wrk`, and what the server spent on it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use test_support::process::{Process, Program};

/// Requests under way at once: enough to keep one core busy, as few as a small service has.
pub(crate) const CONNECTIONS: usize = 64;

/// What `wrk` may take beside its load.
const WRK_ROOM: Duration = Duration::from_secs(20);

/// The kernel's unit of processor time in `/proc`, for user space.
const TICK: Duration = Duration::from_millis(10);

/// One round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Requests a second.
    pub(crate) rate: f64,
    /// What the server's core spent on one request, in microseconds; 0 where nobody looked.
    pub(crate) cpu_micros: f64,
    /// The part of its core that the server had.
    pub(crate) busy: f64,
}

/// Puts load on `url` and checks that every request was answered as it should be.
pub(crate) async fn run(
    server: &Process,
    url: &str,
    script: Option<&Path>,
    duration: Duration,
) -> anyhow::Result<Round> {
    let seconds = duration.as_secs();
    let mut wrk = Program::new("wrk", "wrk")?.args(["--threads", "1", "--connections"]);
    wrk = wrk.args([CONNECTIONS.to_string(), format!("--duration={seconds}s")]);
    if let Some(script) = script {
        wrk = wrk.arg("--script").arg(script);
    }
    let (started, before) = (Instant::now(), processor_time(server)?);
    let wrk = wrk.arg(url).start()?;
    let status = wrk.wait(duration + WRK_ROOM).await?;
    let (elapsed, spent) = (started.elapsed(), processor_time(server)? - before);
    let report = wrk.log();
    ensure!(status.success(), "wrk: {status}: {report}");
    ensure!(
        !report.contains("Non-2xx") && !report.contains("Socket errors"),
        "not every request was answered: {report}"
    );
    let (rate, requests) = read_report(&report).with_context(|| report.clone())?;
    Ok(Round {
        rate,
        cpu_micros: spent.as_secs_f64() * 1e6 / requests,
        busy: spent.as_secs_f64() / elapsed.as_secs_f64(),
    })
}

/// Requests a second, and requests.
fn read_report(report: &str) -> anyhow::Result<(f64, f64)> {
    let line = |name: &str| report.lines().find(|line| line.contains(name));
    let rate = line("Requests/sec:").and_then(|line| line.split_whitespace().nth(1));
    let requests = line(" requests in ").and_then(|line| line.split_whitespace().next());
    let rate: f64 = rate.context("wrk printed no rate")?.parse()?;
    let requests: f64 = requests.context("wrk printed no count")?.parse()?;
    ensure!(requests > 0.0, "no request was answered");
    Ok((rate, requests))
}

/// What the process has used so far, all of its threads together.
fn processor_time(process: &Process) -> anyhow::Result<Duration> {
    let pid = process.pid().context("the server runs")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold blanks; utime and stime are the 12th and 13th field after it.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<_, _>>()?;
    Ok(TICK * ticks)
}
