//! What a command has to say, and how it reaches standard output.

use std::io::Write;
use std::process::ExitCode;

use load_analysis::escape;
use load_analysis::verdict::Level;
use serde_json::Value;

use crate::failure::Failure;

/// The end of a command.
#[derive(Debug)]
pub(crate) struct Answer {
    text: String,
    /// For `--json`; without one the text is written in either case.
    document: Option<Value>,
    exit_code: u8,
}

impl Answer {
    /// A text for people with the same as a document.
    pub(crate) fn new(text: &str, document: Value) -> Self {
        Self {
            text: escape::terminal(text),
            document: Some(document),
            exit_code: 0,
        }
    }

    /// Text that is written as it is: a report, a script.
    pub(crate) fn verbatim(text: String) -> Self {
        Self {
            text,
            document: None,
            exit_code: 0,
        }
    }

    /// The same with the exit code of a judgement.
    pub(crate) fn judged(self, level: Level) -> Self {
        self.with_exit_code(level.exit_code())
    }

    pub(crate) fn with_exit_code(self, exit_code: u8) -> Self {
        Self { exit_code, ..self }
    }

    /// Writes the answer. A reader that has gone, such as `head`, is no failure.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn write(self, json: bool) -> Result<ExitCode, Failure> {
        let mut text = match self.document {
            Some(document) if json => format!("{document:#}"),
            _ => self.text,
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Broken(format!("standard output: {error}")))
            }
            _ => Ok(ExitCode::from(self.exit_code)),
        }
    }
}
