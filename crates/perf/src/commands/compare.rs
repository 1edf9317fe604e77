//! `perf compare`.

use clap::Args;
use serde_json::json;

use crate::answer::Answer;
use crate::console;
use crate::failure::Failure;
use crate::identify;
use crate::service::Service;

/// Stands for the runs of the baseline in force, here and in the service.
pub(crate) const BASELINE: &str = "baseline";

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// The runs compared with, oldest first, with commas between; or `baseline`.
    reference: String,
    /// The runs in question, with commas between.
    candidate: String,
}

/// Compares two groups of runs. The exit code is that of the worst measure that decides.
///
/// # Errors
/// There are no such runs, or one has no results.
pub(crate) async fn compare(
    service: &Service,
    arguments: &CompareArguments,
) -> Result<Answer, Failure> {
    let candidate = identify::list(service, &arguments.candidate).await?;
    let reference = if arguments.reference == BASELINE {
        BASELINE.to_owned()
    } else {
        identify::list(service, &arguments.reference).await?
    };
    let compared = service.compare(&reference, &candidate).await?;
    let text = format!(
        "{} compared with {}: {}",
        arguments.candidate,
        arguments.reference,
        console::compared(&compared)
    );
    Ok(Answer::new(&text, json!(compared)).judged(compared.level))
}
