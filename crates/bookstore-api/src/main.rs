//! The BookStore API's process.

use std::process::ExitCode;

use bookstore_api::{App, AppConfig};
use service_defaults::process::{self, ProcessInfo};

fn main() -> ExitCode {
    let info = ProcessInfo {
        name: "bookstore-api",
        version: env!("CARGO_PKG_VERSION"),
        about: "Books and authors, and summaries of books by language models.",
    };
    process::run(
        &info,
        AppConfig::read,
        |config| config.http_addr,
        |config, shutdown| async move { App::serve(config, shutdown).await },
    )
}
