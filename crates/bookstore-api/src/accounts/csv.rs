//! Attempts as CSV (RFC 4180), safe to open with a spreadsheet.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde_json::Value;

use super::entries::AttemptReply;

/// The columns: every member of an attempt's JSON.
const COLUMNS: [&str; 36] = [
    "at",
    "callId",
    "attempt",
    "tenant",
    "testId",
    "feature",
    "variant",
    "promptVersion",
    "provider",
    "model",
    "regionClass",
    "serviceTier",
    "outcome",
    "errorType",
    "streamed",
    "inputTokens",
    "cacheReadTokens",
    "cacheWrite5mTokens",
    "cacheWrite1hTokens",
    "outputTokens",
    "reasoningTokens",
    "usageSource",
    "priceVersion",
    "inputPicoUsd",
    "cacheReadPicoUsd",
    "cacheWritePicoUsd",
    "outputPicoUsd",
    "costPicoUsd",
    "costUsd",
    "simulated",
    "traceId",
    "queueMs",
    "connectMs",
    "timeToFirstTokenMs",
    "decodeMs",
    "totalMs",
];

/// First characters that make a spreadsheet take a text for a formula
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(super) fn response(attempts: &[AttemptReply]) -> Response {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    for attempt in attempts {
        // A struct of texts and numbers always has a JSON form.
        let attempt = serde_json::to_value(attempt).unwrap_or_default();
        let cells: Vec<String> = COLUMNS.iter().map(|name| cell(&attempt[name])).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"llm-ledger.csv\""),
        ),
    ];
    (headers, text).into_response()
}

/// A text that looks like a formula gets an apostrophe, which spreadsheets do not show.
fn cell(value: &Value) -> String {
    let Value::String(text) = value else {
        return match value {
            Value::Null => String::new(),
            other => other.to_string(),
        };
    };
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_neither_formulas_nor_columns() {
        for (value, expected) in [
            (json!(null), ""),
            (json!(-7), "-7"),
            (json!(true), "true"),
            (json!("plain"), "plain"),
            (json!("=1+1"), "'=1+1"),
            (json!("@x"), "'@x"),
            (json!("-x"), "'-x"),
            (json!("+1,2"), "\"'+1,2\""),
            (json!("a \"b\""), "\"a \"\"b\"\"\""),
            (json!("a\nb"), "\"a\nb\""),
            (json!("\t=x"), "'\t=x"),
        ] {
            assert_eq!(cell(&value), expected);
        }
    }
}
