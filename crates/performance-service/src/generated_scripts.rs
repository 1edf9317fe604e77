//! Scripts that this service wrote for a tenant, each in a directory of its own.
//!
//! A run names one as `generated/NAME.js`; its directory is all that the run can read.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use load_runner::script::{Script, ScriptDirectory, ScriptError};
use script_generation::script::Files;
use tenancy::TenantId;

/// What the names of runs' scripts begin with.
const PREFIX: &str = "generated/";

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// Scripts of one tenant, of up to some megabytes each.
const MAX_SCRIPTS: usize = 200;

/// The directory of all tenants.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedScripts(PathBuf);

/// Why a script is not saved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SaveError {
    /// The text is no name.
    #[error("must be 1 to 64 letters, digits, _ and -, beginning with a letter or digit")]
    InvalidName,
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
        let stem = name.strip_suffix(".js").filter(|stem| is_name(stem));
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
        is_name(name).then_some(()).ok_or(SaveError::InvalidName)
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
            Ok(()) => Ok(format!("{PREFIX}{name}.js")),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Err(SaveError::Exists),
            Err(error) => Err(error.into()),
        }
    }
}

/// The name of the data file beside a script.
pub(crate) fn data_file(name: &str) -> String {
    format!("{name}.json")
}

fn is_name(text: &str) -> bool {
    let allowed = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
    (1..=MAX_NAME).contains(&text.len())
        && text.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && text.chars().all(allowed)
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
            assert!(matches!(saved, Err(SaveError::InvalidName)), "{name}");
            let found = scripts.resolve(&tenant, &format!("{name}.js"));
            assert!(matches!(found, Err(ScriptError::InvalidName)), "{name}");
        }
    }
}
