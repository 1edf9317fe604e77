//! Libraries of recorded answers: what a provider said, without its secrets and
//! ids, with its timing. Recorded by a proxy, replayed by request.
//!
//! A library is a file of JSON lines: a header with the format's version, then
//! one recording a line.

mod account_numbers;
mod booking;
mod digest;
mod file;
mod frames;
mod recorder;
mod replay;
mod sanitise;
mod usage;

pub use file::{Library, LibraryError};
pub use recorder::{Recorder, RecorderConfig, RecorderError};
pub use replay::{Miss, ReplayConfig};
pub(crate) use replay::{Replay, Speed, layer};

use serde::{Deserialize, Serialize};

/// The version of the format; a library of another one is refused.
const VERSION: u32 = 1;
/// Longest body of an answer that is recorded.
const MAX_RECORDED_BYTES: usize = 16 * 1024 * 1024;
/// The reply's headers that are recorded: no other says anything of an answer.
const KEPT_HEADERS: [&str; 4] = [
    "content-type",
    "retry-after",
    "retry-after-ms",
    "x-amzn-errortype",
];
/// The member in which Bedrock packs a document of another vendor.
const PACKED: &str = "bytes";

/// The first line of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    library: String,
    version: u32,
}

/// One request's digest and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Recording {
    /// The request's method.
    method: String,
    /// Its path, without a query.
    path: String,
    /// SHA-256 of method, path and body, in hexadecimal digits.
    digest: String,
    /// The model that the body names, for people who read the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The reply's status.
    status: u16,
    /// Its headers, of those that are kept.
    headers: Vec<(String, String)>,
    /// From the request to the reply's head, milliseconds.
    head_ms: f64,
    /// Its body, frame by frame.
    frames: Vec<RecordedFrame>,
    /// Whether the body ended as it should.
    whole: bool,
}

/// A piece of a body and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordedFrame {
    /// From the request to its last byte, milliseconds.
    at_ms: f64,
    /// What it says, if that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What it says, if not, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Header {
    fn current() -> Self {
        Self {
            library: "llm-simulator".to_owned(),
            version: VERSION,
        }
    }
}
