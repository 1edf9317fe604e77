//! Scripts that this service wrote for a tenant, each in a directory of its own.
//!
//! A run names one as `generated/NAME.js`; its directory is all that the run can read.

use std::fs::DirEntry;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use jiff::Timestamp;
use load_runner::script::{Script, ScriptDirectory, ScriptError};
use script_generation::script::Files;
use tenancy::TenantId;

use crate::names;

/// What the names of runs' scripts begin with.
const PREFIX: &str = "generated/";

/// Scripts of one tenant, of up to some megabytes each.
pub(crate) const MAX_SCRIPTS: usize = 200;

/// The directory of all tenants.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedScripts(PathBuf);

/// Why a script is not saved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SaveError {
    /// The text is no name.
    #[error("{0}")]
    InvalidName(&'static str),
    /// Scripts are never replaced: runs have been made with them.
    #[error("there is a script of this name already; runs may refer to it")]
    Exists,
    /// The tenant has as many as it may have.
    #[error("there are {MAX_SCRIPTS} saved scripts already")]
    TooMany,
    /// The disk refused.
    #[error("cannot be written: {0}")]
    Failed(#[from] io::Error),
}

/// A script that was saved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SavedScript {
    pub(crate) name: String,
    /// The size of the script and its data.
    pub(crate) bytes: u64,
    pub(crate) saved_at: Timestamp,
}

impl SavedScript {
    /// The name for runs of a script that is saved under a name.
    pub(crate) fn script(name: &str) -> String {
        format!("{PREFIX}{name}.js")
    }

    /// Its name for runs.
    pub(crate) fn test_script(&self) -> String {
        Self::script(&self.name)
    }
}

impl GeneratedScripts {
    /// A directory; it need not exist yet.
    pub(crate) const fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// The name within the directory, of a run's script that lies here.
    pub(crate) fn name_of(script: &str) -> Option<&str> {
        script.strip_prefix(PREFIX)
    }

    /// Finds a tenant's script by its name, such as `shop.js`.
    ///
    /// # Errors
    /// [`ScriptError`] says why there is none.
    pub(crate) fn resolve(&self, tenant: &TenantId, name: &str) -> Result<Script, ScriptError> {
        let stem = name
            .strip_suffix(".js")
            .filter(|stem| names::refusal(stem).is_none());
        let stem = stem.ok_or(ScriptError::InvalidName)?;
        let directory = self.0.join(tenant.as_str()).join(stem);
        if !directory.is_dir() {
            return Err(ScriptError::NotFound);
        }
        ScriptDirectory::new(directory).resolve(name)
    }

    /// Whether a script can be saved under this name, as far as its text goes.
    ///
    /// # Errors
    /// [`SaveError::InvalidName`].
    pub(crate) fn check_name(name: &str) -> Result<(), SaveError> {
        names::refusal(name).map_or(Ok(()), |rule| Err(SaveError::InvalidName(rule)))
    }

    /// Saves a tenant's script; the name by which runs find it. All of it is there or nothing.
    ///
    /// # Errors
    /// [`SaveError`] says why it is not.
    pub(crate) fn save(
        &self,
        tenant: &TenantId,
        name: &str,
        files: &Files,
    ) -> Result<String, SaveError> {
        Self::check_name(name)?;
        let all = self.0.join(tenant.as_str());
        std::fs::create_dir_all(&all)?;
        // One that is being written counts too: its name begins with a dot.
        if std::fs::read_dir(&all)?.count() >= MAX_SCRIPTS {
            return Err(SaveError::TooMany);
        }
        let unfinished = tempfile::Builder::new().prefix(".").tempdir_in(&all)?;
        std::fs::write(unfinished.path().join(format!("{name}.js")), &files.script)?;
        std::fs::write(
            unfinished.path().join(data_file(name)),
            files.data.to_string(),
        )?;
        match std::fs::rename(unfinished.path(), all.join(name)) {
            Ok(()) => Ok(SavedScript::script(name)),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Err(SaveError::Exists),
            Err(error) => Err(error.into()),
        }
    }
}

impl GeneratedScripts {
    /// The name of a script that was saved before with the same text.
    ///
    /// # Errors
    /// [`SaveError::Exists`] when it has another one.
    pub(crate) fn saved(
        &self,
        tenant: &TenantId,
        name: &str,
        files: &Files,
    ) -> Result<String, SaveError> {
        let directory = self.0.join(tenant.as_str()).join(name);
        let script = std::fs::read_to_string(directory.join(format!("{name}.js")))?;
        let data = std::fs::read_to_string(directory.join(data_file(name)))?;
        let asked = files.data.to_string();
        if script == files.script && data == asked {
            return Ok(SavedScript::script(name));
        }
        Err(SaveError::Exists)
    }

    /// A tenant's scripts, by name.
    pub(crate) fn list(&self, tenant: &TenantId) -> Vec<SavedScript> {
        let all = self.0.join(tenant.as_str());
        let entries = std::fs::read_dir(all).into_iter().flatten().flatten();
        let mut saved: Vec<SavedScript> = entries.filter_map(|entry| saved(&entry)).collect();
        saved.sort_by(|one, other| one.name.cmp(&other.name));
        saved
    }

    /// Removes a tenant's script: at once for everybody who looks for it, then from the disk.
    /// False when there is none.
    ///
    /// # Errors
    /// The disk refused.
    pub(crate) fn remove(&self, tenant: &TenantId, name: &str) -> io::Result<bool> {
        if names::refusal(name).is_some() {
            return Ok(false);
        }
        let all = self.0.join(tenant.as_str());
        if !all.join(name).is_dir() {
            return Ok(false);
        }
        // What is left of it goes with this directory, whose name begins with a dot.
        let removed = tempfile::Builder::new().prefix(".").tempdir_in(&all)?;
        match std::fs::rename(all.join(name), removed.path().join(name)) {
            Ok(()) => removed.close().map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn saved(entry: &DirEntry) -> Option<SavedScript> {
    let name = entry.file_name().into_string().ok()?;
    if names::refusal(&name).is_some() {
        return None;
    }
    let files = std::fs::read_dir(entry.path()).ok()?.flatten();
    let bytes = files.filter_map(|file| Some(file.metadata().ok()?.len()));
    let saved_at = entry.metadata().ok()?.modified().ok()?;
    Some(SavedScript {
        bytes: bytes.sum(),
        saved_at: Timestamp::try_from(saved_at).ok()?,
        name,
    })
}

/// The name of the data file beside a script.
pub(crate) fn data_file(name: &str) -> String {
    format!("{name}.json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scripts() -> (tempfile::TempDir, GeneratedScripts) {
        let directory = tempfile::tempdir().unwrap();
        let scripts = GeneratedScripts::new(directory.path().join("generated"));
        (directory, scripts)
    }

    fn files() -> Files {
        Files {
            script: "export default () => {};".to_owned(),
            data: json!({}),
        }
    }

    #[test]
    fn a_tenant_finds_its_own_scripts_only() {
        let (_directory, scripts) = scripts();
        let (one, other) = (TenantId::development(), TenantId::parse("other").unwrap());
        assert_eq!(
            scripts.save(&one, "shop", &files()).unwrap(),
            "generated/shop.js"
        );
        let script = scripts.resolve(&one, "shop.js").unwrap();
        assert!(script.path.ends_with("default/shop/shop.js"));
        assert!(script.directory.join("shop.json").is_file());
        let missing = scripts.resolve(&other, "shop.js");
        assert!(matches!(missing, Err(ScriptError::NotFound)));
        let again = scripts.save(&one, "shop", &files());
        assert!(matches!(again, Err(SaveError::Exists)));
        let left: Vec<_> = std::fs::read_dir(scripts.0.join("default"))
            .unwrap()
            .collect();
        assert_eq!(left.len(), 1, "nothing unfinished stays");
    }

    #[test]
    fn a_script_is_listed_until_it_is_removed() {
        let (_directory, scripts) = scripts();
        let (one, other) = (TenantId::development(), TenantId::parse("other").unwrap());
        assert_eq!(scripts.list(&one), []);
        for name in ["b", "a"] {
            scripts.save(&one, name, &files()).unwrap();
        }
        let listed = scripts.list(&one);
        let told: Vec<_> = listed.iter().map(|one| (&*one.name, one.bytes)).collect();
        assert_eq!(told, [("a", 26), ("b", 26)]);
        assert_eq!(scripts.list(&other), []);
        assert!(!scripts.remove(&other, "a").unwrap());
        assert!(!scripts.remove(&one, "../default/a").unwrap());
        assert!(scripts.remove(&one, "a").unwrap());
        assert!(!scripts.remove(&one, "a").unwrap());
        assert_eq!(scripts.list(&one).len(), 1);
        let left = std::fs::read_dir(scripts.0.join("default")).unwrap();
        assert_eq!(left.count(), 1, "nothing of it stays");
        scripts.save(&one, "a", &files()).unwrap();
    }

    #[test]
    fn no_name_leads_elsewhere() {
        let (_directory, scripts) = scripts();
        let tenant = TenantId::development();
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a.b",
            "-a",
            "a b",
            "ä",
            "a\0",
            "a\u{2028}",
        ] {
            let saved = scripts.save(&tenant, name, &files());
            assert!(matches!(saved, Err(SaveError::InvalidName(_))), "{name}");
            let found = scripts.resolve(&tenant, &format!("{name}.js"));
            assert!(matches!(found, Err(ScriptError::InvalidName)), "{name}");
        }
    }
}
