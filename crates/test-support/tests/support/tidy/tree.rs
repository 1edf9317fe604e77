//! The text files of the checkout.

use std::fs;
use std::path::Path;

use anyhow::Context;
use test_support::tools::workspace;

/// What is not ours to tidy: build products, state, the packages of others.
const SKIPPED: [&str; 5] = [
    "target",
    ".git",
    ".bookstore",
    "node_modules",
    "__pycache__",
];

/// A text file, by its path from the root of the checkout.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        self.extension() == Some("rs")
    }

    pub(crate) fn extension(&self) -> Option<&str> {
        Path::new(&self.path).extension()?.to_str()
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The lines with their numbers, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

/// Every text file of the checkout, in the order of the paths.
pub(crate) fn files() -> anyhow::Result<Vec<SourceFile>> {
    let mut found = Vec::new();
    collect(workspace(), "", &mut found)?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Only the Rust files.
pub(crate) fn rust_files() -> anyhow::Result<Vec<SourceFile>> {
    Ok(files()?.into_iter().filter(SourceFile::is_rust).collect())
}

fn collect(directory: &Path, prefix: &str, found: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), found)?;
        } else if kind.is_file() {
            // What is not UTF-8 is an image or a binary and has no lines.
            let bytes = fs::read(entry.path()).with_context(|| path.clone())?;
            found.extend(
                String::from_utf8(bytes)
                    .ok()
                    .map(|text| SourceFile { path, text }),
            );
        }
    }
    Ok(())
}

#[test]
fn the_checkout_is_found() -> anyhow::Result<()> {
    let paths: Vec<String> = files()?.into_iter().map(|file| file.path).collect();
    for expected in [
        "Cargo.toml",
        "crates/test-support/tests/support/tidy/tree.rs",
    ] {
        assert!(
            paths.iter().any(|path| path == expected),
            "{expected} among {paths:?}"
        );
    }
    Ok(())
}
