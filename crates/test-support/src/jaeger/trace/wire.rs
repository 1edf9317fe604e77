//! The JSON of Jaeger's query API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(in crate::jaeger) struct Reply {
    pub(in crate::jaeger) data: Option<Vec<Trace>>,
}

#[derive(Deserialize)]
pub(in crate::jaeger) struct Trace {
    spans: Vec<Span>,
    processes: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    service_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    #[serde(rename = "spanID")]
    span_id: String,
    operation_name: String,
    references: Vec<Reference>,
    duration: u64,
    tags: Vec<Tag>,
    logs: Option<Vec<Log>>,
    #[serde(rename = "processID")]
    process_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct Log {
    fields: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

impl From<Trace> for super::Trace {
    fn from(trace: Trace) -> Self {
        let named =
            |(id, service): (String, Service)| (id, (service.service_name, by_key(service.tags)));
        let processes: BTreeMap<_, _> = trace.processes.into_iter().map(named).collect();
        let process = |id: &str| processes.get(id).cloned().unwrap_or_default();
        let spans = trace.spans.into_iter().map(|span| super::Span {
            parent_id: span
                .references
                .into_iter()
                .find(|reference| reference.ref_type == "CHILD_OF")
                .map(|reference| reference.span_id),
            service: process(&span.process_id).0,
            resource: process(&span.process_id).1,
            id: span.span_id,
            name: span.operation_name,
            tags: by_key(span.tags),
            events: span
                .logs
                .unwrap_or_default()
                .into_iter()
                .map(|log| by_key(log.fields))
                .collect(),
            duration: span.duration,
        });
        Self {
            spans: spans.collect(),
        }
    }
}

fn by_key(tags: Vec<Tag>) -> BTreeMap<String, Value> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}
