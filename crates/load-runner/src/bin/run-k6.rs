//! The subcommands of this crate as a program of their own, for its tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    load_runner::subcommand::run(std::env::args_os().skip(1)).unwrap_or(ExitCode::FAILURE)
}
