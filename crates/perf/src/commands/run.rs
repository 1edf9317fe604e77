//! `perf run`: start, watch, judge.

use clap::Args;
use load_analysis::verdict::Verdict;
use serde_json::json;

use crate::answer::Answer;
use crate::console;
use crate::failure::Failure;
use crate::follow;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::service::{Run, Service};
use crate::start::LoadArguments;

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// A scenario such as smoke or load, or a script such as tests/load.js.
    #[arg(value_name = "SCENARIO|SCRIPT")]
    what: String,
    /// Name of the test; runs of one name are compared with each other. [default: the scenario's
    /// or the script's]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    load: LoadArguments,
    /// Show what happens, which is the default.
    #[arg(long, overrides_with = "no_watch")]
    watch: bool,
    /// Show the end only.
    #[arg(long)]
    no_watch: bool,
}

/// Starts a run and waits for its end.
///
/// # Errors
/// It is refused, or ends without a verdict.
pub(crate) async fn run(
    service: &Service,
    arguments: &RunArguments,
    live: bool,
) -> Result<Answer, Failure> {
    let mut interrupt = Interrupt::listen()?;
    let body = arguments
        .load
        .body(&arguments.what, arguments.name.as_deref());
    let run = service.start(&body).await?;
    let shown = live && (arguments.watch || !arguments.no_watch);
    let mut progress = Progress::new(shown, LoadArguments::planned(&body));
    progress.say(&format!("{}: {}", run.name(), service.page(&run.test_id)));
    let run = follow::to_end(service, &run, progress, &mut interrupt).await?;
    let verdict = verdict(&run)?;
    Ok(Answer::new(&console::run(service, &run), json!(run)).judged(verdict.level))
}

/// The verdict of a run that is over.
///
/// # Errors
/// There is none.
pub(crate) fn verdict(run: &Run) -> Result<&Verdict, Failure> {
    run.verdict.as_ref().ok_or_else(|| {
        let reason = run.error_message.as_deref().unwrap_or("no reason is known");
        let status = run.status.to_lowercase();
        Failure::Broken(format!(
            "{} is {status}, without a verdict: {reason}",
            run.name()
        ))
    })
}
