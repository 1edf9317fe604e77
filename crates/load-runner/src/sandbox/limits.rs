//! What the kernel counts for a k6.

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// Bounds of the k6 of a run. The kernel is not asked to bound its memory: k6 maps 2 GB of
/// addresses before it reads a script, so that a bound on addresses says nothing of what it uses.
/// Its supervisor looks at that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Open files and connections.
    pub open_files: u64,
    /// Bytes of one file. Samples beyond it are lost, and k6's log says so.
    pub file_length: u64,
    /// Bytes of all files of a run; one that writes more is stopped.
    pub disk: u64,
    /// Bytes of memory in use by all k6 of a run; one that uses more is killed.
    #[serde(default = "usual_memory")]
    pub memory: u64,
}

/// 4 GiB: a thousand users of our suites use less than half of it, and an endless recursion
/// reaches it within some minutes.
const fn usual_memory() -> u64 {
    4 * 1024 * 1024 * 1024
}

impl Default for Limits {
    /// 65,536 connections: a thousand virtual users with batches of up to 64. 16 GiB of files,
    /// about five million requests of 3.3 KB each; a file may exceed that by what k6 writes
    /// until the run is stopped.
    fn default() -> Self {
        const GIBIBYTE: u64 = 1024 * 1024 * 1024;
        Self {
            open_files: 65_536,
            file_length: 17 * GIBIBYTE,
            disk: 16 * GIBIBYTE,
            memory: usual_memory(),
        }
    }
}

impl Limits {
    /// Binds this process and what it becomes.
    pub(super) fn set(&self) -> Result<(), Errno> {
        for (_, resource, bound) in self.allowed()? {
            setrlimit(resource, bound, bound)?;
        }
        Ok(())
    }

    /// Each bound with its name, and no more than this process is allowed itself: nobody without
    /// rights of their own can raise that.
    pub(crate) fn allowed(&self) -> Result<[(&'static str, Resource, u64); 3], Errno> {
        let mut bounds = [
            ("nofile", Resource::RLIMIT_NOFILE, self.open_files),
            ("fsize", Resource::RLIMIT_FSIZE, self.file_length),
            ("core", Resource::RLIMIT_CORE, 0),
        ];
        for (_, resource, bound) in &mut bounds {
            let (_, most) = getrlimit(*resource)?;
            *bound = (*bound).min(most);
        }
        Ok(bounds)
    }
}
