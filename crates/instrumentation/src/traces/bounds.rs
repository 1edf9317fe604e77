//! How long the texts of a span may be: callers and providers choose some of them, and a queue that
//! is bounded by its number of spans is none unless each span is.

use std::borrow::Cow;

use opentelemetry::{Array, KeyValue, StringValue, Value, trace::Status};
use opentelemetry_sdk::trace::SpanData;

use crate::cut::cut;

/// Longest text of one attribute. A batch of 512 spans, each with two as long as this, is a quarter
/// of the four megabytes that a collector takes at once.
const MAX_TEXT_BYTES: usize = 1_024;

/// What was asked and answered, where the operator wants it: whoever writes these bounds them.
const MESSAGES: [&str; 3] = [
    "gen_ai.system_instructions",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
];

/// Cuts every text of a span that is too long, and marks the cut.
pub(super) fn bound(span: &mut SpanData) {
    if let Some(cut) = cut(&span.name, MAX_TEXT_BYTES) {
        span.name = Cow::Owned(cut);
    }
    span.attributes.iter_mut().for_each(bound_attribute);
    for event in &mut span.events.events {
        event.attributes.iter_mut().for_each(bound_attribute);
    }
    if let Status::Error { description } = &mut span.status
        && let Some(cut) = cut(description, MAX_TEXT_BYTES)
    {
        *description = Cow::Owned(cut);
    }
}

fn bound_attribute(attribute: &mut KeyValue) {
    match &mut attribute.value {
        Value::String(text) if !MESSAGES.contains(&attribute.key.as_str()) => bound_text(text),
        Value::Array(Array::String(texts)) => texts.iter_mut().for_each(bound_text),
        _ => {}
    }
}

fn bound_text(text: &mut StringValue) {
    if let Some(cut) = cut(text.as_str(), MAX_TEXT_BYTES) {
        *text = cut.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_lists_are_cut_and_messages_are_not() {
        let long = "x".repeat(100_000);
        let list = Array::String(vec![long.clone().into()]);
        let mut attributes = [
            KeyValue::new("url.path", long.clone()),
            KeyValue::new("gen_ai.response.finish_reasons", Value::Array(list)),
            KeyValue::new("gen_ai.input.messages", long),
            KeyValue::new("http.response.status_code", 200),
        ];
        attributes.iter_mut().for_each(bound_attribute);
        let lengths = attributes.map(|one| one.value.to_string().len());
        assert!(lengths[0] < 1_100 && lengths[1] < 1_100, "{lengths:?}");
        assert_eq!(lengths[2..], [100_000, 3]);
    }
}
