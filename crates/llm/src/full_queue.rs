//! What of this process may be full.

use std::fmt;

/// Which of this process' queues is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullQueue {
    /// The places at the provider, and those to wait for one.
    Provider,
    /// The rows that the ledger has still to write.
    Ledger,
    /// The answers under way, or the callers of one.
    Answers,
}

impl fmt::Display for FullQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Provider => "no place at the provider is free",
            Self::Ledger => "the ledger's queue is full",
            Self::Answers => "too many answers, or callers of one, are under way",
        })
    }
}
