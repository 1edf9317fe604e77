//! Rounds in turn, so that what changes with time changes both sides.

use crate::{
    load::Round,
    row::{Bar, Row, note},
};

/// Rounds of each side: odd, so that the median is one of them.
pub(crate) const ROUNDS: usize = 7;

/// What the server's core must have been used for by both sides, or the generator was the limit and
/// the ratio says nothing.
const BUSY: f64 = 0.9;

/// The rounds of both sides.
#[derive(Debug)]
pub(crate) struct Outcome {
    ours: Vec<Round>,
    bare: Vec<Round>,
}

/// Lets both sides run in turn.
pub(crate) async fn take_turns(
    mut ours: impl AsyncFnMut() -> anyhow::Result<Round>,
    mut bare: impl AsyncFnMut() -> anyhow::Result<Round>,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome {
        ours: Vec::with_capacity(ROUNDS),
        bare: Vec::with_capacity(ROUNDS),
    };
    // One round that does not count: pages are mapped, caches and connections warm.
    ours().await?;
    bare().await?;
    for _ in 0..ROUNDS {
        outcome.ours.push(ours().await?);
        outcome.bare.push(bare().await?);
    }
    Ok(outcome)
}

impl Outcome {
    /// Prints the row: the median of the rounds' ratios against the bar.
    pub(crate) fn print(&self, measure: &str, bar: Option<Bar>) {
        let ratios = self.ours.iter().zip(&self.bare);
        let rate = |rounds: &[Round]| median(rounds.iter().map(|round| round.rate));
        Row {
            measure,
            value: format!("{:.0}/s of {:.0}/s", rate(&self.ours), rate(&self.bare)),
            bar,
            figure: median(ratios.map(|(ours, bare)| ours.rate / bare.rate)),
        }
        .print();
    }

    /// Prints what the rates rest on: processor time for each request, and whether the server was
    /// the limit.
    pub(crate) fn print_processor(&self, measure: &str) {
        let cpu = |rounds: &[Round]| median(rounds.iter().map(|round| round.cpu_micros));
        let busy = |rounds: &[Round]| median(rounds.iter().map(|round| round.busy));
        let (ours, bare) = (cpu(&self.ours), cpu(&self.bare));
        note(&format!(
            "{measure}: {ours:.2} µs of processor time a request, bare {bare:.2} µs (ratio {:.3}); the server's core was {:.0} % and {:.0} % its own",
            bare / ours,
            busy(&self.ours) * 100.0,
            busy(&self.bare) * 100.0,
        ));
        if busy(&self.ours).min(busy(&self.bare)) < BUSY {
            note(&format!(
                "{measure}: the server did not have its core to itself, or was not the limit: repeat on a quiet machine"
            ));
        }
    }
}

/// The middle one; 0 of nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
