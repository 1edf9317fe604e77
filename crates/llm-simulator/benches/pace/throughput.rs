//! Calls that are answered at once: how many one core answers, and what they leave in memory.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use llm_simulator::{JOURNAL_CALLS, Simulator, SimulatorConfig};
use tokio::net::TcpListener;

use crate::{client::Connection, cores, note, row};

pub(crate) const ROWS: [&str; 2] = ["simulator, calls", "simulator, memory"];

/// Connections, each with one call under way: enough that the simulator never waits.
const CONNECTIONS: usize = 64;
/// A round counts once connections and the journal are full.
const ROUNDS: u32 = 7;
/// Calls that one core answers in a second.
const CALLS_BAR: f64 = 20_000.0;
/// What the rounds may leave behind, in MiB: the allocator's own wavering.
const GROWTH_BAR: f64 = 4.0;

/// Where the simulator listens, and the file in which the kernel counts its thread's time.
type Started = anyhow::Result<(SocketAddr, PathBuf)>;

pub(crate) fn measure(seconds: u64) -> anyhow::Result<()> {
    let [own, callers] = cores::two()?;
    let (started, others_started) = mpsc::channel();
    std::thread::spawn(move || {
        if let Err(failure) = run_simulator(own, &started) {
            drop(started.send(Err(failure)));
        }
    });
    let (address, clock) = others_started.recv().context("no simulator")??;
    cores::pin(&[callers])?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let begun = (Instant::now(), processor_time(&clock)?);
    let result = runtime.block_on(rounds(address, Duration::from_secs(seconds)));
    cores::pin(&[own, callers])?;
    let (rates, memory) = result?;
    report(rates, &memory)?;
    let (elapsed, busy) = (begun.0.elapsed(), processor_time(&clock)? - begun.1);
    let calls = memory.last().map_or(0, |(calls, _)| *calls).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a few million calls")]
    let each = busy.as_secs_f64() * 1e6 / calls as f64;
    let share = busy.as_secs_f64() / elapsed.as_secs_f64() * 100.0;
    note(&format!(
        "simulator: {each:.1} µs of processor time for a call; it had its core for {share:.0} % of the time"
    ))
}

fn run_simulator(core: usize, started: &mpsc::Sender<Started>) -> anyhow::Result<()> {
    cores::pin(&[core])?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let running = Simulator::build(SimulatorConfig::instant()).spawn(listener)?;
        let clock = Path::new("/proc").join(std::fs::read_link("/proc/thread-self")?);
        started.send(Ok((running.address(), clock.join("schedstat"))))?;
        std::future::pending::<anyhow::Result<()>>().await
    })
}

/// Calls in a second of each round, and the resident set after each.
async fn rounds(
    address: SocketAddr,
    length: Duration,
) -> anyhow::Result<(Vec<f64>, Vec<(u64, f64)>)> {
    let answered = Arc::new(AtomicU64::new(0));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(address, false).await?;
        let answered = Arc::clone(&answered);
        callers.spawn(async move {
            loop {
                if let Err(failure) = connection.whole().await {
                    return failure;
                }
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let (mut rates, mut memory) = (Vec::new(), Vec::new());
    // From then on the journal forgets as many calls as it learns of.
    while answered.load(Ordering::Relaxed) < JOURNAL_CALLS as u64 {
        pause(&mut callers, Duration::from_millis(100)).await?;
    }
    for _ in 0..ROUNDS {
        let (begun, before) = (Instant::now(), answered.load(Ordering::Relaxed));
        pause(&mut callers, length).await?;
        let calls = answered.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a few million calls")]
        rates.push((calls - before) as f64 / begun.elapsed().as_secs_f64());
        memory.push((calls, resident_mib()?));
    }
    Ok((rates, memory))
}

/// Lets the callers call, unless one fails.
async fn pause(
    callers: &mut tokio::task::JoinSet<anyhow::Error>,
    length: Duration,
) -> anyhow::Result<()> {
    match tokio::time::timeout(length, callers.join_next()).await {
        Ok(Some(failed)) => Err(failed?),
        Ok(None) | Err(_) => Ok(()),
    }
}

fn report(mut rates: Vec<f64>, memory: &[(u64, f64)]) -> anyhow::Result<()> {
    rates.sort_unstable_by(f64::total_cmp);
    let rate = rates.get(rates.len() / 2).copied().unwrap_or_default();
    row(
        "simulator, calls a second on one core",
        &format!("{rate:.0}"),
        &format!(">= {CALLS_BAR:.0}"),
        rate / CALLS_BAR,
        rate >= CALLS_BAR,
    )?;
    let (first, last) = memory
        .first()
        .zip(memory.last())
        .context("no round was measured")?;
    let growth = last.1 - first.1;
    row(
        "simulator, memory that calls leave",
        &format!("{growth:.1} MiB in {} calls", last.0 - first.0),
        &format!("<= {GROWTH_BAR} MiB"),
        growth.max(0.0) / GROWTH_BAR,
        growth <= GROWTH_BAR,
    )?;
    note(&format!(
        "simulator: {:.1} MiB resident with a full journal, its callers included",
        last.1
    ))
}

/// What a thread has used of its core.
fn processor_time(schedstat: &Path) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(schedstat)?;
    let nanoseconds = text
        .split_whitespace()
        .next()
        .context("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// The process' resident set.
fn resident_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(kib.parse::<f64>()? / 1024.0)
}
