//! What k6 makes of a script before it runs: `k6 inspect --execution-requirements`.

mod execution;

use std::collections::BTreeMap;
use std::time::Duration;

use load_analysis::threshold::{InvalidThreshold, Threshold};
use serde::Deserialize;
use serde_json::Value;

use crate::duration;
use crate::exit::K6Exit;
use crate::options::MAX_THRESHOLDS;
use crate::process::Output;
use crate::runner::Requirements;

/// Why k6 does not take a script.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It refuses the script or the options.
    #[error("k6 refuses the script: {meaning}; it says: {log}", meaning = .exit.meaning())]
    Refused {
        /// The exit code.
        exit: K6Exit,
        /// What it logged.
        log: String,
    },
    /// It did not end in time: the script's init code hangs.
    #[error("k6 did not finish reading the script within {0:?}")]
    TooSlow(Duration),
    /// It could not be executed.
    #[error("k6 inspect cannot run: {0}")]
    Failed(#[from] std::io::Error),
    /// Its answer is not the expected JSON.
    #[error("the answer of k6 inspect cannot be read: {0}")]
    Unreadable(String),
    /// A threshold of the script that k6 takes and we do not.
    #[error("a threshold of the script cannot be judged: {0}")]
    Threshold(#[from] InvalidThreshold),
}

/// The part of the answer that matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inspection {
    thresholds: Option<serde_json::Map<String, Value>>,
    total_duration: Option<String>,
    #[serde(rename = "maxVUs")]
    max_virtual_users: Option<u32>,
    scenarios: Option<BTreeMap<String, Value>>,
}

/// Reads the output of a finished `k6 inspect`.
pub(crate) fn read(output: &Output) -> Result<Requirements, InspectError> {
    if output.exit != K6Exit::Code(0) {
        return Err(InspectError::Refused {
            exit: output.exit,
            log: output.log_excerpt(),
        });
    }
    let inspection: Inspection = serde_json::from_slice(&output.stdout)
        .map_err(|error| InspectError::Unreadable(error.to_string()))?;
    let total = inspection.total_duration.unwrap_or_default();
    let total_duration = duration::parse(&total)
        .map_err(|error| InspectError::Unreadable(format!("totalDuration {error}")))?;
    let execution = execution::read(&inspection.scenarios.unwrap_or_default());
    Ok(Requirements {
        execution: execution
            .inspect_err(|reason| tracing::warn!("a plan of load is not known: {reason}"))
            .ok(),
        total_duration,
        max_virtual_users: inspection.max_virtual_users.unwrap_or(0),
        thresholds: thresholds(inspection.thresholds.unwrap_or_default())?,
    })
}

fn thresholds(by_metric: serde_json::Map<String, Value>) -> Result<Vec<Threshold>, InspectError> {
    let mut thresholds = Vec::new();
    for (metric, expressions) in by_metric {
        for expression in expressions.as_array().into_iter().flatten() {
            // Either the expression alone or an object with the rule for aborting beside it.
            let text = expression
                .as_str()
                .or_else(|| expression.get("threshold")?.as_str());
            let text = text.ok_or_else(|| InspectError::Unreadable(expression.to_string()))?;
            thresholds.push(Threshold::parse(&metric, text)?);
        }
    }
    if thresholds.len() > MAX_THRESHOLDS {
        let count = thresholds.len();
        return Err(InspectError::Unreadable(format!(
            "{count} thresholds, allowed are {MAX_THRESHOLDS}"
        )));
    }
    Ok(thresholds)
}

#[cfg(test)]
mod tests {
    use load_analysis::execution::ExecutionPlan;

    use super::*;

    fn output(stdout: &str) -> Output {
        Output {
            exit: K6Exit::Code(0),
            stdout: stdout.into(),
            stderr: Vec::new(),
        }
    }

    #[test]
    fn reads_duration_users_and_both_forms_of_thresholds() {
        let text = r#"{"thresholds":{"d{a:b}":["p(95)<500",{"threshold":"p(99)<900","abortOnFail":true}]},
            "totalDuration":"1m31s","maxVUs":4,
            "scenarios":{"a":{"executor":"constant-vus","vus":4,"duration":"1m1s"}}}"#;
        let requirements = read(&output(text)).unwrap();
        assert_eq!(requirements.total_duration, Duration::from_secs(91));
        assert_eq!(requirements.max_virtual_users, 4);
        let execution = requirements.execution.as_ref();
        assert_eq!(execution.map(ExecutionPlan::user_seconds), Some(244.0));
        let names: Vec<_> = requirements
            .thresholds
            .iter()
            .map(Threshold::name)
            .collect();
        assert_eq!(names, ["d{a:b}: p(95)<500", "d{a:b}: p(99)<900"]);
    }

    #[test]
    fn an_unexpected_answer_is_an_error() {
        for text in [
            "",
            "[]",
            r#"{"totalDuration":"soon"}"#,
            r#"{"totalDuration":"1s","thresholds":{"a":[5]}}"#,
        ] {
            assert!(read(&output(text)).is_err(), "{text}");
        }
    }
}
