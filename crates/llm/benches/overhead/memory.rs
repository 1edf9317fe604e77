//! What calls leave behind in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use anyhow::Context;
use test_support::{bench::resident_mib, llm_simulator::JOURNAL_CALLS};
use tokio::task::JoinSet;

use crate::{
    layer::{Layer, Trace},
    row::{note, row},
    stage::Others,
};

pub(crate) const ROWS: [&str; 1] = ["LLM layer, memory that a million calls leave"];

/// Calls at once.
const CALLERS: u32 = 64;

/// Calls whose memory is measured; a million would take minutes, so what they leave is ten times
/// what these leave.
const CALLS: u32 = 100_000;
const MILLION: f64 = 1_000_000.0;

/// One in so many calls is streamed, and one in so many has its trace recorded.
const STREAMED: u32 = 4;
const RECORDED: u32 = 10;

/// Of a million calls, in MiB: 16 bytes a call, less than anything takes that would be kept of
/// each, and ten times the allocator's own wavering.
const BAR: f64 = 16.0;

pub(crate) async fn measure(others: &Others) -> anyhow::Result<()> {
    let layer = Arc::new(Layer::build(others.instant.address()).await?);
    // The simulator is in this process: from then on its journal forgets what it learns.
    run(&layer, u32::try_from(JOURNAL_CALLS)? + CALLS / 10).await?;
    let (before, begun) = (resident_mib()?, Instant::now());
    run(&layer, CALLS).await?;
    let (after, taken) = (resident_mib()?, begun.elapsed());
    Arc::into_inner(layer)
        .context("a call that is over holds the layer")?
        .close()
        .await?;
    let growth = (after - before) * MILLION / f64::from(CALLS);
    row(
        ROWS[0],
        &format!("{growth:.1} MiB"),
        &format!("{BAR} MiB"),
        growth.max(0.0) / BAR,
    )?;
    note(&format!(
        "{:.1} MiB resident after {CALLS} calls, {:.1} MiB before them, the simulators included; \
         {CALLERS} at once, {:.0} calls a second",
        after,
        before,
        f64::from(CALLS) / taken.as_secs_f64(),
    ))
}

async fn run(layer: &Arc<Layer>, calls: u32) -> anyhow::Result<()> {
    let begun = Arc::new(AtomicU32::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (layer, begun) = (Arc::clone(layer), Arc::clone(&begun));
        callers.spawn(async move {
            loop {
                let number = begun.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return anyhow::Ok(());
                }
                call(&layer, number).await?;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn call(layer: &Layer, number: u32) -> anyhow::Result<()> {
    let trace = match number % RECORDED {
        0 => Trace::Recorded,
        _ => Trace::Not,
    };
    match number % STREAMED {
        0 => layer.streamed(trace).await.map(drop),
        _ => layer.whole(trace).await.map(drop),
    }
}
