//! How the cost of an attempt comes from where it is booked to where it was reserved.

use std::sync::OnceLock;

use money::PicoUsd;

/// What one attempt has cost; written once by [`Measured`](crate::Measured), so that budget and
/// ledger cannot differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bill {
    settled: OnceLock<(Option<PicoUsd>, u64)>,
    cut_off: OnceLock<()>,
}

impl Bill {
    /// The attempt is over; no cost means no known price.
    pub(crate) fn settle(&self, cost: Option<PicoUsd>, tokens: u64) {
        // There is one settlement of an attempt.
        let _twice = self.settled.set((cost, tokens));
    }

    /// What it cost and its tokens; `None` for an attempt that was never sent.
    pub(super) fn settled(&self) -> Option<(Option<PicoUsd>, u64)> {
        self.settled.get().copied()
    }

    /// The stream is about to be dropped because the budget is spent.
    pub(super) fn cut_off(&self) {
        let _again = self.cut_off.set(());
    }

    /// Whether the budget, not the caller, ended the stream.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off.get().is_some()
    }
}
