//! What stands in the form, to be started from elsewhere: by `curl`, by `perf`, or as a document.

use std::fmt::Write as _;

use serde_json::Value;

use crate::runs::request::{Expressions, StartBody, Word};
use crate::scenarios::Scenario;

/// The same request three times.
pub(super) struct Copies {
    pub(super) curl: String,
    pub(super) command: String,
    pub(super) yaml: String,
}

/// Copies of a request, for callers who need a token or not. Grants and confirmations are given
/// anew each time, and are in none of them.
pub(super) fn of(request: &StartBody, with_token: bool) -> Copies {
    let request = StartBody {
        confirm_production: None,
        confirm_dollars: None,
        ..request.clone()
    };
    let document = without_nothing(serde_json::to_value(&request).unwrap_or_default());
    Copies {
        curl: curl(&document, with_token),
        command: command(&request),
        yaml: yaml(&document),
    }
}

/// A token is no argument: other users of a machine see those.
fn curl(document: &Value, with_token: bool) -> String {
    let (before, header) = if with_token {
        let token = "printf 'Authorization: Bearer %s' \"$(cat \"$PERFORMANCE_TOKEN_FILE\")\" | ";
        (token, " -H @-")
    } else {
        ("", "")
    };
    let body = quoted(&document.to_string());
    format!(
        "{before}curl -sS \"${{PERFORMANCE_URL:-http://127.0.0.1:7004}}\
         /api/v1/performancetest/start\"{header} -H 'Content-Type: application/json' \
         --data-binary {body}"
    )
}

fn command(request: &StartBody) -> String {
    let scenario = request.scenario.as_ref().map(|Word(text)| text.as_str());
    let options = &request.options;
    let mut command = format!(
        "perf run {}",
        quoted(
            request
                .test_script
                .as_deref()
                .or(scenario)
                .unwrap_or("load")
        )
    );
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _infallible = write!(command, " --{name} {}", quoted(&value));
        }
    };
    let of_script = scenario.filter(|_| request.test_script.is_some());
    add("name", Some(name(request)));
    add("scenario", of_script.map(str::to_owned));
    add("vus", options.virtual_users.map(|it| it.to_string()));
    add("duration", options.duration.clone());
    add("iterations", options.iterations.map(|it| it.to_string()));
    add("rate", options.rate.map(|it| it.to_string()));
    add("processes", options.processes.map(|it| it.to_string()));
    add("warm-up", options.warm_up.clone());
    add("runner", options.runner.clone());
    add("k6", options.k6_version.clone());
    add("max-dollars", request.max_dollars.clone().map(|it| it.0));
    for (key, Word(value)) in &request.environment {
        add("env", Some(format!("{key}={value}")));
    }
    for (metric, Expressions(expressions)) in &options.thresholds {
        for expression in expressions {
            add("threshold", Some(format!("{metric}:{expression}")));
        }
    }
    command
}

/// The name that the service would give, which the command line does not know.
fn name(request: &StartBody) -> String {
    let scenario = request.scenario.as_ref();
    let scenario = scenario.and_then(|Word(text)| Scenario::parse(text));
    let named = request.test_name.clone();
    named.unwrap_or_else(|| scenario.unwrap_or(Scenario::Load).default_name())
}

/// Without members that say nothing.
fn without_nothing(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let kept = members
        .into_iter()
        .map(|(name, value)| (name, without_nothing(value)));
    Value::Object(kept.filter(|(_, value)| says(value)).collect())
}

/// A word of a shell: as it is where no sign of it means anything.
fn quoted(text: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "_./:=@%+,-".contains(sign);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A document as YAML. Texts are quoted as in JSON, of which YAML knows every escape.
fn yaml(document: &Value) -> String {
    let mut text = String::new();
    members(&mut text, document, 0);
    text
}

fn members(text: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    for (name, value) in value.as_object().into_iter().flatten() {
        let plain = name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
        let name = if plain {
            name.clone()
        } else {
            Value::from(name.as_str()).to_string()
        };
        let _infallible = match value {
            Value::Object(_) | Value::Array(_) => writeln!(text, "{indent}{name}:"),
            other => writeln!(text, "{indent}{name}: {other}"),
        };
        for item in value.as_array().into_iter().flatten() {
            let _infallible = writeln!(text, "{indent}  - {item}");
        }
        members(text, value, depth + 1);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn copies(request: Value, with_token: bool) -> Copies {
        of(&serde_json::from_value(request).unwrap(), with_token)
    }

    #[test]
    fn a_request_is_the_same_from_everywhere() {
        let request = json!({
            "testName": "it's <b>",
            "scenario": "Load",
            "testScript": "tests/load.js",
            "environment": {"SEED": 7},
            "options": {
                "virtualUsers": 3,
                "thresholds": {"http_req_duration{name:a}": ["p(95)<9"]},
            },
            "confirmDollars": "7",
        });
        let copies = copies(request, false);
        assert_eq!(
            copies.command,
            r"perf run tests/load.js --name 'it'\''s <b>' --scenario Load --vus 3 --env SEED=7 \
              --threshold 'http_req_duration{name:a}:p(95)<9'"
                .replace("\\\n              ", "")
        );
        let body = copies.curl.split_once("--data-binary '").unwrap().1;
        let body = body.trim_end_matches('\'').replace(r"'\''", "'");
        let sent: Value = serde_json::from_str(&body).unwrap();
        let expected = json!({
            "testName": "it's <b>",
            "scenario": "Load",
            "testScript": "tests/load.js",
            "environment": {"SEED": "7"},
            "options": {
                "virtualUsers": 3,
                "thresholds": {"http_req_duration{name:a}": ["p(95)<9"]},
            },
        });
        assert_eq!(sent, expected);
        let yaml = "environment:\n  SEED: \"7\"\noptions:\n  thresholds:\n    \
                    \"http_req_duration{name:a}\":\n      - \"p(95)<9\"\n  virtualUsers: 3\n\
                    scenario: \"Load\"\ntestName: \"it's <b>\"\ntestScript: \"tests/load.js\"\n";
        let mut lines: Vec<&str> = copies.yaml.lines().collect();
        let mut expected: Vec<&str> = yaml.lines().collect();
        lines.sort_unstable();
        expected.sort_unstable();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_token_is_no_argument() {
        let copies = copies(json!({"scenario": "Smoke"}), true);
        assert!(copies.curl.starts_with("printf "), "{}", copies.curl);
        assert!(
            !copies.curl.contains("-H \"Authorization"),
            "{}",
            copies.curl
        );
        assert_eq!(copies.command, "perf run Smoke --name 'Smoke test'");
    }
}
