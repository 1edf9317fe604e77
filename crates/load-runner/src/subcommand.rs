//! What a program of ours becomes when it is told to: a k6 in its sandbox.
//!
//! A process can only give up its own rights, so that the first step of a k6 is a process of
//! ours. Every program that runs load has these subcommands, and calls [`run`] before anything
//! else.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use crate::exit::NOT_EXECUTED;
use crate::sandbox::Sandbox;

/// `confine-k6 PARENT SANDBOX ARGUMENT…` becomes the sandbox's k6 with these arguments.
pub(crate) const CONFINE: &str = "confine-k6";

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
    let failure = match name.to_str()? {
        CONFINE => match confine(arguments) {
            Ok(never) => match never {},
            Err(failure) => failure,
        },
        _ => return None,
    };
    let line = serde_json::json!({"level": "error", "msg": format!("{}: {failure}", CONFINE)});
    eprintln!("{line}");
    Some(ExitCode::from(NOT_EXECUTED))
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
