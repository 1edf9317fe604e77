//! The data file: everything that is sent.

use serde_json::{Map, Value, json};

use crate::configuration::{Configuration, Step};

/// The entries of the file's `steps`, with the number of each step's.
pub(super) struct Steps {
    entries: Vec<Value>,
    numbers: Vec<Vec<Option<usize>>>,
}

impl Steps {
    /// Gathers what the steps send. Steps that send the same share an entry; one that sends
    /// nothing has none.
    pub(super) fn of(configuration: &Configuration) -> Self {
        let mut entries: Vec<Value> = Vec::new();
        let mut number = |step: &Step| {
            let entry = entry(step)?;
            let known = entries.iter().position(|other| *other == entry);
            Some(known.unwrap_or_else(|| {
                entries.push(entry);
                entries.len() - 1
            }))
        };
        let journeys = configuration.journeys.iter();
        let numbers = journeys
            .map(|journey| journey.steps.iter().map(&mut number).collect())
            .collect();
        Self { entries, numbers }
    }

    /// The number of a step's entry.
    pub(super) fn number(&self, journey: usize, step: usize) -> Option<usize> {
        *self.numbers.get(journey)?.get(step)?
    }

    pub(super) fn file(self, configuration: &Configuration) -> Value {
        json!({ "rows": configuration.rows, "steps": self.entries })
    }
}

fn entry(step: &Step) -> Option<Value> {
    let mut entry = Map::new();
    let mut put = |name: &str, value: Value| entry.insert(name.to_owned(), value);
    if !step.values.is_empty() {
        put("values", step.values.clone().into());
    }
    let mut headers = step.headers.clone();
    let named = headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("content-type"));
    if step.body.is_some() && !named {
        headers.insert("Content-Type".to_owned(), "application/json".to_owned());
    }
    if !headers.is_empty() {
        put("headers", json!(headers));
    }
    if let Some(body) = &step.body {
        put("body", body.clone());
    }
    if let Some(text) = &step.text {
        put("text", text.as_str().into());
    }
    // By the number of the check in the step.
    let checks = step.check.iter().enumerate();
    let equals: Map<String, Value> = checks
        .filter_map(|(index, check)| Some((index.to_string(), check.equals.clone()?)))
        .collect();
    if !equals.is_empty() {
        put("equals", equals.into());
    }
    (!entry.is_empty()).then(|| entry.into())
}
