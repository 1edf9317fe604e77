//! What the proxy does to the bytes that pass.

use std::{num::NonZeroU64, time::Duration};

use serde::Deserialize;

/// Longest delay that may be asked for; every buffered byte waits for it.
const MAX_DELAY_MS: u64 = 60_000;

/// What happens to connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Bytes pass, as slowly as the other fields say.
    #[default]
    Forward,
    /// Connections are accepted and stay open, and nothing passes any more.
    Silent,
    /// Open and new connections end with a reset.
    Reset,
    /// The port is closed: new connections are refused, open ones are reset.
    Refuse,
}

/// How the proxy behaves. The default passes everything at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Behaviour {
    /// What happens to connections.
    pub mode: Mode,
    /// Added to every piece of data in each direction, milliseconds.
    pub latency_ms: u64,
    /// At most so much more, drawn evenly for each piece, milliseconds.
    pub jitter_ms: u64,
    /// Bytes per second of each direction of each connection; absent: no limit.
    pub bytes_per_second: Option<NonZeroU64>,
    /// A connection is closed after so many bytes from the upstream; absent: never.
    pub cut_after_bytes: Option<u64>,
}

impl Behaviour {
    /// Only a mode.
    #[must_use]
    pub fn mode(mode: Mode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// The first field that is out of its range, and why.
    ///
    /// # Errors
    /// A delay is longer than a minute.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        for (field, delay) in [("latencyMs", self.latency_ms), ("jitterMs", self.jitter_ms)] {
            if delay > MAX_DELAY_MS {
                return Err((field, "must be at most 60000"));
            }
        }
        Ok(())
    }

    /// The delay of the next piece of data.
    pub(crate) fn delay(&self) -> Duration {
        let jitter = fastrand::u64(0..=self.jitter_ms.min(MAX_DELAY_MS));
        Duration::from_millis(self.latency_ms.min(MAX_DELAY_MS) + jitter)
    }

    /// How long `bytes` take at the limited rate.
    pub(crate) fn transfer_time(&self, bytes: usize) -> Duration {
        let Some(rate) = self.bytes_per_second else {
            return Duration::ZERO;
        };
        let nanoseconds = bytes as u128 * 1_000_000_000 / u128::from(rate.get());
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}
