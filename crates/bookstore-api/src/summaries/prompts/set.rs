//! All prompts of a moment: the built-in ones and those of a directory.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use super::PromptTemplate;

/// The prompts that are always there.
const BUILT_IN: [(&str, &str); 2] = [
    (
        "book-summary-2.toml",
        include_str!("../../../prompts/book-summary-2.toml"),
    ),
    (
        "book-pitch-1.toml",
        include_str!("../../../prompts/book-pitch-1.toml"),
    ),
];

/// Most files of the directory: years of versions.
const MAX_FILES: usize = 500;

/// Largest file; a prompt has a page or two.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// The prompts by name and version; replaced as a whole.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct PromptSet {
    by_label: BTreeMap<String, Arc<PromptTemplate>>,
}

/// Why prompts cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromptError {
    /// The directory or a file in it cannot be read.
    #[error("{path}: {error}")]
    Unreadable { path: String, error: io::Error },
    /// No prompt has the name that is asked with.
    #[error("there is no prompt {name}, only {known}")]
    NoDefault { name: String, known: String },
    /// A file is no prompt.
    #[error("{file}: {reason}")]
    Wrong { file: String, reason: String },
}

/// What changes when a file of the directory is written, replaced, added or removed.
pub(super) type Stamps = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl PromptSet {
    /// The built-in prompts, and those of a directory.
    pub(super) fn load(directory: Option<&Path>) -> Result<Self, PromptError> {
        let mut set = Self::default();
        for (file, text) in BUILT_IN {
            set.add(file, text)?;
        }
        for (path, ..) in directory.map(stamps).transpose()?.unwrap_or_default() {
            set.add(&path.display().to_string(), &read(&path)?)?;
        }
        Ok(set)
    }

    /// The prompt of a name and version, such as `book-summary-2`.
    pub(crate) fn get(&self, label: &str) -> Option<&Arc<PromptTemplate>> {
        self.by_label.get(label)
    }

    /// The newest version of a prompt.
    pub(crate) fn newest(&self, name: &str) -> Option<&Arc<PromptTemplate>> {
        let versions = self
            .by_label
            .values()
            .filter(|prompt| prompt.name() == name);
        versions.max_by_key(|prompt| prompt.version())
    }

    /// Every name and version there is.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.by_label.keys().map(String::as_str)
    }

    /// A prompt that has other words here than before under the same version.
    pub(super) fn changed_words(&self, before: &Self) -> Option<&str> {
        let changed = self.by_label.iter().find(|(label, prompt)| {
            let before = before.get(label);
            before.is_some_and(|before| before != *prompt)
        });
        changed.map(|(label, _)| label.as_str())
    }

    fn add(&mut self, file: &str, text: &str) -> Result<(), PromptError> {
        let wrong = |reason| PromptError::Wrong {
            file: file.to_owned(),
            reason,
        };
        let prompt = PromptTemplate::parse(text).map_err(wrong)?;
        let label = prompt.label();
        if self.by_label.contains_key(&label) {
            return Err(wrong(format!("there is a {label} already")));
        }
        self.by_label.insert(label, Arc::new(prompt));
        Ok(())
    }
}

/// The `.toml` files of a directory, by name.
pub(super) fn stamps(directory: &Path) -> Result<Stamps, PromptError> {
    let unreadable = |error| PromptError::Unreadable {
        path: directory.display().to_string(),
        error,
    };
    let mut files = Stamps::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let metadata = std::fs::metadata(&path).map_err(unreadable)?;
        files.push((path, metadata.modified().ok(), metadata.len()));
        if files.len() > MAX_FILES {
            let reason = format!("has more than {MAX_FILES} prompts");
            return Err(unreadable(io::Error::other(reason)));
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, PromptError> {
    let unreadable = |error| PromptError::Unreadable {
        path: path.display().to_string(),
        error,
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        let reason = format!("has more than {MAX_FILE_BYTES} bytes");
        return Err(unreadable(io::Error::other(reason)));
    }
    Ok(text)
}
