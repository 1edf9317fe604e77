//! The BookStore API's process.

use std::process::ExitCode;

use bookstore_api::{ABOUT, App, AppConfig, command};
use service_defaults::process::{self, ProcessInfo};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = command(&arguments) {
        return code;
    }
    let info = ProcessInfo {
        name: "bookstore-api",
        version: env!("CARGO_PKG_VERSION"),
        about: ABOUT,
    };
    process::run(
        &info,
        AppConfig::read,
        |config| config.http_addr,
        |config, shutdown| Box::pin(App::serve(config, shutdown)),
    )
}
