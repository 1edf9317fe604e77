//! How a k6 ended, and what that means.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use load_analysis::verdict::GeneratorEnd;
use serde::{Deserialize, Serialize};

/// The end of a k6 process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum K6Exit {
    /// It ended by itself.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// The end was not seen.
    Unknown,
}

/// Of a process of ours that should have become k6. k6 itself does not use it.
pub(crate) const NOT_EXECUTED: u8 = 126;

/// k6's exit codes with their meanings, as observed on v1.8.1 and v2.2.0.
const MEANINGS: [(i32, &str); 17] = [
    (0, "the run is complete"),
    (2, "k6 ran out of memory"),
    (97, "the cloud run failed"),
    (98, "the progress of the cloud run was lost"),
    (99, "a threshold was crossed"),
    (100, "setup took too long"),
    (101, "teardown took too long"),
    (102, "a time limit of k6 passed"),
    (103, "the run was stopped through k6's REST interface"),
    (104, "the script's options are not valid"),
    (105, "the run was stopped by a signal"),
    (106, "the port of k6's REST interface was taken"),
    (107, "the script threw an exception"),
    (108, "the script aborted the run"),
    (109, "k6 itself crashed"),
    (110, "the script marked the run as failed"),
    (
        NOT_EXECUTED as i32,
        "k6 could not be executed in its sandbox",
    ),
];

/// An unknown flag, or an output that cannot start.
const START_FAILED: (i32, &str) = (255, "k6 refused its arguments or could not open an output");

impl K6Exit {
    /// The port of the REST interface was taken between its choice and its use.
    pub const PORT_TAKEN: Self = Self::Code(106);

    /// Whether k6 carried out its plan to the end. A crossed threshold may have ended it before.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Code(0))
    }

    /// Whether k6 came to the end of its run; a threshold may have been crossed.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Code(0 | 99))
    }

    /// What the end means, in words.
    #[must_use]
    pub fn meaning(self) -> String {
        match self {
            Self::Code(code) => MEANINGS
                .iter()
                .chain([&START_FAILED])
                .find_map(|(known, meaning)| (*known == code).then_some(*meaning))
                .unwrap_or("k6 does not document this code")
                .to_owned(),
            Self::Signal(signal) => format!("signal {signal} ended it"),
            Self::Unknown => "its end was not seen".to_owned(),
        }
    }

    /// The end as evidence for the verdict.
    #[must_use]
    pub fn evidence(self) -> GeneratorEnd {
        match self {
            Self::Code(code) => GeneratorEnd::Exited {
                code,
                meaning: self.meaning(),
            },
            Self::Signal(signal) => GeneratorEnd::Killed { signal },
            Self::Unknown => GeneratorEnd::Unknown,
        }
    }
}

impl From<ExitStatus> for K6Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}
