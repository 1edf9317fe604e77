//! A small disk that only one process sees.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The disk, as it is reached through the process that sees it.
#[derive(Debug)]
pub(crate) struct Disk {
    filler: PathBuf,
}

impl Disk {
    /// The disk that a process has at a directory.
    ///
    /// # Errors
    /// The directory is no absolute path.
    pub(super) fn of(process: u32, directory: &Path) -> anyhow::Result<Self> {
        let directory = directory.strip_prefix("/").context("an absolute path")?;
        let root = PathBuf::from(format!("/proc/{process}/root"));
        Ok(Self {
            filler: root.join(directory).join("filler"),
        })
    }

    /// Takes all room, to the last byte.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(&self.filler).context("a file on the disk")?;
        for size in [1 << 16, 1 << 12, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
        Ok(())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// The file is not there.
    pub(crate) fn make_room(&self) -> anyhow::Result<()> {
        std::fs::remove_file(&self.filler).context("the file that fills the disk")
    }
}
