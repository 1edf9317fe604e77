//! One container and what is done with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Method;
use hyper::body::Incoming;
use nix::sys::signal::Signal;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{Engine, EngineError, output};
use crate::exit::K6Exit;
use crate::process::{ProcessIdentity, working_in};

/// How long an engine that stopped answering is asked again before the container's end counts as
/// unseen. Its own restart takes some seconds.
const LOST: Duration = Duration::from_secs(10);

/// Between two of these questions.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A process that is killed is gone within milliseconds.
const KILLED: Duration = Duration::from_secs(2);

/// From here on an exit code of a container tells a signal: 128 and its number.
const SIGNALS: i32 = 128;

const OUT_OF_MEMORY: &str = "the container reached its limit of memory and was killed";

/// A container that was made.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    engine: Engine,
    id: String,
    labels: BTreeMap<String, String>,
    /// Where its k6 works, the same path inside and outside.
    directory: PathBuf,
}

/// A container in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    id: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Waited {
    status_code: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: State,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    #[serde(default, rename = "OOMKilled")]
    out_of_memory: bool,
}

#[derive(Debug, Deserialize)]
struct Statistics {
    cpu_stats: CpuStatistics,
}

#[derive(Debug, Deserialize)]
struct CpuStatistics {
    cpu_usage: CpuUsage,
}

#[derive(Debug, Deserialize)]
struct CpuUsage {
    /// Nanoseconds.
    total_usage: u64,
}

/// How a container ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) exit: K6Exit,
    /// What k6 itself cannot say of it.
    pub(crate) note: Option<String>,
}

impl Container {
    pub(super) fn found(engine: Engine, listed: Listed) -> Self {
        Self {
            engine,
            id: listed.id,
            labels: listed.labels.unwrap_or_default(),
            directory: PathBuf::new(),
        }
    }

    /// Makes a container; it does not run yet.
    pub(crate) async fn create(
        engine: &Engine,
        description: &Value,
        directory: &Path,
    ) -> Result<Self, EngineError> {
        let made: Made = engine
            .ask(Method::POST, "/containers/create", Some(description))
            .await?;
        Ok(Self {
            engine: engine.clone(),
            id: made.id,
            labels: BTreeMap::new(),
            directory: directory.to_owned(),
        })
    }

    /// What the engine calls it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// What it writes from now on; asked before the start, so that nothing is missing.
    pub(crate) async fn attach(&self) -> Result<Incoming, EngineError> {
        let path = self.path("attach?stream=true&stdout=true&stderr=true");
        let answer = self.engine.open(Method::POST, &path, None).await?;
        Ok(answer.into_body())
    }

    pub(crate) async fn start(&self) -> Result<(), EngineError> {
        self.change("start").await
    }

    /// Sends a signal to the k6 in it. Where the engine does not answer, and k6 is a process of
    /// this machine, it gets the signal itself.
    pub(crate) async fn signal(&self, signal: Signal) -> Result<(), EngineError> {
        let sent = self.change(&format!("kill?signal={signal}")).await;
        match sent {
            // It has ended meanwhile.
            Err(EngineError::Refused {
                status: 404 | 409, ..
            })
            | Ok(()) => Ok(()),
            Err(error) => {
                let own = self.processes();
                own.iter().for_each(|process| process.signal(signal));
                if own.is_empty() { Err(error) } else { Ok(()) }
            }
        }
    }

    /// Awaits its end. An engine that is gone for good leaves it unknown, and its k6 is killed
    /// then: nobody would watch it any more.
    pub(crate) async fn ended(&self) -> Ended {
        let mut lost: Option<Instant> = None;
        let mut again = interval(ASK_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            let asked = Instant::now();
            match self.wait().await {
                Ok(ended) => return ended,
                Err(error) if error.is_absent() => return Ended::unseen(&error),
                Err(error) => {
                    if asked.elapsed() >= LOST {
                        // It answered for so long; this is another loss.
                        lost = None;
                    }
                    let since = *lost.get_or_insert_with(Instant::now);
                    if since.elapsed() >= LOST {
                        self.kill_here().await;
                        return Ended::unseen(&error);
                    }
                }
            }
        }
    }

    /// Kills its k6 without the engine.
    async fn kill_here(&self) {
        for process in self.processes() {
            process.signal(Signal::SIGKILL);
            drop(timeout(KILLED, process.gone()).await);
        }
    }

    async fn wait(&self) -> Result<Ended, EngineError> {
        let path = self.path("wait?condition=not-running");
        let answer = self.engine.open(Method::POST, &path, None).await?;
        let answer = self.engine.whole(answer).await?;
        // An engine that stops answers with half of a document, or with an error in it.
        let waited: Waited = serde_json::from_slice(&answer)
            .map_err(|error| EngineError::Unreadable(error.to_string()))?;
        let inspected: Inspected = self
            .engine
            .ask(Method::GET, &self.path("json"), None)
            .await?;
        let state = inspected.state;
        if state.running {
            return Err(EngineError::Unreadable(format!(
                "it still runs: {waited:?}"
            )));
        }
        let note = state.out_of_memory.then(|| OUT_OF_MEMORY.to_owned());
        Ok(Ended {
            exit: exit(waited.status_code),
            note,
        })
    }

    /// What it used of processors so far.
    pub(crate) async fn cpu(&self) -> Result<Duration, EngineError> {
        let path = self.path("stats?stream=false&one-shot=true");
        let statistics: Statistics = self.engine.ask(Method::GET, &path, None).await?;
        Ok(Duration::from_nanos(
            statistics.cpu_stats.cpu_usage.total_usage,
        ))
    }

    /// Removes it, also while it runs. One that is gone needs none.
    pub(crate) async fn remove(&self) -> Result<(), EngineError> {
        let path = format!("/containers/{}?force=true&v=true", self.id);
        match self.engine.call(Method::DELETE, &path, None).await {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(()),
        }
    }

    /// Runs it to its end and keeps what it says, up to a bound each.
    pub(crate) async fn output(
        &self,
        most: usize,
    ) -> Result<(K6Exit, Vec<u8>, Vec<u8>), EngineError> {
        let said = self.attach().await?;
        self.start().await?;
        let (ended, (stdout, stderr)) =
            tokio::join!(self.ended(), output::read_bounded(said, most));
        Ok((ended.exit, stdout, stderr))
    }

    async fn change(&self, what: &str) -> Result<(), EngineError> {
        let path = self.path(what);
        self.engine.call(Method::POST, &path, None).await.map(drop)
    }

    fn path(&self, what: &str) -> String {
        format!("/containers/{}/{what}", self.id)
    }

    /// Its k6, as this machine sees it: none where the engine runs on another one.
    fn processes(&self) -> Vec<ProcessIdentity> {
        working_in(&self.directory)
    }
}

impl Ended {
    fn unseen(error: &EngineError) -> Self {
        Self {
            exit: K6Exit::Unknown,
            note: Some(format!("the container was lost: {error}")),
        }
    }
}

/// A container's code, in which a shell's convention stands for signals. k6 has no code between
/// 111 and 254.
fn exit(code: i64) -> K6Exit {
    match i32::try_from(code) {
        Ok(code) if (SIGNALS + 1..SIGNALS + 65).contains(&code) => K6Exit::Signal(code - SIGNALS),
        Ok(code) => K6Exit::Code(code),
        Err(_) => K6Exit::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_containers_tell_signals() {
        assert_eq!(exit(0), K6Exit::Code(0));
        assert_eq!(exit(110), K6Exit::Code(110));
        assert_eq!(exit(126), K6Exit::Code(126));
        assert_eq!(exit(137), K6Exit::Signal(9));
        assert_eq!(exit(255), K6Exit::Code(255));
    }
}
