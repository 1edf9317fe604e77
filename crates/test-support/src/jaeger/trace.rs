//! A trace as Jaeger's query API tells it.

mod wire;

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) use self::wire::Reply;

/// What Jaeger has of one trace.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The spans, in no particular order.
    pub spans: Vec<Span>,
}

impl Trace {
    /// The names of all spans.
    #[must_use]
    pub fn span_names(&self) -> Vec<&str> {
        self.spans.iter().map(|span| span.name.as_str()).collect()
    }

    /// The first span whose name starts so.
    #[must_use]
    pub fn span(&self, name_prefix: &str) -> Option<&Span> {
        self.spans
            .iter()
            .find(|span| span.name.starts_with(name_prefix))
    }
}

/// One span.
#[derive(Debug, Clone)]
pub struct Span {
    /// 16 hex digits.
    pub id: String,
    /// The span above it; none for the root.
    pub parent_id: Option<String>,
    /// `operationName` in Jaeger.
    pub name: String,
    /// `service.name` of the process that sent it.
    pub service: String,
    /// The other attributes of that process.
    pub resource: BTreeMap<String, Value>,
    /// Attributes, `span.kind` among them.
    pub tags: BTreeMap<String, Value>,
    /// Attributes of each event in it; its name is that of `event`.
    pub events: Vec<BTreeMap<String, Value>>,
    /// Microseconds.
    pub duration: u64,
}

impl Span {
    /// An attribute as text: a string as it is, anything else as JSON.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<String> {
        self.tags.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}
