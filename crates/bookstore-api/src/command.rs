//! What the binary does besides serving: reading price lists and pricing files of calls.

mod cost;
mod prices;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use llm::Prices;
use service_defaults::environment::Environment;

use crate::config::read_prices;

/// What the process is and which commands it has, for `--help`.
pub const ABOUT: &str = "\
Books and authors, and summaries of books by language models.

Commands:
  prices check [FILE]           check a price list: FILE, else the one in use
  prices show MODEL [--at DATE] the prices of a model, now or at a time
  cost [FILE]                   price calls: JSON lines in, from FILE or standard input, the same
                                lines out with cost_pico_usd (null: no price is known)";

/// How a command ends.
enum Outcome {
    Done,
    /// Some of the input was wrong and was named.
    Refused,
    /// The command line or a setting is wrong.
    Misused(String),
}

/// Runs the command that the arguments name; `None` when they name none.
#[must_use]
pub fn command(arguments: &[String]) -> Option<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["prices", rest @ ..] => prices::run(rest),
        ["cost", rest @ ..] => cost::run(rest),
        _ => return None,
    };
    Some(match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::FAILURE,
        Ok(Outcome::Misused(reason)) => {
            say(&reason);
            // EX_USAGE of sysexits.h.
            ExitCode::from(64)
        }
        // Whoever read our output has enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    })
}

/// The price list in use by the settings of the process.
fn prices_in_use() -> Result<Prices, Outcome> {
    let mut environment = Environment::of_process();
    let prices = read_prices(&mut environment);
    match environment.errors().first() {
        None => Ok(prices),
        Some(error) => Err(Outcome::Misused(error.to_string())),
    }
}

/// One line to standard error.
fn say(text: &str) {
    // Where even this cannot be written, the exit code is all there is.
    let _unwritten = writeln!(io::stderr(), "bookstore-api: {text}");
}
