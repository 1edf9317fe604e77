//! From a command line to a k6 that puts load on its target.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use tokio::process::Child;
use tokio::time::Instant;

use super::arguments::Arguments;
use crate::exit::K6Exit;
use crate::process::{self, ProcessIdentity};
use crate::rest::Rest;
use crate::runner::{RunArtifacts, StartError};
use crate::sandbox::Sandbox;

/// 3,000 virtual users are ready within a second; a busy machine gets this much.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// How often a starting k6 is asked whether it is ready: it has no way to tell by itself.
const ASK_INTERVAL: Duration = Duration::from_millis(20);

/// Tries with another port. Each can only fail if somebody takes the port between its choice
/// and k6's start.
const PORT_ATTEMPTS: u32 = 5;

/// How much of the end of k6's log an error is made from.
const LOG_TAIL: u64 = 4 * 1024;

/// A k6 that is to be started.
pub(super) struct Generator<'a> {
    pub(super) program: &'a Path,
    /// Its rights, but for the port that it listens on.
    pub(super) sandbox: Sandbox,
    pub(super) arguments: &'a Arguments,
    pub(super) artifacts: &'a RunArtifacts,
}

/// A k6 whose load has begun.
pub(super) struct Launched {
    pub(super) child: Child,
    pub(super) process: ProcessIdentity,
}

/// Starts k6 paused, waits until its virtual users are ready, and lets it begin.
pub(super) async fn launch(
    generator: Generator<'_>,
    client: &Client,
) -> Result<Launched, StartError> {
    let artifacts = generator.artifacts;
    let mut attempt = 1;
    loop {
        let port = free_port()?;
        let sandbox = Sandbox {
            bind: vec![port],
            ..generator.sandbox.clone()
        };
        let mut command = process::confined(generator.program, &sandbox)?;
        command
            .args(generator.arguments.run(port))
            .stdout(Stdio::null())
            .stderr(log_file(&artifacts.log)?);
        let mut child = command.spawn()?;
        let rest = Rest::new(client.clone(), port);
        match begin(&mut child, &rest).await {
            Ok(process) => return Ok(Launched { child, process }),
            Err(StartError::Ended {
                exit: K6Exit::PORT_TAKEN,
                ..
            }) if attempt < PORT_ATTEMPTS => {
                attempt += 1;
            }
            Err(StartError::Ended { exit, .. }) => {
                return Err(StartError::Ended {
                    exit,
                    log: log_end(&artifacts.log),
                });
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits until a paused k6 is ready, and lets it begin. The child is killed when this fails,
/// because it is dropped.
async fn begin(child: &mut Child, rest: &Rest) -> Result<ProcessIdentity, StartError> {
    let gone = |exit: K6Exit| StartError::Ended {
        exit,
        log: String::new(),
    };
    let process = child.id().and_then(ProcessIdentity::of);
    tokio::select! {
        status = child.wait() => Err(gone(status?.into())),
        ready = tokio::time::timeout_at(Instant::now() + READY_DEADLINE, ready(rest)) => {
            ready.map_err(|_| StartError::NotReady(READY_DEADLINE))?;
            // The port may have been somebody else's k6; then ours has ended with 106.
            process.filter(ProcessIdentity::is_running).ok_or_else(|| gone(K6Exit::Unknown))
        }
    }
}

async fn ready(rest: &Rest) {
    let mut looks = tokio::time::interval(ASK_INTERVAL);
    loop {
        looks.tick().await;
        let ready = rest.is_ready().await.unwrap_or(false);
        if ready && rest.begin().await.is_ok() {
            return;
        }
    }
}

/// A port that is free at this moment. k6 binds port 0 as well, but never says which it got.
fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Appending, so that the file can be emptied under k6 when it grows too large.
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
