//! Where the binaries of the tools are.
//!
//! Search order: the tool's own variable where it has one (`PERFORMANCE_K6`,
//! `PERFORMANCE_K6_V1`), `bin/` under `BOOKSTORE_TOOLS_DIR`,
//! `.bookstore/tools/bin` of the checkout, then `PATH`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The Redis server.
///
/// # Errors
/// When it is not installed.
pub fn redis_server() -> anyhow::Result<PathBuf> {
    find("redis-server", None)
}

/// The stand-in for `MongoDB`, built from `deploy/tools/ferretdb`.
///
/// # Errors
/// When it is not installed.
pub fn ferretdb() -> anyhow::Result<PathBuf> {
    find("ferretdb", None)
}

/// k6 of the second major version.
///
/// # Errors
/// When it is not installed, or `PERFORMANCE_K6` names no file.
pub fn k6() -> anyhow::Result<PathBuf> {
    find("k6", Some("PERFORMANCE_K6"))
}

/// k6 of the first major version.
///
/// # Errors
/// When it is not installed, or `PERFORMANCE_K6_V1` names no file.
pub fn k6_v1() -> anyhow::Result<PathBuf> {
    find("k6-v1", Some("PERFORMANCE_K6_V1"))
}

/// Jaeger, all in one process.
///
/// # Errors
/// When it is not installed.
pub fn jaeger() -> anyhow::Result<PathBuf> {
    find("jaeger", None)
}

/// The Prometheus server.
///
/// # Errors
/// When it is not installed.
pub fn prometheus() -> anyhow::Result<PathBuf> {
    find("prometheus", None)
}

/// Docker's daemon.
///
/// # Errors
/// When it is not installed.
pub fn dockerd() -> anyhow::Result<PathBuf> {
    find("dockerd", None)
}

/// What starts a program in namespaces of its own, from util-linux.
///
/// # Errors
/// When it is not installed.
pub fn unshare() -> anyhow::Result<PathBuf> {
    find("unshare", None)
}

/// The packer of archives that every system has.
///
/// # Errors
/// When it is not installed.
pub fn tar() -> anyhow::Result<PathBuf> {
    find("tar", None)
}

/// The checker of metrics and rules that comes with Prometheus.
///
/// # Errors
/// When it is not installed.
pub fn promtool() -> anyhow::Result<PathBuf> {
    find("promtool", None)
}

/// The root of the checkout that this crate was built from.
#[must_use]
pub fn workspace() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own)
}

fn find(name: &str, variable: Option<&str>) -> anyhow::Result<PathBuf> {
    if let Some((variable, path)) = variable.and_then(|v| Some((v, setting(v)?))) {
        let path = PathBuf::from(path);
        return existing(path.clone())
            .with_context(|| format!("{variable} names {}, which is no file", path.display()));
    }
    search(name, &directories())
}

fn directories() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    found.extend(setting("BOOKSTORE_TOOLS_DIR").map(|tools| Path::new(&tools).join("bin")));
    found.push(workspace().join(".bookstore/tools/bin"));
    if let Some(path) = setting("PATH") {
        found.extend(std::env::split_paths(&path));
    }
    found
}

fn search(name: &str, directories: &[PathBuf]) -> anyhow::Result<PathBuf> {
    match directories
        .iter()
        .find_map(|directory| existing(directory.join(name)))
    {
        Some(path) => Ok(path),
        None => bail!("{name} is not installed; `make setup` installs it"),
    }
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "tools are found by the environment of the test run, not by a service's settings"
)]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directory_that_has_it_wins() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(two.path().join("tool"), "").unwrap();
        let both = [one.path().to_owned(), two.path().to_owned()];
        assert_eq!(search("tool", &both).unwrap(), two.path().join("tool"));
        std::fs::write(one.path().join("tool"), "").unwrap();
        assert_eq!(search("tool", &both).unwrap(), one.path().join("tool"));
    }

    #[test]
    fn a_missing_tool_names_the_command_that_installs_it() {
        let failure = search("no-such-tool", &[]).unwrap_err().to_string();
        assert!(
            failure.contains("no-such-tool") && failure.contains("make setup"),
            "{failure}"
        );
    }

    #[test]
    fn the_workspace_is_the_directory_with_the_lock_file() {
        assert!(workspace().join("Cargo.lock").is_file());
    }
}
