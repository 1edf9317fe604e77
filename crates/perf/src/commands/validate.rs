//! `perf validate`: the summary of a run that was made elsewhere, held against limits.

mod summary;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use load_analysis::aggregate::is_bookkeeping;
use load_analysis::limits::{Limit, LimitResult, MAX_FILE_BYTES, judge_summary};
use load_analysis::targets::TargetLine;
use load_analysis::verdict::{Level, Verdict};
use serde_json::json;

use self::summary::Summary;
use crate::answer::Answer;
use crate::console;
use crate::failure::Failure;

/// 200 metrics take about 60 KiB, and a report of ours has its seconds beside them.
const MAX_SUMMARY_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    /// What handleSummary was given, a file of --summary-export, or a JSON report of ours.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Limits such as k6/limits/load.toml.
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
}

/// Judges summaries; the exit code is that of the worst.
///
/// # Errors
/// A file cannot be read, or is none of these.
pub(crate) fn validate(arguments: &ValidateArguments) -> Result<Answer, Failure> {
    let limits = match &arguments.limits {
        None => Vec::new(),
        Some(path) => Limit::parse_file(&read(path, MAX_FILE_BYTES)?)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?,
    };
    let mut worst = Level::Pass;
    let (mut text, mut documents) = (String::new(), Vec::new());
    for path in &arguments.files {
        let file = path.display().to_string();
        let summary = Summary::parse(&read(path, MAX_SUMMARY_BYTES)?)
            .map_err(|reason| Failure::Usage(format!("{file}: {reason}")))?;
        let results = judge_summary(&limits, &summary.metrics);
        let verdict = judge(&summary, &results);
        let targets = console::targets(&TargetLine::of_limits(&results));
        text.push_str(&format!(
            "{file}: {}{targets}",
            console::judgement(&verdict)
        ));
        worst = worst.max(verdict.level);
        documents.push(json!({"file": file, "verdict": verdict, "limits": results}));
    }
    Ok(Answer::new(&text, json!(documents)).judged(worst))
}

/// Validity first, then what k6 said of the script's own thresholds, then the limits.
fn judge(summary: &Summary, limits: &[LimitResult]) -> Verdict {
    let thresholds = &summary.thresholds;
    let crossed = thresholds.iter().filter(|(_, held)| !**held);
    let crossed = crossed.map(|(name, _)| format!("k6 says that `{name}` was crossed."));
    let crossed: Vec<String> = crossed.collect();
    let (level, reasons) = if summary.metrics.keys().all(|name| is_bookkeeping(name)) {
        let reason = "The run measured nothing beyond k6's own counts.";
        (Level::Invalid, vec![reason.to_owned()])
    } else if !crossed.is_empty() {
        (Level::Fail, crossed)
    } else if thresholds.is_empty() && limits.is_empty() {
        let reason = "There is nothing to judge by: no threshold in the summary, no --limits.";
        (Level::Inconclusive, vec![reason.to_owned()])
    } else if thresholds.is_empty() {
        (Level::Pass, Vec::new())
    } else {
        let reason = format!("Thresholds that held, as k6 says: {}.", thresholds.len());
        (Level::Pass, vec![reason])
    };
    let verdict = Verdict {
        level,
        exit_code: level.exit_code(),
        reasons,
    };
    verdict.with_limits(limits)
}

fn read(path: &Path, most: usize) -> Result<String, Failure> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        let mut bounded = file.take(most as u64 + 1);
        bounded.read_to_string(&mut text)
    });
    let read = read.map_err(|error| Failure::file(path, error))?;
    if read > most {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "{path} is larger than {most} bytes"
        )));
    }
    Ok(text)
}
