//! What was asked of runs that is not the same in all of them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::comparing::Measured;
use crate::runs::body::RunBody;

/// Something that explains a difference by itself.
pub(crate) struct Difference {
    /// `target`, `option duration`, `variable PROVIDER`.
    pub(crate) what: String,
    /// What it was in each run, in their order; empty where a run did not say.
    pub(crate) values: Vec<String>,
}

/// Everything that differs between some runs, beside the time.
pub(crate) fn between<'a>(runs: impl Iterator<Item = &'a Measured>) -> Vec<Difference> {
    let asked: Vec<BTreeMap<String, String>> = runs.map(asked).collect();
    let mut names: Vec<&String> = asked.iter().flat_map(BTreeMap::keys).collect();
    names.sort_unstable();
    names.dedup();
    let difference = |name: &String| {
        let of = |asked: &BTreeMap<String, String>| asked.get(name).cloned().unwrap_or_default();
        let values: Vec<String> = asked.iter().map(of).collect();
        let all_same = values.windows(2).all(|pair| pair[0] == pair[1]);
        (!all_same).then(|| Difference {
            what: name.clone(),
            values,
        })
    };
    names.into_iter().filter_map(difference).collect()
}

fn asked(measured: &Measured) -> BTreeMap<String, String> {
    let run = &measured.run;
    let body = RunBody::new(run, None);
    let members = |prefix: &str, value: Value| match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (format!("{prefix} {name}"), text(value)))
            .collect(),
        _ => Vec::new(),
    };
    let json = |value: Result<Value, serde_json::Error>| value.unwrap_or_default();
    let mut asked = BTreeMap::from([
        ("test".to_owned(), run.test_name.clone()),
        ("scenario".to_owned(), run.scenario.clone()),
        ("script".to_owned(), run.script.clone()),
        ("target".to_owned(), run.environment.clone()),
    ]);
    asked.extend(members("option", json(serde_json::to_value(&body.options))));
    let variables = json(serde_json::to_value(&body.environment));
    asked.extend(members("variable", variables));
    asked
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
