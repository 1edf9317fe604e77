//! The performance service's process.

use std::process::ExitCode;

use performance_service::{Config, serve};
use service_defaults::process::{self, ProcessInfo};

fn main() -> ExitCode {
    // k6 and what watches it begin as processes of this program.
    if let Some(code) = load_runner::subcommand::run(std::env::args_os().skip(1)) {
        return code;
    }
    let info = ProcessInfo {
        name: "performance-service",
        version: env!("CARGO_PKG_VERSION"),
        about: "Starts load tests, shows them live, judges them.",
    };
    process::run(&info, Config::read, |config| config.http_addr, serve)
}
