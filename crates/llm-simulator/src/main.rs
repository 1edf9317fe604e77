//! The LLM simulator as a process.

use std::process::ExitCode;

use llm_simulator::{ProcessConfig, app, options};
use service_defaults::{
    environment::Environment,
    process::{self, ProcessInfo},
};

const INFO: ProcessInfo = ProcessInfo {
    name: "llm-simulator",
    version: env!("CARGO_PKG_VERSION"),
    about: "Simulates model servers: the vendors' protocols on one port.",
};

/// Of sysexits.h: the command line is wrong.
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let invocation = match options::read(&given, Environment::of_process()) {
        Ok(invocation) => invocation,
        Err(reason) => return refuse(&reason),
    };
    process::run_as(
        invocation,
        &INFO,
        |env| ProcessConfig::read(env, INFO.version),
        |config| config.address,
        app::serve_until,
    )
}

#[expect(clippy::print_stderr, reason = "the command line's own answer")]
fn refuse(reason: &str) -> ExitCode {
    eprintln!("{}: {reason}", INFO.name);
    ExitCode::from(EX_USAGE)
}
