//! Finding k6 and telling its versions apart.

use std::path::PathBuf;
use std::time::Duration;

use crate::exit::K6Exit;
use crate::process;

/// `k6 version` needs 0.03 s; a machine under load gets this much.
const VERSION_DEADLINE: Duration = Duration::from_secs(10);

/// Below this, JSON lines, REST interface and flags are those of v1.8.1, which was tried.
const OLDEST_V1_MINOR: u32 = 8;

/// The two lines of k6 that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MajorVersion {
    /// v1.8 and later v1.
    V1,
    /// v2.
    V2,
}

/// A k6 that answered its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct K6Binary {
    /// The file.
    pub path: PathBuf,
    /// Its line.
    pub major: MajorVersion,
    /// Its version, for example `2.2.0`.
    pub version: String,
}

/// Why there is no k6.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// No such file was set, or there is none at its place.
    #[error("k6 is not installed{place}; `make setup` installs it", place = .0.as_ref().map(|path| format!(" at {}", path.display())).unwrap_or_default())]
    Missing(Option<PathBuf>),
    /// The file is there but does not work.
    #[error("{path} does not run: {reason}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// Another version than the one that was asked for.
    #[error("{path} is k6 {found}, wanted is {wanted}; `make setup` installs it")]
    WrongVersion {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What is wanted.
        wanted: MajorVersion,
    },
}

impl MajorVersion {
    /// Reads `v1`, `v2`, `1` or `2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(['v', 'V']).unwrap_or(text) {
            "1" => Some(Self::V1),
            "2" => Some(Self::V2),
            _ => None,
        }
    }

    /// The line of a version such as `2.2.0`.
    pub(crate) fn of(version: &str) -> Option<Self> {
        let mut parts = version
            .split('.')
            .map_while(|part| part.parse::<u32>().ok());
        match (parts.next()?, parts.next()?) {
            (1, minor) if minor >= OLDEST_V1_MINOR => Some(Self::V1),
            (2, _) => Some(Self::V2),
            _ => None,
        }
    }
}

impl std::fmt::Display for MajorVersion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::V1 => "v1.8 or a later v1",
            Self::V2 => "v2",
        })
    }
}

impl K6Binary {
    /// Asks a file for its version.
    ///
    /// # Errors
    /// [`BinaryError`] when it is missing, does not run, or is another version.
    pub async fn find(path: PathBuf, wanted: MajorVersion) -> Result<Self, BinaryError> {
        if !path.is_file() {
            return Err(BinaryError::Missing(Some(path)));
        }
        let mut command = process::command(&path, std::path::Path::new("/"));
        command.arg("version");
        let output = match process::run_to_end(command, VERSION_DEADLINE).await {
            Ok(output) if output.exit == K6Exit::Code(0) => output,
            Ok(output) => {
                return Err(BinaryError::Broken {
                    path,
                    reason: output.exit.meaning(),
                });
            }
            Err(error) => {
                return Err(BinaryError::Broken {
                    path,
                    reason: error.to_string(),
                });
            }
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let version = version_of(&text).unwrap_or_default().to_owned();
        match MajorVersion::of(&version) {
            Some(major) if major == wanted => Ok(Self {
                path,
                major,
                version,
            }),
            _ => Err(BinaryError::WrongVersion {
                path,
                found: version,
                wanted,
            }),
        }
    }
}

/// The version in `k6 v2.2.0 (go1.26.8, linux/amd64)`.
pub(crate) fn version_of(text: &str) -> Option<&str> {
    text.split_whitespace().nth(1)?.strip_prefix('v')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        assert_eq!(
            version_of("k6 v2.2.0 (go1.26.8, linux/amd64)\n"),
            Some("2.2.0")
        );
        assert_eq!(MajorVersion::of("2.2.0"), Some(MajorVersion::V2));
        assert_eq!(MajorVersion::of("1.8.1"), Some(MajorVersion::V1));
        for other in ["1.1.0", "0.57.0", "3.0.0", "", "2"] {
            assert_eq!(MajorVersion::of(other), None, "{other}");
        }
        assert_eq!(MajorVersion::parse("v1"), Some(MajorVersion::V1));
        assert_eq!(MajorVersion::parse("2"), Some(MajorVersion::V2));
        assert_eq!(MajorVersion::parse("latest"), None);
    }
}
