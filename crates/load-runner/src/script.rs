//! Scripts by name, from one directory.

use std::path::{Component, Path, PathBuf};

/// The longest name, in bytes.
const MAX_LENGTH: usize = 200;

/// Where suites lie in the directory; beside them are the modules that they share.
const SUITE_FOLDERS: [&str; 2] = ["tests", "journeys"];

/// Files of a folder that are looked at: people choose from the list.
const MAX_SUITES: usize = 500;

/// The directory that all scripts come from.
#[derive(Debug, Clone)]
pub struct ScriptDirectory(PathBuf);

/// A script that exists inside the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The name that it was asked for by, for example `tests/smoke.js`.
    pub name: String,
    /// The file, absolute and without symbolic links.
    pub path: PathBuf,
    /// The directory that it may import from, absolute and without symbolic links.
    pub directory: PathBuf,
    /// Who wrote it.
    pub origin: Origin,
}

/// Who wrote a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Who operates this service: it lies in the script directory.
    Operator,
    /// Somebody else. It runs nowhere but in a whole sandbox.
    Upload,
}

/// Why a name is no script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The text cannot be the name of a script.
    #[error("must be a relative path of letters, digits, `.`, `_` and `-` that ends in .js")]
    InvalidName,
    /// It leads out of the directory, by a symbolic link.
    #[error("lies outside the script directory")]
    Outside,
    /// There is no such file.
    #[error("there is no such script")]
    NotFound,
    /// The directory or the file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

impl ScriptDirectory {
    /// A directory of scripts; it need not exist yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Finds a script by its name, for example `tests/smoke.js`.
    ///
    /// # Errors
    /// [`ScriptError`] says why there is none.
    pub fn resolve(&self, name: &str) -> Result<Script, ScriptError> {
        if !is_name(name) {
            return Err(ScriptError::InvalidName);
        }
        let directory = self.0.canonicalize()?;
        let path = match directory.join(name).canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ScriptError::NotFound);
            }
            Err(error) => return Err(error.into()),
        };
        if !path.starts_with(&directory) {
            return Err(ScriptError::Outside);
        }
        // A link inside the directory may still lead to another kind of file.
        if !path.is_file() || path.extension().is_none_or(|extension| extension != "js") {
            return Err(ScriptError::NotFound);
        }
        Ok(Script {
            name: name.to_owned(),
            path,
            directory,
            origin: Origin::Operator,
        })
    }
}

impl ScriptDirectory {
    /// The names of the suites, sorted; what lies elsewhere is run by those who know its name.
    /// Blocks.
    ///
    /// # Errors
    /// A directory that cannot be read; one that is missing has no suites.
    pub fn suites(&self) -> std::io::Result<Vec<String>> {
        let mut suites = Vec::new();
        for folder in SUITE_FOLDERS {
            let entries = match std::fs::read_dir(self.0.join(folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries.take(MAX_SUITES) {
                let file = entry?.file_name();
                let name = file.to_str().map(|file| format!("{folder}/{file}"));
                suites.extend(name.filter(|name| is_name(name)));
            }
        }
        suites.sort();
        Ok(suites)
    }

    /// The names of all files `limits/NAME.toml`, sorted. Blocks.
    ///
    /// # Errors
    /// A directory that cannot be read; one that is missing has no limits.
    pub fn limit_files(&self) -> std::io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.0.join("limits")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries.take(MAX_SUITES) {
            let file = entry?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".toml"));
            names.extend(name.map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// The text of `limits/NAME.toml`; `None` where there is none. Names are plain, as those of
    /// scripts are.
    ///
    /// # Errors
    /// A file that cannot be read, or is longer than `most_bytes`.
    pub fn limits(&self, name: &str, most_bytes: usize) -> std::io::Result<Option<String>> {
        let path = self.0.join("limits").join(format!("{name}.toml"));
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.len() > most_bytes as u64 => {
                Err(std::io::ErrorKind::FileTooLarge.into())
            }
            Ok(_) => std::fs::read_to_string(&path).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let path = Path::new(name);
    name.len() <= MAX_LENGTH
        && name.chars().all(allowed)
        && !name.starts_with('-')
        && path.extension().is_some_and(|extension| extension == "js")
        && path
            .components()
            .all(|component| matches!(component, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, ScriptDirectory) {
        let root = tempfile::tempdir().unwrap();
        let scripts = root.path().join("k6");
        std::fs::create_dir_all(scripts.join("tests")).unwrap();
        std::fs::write(scripts.join("tests/smoke.js"), "").unwrap();
        std::fs::write(root.path().join("secret.js"), "").unwrap();
        std::os::unix::fs::symlink("../../secret.js", scripts.join("tests/out.js")).unwrap();
        std::os::unix::fs::symlink("tests/smoke.js", scripts.join("in.js")).unwrap();
        std::fs::create_dir(scripts.join("folder.js")).unwrap();
        (root, ScriptDirectory::new(scripts))
    }

    #[test]
    fn finds_scripts_of_the_directory() {
        let (_root, scripts) = directory();
        let script = scripts.resolve("tests/smoke.js").unwrap();
        assert!(script.path.is_absolute() && script.path.ends_with("k6/tests/smoke.js"));
        assert!(scripts.resolve("./tests/smoke.js").is_err());
        assert!(
            scripts
                .resolve("in.js")
                .unwrap()
                .path
                .ends_with("tests/smoke.js")
        );
    }

    #[test]
    fn lists_the_suites_that_can_be_named() {
        let (root, scripts) = directory();
        std::fs::create_dir(root.path().join("k6/journeys")).unwrap();
        for file in ["journeys/shop.js", "journeys/shop.json", "tests/a b.js"] {
            std::fs::write(root.path().join("k6").join(file), "").unwrap();
        }
        let expected = ["journeys/shop.js", "tests/out.js", "tests/smoke.js"];
        assert_eq!(scripts.suites().unwrap(), expected);
        let missing = ScriptDirectory::new(root.path().join("none"));
        assert!(missing.suites().unwrap().is_empty());
    }

    #[test]
    fn finds_nothing_else() {
        let (_root, scripts) = directory();
        for name in [
            "../secret.js",
            "tests/../../secret.js",
            "/etc/passwd",
            "/etc/x.js",
            "-",
            "-.js",
            "--out=x.js",
            "",
            "tests/smoke.js\0",
            "tests/smoke",
            "a b.js",
            "$(x).js",
            "\u{2028}.js",
        ] {
            assert!(
                matches!(scripts.resolve(name), Err(ScriptError::InvalidName)),
                "{name}"
            );
        }
        assert!(matches!(
            scripts.resolve("tests/out.js"),
            Err(ScriptError::Outside)
        ));
        assert!(matches!(
            scripts.resolve("tests/none.js"),
            Err(ScriptError::NotFound)
        ));
        assert!(matches!(
            scripts.resolve("folder.js"),
            Err(ScriptError::NotFound)
        ));
    }
}
