//! The time that the layer adds, one call at a time.

use anyhow::Context;

use crate::{
    bare::Bare,
    layer::{Layer, Trace},
    row::{note, row},
    stage::Others,
};

pub(crate) const ROWS: [&str; 4] = [
    "LLM layer, added p50",
    "LLM layer, added p99",
    "LLM layer, added to the first token p99",
    "LLM layer, added to each frame",
];

/// What the layer may add, in microseconds, by row.
const BARS: [f64; 4] = [100.0, 500.0, 300.0, 5.0];

/// Calls of each kind in a block. A result is the median over the blocks, so that a disturbance of
/// the machine spoils blocks, not the result.
const BLOCK: u64 = 500;

/// Blocks, the first of which does not count: connections, caches and the ledger's file are warm.
const BLOCKS: u64 = 12;

/// A streamed answer, its times in microseconds.
pub(crate) struct Streamed {
    /// Until the first piece of text.
    pub(crate) first: f64,
    /// From one frame of text to the next, on average.
    pub(crate) frame: f64,
    /// Pieces of text that came out.
    pub(crate) pieces: u64,
}

impl Streamed {
    /// Of an answer that came in so many frames of text, each of them a piece.
    ///
    /// # Errors
    /// Fewer than two frames, between which there is no time.
    pub(crate) fn new(first: Option<f64>, total: f64, frames: u64) -> anyhow::Result<Self> {
        let first = first.context("a stream without text")?;
        anyhow::ensure!(frames > 1, "a stream of one frame");
        #[expect(clippy::cast_precision_loss, reason = "some hundred frames")]
        let frame = (total - first) / (frames - 1) as f64;
        Ok(Self {
            first,
            frame,
            pieces: frames,
        })
    }
}

/// The times of one kind of call in a block, in microseconds.
type Times = Vec<f64>;

/// The times of a block, of whole answers and of streamed ones.
#[derive(Default)]
struct Block {
    bare: Times,
    layer: Times,
    untraced: Times,
    bare_first: Times,
    layer_first: Times,
    shared_first: Times,
    bare_frame: Times,
    layer_frame: Times,
}

/// Picks a kind of call.
type Kind = fn(&Block) -> &Times;

pub(crate) async fn measure(others: &Others) -> anyhow::Result<()> {
    let layer = Layer::build(others.instant.address()).await?;
    let mut bare = Bare::connect(others.instant.address()).await?;
    let mut blocks = Vec::new();
    for block in 0..BLOCKS {
        let mut times = Block::default();
        for call in 0..BLOCK {
            times.bare.push(bare.whole().await?);
            times.layer.push(layer.whole(Trace::Recorded).await?);
            times.untraced.push(layer.whole(Trace::Not).await?);
            let streamed = [
                bare.streamed().await?,
                layer.streamed(Trace::Recorded).await?,
                layer.shared(block * BLOCK + call).await?,
            ];
            times.take(&streamed);
        }
        times.sort();
        blocks.push(times);
    }
    layer.close().await?;
    blocks.remove(0);
    report(&blocks)
}

impl Block {
    fn take(&mut self, [bare, layer, shared]: &[Streamed; 3]) {
        self.bare_first.push(bare.first);
        self.bare_frame.push(bare.frame);
        self.layer_first.push(layer.first);
        self.layer_frame.push(layer.frame);
        self.shared_first.push(shared.first);
    }

    fn sort(&mut self) {
        for times in [
            &mut self.bare,
            &mut self.layer,
            &mut self.untraced,
            &mut self.bare_first,
            &mut self.layer_first,
            &mut self.shared_first,
            &mut self.bare_frame,
            &mut self.layer_frame,
        ] {
            times.sort_unstable_by(f64::total_cmp);
        }
    }
}

fn report(blocks: &[Block]) -> anyhow::Result<()> {
    let bare_frame: Kind = |block| &block.bare_frame;
    let bare_first: Kind = |block| &block.bare_first;
    let rows: [(f64, Kind, Kind); 4] = [
        (0.5, |block| &block.bare, |block| &block.layer),
        (0.99, |block| &block.bare, |block| &block.layer),
        (0.99, bare_first, |block| &block.layer_first),
        (0.5, bare_frame, |block| &block.layer_frame),
    ];
    for ((name, bar), (percentile, bare, layer)) in ROWS.iter().zip(BARS).zip(rows) {
        let (floor, added) = added(blocks, percentile, bare, layer);
        let value = format!("{added:.1} µs over {floor:.1} µs");
        row(name, &value, &format!("{bar} µs"), added / bar)?;
    }
    let (_, untraced) = added(blocks, 0.5, |block| &block.bare, |block| &block.untraced);
    let (_, median) = added(blocks, 0.5, bare_first, |block| &block.layer_first);
    let (_, shared) = added(blocks, 0.5, bare_first, |block| &block.shared_first);
    // Frames that are there already are read before a shared stream hands the first one over.
    note(&format!(
        "at the median it adds {untraced:.1} µs without a span, {median:.1} µs to the first token, \
         {shared:.1} µs to that of a shared stream"
    ))
}

/// The bare client's time at a percentile and what another kind of call takes more, both as the
/// median over the blocks, in microseconds.
fn added(blocks: &[Block], percentile: f64, bare: Kind, ours: Kind) -> (f64, f64) {
    let at = |times: &Times| quantile(times, percentile);
    let floor = median(blocks.iter().map(|block| at(bare(block))));
    let more = blocks.iter().map(|block| at(ours(block)) - at(bare(block)));
    (floor, median(more))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index below a few thousand"
)]
fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let rank = (sorted.len() as f64 * quantile).ceil() as usize;
    let index = rank.saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}
