//! 512 streams at once: whether each frame that is sent comes out, and what it takes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use test_support::llm_simulator::{Outcome, Running};
use tokio::task::JoinSet;

use crate::{
    bare::Bare,
    calls::Streamed,
    layer::{Layer, Trace},
    row::{note, row},
    stage::Others,
};

pub(crate) const ROWS: [&str; 1] = ["LLM layer, lost frames of 512 streams at once"];

/// Streams at once: as many as the layer lets through to one provider.
const STREAMS: usize = 512;

/// Rounds, an answer of each stream in each; in turn with the bare client.
const ROUNDS: usize = 3;

/// One in so many traces is recorded, as under load.
const RECORDED: usize = 10;

/// What came of one client's rounds.
#[derive(Default)]
struct Sum {
    sent: u64,
    received: u64,
    processor: Duration,
}

pub(crate) async fn measure(others: &Others) -> anyhow::Result<()> {
    let simulator = &others.paced;
    let layer = Arc::new(Layer::build(simulator.address()).await?);
    let mut bare = Vec::new();
    for _ in 0..STREAMS {
        bare.push(Bare::connect(simulator.address()).await?);
    }
    let (mut plain, mut layered) = (Sum::default(), Sum::default());
    for _ in 0..ROUNDS {
        let mut callers = JoinSet::new();
        for mut connection in bare.drain(..) {
            callers.spawn(async move { Ok((connection.streamed().await?, connection)) });
        }
        bare = plain.take(simulator, callers).await?;
        let mut callers = JoinSet::new();
        for number in 0..STREAMS {
            let layer = Arc::clone(&layer);
            let trace = match number % RECORDED {
                0 => Trace::Recorded,
                _ => Trace::Not,
            };
            callers.spawn(async move { Ok((layer.streamed(trace).await?, ())) });
        }
        layered.take(simulator, callers).await?;
    }
    Arc::into_inner(layer)
        .context("a stream that is over holds the layer")?
        .close()
        .await?;
    report(&plain, &layered)
}

impl Sum {
    /// Waits for the callers of a round; what they bring back beside their streams.
    async fn take<T: 'static>(
        &mut self,
        simulator: &Running,
        mut callers: JoinSet<anyhow::Result<(Streamed, T)>>,
    ) -> anyhow::Result<Vec<T>> {
        let before = processor_time()?;
        let mut brought = Vec::new();
        while let Some(ended) = callers.join_next().await {
            let (streamed, more) = ended??;
            self.received += streamed.pieces;
            brought.push(more);
        }
        self.processor += processor_time()? - before;
        for call in simulator.control().calls(STREAMS) {
            anyhow::ensure!(call.outcome == Outcome::Completed, "{call:?}");
            self.sent += call.output_tokens;
        }
        Ok(brought)
    }

    fn per_frame(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousand frames")]
        let frames = self.sent.max(1) as f64;
        self.processor.as_secs_f64() * 1e6 / frames
    }
}

fn report(plain: &Sum, layered: &Sum) -> anyhow::Result<()> {
    anyhow::ensure!(
        plain.received == plain.sent,
        "the bare client saw {} of {} frames",
        plain.received,
        plain.sent
    );
    let lost = layered.sent.abs_diff(layered.received);
    let value = format!("{lost} of {}", layered.sent);
    let ratio = if lost == 0 { 0.0 } else { f64::INFINITY };
    row(ROWS[0], &value, "0", ratio)?;
    let (with, without) = (layered.per_frame(), plain.per_frame());
    note(&format!(
        "{STREAMS} streams at once, a frame at a time, take {with:.1} µs of processor time a frame, \
         the bare client {without:.1} µs"
    ))
}

/// What this thread has used of its core.
fn processor_time() -> anyhow::Result<Duration> {
    let file = PathBuf::from("/proc/thread-self/schedstat");
    let text = std::fs::read_to_string(file)?;
    let nanoseconds = text.split_whitespace().next();
    let nanoseconds = nanoseconds.context("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
