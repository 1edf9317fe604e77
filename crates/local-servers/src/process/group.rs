//! A process group, and the guard that kills it when its owner is gone.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Waits for the end of its input, which is the end of its owner, and
/// then kills the group that its first argument names and removes the directory
/// that its second one names.
const GUARD: &str = r#"read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2""#;

#[derive(Debug)]
pub(super) struct Running {
    pub(super) child: Child,
    guard: Child,
}

impl Running {
    pub(super) fn guarded(mut child: Child, directory: &Path) -> anyhow::Result<Self> {
        let guard = command(Path::new("/bin/sh"))
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot execute /bin/sh");
        match guard {
            Ok(guard) => Ok(Self { child, guard }),
            Err(failure) => {
                end(&mut child);
                Err(failure)
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The guard goes first: once the child is waited for, its id may belong
        // to somebody else.
        end(&mut self.guard);
        end(&mut self.child);
    }
}

/// Kills the group that `child` leads and waits for `child`. Both can fail only
/// because it is gone, which is what is wanted.
fn end(child: &mut Child) {
    let gone = match pid_of(child) {
        Ok(group) => killpg(group, Signal::SIGKILL).is_err(),
        Err(_) => true,
    };
    if gone || child.wait().is_err() {
        drop(child.try_wait());
    }
}

pub(super) fn pid_of(child: &Child) -> anyhow::Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}

/// A command in a new process group, with an environment of only `PATH`.
#[expect(
    clippy::disallowed_methods,
    reason = "starting processes is what this crate is for"
)]
pub(super) fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.process_group(0).env_clear();
    if let Ok(search_path) = std::env::var("PATH") {
        command.env("PATH", search_path);
    }
    command
}
