//! Values made from schemas: examples where there are some, else the least that fits.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::Document;
use super::operation::Parameter;

/// Objects within objects; deeper ones are left out.
const MAX_DEPTH: usize = 12;

/// Below this depth only what is required is made.
const OPTIONAL_DEPTH: usize = 3;

/// Values of one document; a schema may ask for more by referring to itself.
const MAX_VALUES: usize = 20_000;

/// Entries that a schema may ask for.
const MAX_ITEMS: u64 = 100;

/// Characters that a schema may ask for.
const MAX_LENGTH: u64 = 10_000;

/// Makes values, and remembers what it could not do.
pub(super) struct Maker<'a> {
    resolver: Document<'a>,
    made: usize,
    pub(super) warnings: BTreeSet<String>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(document: &Document<'a>) -> Self {
        Self {
            resolver: document.clone(),
            made: 0,
            warnings: BTreeSet::new(),
        }
    }

    /// A body for a media type object.
    pub(super) fn of_media(&mut self, media: &'a Value) -> Value {
        let examples = media.get("examples").and_then(Value::as_object);
        let of_examples = examples
            .and_then(|examples| self.resolver.resolved(examples.values().next()?))
            .and_then(|example| example.get("value"));
        match media.get("example").or(of_examples) {
            Some(example) => example.clone(),
            None => match media.get("schema") {
                Some(schema) => self.of_schema(schema, 0),
                None => json!({}),
            },
        }
    }

    /// A value of a parameter, as it stands in an address or header; `None` for one that may be
    /// left out.
    pub(super) fn of_parameter(&mut self, parameter: &Parameter<'a>) -> Option<Value> {
        let told = parameter
            .example
            .cloned()
            .or_else(|| example(parameter.schema?));
        let value = match told {
            Some(value) => value,
            None if !parameter.required => return None,
            None => match parameter.schema {
                Some(schema) => self.of_schema(schema, 0),
                None => "text".into(),
            },
        };
        match value {
            Value::Array(entries) => entries.into_iter().next().map(scalar),
            Value::Null => None,
            other => Some(scalar(other)),
        }
    }

    fn of_schema(&mut self, schema: &'a Value, depth: usize) -> Value {
        self.made += 1;
        if depth > MAX_DEPTH || self.made > MAX_VALUES {
            return Value::Null;
        }
        let Some(schema) = self.resolver.resolved(schema) else {
            self.warnings
                .insert("a reference that leads nowhere is null.".to_owned());
            return Value::Null;
        };
        if let Some(example) = example(schema) {
            return example;
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, parts, depth);
        }
        let choices = schema.get("oneOf").or_else(|| schema.get("anyOf"));
        if let Some(choice) = choices
            .and_then(Value::as_array)
            .and_then(|list| list.first())
        {
            return self.of_schema(choice, depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "string" => self.string(schema),
            "integer" => integer(schema),
            "number" => number(schema),
            "boolean" => true.into(),
            _ => Value::Null,
        }
    }

    fn merged(&mut self, schema: &'a Value, parts: &'a [Value], depth: usize) -> Value {
        let mut merged = Map::new();
        for part in parts {
            match self.of_schema(part, depth + 1) {
                Value::Object(members) => merged.extend(members),
                other if parts.len() == 1 => return other,
                _ => {}
            }
        }
        if let Value::Object(members) = self.object(schema, depth) {
            merged.extend(members);
        }
        merged.into()
    }

    fn object(&mut self, schema: &'a Value, depth: usize) -> Value {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|list| list.iter().any(|it| it == name));
        let members = schema.get("properties").and_then(Value::as_object);
        let mut object = Map::new();
        for (name, member) in members.into_iter().flatten() {
            let read_only = |schema: &Value| schema.get("readOnly") == Some(&Value::Bool(true));
            let behind = self.resolver.resolved(member);
            let ours = !read_only(member) && !behind.is_some_and(read_only);
            if ours && (is_required(name) || depth < OPTIONAL_DEPTH) {
                object.insert(name.clone(), self.of_schema(member, depth + 1));
            }
        }
        object.into()
    }

    fn array(&mut self, schema: &'a Value, depth: usize) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1);
        let count = least.clamp(1, MAX_ITEMS);
        let Some(items) = schema.get("items") else {
            return json!([]);
        };
        (0..count)
            .map(|_| self.of_schema(items, depth + 1))
            .collect()
    }

    fn string(&mut self, schema: &Value) -> Value {
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            let warning = format!("a text of the pattern {pattern} is made up and may not fit.");
            self.warnings.insert(warning);
        }
        let format = schema
            .get("format")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let fixed = match format {
            "date-time" => "2026-01-01T00:00:00Z",
            "date" => "2026-01-01",
            "time" => "00:00:00Z",
            "uuid" => "00000000-0000-4000-8000-000000000000",
            "email" => "reader@example.com",
            "uri" | "url" => "https://example.com/",
            "hostname" => "example.com",
            "ipv4" => "192.0.2.1",
            "byte" => "dGV4dA==",
            _ => "",
        };
        if !fixed.is_empty() {
            return fixed.into();
        }
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let least = bound("minLength").unwrap_or(0).min(MAX_LENGTH);
        let most = bound("maxLength").unwrap_or(MAX_LENGTH).max(least);
        let length = 4.clamp(least, most);
        "text"
            .chars()
            .cycle()
            .zip(0..length)
            .map(|(sign, _)| sign)
            .collect::<String>()
            .into()
    }
}

/// What a schema gives as a value itself.
fn example(schema: &Value) -> Option<Value> {
    let first = |name: &str| schema.get(name)?.as_array()?.first();
    let own = schema.get("example").or_else(|| first("examples"));
    let fixed = own
        .or_else(|| schema.get("const"))
        .or_else(|| schema.get("default"));
    fixed
        .or_else(|| first("enum"))
        .filter(|value| !value.is_null())
        .cloned()
}

/// The type; the first one of several that is not null; by the members when there is none.
fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|it| *it != "null"),
        _ => None,
    };
    let by_members = || {
        let known = [("properties", "object"), ("items", "array")];
        known
            .into_iter()
            .find(|(member, _)| schema.get(member).is_some())
            .map(|(_, kind)| kind)
    };
    named.or_else(by_members).unwrap_or_default()
}

fn integer(schema: &Value) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    let above = bound("exclusiveMinimum").map(|bound| bound.saturating_add(1));
    let least = bound("minimum").or(above).unwrap_or(1).max(1);
    let least = if bound("minimum").is_some_and(|bound| bound < 0) {
        0
    } else {
        least
    };
    let below = bound("exclusiveMaximum").map(|bound| bound.saturating_sub(1));
    let most = bound("maximum").or(below).unwrap_or(i64::MAX);
    least.min(most).into()
}

fn number(schema: &Value) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let above = bound("exclusiveMinimum").map(|bound| bound + 1.0);
    let least = bound("minimum").or(above).unwrap_or(1.0).max(1.0);
    let most = bound("maximum").unwrap_or(f64::MAX);
    least.min(most).into()
}

/// A value that fits into an address: objects and lists as their JSON.
fn scalar(value: Value) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) | Value::Null => value.to_string().into(),
        single => single,
    }
}
