//! What is asked of the service when a run is started.

use std::collections::BTreeMap;

use clap::Args;
use load_analysis::dollars::Dollars;
use load_analysis::threshold::Threshold;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The load and its limits.
#[derive(Debug, Default, Args)]
pub(crate) struct LoadArguments {
    /// Scenario of a script: smoke, load (the usual one), stress, spike, soak or volume.
    #[arg(long)]
    scenario: Option<String>,
    /// Virtual users, in the place of the script's load.
    #[arg(long, value_name = "N")]
    vus: Option<u64>,
    /// Duration such as 30s or 1m30s, in the place of the script's load.
    #[arg(long)]
    duration: Option<String>,
    /// Iterations, shared by all virtual users.
    #[arg(long, value_name = "N")]
    iterations: Option<u64>,
    /// Time at the begin of the load that is measured and not judged, such as 30s.
    #[arg(long, value_name = "DURATION")]
    warm_up: Option<String>,
    /// Give the script `LLM_RELAY_URL`, a relay to the target that stamps the streams of models.
    #[arg(long)]
    relay: bool,
    /// Arrivals per second for the duration, whether the ones before have ended or not; `--vus` are
    /// the most at once then.
    #[arg(long, value_name = "RATE", requires = "duration")]
    rate: Option<f64>,
    /// How many k6 share the load, each with a part of it.
    #[arg(long, value_name = "N")]
    processes: Option<u64>,
    /// What k6 runs as. [default: the service's setting]
    #[arg(long, value_parser = ["process", "processes", "container"])]
    runner: Option<String>,
    /// A threshold such as `http_req_duration:p(95)<500`; may be given again.
    #[arg(long = "threshold", value_name = "METRIC:EXPRESSION", value_parser = threshold)]
    threshold: Vec<(String, String)>,
    /// Thresholds as k6's options have them: `{"http_req_duration":["p(95)<500"]}`.
    #[arg(long, value_name = "JSON", value_parser = thresholds)]
    thresholds: Option<Thresholds>,
    /// A variable of the script; may be given again.
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = variable)]
    environment: Vec<(String, String)>,
    /// Which k6.
    #[arg(long, value_parser = ["v1", "v2"])]
    k6: Option<String>,
    /// Accept any certificate of the target.
    #[arg(long)]
    insecure_skip_tls_verify: bool,
    /// Dollars after which the run is stopped, of real and of simulated money, each by itself.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    max_dollars: Option<String>,
    /// Real dollars that may be spent, where a run needs that to be confirmed.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    confirm_dollars: Option<String>,
    /// Which build of the target is measured, such as its commit: steps over runs name it.
    #[arg(long, value_name = "COMMIT", env = "GITHUB_SHA")]
    revision: Option<String>,
}

type Thresholds = BTreeMap<String, Expressions>;

/// One expression or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Expressions {
    One(String),
    Many(Vec<String>),
}

impl LoadArguments {
    /// The body that asks for a run of a scenario or a script, which is told by `.js` or `/`.
    pub(crate) fn body(&self, what: &str, name: Option<&str>) -> Value {
        let is_script = what.contains('/') || what.ends_with(".js");
        let member = if is_script { "testScript" } else { "scenario" };
        let stem = what.rsplit('/').next().unwrap_or(what);
        let name = name.unwrap_or(stem.trim_end_matches(".js"));
        let mut body = json!({"testName": name, member: what});
        self.add_to(&mut body);
        body
    }

    /// Puts what was given into a body, in the place of what stands there.
    pub(crate) fn add_to(&self, body: &mut Value) {
        if let Some(scenario) = &self.scenario {
            body["scenario"] = json!(scenario);
        }
        for (key, value) in &self.environment {
            body["environment"][key] = json!(value);
        }
        for (member, text) in [
            ("maxDollars", &self.max_dollars),
            ("confirmDollars", &self.confirm_dollars),
            ("revision", &self.revision),
        ] {
            if let Some(text) = text {
                body[member] = json!(text);
            }
        }
        let mut options = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            options.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("virtualUsers", self.vus.map(Value::from));
        set("duration", self.duration.clone().map(Value::from));
        set("iterations", self.iterations.map(Value::from));
        set("warmUp", self.warm_up.clone().map(Value::from));
        set("relay", self.relay.then_some(Value::Bool(true)));
        set("rate", self.rate.map(Value::from));
        set("processes", self.processes.map(Value::from));
        set("runner", self.runner.clone().map(Value::from));
        set("k6Version", self.k6.clone().map(Value::from));
        let insecure = self.insecure_skip_tls_verify;
        set(
            "insecureSkipTLSVerify",
            insecure.then_some(Value::Bool(true)),
        );
        let asked = self.asked_thresholds();
        set("thresholds", (!asked.is_empty()).then(|| json!(asked)));
        for (name, value) in options {
            body["options"][name] = value;
        }
    }

    /// The duration that was asked for, here or in the body.
    pub(crate) fn planned(body: &Value) -> Option<&str> {
        body["options"]["duration"].as_str()
    }

    fn asked_thresholds(&self) -> BTreeMap<String, Vec<String>> {
        let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (metric, expressions) in self.thresholds.iter().flatten() {
            let expressions = match expressions {
                Expressions::One(one) => vec![one.clone()],
                Expressions::Many(many) => many.clone(),
            };
            asked.entry(metric.clone()).or_default().extend(expressions);
        }
        for (metric, expression) in &self.threshold {
            let of_metric = asked.entry(metric.clone()).or_default();
            of_metric.push(expression.clone());
        }
        asked
    }
}

/// Tags of the metric have colons, expressions have none.
fn threshold(text: &str) -> Result<(String, String), String> {
    let (metric, expression) = text
        .rsplit_once(':')
        .ok_or("expected METRIC:EXPRESSION, such as http_req_duration:p(95)<500")?;
    Threshold::parse(metric.trim(), expression.trim()).map_err(|error| error.to_string())?;
    Ok((metric.trim().to_owned(), expression.trim().to_owned()))
}

fn thresholds(text: &str) -> Result<Thresholds, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("expected an object such as {{\"http_req_duration\":[\"p(95)<500\"]}}: {error}")
    })
}

/// An amount of money as its text: the service reads it exactly.
fn dollars(text: &str) -> Result<String, String> {
    let amount: Result<Dollars, _> = text.parse();
    amount.map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_told_by_its_name() {
        let load = LoadArguments::default();
        assert_eq!(
            load.body("smoke", None),
            json!({"testName": "smoke", "scenario": "smoke"})
        );
        assert_eq!(
            load.body("tests/load.js", Some("nightly")),
            json!({"testName": "nightly", "testScript": "tests/load.js"})
        );
    }

    #[test]
    fn what_is_given_replaces_what_stands_there() {
        let load = LoadArguments {
            vus: Some(3),
            warm_up: Some("2s".to_owned()),
            relay: true,
            threshold: vec![threshold("http_req_duration{a:b}:p(95)<5").unwrap()],
            thresholds: Some(thresholds(r#"{"checks":"rate>0.9"}"#).unwrap()),
            environment: vec![variable("SCALE=0.1").unwrap()],
            max_dollars: Some(dollars("0.25").unwrap()),
            revision: Some("4daffb7".to_owned()),
            ..LoadArguments::default()
        };
        let mut body = json!({"options": {"virtualUsers": 1, "duration": "1m"}});
        load.add_to(&mut body);
        assert_eq!(
            body,
            json!({
                "environment": {"SCALE": "0.1"},
                "maxDollars": "0.25",
                "revision": "4daffb7",
                "options": {
                    "virtualUsers": 3,
                    "duration": "1m",
                    "warmUp": "2s",
                    "relay": true,
                    "thresholds": {
                        "checks": ["rate>0.9"],
                        "http_req_duration{a:b}": ["p(95)<5"],
                    },
                },
            })
        );
    }

    #[test]
    fn mistakes_are_told_before_anything_is_sent() {
        for wrong in [
            "http_req_duration",
            "http_req_duration:p(101)<5",
            ":p(95)<5",
        ] {
            assert!(threshold(wrong).is_err(), "{wrong}");
        }
        for wrong in ["[", "[]", "1"] {
            assert!(thresholds(wrong).is_err(), "{wrong}");
        }
        assert!(variable("SCALE").is_err());
        assert!(dollars("-1").is_err() && dollars("much").is_err());
    }
}
