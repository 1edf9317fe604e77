//! The `perf` process.

use std::process::ExitCode;

fn main() -> ExitCode {
    perf::run(
        std::env::args_os(),
        service_defaults::environment::Environment::of_process(),
    )
}
