//! How a run ended, in a file that is there as a whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

use crate::exit::K6Exit;
use crate::runner::{RunEnd, StopReason, Usage};

/// Its file in the run's directory.
const FILE: &str = "end.json";

/// What the supervisor saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndRecord {
    exit: K6Exit,
    stopped: Option<StopReason>,
    usage: Option<Usage>,
    #[serde(default)]
    exceptions: u64,
}

impl EndRecord {
    pub(super) const fn new(
        exit: K6Exit,
        stopped: Option<StopReason>,
        usage: Option<Usage>,
        exceptions: u64,
    ) -> Self {
        Self {
            exit,
            stopped,
            usage,
            exceptions,
        }
    }

    /// Writes it to the disk before it gets its name, so that no crash leaves a part of it.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let unfinished = directory.join("end.json.unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        std::fs::rename(unfinished, directory.join(FILE))?;
        File::open(directory)?.sync_all()
    }

    /// `None` when the run has not come to an end that was seen.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let text = std::fs::read(directory.join(FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Makes room for the record of another attempt.
    pub(crate) fn remove(directory: &Path) {
        // Mostly there is none.
        drop(std::fs::remove_file(directory.join(FILE)));
    }

    pub(crate) const fn end(self) -> RunEnd {
        RunEnd {
            exit: self.exit,
            stopped: self.stopped,
            usage: self.usage,
            exceptions: self.exceptions,
        }
    }
}

/// What every child of this process used; it has waited for all of them.
pub(super) fn usage_of_children(wall: Duration) -> Option<Usage> {
    let children = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    Some(Usage {
        cpu: duration(children.user_time()) + duration(children.system_time()),
        wall,
        processors: None,
    })
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec()).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(EndRecord::read(directory.path()), None);
        let record = EndRecord::new(
            K6Exit::Signal(9),
            Some(StopReason::Deadline),
            usage_of_children(Duration::from_secs(3)),
            7,
        );
        record.write(directory.path()).unwrap();
        assert_eq!(EndRecord::read(directory.path()), Some(record));
        EndRecord::remove(directory.path());
        assert_eq!(EndRecord::read(directory.path()), None);
    }
}
