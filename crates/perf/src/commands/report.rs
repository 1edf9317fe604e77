//! `perf report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::answer::Answer;
use crate::console;
use crate::failure::Failure;
use crate::identify;
use crate::service::Service;

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
    /// Write into this file.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Console,
    Json,
    Csv,
    K6Summary,
    Html,
    Markdown,
    Junit,
}

impl Format {
    /// As the service calls it; `None` for what is made here.
    const fn exported(self) -> Option<&'static str> {
        Some(match self {
            Self::Console => return None,
            Self::Json => "json",
            Self::Csv => "csv",
            Self::K6Summary => "k6-summary",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
        })
    }
}

/// Writes a finished run as a report.
///
/// # Errors
/// There is no such run, it is not over, or the file cannot be written.
pub(crate) async fn report(
    service: &Service,
    arguments: &ReportArguments,
) -> Result<Answer, Failure> {
    let id = identify::id(service, &arguments.run).await?;
    let (text, answer) = match arguments.format.exported() {
        None => {
            let run = service.run(&id).await?;
            let text = console::run(service, &run);
            let answer = Answer::new(&text, json!(run));
            (text, answer)
        }
        Some(format) => {
            let text = service.report(&id, format).await?;
            (text.clone(), Answer::verbatim(text))
        }
    };
    let Some(path) = &arguments.output else {
        return Ok(answer);
    };
    std::fs::write(path, text).map_err(|error| Failure::file(path, error))?;
    let path = path.display().to_string();
    Ok(Answer::new(&format!("wrote {path}"), json!({"file": path})))
}
