//! `perf completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::answer::Answer;
use crate::arguments::Cli;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// The script that a shell reads.
///
/// # Errors
/// It is no text, which is a mistake of ours.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "perf", &mut script);
    let script = String::from_utf8(script)
        .map_err(|error| Failure::Broken(format!("the completions are no text: {error}")))?;
    Ok(Answer::verbatim(script))
}
