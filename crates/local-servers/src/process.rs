//! A child process that cannot outlive its owner.
//!
//! The child leads a process group of its own, its environment holds `PATH`,
//! `HOME` and what its owner gives it, and its output goes to a file in its
//! temporary directory. Dropping the [`Process`] kills the group. Should the
//! owner itself be killed, a guard notices that the pipe to it has closed
//! and kills the group.

mod group;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tempfile::TempDir;

use self::group::{Running, command, pid_of};
use crate::wait;

/// How much of the end of a log an error quotes: some thirty lines.
const QUOTED_LOG: usize = 4_000;

/// What to run: a binary, its arguments and its environment.
#[derive(Debug)]
pub struct Program {
    name: String,
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: TempDir,
}

impl Program {
    /// A program without arguments; makes its temporary directory. `name`
    /// appears in errors.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn new(name: &str, path: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir()
            .context("a temporary directory")?;
        Ok(Self {
            name: name.to_owned(),
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory,
        })
    }

    /// The temporary directory, which is also the working directory. It lives as
    /// long as the process.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets one variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts the process and returns without waiting for anything;
    /// [`Process::ready`] does that.
    ///
    /// # Errors
    /// When the binary cannot be executed.
    pub fn start(self) -> anyhow::Result<Process> {
        let process = Process {
            program: self,
            running: Mutex::new(None),
        };
        process.start_again()?;
        Ok(process)
    }

    fn spawn(&self) -> anyhow::Result<Running> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let child = command(&self.path)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("HOME", self.directory())
            .current_dir(self.directory())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot execute {} ({})", self.name, self.path.display()))?;
        Running::guarded(child, self.directory())
    }

    fn log_path(&self) -> PathBuf {
        self.directory().join("output.log")
    }
}

/// A started [`Program`]. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    program: Program,
    running: Mutex<Option<Running>>,
}

impl Process {
    /// Waits until `probe` succeeds.
    ///
    /// # Errors
    /// When the process ends first or `deadline` passes; quotes the end of its
    /// output.
    pub async fn ready(
        &self,
        deadline: Duration,
        mut probe: impl AsyncFnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let name = &self.program.name;
        let outcome = wait::until(&format!("{name} is ready"), deadline, async || {
            match self.exit_status()? {
                Some(status) => Ok(Err(anyhow!("{name} ended during its start: {status}"))),
                None => probe().await.map(Ok),
            }
        })
        .await;
        outcome
            .and_then(|ended| ended)
            .with_context(|| self.quoted_log())
    }

    /// The process id, which is also the id of its group; none when it was
    /// killed.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(|running| running.child.id())
    }

    /// The temporary directory of the process.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.program.directory()
    }

    /// Everything that the process has written to stdout and stderr.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.program.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends one signal to the process, not to its group.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let mut running = self.lock();
        let name = &self.program.name;
        let running = running
            .as_mut()
            .with_context(|| format!("{name} was killed before"))?;
        if let Some(status) = running.child.try_wait()? {
            bail!("{name} has ended by itself: {status}");
        }
        kill(pid_of(&running.child)?, signal).with_context(|| format!("{signal} to {name}"))
    }

    /// Stops the process in its tracks (SIGSTOP): connections stay open, nothing
    /// answers. Returns when all of its threads stand still: one of them takes
    /// the signal, and until that one is scheduled the others go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGSTOP)?;
        let pid = self.pid().context("it was killed while it stopped")?;
        let stopped = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(Pid::from_raw(i32::try_from(pid)?)), stopped)
            .with_context(|| format!("{} has ended instead of stopping", self.program.name))?;
        Ok(())
    }

    /// Lets a frozen process go on (SIGCONT).
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Ends the process and its group at once (SIGKILL) and returns when it is
    /// gone. Killing it twice is no error.
    pub fn kill(&self) {
        drop(self.lock().take());
    }

    /// Asks the process to end (SIGTERM) and waits for it.
    ///
    /// # Errors
    /// When it does not run, or not end before `deadline`.
    pub async fn terminate(&self, deadline: Duration) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        self.wait(deadline).await
    }

    /// Waits for the process to end by itself.
    ///
    /// # Errors
    /// When it was killed before, or `deadline` passes.
    pub async fn wait(&self, deadline: Duration) -> anyhow::Result<ExitStatus> {
        let name = &self.program.name;
        wait::until(&format!("{name} ends"), deadline, async || {
            self.exit_status()?
                .with_context(|| format!("{name} still runs"))
        })
        .await
        .with_context(|| self.quoted_log())
    }

    /// Starts the same program anew, with the same arguments and directory;
    /// kills the one that runs.
    ///
    /// # Errors
    /// When the binary cannot be executed.
    pub fn start_again(&self) -> anyhow::Result<()> {
        self.kill();
        *self.lock() = Some(self.program.spawn()?);
        Ok(())
    }

    fn exit_status(&self) -> anyhow::Result<Option<ExitStatus>> {
        match self.lock().as_mut() {
            Some(running) => Ok(running.child.try_wait()?),
            None => bail!("{} was killed before", self.program.name),
        }
    }

    fn quoted_log(&self) -> String {
        let log = self.log();
        let mut start = log.len().saturating_sub(QUOTED_LOG);
        while !log.is_char_boundary(start) {
            start += 1;
        }
        let end = log.get(start..).unwrap_or_default().trim_end();
        format!("output of {}:\n{end}\n", self.program.name)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        // Who panicked while holding the lock still wants the process
        // killed.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
