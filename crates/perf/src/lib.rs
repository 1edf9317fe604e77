//! `perf`: load tests from a terminal or a pipeline. It asks the performance service over HTTP
//! and knows neither its store nor k6.
//!
//! [`run`] reads the [`arguments`] and hands over to one of the [`commands`], which asks the
//! [`service`] and gives an [`answer`]: a text, a JSON document and an exit code. A run that goes
//! on is [followed](follow) with its [progress]. What keeps a command from answering is a
//! [`failure`].

mod answer;
mod arguments;
mod commands;
mod console;
mod failure;
mod follow;
mod identify;
mod interrupt;
mod progress;
mod service;
mod settings;
mod start;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use service_defaults::environment::Environment;

use crate::answer::Answer;
use crate::arguments::{Cli, Command};
use crate::failure::{Failure, TROUBLE};
use crate::service::Service;
use crate::settings::Settings;

/// Runs one command: all of `main`.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let json = cli.json;
    let outcome = execute(cli, environment).and_then(|answer| answer.write(json));
    outcome.unwrap_or_else(|failure| failure.report())
}

/// Help and version are answers; everything else is a mistake in the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() || printed.is_err() {
        ExitCode::from(TROUBLE)
    } else {
        ExitCode::SUCCESS
    }
}

fn execute(cli: Cli, environment: Environment) -> Result<Answer, Failure> {
    // One TLS stack; a second provider would be refused, and there is none.
    drop(rustls::crypto::ring::default_provider().install_default());
    // Users, proxies and the ledger of an experiment run side by side.
    let mut runtime = match cli.command {
        Command::Chaos(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|error| Failure::Broken(format!("the runtime does not start: {error}")))?;
    runtime.block_on(answer(cli, environment))
}

async fn answer(cli: Cli, environment: Environment) -> Result<Answer, Failure> {
    let settings = Settings::read(environment, cli.url.as_deref(), cli.token_file.as_deref())?;
    let service = Service::new(&settings)?;
    let live = !cli.json;
    match cli.command {
        Command::Run(arguments) => commands::run::run(&service, &arguments, live).await,
        Command::Forecast(arguments) => commands::forecast::forecast(&service, &arguments).await,
        Command::Gate(arguments) => {
            let summary = settings.step_summary.as_deref();
            commands::gate::gate(&service, &arguments, summary, live).await
        }
        Command::Capacity(arguments) => {
            commands::capacity::capacity(&service, &arguments, live).await
        }
        Command::Chaos(arguments) => commands::chaos::chaos(&arguments, live).await,
        Command::Compare(arguments) => commands::compare::compare(&service, &arguments).await,
        Command::Report(arguments) => commands::report::report(&service, &arguments).await,
        Command::List(arguments) => commands::list::list(&service, &arguments).await,
        Command::Schedules => commands::schedules::schedules(&service).await,
        Command::Baseline(command) => commands::baseline::baseline(&service, &command).await,
        Command::Cancel(arguments) => commands::cancel::cancel(&service, &arguments).await,
        Command::Validate(arguments) => commands::validate::validate(&arguments),
        Command::Completions(arguments) => commands::completions::completions(&arguments),
    }
}
