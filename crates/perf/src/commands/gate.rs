//! `perf gate`: what a pipeline asks before it goes on.

mod against;
mod documents;
mod runs;

use std::path::{Path, PathBuf};

use clap::Args;
use load_analysis::verdict::Level;
use serde_json::json;

use self::against::{Against, Reference};
use crate::answer::Answer;
use crate::commands::run::verdict;
use crate::console;
use crate::failure::Failure;
use crate::service::{Run, Service};
use crate::start::LoadArguments;

#[derive(Debug, Args)]
pub(crate) struct GateArguments {
    /// Name of the test.
    #[arg(long, value_name = "NAME")]
    test: String,
    /// What is run: a scenario or a script. [default: the latest run of the test, again]
    #[arg(value_name = "SCENARIO|SCRIPT", conflicts_with = "run")]
    what: Option<String>,
    #[command(flatten)]
    load: LoadArguments,
    /// How many runs are made, one after the other.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "run",
          value_parser = clap::value_parser!(u8).range(1..=30))]
    runs: u8,
    /// Take finished runs, with commas between, and start none.
    #[arg(long, value_name = "RUNS")]
    run: Option<String>,
    /// `main` is the baseline in force, `none` compares with nothing; else runs with commas between.
    #[arg(long, value_name = "BASELINE", default_value = "main")]
    baseline: Against,
    /// Write a `JUnit` file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Add a summary in Markdown to this file.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Write the same as a comment for a pull request, to a file or to standard output with `-`.
    #[arg(long, value_name = "FILE|-")]
    comment: Option<PathBuf>,
}

/// The outcome of a gate.
struct Gate {
    test: String,
    runs: Vec<Run>,
    reference: Reference,
    level: Level,
}

/// Runs a test or takes runs of it, compares them with the baseline, and tells the worse of the
/// two judgements.
///
/// # Errors
/// A run has no verdict, the service refuses, a file cannot be written.
pub(crate) async fn gate(
    service: &Service,
    arguments: &GateArguments,
    step_summary: Option<&Path>,
    live: bool,
) -> Result<Answer, Failure> {
    // What is for standard output stands alone there.
    let to_stdout = arguments.comment.as_deref() == Some(Path::new("-"));
    let runs = match &arguments.run {
        Some(taken) => runs::taken(service, &arguments.test, taken).await?,
        None => runs::made(service, arguments, live && !to_stdout).await?,
    };
    let reference = against::compare(service, &arguments.baseline, &runs).await?;
    let mut level = reference.level();
    for run in &runs {
        level = level.max(verdict(run)?.level);
    }
    let gate = Gate {
        test: arguments.test.clone(),
        runs,
        reference,
        level,
    };
    if let Some(path) = &arguments.junit {
        let suites = documents::junit(service, &gate).await?;
        std::fs::write(path, suites).map_err(|error| Failure::file(path, error))?;
    }
    let summary = arguments.summary.as_deref().or(step_summary);
    let mut answer = Answer::new(&text(service, &gate), document(&gate));
    if summary.is_some() || arguments.comment.is_some() {
        let comment = documents::markdown(service, &gate).await?;
        if let Some(path) = summary {
            documents::append(path, &comment)?;
        }
        match arguments.comment.as_deref() {
            Some(_) if to_stdout => answer = Answer::verbatim(comment),
            Some(path) => {
                std::fs::write(path, comment).map_err(|error| Failure::file(path, error))?;
            }
            None => {}
        }
    }
    Ok(answer.judged(gate.level))
}

fn text(service: &Service, gate: &Gate) -> String {
    let mut text = String::new();
    for run in &gate.runs {
        text.push_str(&console::run(service, run));
        text.push('\n');
    }
    match gate.reference.compared() {
        Some(compared) => {
            let compared = console::compared(compared);
            text.push_str(&format!("{}: {compared}", gate.reference.name()));
        }
        None => text.push_str(&format!("{}\n", gate.reference.name())),
    }
    let (level, code) = (gate.level.as_str(), gate.level.exit_code());
    text + &format!("\ngate of {}: {level}, exit code {code}\n", gate.test)
}

fn document(gate: &Gate) -> serde_json::Value {
    json!({
        "test": gate.test,
        "level": gate.level,
        "exitCode": gate.level.exit_code(),
        "runs": gate.runs,
        "comparedWith": gate.reference.name(),
        "comparison": gate.reference.compared(),
    })
}
