//! k6's log, read while it grows.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use serde::Deserialize;

use crate::redaction::redact;
pub use crate::tail::Progress;
use crate::tail::{LineTail, Taken};

/// The longest line that is read. Scripts can log anything.
pub const MAX_LINE_LENGTH: usize = 16 * 1024;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    /// When, as k6 writes it: RFC 3339 with seconds.
    #[serde(default)]
    pub time: String,
    /// `error`, `warning`, `info` or `debug`.
    #[serde(default)]
    pub level: String,
    /// The message. `console.log` of a script comes here as well.
    #[serde(default, rename = "msg")]
    pub message: String,
    /// The error behind the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// `console` for what the script wrote, `stacktrace` for its exceptions.
    #[serde(default)]
    pub source: Option<String>,
    /// The output that it is about.
    #[serde(default)]
    pub output: Option<String>,
}

/// Reads the log line by line. Blocking: call it where blocking is allowed.
#[derive(Debug)]
pub struct LogReader {
    tail: LineTail,
}

impl LogReader {
    /// Reads a log from its beginning; the file need not exist yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self {
            tail: LineTail::new(path, MAX_LINE_LENGTH),
        }
    }

    /// Hands out the lines that are new, at most 1 MiB of them. A line that is no JSON (k6's
    /// own crash report) is its own message.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&mut self, mut each: impl FnMut(LogLine)) -> io::Result<Progress> {
        self.tail.read(|line| {
            each(parse(line));
            Taken::Whole
        })
    }
}

impl LogLine {
    /// Whether k6 says that samples or its summary were lost. It exits with 0 all the same.
    #[must_use]
    pub fn is_output_error(&self) -> bool {
        let about_summary = self.message.contains("end-of-test summary");
        self.level == "error" && self.source.is_none() && (self.output.is_some() || about_summary)
    }
}

impl std::fmt::Display for LogLine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        self.error
            .as_ref()
            .map_or(Ok(()), |error| write!(formatter, ": {error}"))
    }
}

/// Reads a line without the secrets in it: a script logs what it likes, k6 the addresses that failed.
fn parse(line: &[u8]) -> LogLine {
    let mut line: LogLine = serde_json::from_slice(line).unwrap_or_else(|_| LogLine {
        time: String::new(),
        level: "error".to_owned(),
        message: String::from_utf8_lossy(line).into_owned(),
        error: None,
        source: None,
        output: None,
    });
    for text in [Some(&mut line.message), line.error.as_mut()]
        .into_iter()
        .flatten()
    {
        if let Cow::Owned(redacted) = redact(text) {
            *text = redacted;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_samples_and_summaries_are_told_from_what_scripts_log() {
        let check = |line: &str, is_output_error| {
            assert_eq!(
                parse(line.as_bytes()).is_output_error(),
                is_output_error,
                "{line}"
            );
        };
        check(
            r#"{"error":"no space left on device","failed":22,"level":"error","msg":"Sample(s) couldn't be marshalled to JSON","output":"json"}"#,
            true,
        );
        check(
            r#"{"error":"could not open","level":"error","msg":"failed to handle the end-of-test summary"}"#,
            true,
        );
        check(
            r#"{"level":"error","msg":"failed to handle the end-of-test summary","source":"console"}"#,
            false,
        );
        check(
            r#"{"level":"error","msg":"Error: mine","source":"stacktrace","scenario":"default"}"#,
            false,
        );
        check(
            r#"{"level":"warning","msg":"Request Failed","error":"dial"}"#,
            false,
        );
    }

    #[test]
    fn secrets_do_not_come_out_of_the_log() {
        for line in [
            r#"{"msg":"Request Failed","error":"Get \"http://u:canary@h/p?k=canary\": EOF"}"#,
            r#"{"msg":"{\"token\":\"canary\"}","source":"console"}"#,
            "panic: Authorization: Bearer canary",
        ] {
            let text = parse(line.as_bytes()).to_string();
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_no_json_is_its_own_message() {
        assert_eq!(parse(b"panic: boom").message, "panic: boom");
    }
}
