//! `perf cancel`.

use clap::Args;
use serde_json::json;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::identify;
use crate::service::Service;

#[derive(Debug, Args)]
pub(crate) struct CancelArguments {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
}

/// Stops a run and waits until it has ended.
///
/// # Errors
/// There is no such run, or it did not end in time.
pub(crate) async fn cancel(
    service: &Service,
    arguments: &CancelArguments,
) -> Result<Answer, Failure> {
    let id = identify::id(service, &arguments.run).await?;
    service.cancel(&id).await?;
    let run = service.run(&id).await?;
    let text = format!("{} is {}", run.name(), run.status.to_lowercase());
    Ok(Answer::new(&text, json!(run)))
}
