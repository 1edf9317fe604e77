//! The script that k6 is started with: it re-exports a suite and merges the asked options over
//! the suite's own.
//!
//! Values travel in a JSON file beside it. The only text that is put into JavaScript is the
//! suite's file URL, as a JSON string: it has passed the script directory's rules.

use std::io;
use std::path::{Path, PathBuf};

use reqwest::Url;
use serde_json::json;

use crate::options::RunOptions;
use crate::script::Script;

const TEMPLATE: &str = include_str!("entry/entry.js");

/// What k6's own summary shows of each trend: enough to compare every figure of ours.
const TREND_STATISTICS: [&str; 8] = [
    "avg", "min", "med", "max", "p(90)", "p(95)", "p(99)", "count",
];

/// The two files that [`write`] makes.
pub(crate) const FILES: [&str; 2] = ["entry.js", "options.json"];

/// Writes `options.json` and `entry.js` into a run's directory and returns the latter's path.
///
/// # Errors
/// When the files cannot be written.
pub fn write(directory: &Path, script: &Script, options: &RunOptions) -> io::Result<PathBuf> {
    let mut requested = options.to_json();
    requested["summaryTrendStats"] = json!(TREND_STATISTICS);
    std::fs::write(directory.join("options.json"), requested.to_string())?;

    let suite = Url::from_file_path(&script.path)
        .map_err(|()| io::Error::new(io::ErrorKind::InvalidInput, "the script has no full path"))?;
    let entry = directory.join("entry.js");
    std::fs::write(
        &entry,
        TEMPLATE.replace("__SUITE__", &json!(suite.as_str()).to_string()),
    )?;
    Ok(entry)
}
