//! Child processes: started without a shell and with nothing of our environment, ended by group.

mod identity;

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

pub use self::identity::{ProcessIdentity, working_in};
pub(crate) use self::identity::{resident_bytes, signal_group};
use crate::exit::K6Exit;
use crate::redaction::redact;
use crate::sandbox::Sandbox;
use crate::subcommand::{CONFINE, SUPERVISE};

/// What is kept of the output of a short command: k6 inspect of a large suite gives 20 KiB.
pub(crate) const MAX_OUTPUT: usize = 1024 * 1024;

/// Characters of a log that an error message quotes.
const EXCERPT_LENGTH: usize = 600;

/// What a finished command said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) exit: K6Exit,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// All of k6's environment but its trace: other `K6_*`, proxies and Go's debug switches would change what the
/// run does.
pub(crate) fn variables(directory: &Path) -> [(&'static str, &Path); 3] {
    [
        ("HOME", directory),
        ("K6_NO_USAGE_REPORT", Path::new("true")),
        // v2 would fetch and run another binary for a script that imports an extension.
        ("K6_AUTO_EXTENSION_RESOLUTION", Path::new("false")),
    ]
}

/// A command with nothing of our environment.
#[expect(
    clippy::disallowed_methods,
    reason = "this crate is the one that starts k6"
)]
fn bare(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(variables(directory))
        .current_dir(directory)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// The same in a process group of its own.
pub(crate) fn command(program: &Path, directory: &Path) -> Command {
    let mut command = bare(program, directory);
    command.process_group(0);
    command
}

/// The supervisor of the run in a directory. It leaves our process group by itself.
pub(crate) fn supervisor(program: &Path, directory: &Path) -> Command {
    let mut command = bare(program, directory);
    command.arg(SUPERVISE).arg(directory);
    command
}

/// A k6 in its sandbox: a process of ours, `program`, that becomes k6. It works in the sandbox's
/// directory. Its arguments are k6's.
///
/// # Errors
/// When a path is no text.
pub(crate) fn confined(program: &Path, sandbox: &Sandbox) -> io::Result<Command> {
    let mut command = command(program, &sandbox.directory);
    command
        .arg(CONFINE)
        .arg(std::process::id().to_string())
        .arg(serde_json::to_string(sandbox)?);
    Ok(command)
}

/// Runs a short command to its end and keeps what it says, up to a bound. A command that takes
/// longer is killed.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] after the deadline, and whatever keeps it from running.
pub(crate) async fn run_to_end(mut command: Command, deadline: Duration) -> io::Result<Output> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let (stdout, stderr) = tokio::try_join!(read_bounded(stdout), read_bounded(stderr))?;
        let exit = child.wait().await?.into();
        Ok(Output {
            exit,
            stdout,
            stderr,
        })
    };
    tokio::time::timeout(deadline, all)
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

impl Output {
    /// The end of what was logged, for an error message.
    pub(crate) fn log_excerpt(&self) -> String {
        excerpt(&self.stderr)
    }
}

/// The end of a log without secrets, cut to what fits into an error message.
pub(crate) fn excerpt(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let text = redact(text.trim());
    let skip = text.chars().count().saturating_sub(EXCERPT_LENGTH);
    text.chars().skip(skip).collect()
}

/// Reads everything, so that the writer never waits, and keeps the beginning.
async fn read_bounded(source: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    if let Some(mut source) = source {
        (&mut source)
            .take(MAX_OUTPUT as u64)
            .read_to_end(&mut kept)
            .await?;
        tokio::io::copy(&mut source, &mut tokio::io::sink()).await?;
    }
    Ok(kept)
}
