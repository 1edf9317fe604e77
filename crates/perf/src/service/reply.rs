//! Replies: their text within a bound, or the problem that they are.

use std::error::Error;

use reqwest::Response;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// Seconds of a run of four hours as JSON are some 4 MB; more is not read into memory.
const LARGEST: usize = 32 * 1024 * 1024;

/// What of an answer that is no problem document is quoted.
const QUOTED: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    errors: Map<String, Value>,
}

/// The text of a reply; the outer error says that it refuses or is too large, the inner one that
/// it broke off.
pub(super) async fn text(
    call: &str,
    mut reply: Response,
) -> Result<Result<String, reqwest::Error>, Failure> {
    let status = reply.status();
    let mut bytes = Vec::new();
    loop {
        match reply.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Err(error) => return Ok(Err(error)),
        }
        if bytes.len() > LARGEST {
            return Err(Failure::Broken(format!(
                "{call} answered more than {LARGEST} bytes"
            )));
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if status.is_success() {
        return Ok(Ok(text));
    }
    Err(Failure::Refused {
        call: call.to_owned(),
        status,
        reason: reason(&text),
    })
}

/// Detail and fields of a problem document.
fn reason(text: &str) -> String {
    let Ok(problem) = serde_json::from_str::<Problem>(text) else {
        return text.chars().take(QUOTED).collect();
    };
    let mut sentences: Vec<String> = problem.detail.or(problem.title).into_iter().collect();
    for (field, reasons) in &problem.errors {
        let reasons: Vec<&str> = match reasons {
            Value::Array(reasons) => reasons.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        let reasons = reasons.join(", ");
        // Of a single field the detail says the same.
        if sentences.first() != Some(&format!("{field} {reasons}")) {
            sentences.push(format!("{field}: {reasons}"));
        }
    }
    sentences.join("; ")
}

/// The innermost cause, which is the one that tells: `Connection refused (os error 111)`.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_fields() {
        let text = r#"{"title":"Invalid","detail":"a field is invalid","errors":{"options.virtualUsers":["at most 1000"]}}"#;
        assert_eq!(
            reason(text),
            "a field is invalid; options.virtualUsers: at most 1000"
        );
        let text = r#"{"detail":"scenario is odd","errors":{"scenario":["is odd"]}}"#;
        assert_eq!(reason(text), "scenario is odd", "once");
        assert_eq!(reason("<html>"), "<html>");
    }
}
