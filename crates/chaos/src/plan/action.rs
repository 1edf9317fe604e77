//! What a fault does.

use anyhow::{anyhow, ensure};
use fault_proxy::Behaviour;
use serde::Deserialize;
use serde_json::Value;

use super::{Access, StackPlan};

/// The furthest that a clock is set: a day.
const MAX_STEP_SECONDS: i64 = 86_400;

/// The largest crowd: fewer than the connections that a proxy carries.
const MAX_CROWD: u32 = 500;

/// With more, in both directions, a call to the store has no time left.
const MAX_STORE_MS: u64 = 200;

/// A server that the API depends on; a fault proxy stands before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dependency {
    /// The server of the `MongoDB` protocol.
    Mongo,
    /// Redis.
    Redis,
    /// The simulator, as the models' vendor.
    Provider,
    /// The collector of traces.
    Collector,
}

/// A process of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    /// The server of the `MongoDB` protocol.
    Mongo,
    /// Redis.
    Redis,
    /// The simulator.
    Provider,
    /// The `BookStore` API.
    Api,
    /// The performance service.
    Performance,
}

/// What becomes of a handshake of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Handshake {
    /// The certificate is another host's.
    WrongName,
    /// The certificate has expired.
    Expired,
    /// The certificate is signed by somebody whom nobody trusts.
    UnknownIssuer,
    /// The answer is plain HTTP.
    Plain,
    /// The connection ends before any answer.
    Closed,
    /// The greeting is taken, and nothing comes back.
    Silent,
}

/// What is done at the begin of a fault, and undone at its end.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Action {
    /// The connections to a dependency behave like this.
    Proxy {
        /// Which one.
        before: Dependency,
        /// How.
        behaviour: Behaviour,
    },
    /// SIGKILL; the process is started again at the end.
    Kill {
        /// Which one.
        process: Part,
    },
    /// SIGKILL at random moments, each followed by a start at once.
    KillOften {
        /// Which one.
        process: Part,
        /// How often.
        times: u32,
        /// Longest time until it must be ready again, in seconds.
        ready_within: f64,
    },
    /// SIGSTOP, and SIGCONT at the end.
    Freeze {
        /// Which one.
        process: Part,
    },
    /// SIGTERM; it must end with success before the fault does, and is started again then.
    Terminate {
        /// Which one.
        process: Part,
    },
    /// The simulator fails by these rules of its own.
    Simulator {
        /// As `PUT /control/faults` takes them.
        rules: Vec<Value>,
    },
    /// A file takes all room on the performance service's disk.
    FillDisk {},
    /// The clock of a process is so many seconds ahead of the machine's, or behind, and is set
    /// right at the end; meanwhile another run is asked for.
    Clock {
        /// Which one; the performance service alone has a clock that can be set.
        process: Part,
        /// How many.
        seconds: i64,
    },
    /// The vendor's host name is found no more, and its open connections end.
    ForgetName {},
    /// New connections to the vendor meet these handshakes in turn, and open ones end.
    Tls {
        /// At least one.
        handshakes: Vec<Handshake>,
    },
    /// Commands to Redis.
    Redis {
        /// At the begin.
        commands: Vec<Vec<String>>,
        /// At the end.
        #[serde(default)]
        undo: Vec<Vec<String>>,
    },
    /// Again and again Redis loses all entries, and a crowd of readers asks for one book at once
    /// while the store takes its time: each of them would ask the store.
    Crowd {
        /// Readers at once.
        readers: u32,
        /// How often.
        times: u32,
        /// What the connection to the store adds in each direction, in milliseconds.
        store_ms: u64,
    },
    /// Readers who leave summaries before their end, so many each second.
    Leave {
        /// How many.
        per_second: u32,
    },
}

impl Action {
    /// At most so many kills, or crowds; the share of them that is left.
    pub(super) fn shrink(&mut self, most: u32) -> f64 {
        let (Self::KillOften { times, .. } | Self::Crowd { times, .. }) = self else {
            return 1.0;
        };
        let before = f64::from((*times).max(1));
        *times = (*times).min(most);
        f64::from(*times) / before
    }

    /// Refuses what the stack does not have.
    pub(super) fn check(&self, stack: &StackPlan) -> anyhow::Result<()> {
        let needs = |there: bool, what: &str| {
            ensure!(there, "the stack has no {what}: set stack.{what} = true");
            anyhow::Ok(())
        };
        match self {
            Self::Proxy { before, behaviour } => {
                behaviour
                    .check()
                    .map_err(|(field, reason)| anyhow!("behaviour.{field}: {reason}"))?;
                match before {
                    Dependency::Mongo => needs(stack.mongo, "mongo"),
                    Dependency::Redis => needs(stack.redis, "redis"),
                    Dependency::Collector => needs(stack.collector, "collector"),
                    Dependency::Provider => Ok(()),
                }
            }
            Self::Kill { process }
            | Self::KillOften { process, .. }
            | Self::Freeze { process }
            | Self::Terminate { process } => match process {
                Part::Mongo => needs(stack.mongo, "mongo"),
                Part::Redis => needs(stack.redis, "redis"),
                Part::Provider | Part::Api | Part::Performance => Ok(()),
            },
            Self::Clock { process, seconds } => check_clock(*process, *seconds),
            Self::Redis { .. } => needs(stack.redis, "redis"),
            Self::Crowd {
                readers, store_ms, ..
            } => {
                ensure!(
                    (1..=MAX_CROWD).contains(readers) && *store_ms <= MAX_STORE_MS,
                    "readers: at most {MAX_CROWD}, and store_ms at most {MAX_STORE_MS}"
                );
                needs(stack.redis, "redis")?;
                needs(stack.mongo, "mongo")
            }
            Self::ForgetName {} => {
                let by_name = stack.provider == Access::Name;
                ensure!(by_name, "set stack.provider = \"name\"");
                Ok(())
            }
            Self::Tls { handshakes } => {
                ensure!(!handshakes.is_empty(), "handshakes: names none");
                let by_tls = stack.provider == Access::Tls;
                ensure!(by_tls, "set stack.provider = \"tls\"");
                Ok(())
            }
            Self::FillDisk {} => {
                ensure!(
                    stack.disk_mib.is_some(),
                    "the stack has no disk of its own: set stack.disk_mib"
                );
                Ok(())
            }
            Self::Simulator { .. } | Self::Leave { .. } => Ok(()),
        }
    }
}

fn check_clock(process: Part, seconds: i64) -> anyhow::Result<()> {
    ensure!(
        process == Part::Performance,
        "process: only performance has a clock that can be set"
    );
    ensure!(
        (-MAX_STEP_SECONDS..=MAX_STEP_SECONDS).contains(&seconds) && seconds != 0,
        "seconds: must be another time, at most {MAX_STEP_SECONDS} s away"
    );
    Ok(())
}
