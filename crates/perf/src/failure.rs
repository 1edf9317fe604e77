//! What keeps a command from its answer.

use std::path::Path;
use std::process::ExitCode;

use load_analysis::escape;
use reqwest::StatusCode;

/// The exit code without a judgement.
pub(crate) const TROUBLE: u8 = 3;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Arguments or settings that make no sense.
    #[error("{0}")]
    Usage(String),
    /// No reply.
    #[error("the performance service does not answer at {address}: {reason}")]
    Unreachable { address: String, reason: String },
    /// A reply that refuses.
    #[error("{call} was refused: {status} {reason}")]
    Refused {
        call: String,
        status: StatusCode,
        /// The problem's detail and the fields that it names.
        reason: String,
    },
    /// Anything that is not as it should be.
    #[error("{0}")]
    Broken(String),
    /// A file that cannot be read or written.
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
}

impl Failure {
    pub(crate) fn file(path: &Path, error: std::io::Error) -> Self {
        let path = path.display().to_string();
        Self::File { path, error }
    }

    /// Whether the same call may succeed a little later: the service starts again, or its store
    /// is slow.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => status.is_server_error(),
            Self::Usage(_) | Self::Broken(_) | Self::File { .. } => false,
        }
    }

    /// Says it on standard error.
    #[expect(clippy::print_stderr, reason = "the command line's own answers")]
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("error: {}", escape::terminal(&self.to_string()));
        ExitCode::from(TROUBLE)
    }
}
