//! What `make bench` asks for.

use std::time::Duration;

use anyhow::{Context, bail};

/// Length of one round unless said otherwise: long enough for the caches of a core, and with
/// [`crate::rounds::ROUNDS`] of them short enough to wait for.
const DEFAULT_SECONDS: u64 = 3;

/// The options of one run.
#[derive(Debug)]
pub(crate) struct Options {
    /// Length of one round.
    pub(crate) round: Duration,
    filter: String,
}

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            round: Duration::from_secs(DEFAULT_SECONDS),
            filter: String::new(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                rest.next()
                    .with_context(|| format!("{argument} needs a value"))
            };
            match argument.as_str() {
                // Cargo says so to every bench.
                "--bench" => {}
                "--filter" => options.filter = value()?.to_lowercase(),
                "--seconds" => {
                    let seconds = value()?.parse().context("--seconds needs a whole number")?;
                    anyhow::ensure!((1..=600).contains(&seconds), "--seconds: 1 to 600");
                    options.round = Duration::from_secs(seconds);
                }
                other => bail!("unknown option {other}: --seconds N, --filter TEXT"),
            }
        }
        Ok(options)
    }

    /// Whether this measure is asked for.
    pub(crate) fn wants(&self, measure: &str) -> bool {
        measure.to_lowercase().contains(&self.filter)
    }
}
