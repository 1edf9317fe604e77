//! A process that can be told from a later one with the same number.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior};

/// Number and start time of a process that leads a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process, and its process group.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did (`/proc/PID/stat`, field 22).
    pub start_ticks: u64,
}

/// How often a process that should end is looked for. It is not our child, so that there is
/// no event to await.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Longer than any run.
const FOREVER: Duration = Duration::from_hours(24 * 365);

impl ProcessIdentity {
    /// The identity of a process that runs now; `None` when there is none with this number.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command stands in brackets and may hold spaces and brackets itself.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let start_ticks = fields.nth(18)?.parse().ok()?;
        // A zombie is gone; only its parent has not looked yet.
        (state != "Z" && state != "X").then_some(Self { pid, start_ticks })
    }

    /// Whether this very process still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Ends a process that an earlier life of this service left behind: SIGINT, and SIGKILL to
    /// its group when it still runs after `grace`. True when it is gone.
    pub async fn end(&self, grace: Duration) -> bool {
        if !self.is_running() {
            return true;
        }
        signal_group(self.pid, Signal::SIGINT);
        if self.wait_until_gone(grace).await {
            return true;
        }
        signal_group(self.pid, Signal::SIGKILL);
        self.wait_until_gone(grace).await
    }

    /// Awaits the end of a process that need not be our child.
    pub(crate) async fn gone(&self) {
        while !self.wait_until_gone(FOREVER).await {}
    }

    /// Sends a signal to the group of this very process, if it still runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.is_running() {
            signal_group(self.pid, signal);
        }
    }

    async fn wait_until_gone(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.is_running() {
            if Instant::now() >= end {
                return false;
            }
            looks.tick().await;
        }
        true
    }
}

/// The processes whose working directory is this one or lies in it.
#[must_use]
pub fn working_in(directory: &Path) -> Vec<ProcessIdentity> {
    let (Ok(directory), Ok(processes)) = (directory.canonicalize(), fs::read_dir("/proc")) else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let works_there = fs::read_link(entry.path().join("cwd"))
                .ok()?
                .starts_with(&directory);
            works_there.then(|| ProcessIdentity::of(pid)).flatten()
        })
        .collect()
}

/// Bytes of memory that a process has in use (`VmRSS`); `None` when it is gone.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Sends a signal to a process group. A group that is gone needs none.
pub(crate) fn signal_group(pid: u32, signal: Signal) {
    let Ok(pid) = i32::try_from(pid) else { return };
    // Group 0 would be our own, and 1 everything.
    if pid > 1
        && let Err(error) = signal::killpg(Pid::from_raw(pid), signal)
        && error != nix::errno::Errno::ESRCH
    {
        tracing::warn!(process.pid = pid, %error, "a signal could not be sent to k6");
    }
}
