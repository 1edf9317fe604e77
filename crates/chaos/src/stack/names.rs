//! The file of names that the API alone sees, and what looks nowhere else.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The vendor's host name. Nobody has one under this domain (RFC 2606).
pub(super) const VENDOR: &str = "models.invalid";

/// What every machine knows.
const LOCAL: &str = "127.0.0.1 localhost\n";

/// No server of names is asked: how soon it would say that it does not know is not ours to say.
const LOOKED_UP: &str = "hosts: files\n";

/// Two files in a directory of the experiment's.
#[derive(Debug)]
pub(super) struct Names {
    directory: PathBuf,
}

impl Names {
    /// Writes both; the vendor's name is known.
    ///
    /// # Errors
    /// They cannot be written.
    pub(super) fn create(directory: &Path) -> anyhow::Result<Self> {
        let names = Self {
            directory: directory.join("names"),
        };
        std::fs::create_dir(&names.directory).context("a directory of names")?;
        std::fs::write(names.switch(), LOOKED_UP).context("where names are looked up")?;
        names.set_known(true)?;
        Ok(names)
    }

    /// What is looked up from now on is found, or not. The file is written in its place, since
    /// that is what the API sees.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn set_known(&self, known: bool) -> anyhow::Result<()> {
        let vendor = format!("127.0.0.1 {VENDOR}\n");
        let text = if known { vendor.as_str() } else { "" };
        std::fs::write(self.hosts(), format!("{LOCAL}{text}")).context("the file of names")
    }

    /// In the place of `/etc/hosts`.
    pub(super) fn hosts(&self) -> PathBuf {
        self.directory.join("hosts")
    }

    /// In the place of `/etc/nsswitch.conf`.
    pub(super) fn switch(&self) -> PathBuf {
        self.directory.join("nsswitch.conf")
    }
}
