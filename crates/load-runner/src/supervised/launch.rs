//! From an order to k6 that put load on their target.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::arguments::{Arguments, Part};
use super::follow::Supervised;
use crate::exit::K6Exit;
use crate::process::{self, ProcessIdentity};
use crate::rest::Rest;
use crate::runner::{RunArtifacts, StartError};
use crate::sandbox::Sandbox;
use crate::supervisor::{EndRecord, GeneratorOrder, Order};

/// 3,000 virtual users are ready within a second; a busy machine gets this much.
pub(crate) const READY_DEADLINE: Duration = Duration::from_secs(60);

/// How often a starting k6 is asked whether it is ready: it has no way to tell by itself.
const ASK_INTERVAL: Duration = Duration::from_millis(20);

/// Tries with other ports. Each can only fail if somebody takes a port between its choice
/// and k6's start.
const PORT_ATTEMPTS: u32 = 5;

/// How much of the end of a log an error is made from.
const LOG_TAIL: u64 = 4 * 1024;

/// A run that is to be started.
pub(crate) struct Launch<'a> {
    /// The program whose subcommands watch and confine.
    pub(crate) program: &'a Path,
    /// The rights of each k6, but for its directory and the port that it listens on.
    pub(crate) sandbox: Sandbox,
    pub(crate) arguments: &'a Arguments,
    pub(crate) artifacts: &'a RunArtifacts,
    /// Without its k6.
    pub(crate) order: Order,
}

impl Launch<'_> {
    /// Starts every k6 paused, waits until their virtual users are ready, and lets them begin.
    pub(crate) async fn launch(self, client: &Client) -> Result<Supervised, StartError> {
        let mut attempt = 1;
        loop {
            let ports = free_ports(self.artifacts.processes.len())?;
            self.give_order(&ports)?;
            let mut supervised = self.supervise()?;
            let rests = ports.iter().map(|port| Rest::new(client.clone(), *port));
            let rests = rests.collect();
            match begin(&mut supervised, &self.artifacts.directory, rests).await {
                Ok(()) => return Ok(supervised),
                Err(StartError::Ended {
                    exit: K6Exit::PORT_TAKEN,
                    ..
                }) if attempt < PORT_ATTEMPTS => {
                    attempt += 1;
                }
                Err(StartError::Ended { exit, .. }) => {
                    let log = self.log_end();
                    return Err(StartError::Ended { exit, log });
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn give_order(&self, ports: &[u16]) -> io::Result<()> {
        let mut order = self.order.clone();
        let (count, format) = (ports.len(), order.samples);
        for (index, (files, port)) in self.artifacts.processes.iter().zip(ports).enumerate() {
            order.generators.push(GeneratorOrder {
                sandbox: Sandbox {
                    directory: files.directory.clone(),
                    bind: vec![*port],
                    ..self.sandbox.clone()
                },
                arguments: self.arguments.run(Part { index, count }, *port, format),
            });
        }
        EndRecord::remove(&self.artifacts.directory);
        order.write(&self.artifacts.directory)
    }

    fn supervise(&self) -> Result<Supervised, StartError> {
        let directory = &self.artifacts.directory;
        let containers = self.order.containers.clone();
        let child = process::supervisor(self.program, directory)
            .envs(self.order.trace.variables())
            // It has to remove its containers first, which it is asked to.
            .kill_on_drop(containers.is_none())
            .stdout(Stdio::null())
            .stderr(log_file(&self.artifacts.supervisor_log)?)
            .spawn()?;
        let process = child.id().and_then(ProcessIdentity::of);
        let process = process.ok_or_else(|| ended(K6Exit::Unknown))?;
        let directory = directory.clone();
        Ok(Supervised::begun(process, child, directory, containers))
    }

    /// What was logged last by the first that logged anything.
    fn log_end(&self) -> String {
        let logs = self.artifacts.processes.iter().map(|files| &files.log);
        logs.chain([&self.artifacts.supervisor_log])
            .map(|log| log_end(log))
            .find(|end| !end.is_empty())
            .unwrap_or_default()
    }
}

/// Waits until all paused k6 are ready, and lets them begin at once. The supervisor is ended
/// when this fails, because it is dropped, and k6 with it.
async fn begin(
    supervised: &mut Supervised,
    directory: &Path,
    rests: Vec<Rest>,
) -> Result<(), StartError> {
    tokio::select! {
        exit = end_of(supervised.child.as_mut(), directory) => Err(ended(exit)),
        begun = begin_all(rests) => begun,
    }
}

/// How a supervisor's run ended, when it has.
async fn end_of(child: Option<&mut Child>, directory: &Path) -> K6Exit {
    if let Some(child) = child {
        drop(child.wait().await);
    }
    EndRecord::read(directory).map_or(K6Exit::Unknown, |record| record.end().exit)
}

const fn ended(exit: K6Exit) -> StartError {
    StartError::Ended {
        exit,
        log: String::new(),
    }
}

async fn begin_all(rests: Vec<Rest>) -> Result<(), StartError> {
    let ready = async {
        for rest in &rests {
            until_paused(rest).await;
        }
    };
    let late = |_| StartError::NotReady(READY_DEADLINE);
    timeout_at(Instant::now() + READY_DEADLINE, ready)
        .await
        .map_err(late)?;
    if let [first, others @ ..] = rests.as_slice()
        && !others.is_empty()
    {
        share_setup(first, others)
            .await
            .map_err(StartError::Setup)?;
    }
    let mut begun: JoinSet<()> = rests.into_iter().map(begin_one).collect();
    let all = async { while begun.join_next().await.is_some() {} };
    timeout_at(Instant::now() + READY_DEADLINE, all)
        .await
        .map_err(late)
}

/// Runs setup once and gives all the value that it returned.
async fn share_setup(first: &Rest, others: &[Rest]) -> Result<(), String> {
    if let Some(value) = first.run_setup().await? {
        for other in others {
            other.set_setup(&value).await?;
        }
    }
    Ok(())
}

async fn until_paused(rest: &Rest) {
    let mut looks = tokio::time::interval(ASK_INTERVAL);
    while !rest.is_ready().await.unwrap_or(false) {
        looks.tick().await;
    }
}

async fn begin_one(rest: Rest) {
    let mut looks = tokio::time::interval(ASK_INTERVAL);
    while rest.begin().await.is_err() {
        looks.tick().await;
    }
}

/// Ports that are free at this moment. k6 binds port 0 as well, but never says which it got.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    // All at once, so that none is given twice.
    let listeners: io::Result<Vec<_>> = (0..count)
        .map(|_| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect();
    let ports = listeners?.into_iter().map(|it| Ok(it.local_addr()?.port()));
    ports.collect()
}

fn log_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

fn log_end(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL)))?;
        let mut end = Vec::new();
        file.take(LOG_TAIL).read_to_end(&mut end)?;
        Ok(end)
    };
    read().map_or_else(
        |error| format!("(no log: {error})"),
        |end| process::excerpt(&end),
    )
}
