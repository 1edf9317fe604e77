//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::baseline::BaselineCommand;
use crate::commands::cancel::CancelArguments;
use crate::commands::capacity::CapacityArguments;
use crate::commands::chaos::ChaosArguments;
use crate::commands::compare::CompareArguments;
use crate::commands::completions::CompletionsArguments;
use crate::commands::forecast::ForecastArguments;
use crate::commands::gate::GateArguments;
use crate::commands::list::ListArguments;
use crate::commands::report::ReportArguments;
use crate::commands::run::RunArguments;
use crate::commands::validate::ValidateArguments;

const EXIT_CODES: &str = "\
Exit codes:
  0  PASS, a capacity that was found, and every command that does not judge
  1  WARNING or INCONCLUSIVE; a baseline that stays as it is
  2  FAIL, CRITICAL or INVALID; a search in which no rate held
  3  no judgement: wrong arguments, a service that does not answer or refuses, a file that cannot
     be read or written, a run that ended without a verdict

Environment:
  PERFORMANCE_URL      the service's address when there is no --url
  PERFORMANCE_TOKEN    a token to send; PERFORMANCE_TOKEN_FILE or --token-file names a file with it
  GITHUB_SHA           the commit that is measured when there is no --revision
  GITHUB_STEP_SUMMARY  where `perf gate` adds its summary when there is no --summary

A run is named by its id, or by its number as in `12`.";

/// Runs, watches, judges and compares load tests through the performance service.
#[derive(Debug, Parser)]
#[command(name = "perf", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Address of the performance service.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// File with the token that is sent; a token is never an argument.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Write one JSON document, and nothing of what happens meanwhile.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a run, watch it and tell its verdict. Ctrl-C cancels it.
    Run(RunArguments),
    /// Say what a run would take, and start nothing: time, requests, tokens, dollars.
    Forecast(ForecastArguments),
    /// Run a test, or take runs of it, and compare with a baseline: one exit code for a pipeline.
    Gate(GateArguments),
    /// Search for the highest rate that the target carries within all limits. Ctrl-C stops it.
    Capacity(CapacityArguments),
    /// Break a stack of its own on purpose, under load, and say what its users saw. Asks no service.
    Chaos(ChaosArguments),
    /// Hold runs against each other, measure by measure.
    Compare(CompareArguments),
    /// Write a finished run as a report.
    Report(ReportArguments),
    /// List the newest runs.
    List(ListArguments),
    /// List what starts by the clock, with its next start and its dollars a month.
    Schedules,
    /// Establish or show what runs are compared with.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Stop a run and wait until it has ended.
    Cancel(CancelArguments),
    /// Judge the summary of a run that was made elsewhere; asks no service.
    Validate(ValidateArguments),
    /// Write the completions of a shell.
    Completions(CompletionsArguments),
}
