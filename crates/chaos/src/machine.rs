//! How much load this machine can put on and carry at the same time.

use anyhow::Context;
use nix::sys::resource::{Resource, getrlimit};

/// Open files that one user costs: its connections at k6, at the API and before its dependencies.
const FILES_PER_USER: u64 = 8;

/// Memory that one user costs: an interpreter of JavaScript with the suite's modules, and what the
/// API keeps for a connection, in bytes.
const BYTES_PER_USER: u64 = 6 * 1024 * 1024;

/// The most users at once, and what they would run out of first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) users: u64,
    pub(crate) of: &'static str,
}

/// What this machine has left for users.
///
/// # Errors
/// It does not say.
pub(crate) fn bound() -> anyhow::Result<Bound> {
    let (files, _) = getrlimit(Resource::RLIMIT_NOFILE).context("the limit on open files")?;
    let text = std::fs::read_to_string("/proc/meminfo").context("the free memory")?;
    let memory = available(&text).context("/proc/meminfo has no MemAvailable")?;
    Ok(least(files, memory))
}

fn least(files: u64, memory: u64) -> Bound {
    let (by_files, by_memory) = (files / FILES_PER_USER, memory / BYTES_PER_USER);
    let (users, of) = if by_files < by_memory {
        (by_files, "open files")
    } else {
        (by_memory, "memory")
    };
    Bound { users, of }
}

/// `MemAvailable` in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_out_first_is_named() {
        let memory = available("MemTotal: 9 kB\nMemAvailable:   614400 kB\n").expect("memory");
        let expected = |users, of| Bound { users, of };
        assert_eq!(least(1_024, memory), expected(100, "memory"));
        assert_eq!(least(400, memory), expected(50, "open files"));
        assert_eq!(available("MemFree: 1 kB"), None);
    }
}
