//! What the API takes when nobody asks it anything: memory, time to start, size.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    api::{Api, BINARY, ensure_ready},
    cores::Cores,
    options::Options,
    rounds::{ROUNDS, median},
    row::{Bar, Row},
};

/// After how long without a request the memory counts as idle.
const IDLE: Duration = Duration::from_secs(5);

/// How often a starting API is asked whether it is ready: the error of the result.
const LOOK: Duration = Duration::from_millis(1);

/// Measures all three.
pub(crate) async fn measure(cores: &Cores, options: &Options) -> anyhow::Result<()> {
    if options.wants(READY) {
        ready(cores).await?;
    }
    if options.wants(MEMORY) {
        memory(cores).await?;
    }
    if options.wants(SIZE) {
        size()?;
    }
    Ok(())
}

const READY: &str = "start until ready, SQLite";
const MEMORY: &str = "idle memory after 5 s";
const SIZE: &str = "size of the release binary";

async fn ready(cores: &Cores) -> anyhow::Result<()> {
    let mut starts = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let program = cores.anywhere("bookstore-api", BINARY)?;
        let started = Instant::now();
        // A new state directory each time, so that making the database counts.
        let api = Api::spawn(program, &[])?;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let answer = async {
            while ensure_ready(api.port()).await.is_err() {
                look.tick().await;
            }
        };
        timeout(Duration::from_secs(30), answer)
            .await
            .with_context(|| format!("it never became ready: {}", api.process().log()))?;
        starts.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let milliseconds = median(starts.into_iter());
    Row {
        measure: READY,
        value: format!("{milliseconds:.0} ms"),
        bar: Some(Bar::AtMost(150.0)),
        figure: milliseconds,
    }
    .print();
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bar is stated for this long after the start"
)]
async fn memory(cores: &Cores) -> anyhow::Result<()> {
    let program = cores.anywhere("bookstore-api", BINARY)?;
    let api = Api::spawn(program, &[])?;
    api.wait_ready().await?;
    tokio::time::sleep(IDLE).await;
    let pid = api.process().pid().context("the API runs")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|text| text.split_whitespace().next());
    let kilobytes: f64 = kilobytes.context("no VmRSS")?.parse()?;
    let megabytes = kilobytes * 1_024.0 / 1e6;
    Row {
        measure: MEMORY,
        value: format!("{megabytes:.1} MB"),
        bar: Some(Bar::AtMost(32.0)),
        figure: megabytes,
    }
    .print();
    Ok(())
}

fn size() -> anyhow::Result<()> {
    let bytes = std::fs::metadata(BINARY)?.len();
    let megabytes = f64::from(u32::try_from(bytes)?) / 1e6;
    Row {
        measure: SIZE,
        value: format!("{megabytes:.1} MB"),
        bar: Some(Bar::AtMost(40.0)),
        figure: megabytes,
    }
    .print();
    Ok(())
}
