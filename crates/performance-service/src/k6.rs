//! Whether k6 is there: asked at each start of a run and by the readiness check.

use std::path::PathBuf;
use std::time::SystemTime;

use load_runner::binary::{BinaryError, K6Binary, MajorVersion};
use tokio::sync::Mutex;

/// One k6 binary and what is known of it.
#[derive(Debug)]
pub(crate) struct InstalledK6 {
    path: PathBuf,
    version: MajorVersion,
    /// The state of the file that answered its version last: starting k6 once a second only
    /// to ask for its version would be load of our own.
    checked: Mutex<Option<FileState>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    modified: SystemTime,
    length: u64,
}

impl InstalledK6 {
    pub(crate) const fn new(path: PathBuf, version: MajorVersion) -> Self {
        Self {
            path,
            version,
            checked: Mutex::const_new(None),
        }
    }

    /// Finds the binary and that it is the wanted version.
    ///
    /// # Errors
    /// Names the command that installs it.
    pub(crate) async fn check(&self) -> Result<(), BinaryError> {
        let mut checked = self.checked.lock().await;
        let state = tokio::fs::metadata(&self.path)
            .await
            .ok()
            .and_then(|metadata| {
                Some(FileState {
                    modified: metadata.modified().ok()?,
                    length: metadata.len(),
                })
            });
        if state.is_some() && *checked == state {
            return Ok(());
        }
        *checked = None;
        K6Binary::find(self.path.clone(), self.version).await?;
        *checked = state;
        Ok(())
    }
}
