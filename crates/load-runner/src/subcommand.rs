//! What a program of ours becomes when it is told to: the supervisor of a run, or a k6 in its
//! sandbox.
//!
//! A supervisor outlives the service that started it, and a process can only give up its own
//! rights, so that both begin as a process of ours. Every program that runs load has these subcommands, and calls [`run`] before anything
//! else.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use crate::exit::NOT_EXECUTED;
use crate::sandbox::Sandbox;
use crate::supervisor;

/// `confine-k6 PARENT SANDBOX ARGUMENT…` becomes the sandbox's k6 with these arguments.
pub(crate) const CONFINE: &str = "confine-k6";

/// `supervise-k6 DIRECTORY` carries out the order of a run's directory.
pub(crate) const SUPERVISE: &str = "supervise-k6";

/// Why a subcommand failed, as a sentence.
type Failure = Box<dyn std::error::Error>;

/// Carries out a subcommand and gives its exit code; `None` when the first argument names none.
/// What goes wrong is a line of stderr in the form of k6's log.
#[expect(
    clippy::print_stderr,
    reason = "stderr of these processes is the log of the run"
)]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter();
    let name = arguments.next()?;
    let done = match name.to_str()? {
        CONFINE => confine(arguments).map(|never| match never {}),
        SUPERVISE => supervise(arguments),
        _ => return None,
    };
    let Err(failure) = done else {
        return Some(ExitCode::SUCCESS);
    };
    let message = format!("{}: {failure}", name.display());
    eprintln!("{}", serde_json::json!({"level": "error", "msg": message}));
    Some(ExitCode::from(NOT_EXECUTED))
}

fn supervise(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let directory = arguments.next().ok_or("the directory is missing")?;
    Ok(supervisor::supervise(directory.as_ref())?)
}

fn confine(mut arguments: impl Iterator<Item = OsString>) -> Result<Infallible, Failure> {
    let mut next = || {
        let argument = arguments.next().and_then(|text| text.into_string().ok());
        argument.ok_or("an argument is missing")
    };
    let parent: u32 = next()?.parse()?;
    let sandbox: Sandbox = serde_json::from_str(&next()?)?;
    sandbox.enter(parent)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "this crate is the one that starts k6"
    )]
    let mut k6 = std::process::Command::new(&sandbox.program);
    let failed = k6.args(arguments).exec();
    let program = sandbox.program.display();
    Err(format!("{program} cannot be executed (it must be a static binary): {failed}").into())
}
