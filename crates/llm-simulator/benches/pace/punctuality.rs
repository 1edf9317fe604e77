//! How punctual 512 parallel streams are: how far the first token's write to the socket is from the
//! moment that was drawn for it, before or after. What the client sees of it stands beside.

use std::{collections::HashMap, time::Duration};

use llm_simulator::{JOURNAL_CALLS, Profile, Simulator, SimulatorConfig};
use tokio::{net::TcpListener, time::Instant};

use crate::{
    client::{Connection, Streamed},
    note, row,
};

pub(crate) const ROWS: [&str; 1] = ["simulator, first token off, p99"];

/// Streams at once.
const STREAMS: u64 = 512;
/// Rounds' lengths: an answer takes some seconds, so less shows nothing.
const LENGTHS: u64 = 4;
/// How far off the first token may be, in milliseconds.
const BAR: f64 = 2.0;

pub(crate) fn measure(seconds: u64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let length = Duration::from_secs(seconds * LENGTHS);
    let (mut written, mut seen) = runtime.block_on(streams(length))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    let late = quantile(&mut written, 0.99);
    row(
        ROWS[0],
        &format!("{late:.2} ms"),
        &format!("<= {BAR} ms"),
        late / BAR,
        late <= BAR,
    )?;
    note(&format!(
        "simulator: {} first tokens of {STREAMS} parallel streams; at the socket p50 {:.2} ms off, \
         at the client p50 {:.2} ms, p99 {:.2} ms",
        written.len(),
        quantile(&mut written, 0.5),
        quantile(&mut seen, 0.5),
        quantile(&mut seen, 0.99),
    ))
}

/// By how many milliseconds the first tokens were off: written, and seen.
async fn streams(length: Duration) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let mut text = Profile::by_name("claude-like")?.text().clone();
    // A queue would be no lateness.
    text.load = None;
    let config = SimulatorConfig {
        profile: Profile::check(text)?,
        ..SimulatorConfig::standard()
    };
    let running = Simulator::build(config).spawn(TcpListener::bind("127.0.0.1:0").await?)?;
    let end = Instant::now() + length;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let mut connection = Connection::open(running.address(), true).await?;
        callers.spawn(async move {
            let mut streamed = Vec::new();
            while Instant::now() < end {
                streamed.push(connection.streamed().await?);
            }
            anyhow::Ok(streamed)
        });
    }
    let mut clients: Vec<Streamed> = Vec::new();
    while let Some(ended) = callers.join_next().await {
        clients.extend(ended??);
    }
    let (mut due, mut written) = (HashMap::new(), Vec::new());
    for call in running.control().calls(JOURNAL_CALLS) {
        let times = call.first_token_due_ms.zip(call.first_token_sent_ms);
        let (at, sent) = times.ok_or_else(|| anyhow::anyhow!("no first token: {call:?}"))?;
        written.push((sent - at).abs());
        due.insert(call.request_id, at);
    }
    let late = |streamed: &Streamed| {
        let at = due.get(&streamed.request_id)?;
        Some((streamed.first_token.as_secs_f64() * 1000.0 - at).abs())
    };
    let seen: Vec<f64> = clients.iter().filter_map(late).collect();
    anyhow::ensure!(
        seen.len() == clients.len(),
        "calls are missing in the journal"
    );
    Ok((written, seen))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index below a few thousand"
)]
fn quantile(values: &mut [f64], quantile: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() as f64 * quantile).ceil() as usize;
    let index = rank.saturating_sub(1);
    values.get(index).copied().unwrap_or_default()
}
