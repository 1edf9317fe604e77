//! Spans below a request, and what happens in them.

use opentelemetry::{Array, KeyValue, StringValue, Value};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Adds an event to the current span; does nothing outside one. Of one span's events the first
/// ones are kept, see [`crate::traces`].
pub fn span_event(name: &'static str, attributes: &[(&'static str, &str)]) {
    let span = Span::current();
    if span.is_none() {
        return;
    }
    let attributes = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, (*value).to_owned()));
    span.add_event(name, attributes.collect());
}

/// Adds an event to the span of the current request or of the call that it makes, where spans of the
/// calling crate are wanted; see [`client_span!`].
#[macro_export]
macro_rules! source_event {
    ($name:literal, $attributes:expr) => {
        if $crate::wants_client_span(module_path!()) {
            $crate::span_event($name, $attributes);
        }
    };
}

/// Notes an attribute that is a list of texts, for which `tracing` has no field.
pub fn record_texts(span: &Span, name: &'static str, texts: &[&str]) {
    if span.is_none() {
        return;
    }
    let texts = texts
        .iter()
        .map(|text| StringValue::from((*text).to_owned()));
    let texts = Array::String(texts.collect());
    span.set_attribute(name, Value::Array(texts));
}

/// A span of kind CLIENT below the current one, or [`tracing::Span::none`] when the current
/// request's trace is not sampled, or [`crate::Switches`] turn the calling crate's spans off.
///
/// The first argument is a literal name; give `otel.name` for one that is known at run time. Fields
/// that are recorded later are declared as `tracing::field::Empty`.
#[macro_export]
macro_rules! client_span {
    ($name:literal $(, $($fields:tt)*)?) => {
        if $crate::wants_client_span(module_path!()) {
            $crate::__tracing::info_span!($name, otel.kind = "client" $(, $($fields)*)?)
        } else {
            $crate::__tracing::Span::none()
        }
    };
}
