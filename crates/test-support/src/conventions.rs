//! What OpenTelemetry's conventions call the things of generative AI, kept as data with its source,
//! version and date, so that telemetry is held against a list and not against our memory.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Deserialize;

const GEN_AI: &str = include_str!("../data/gen_ai_conventions.json");

/// The conventions for generative AI.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conventions {
    /// Of the list of names.
    pub version: String,
    /// When that version was published.
    pub date: String,
    /// Where the list comes from.
    pub sources: Vec<String>,
    /// Types of values by attribute.
    pub attributes: BTreeMap<String, AttributeType>,
    /// What the span of a call has.
    pub span: SpanConvention,
    /// The known values of `gen_ai.provider.name`; others are allowed beside them.
    pub providers: BTreeSet<String>,
    /// Metrics by name.
    pub metrics: BTreeMap<String, MetricConvention>,
}

/// The type of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AttributeType {
    /// A text.
    #[serde(rename = "string")]
    Text,
    /// A list of texts.
    #[serde(rename = "string[]")]
    Texts,
    /// A whole number.
    #[serde(rename = "int")]
    Integer,
    /// Any number.
    #[serde(rename = "double")]
    Number,
    /// True or false.
    #[serde(rename = "boolean")]
    Flag,
    /// Structured; a text of JSON where spans have nothing better.
    #[serde(rename = "any")]
    Any,
}

/// What the span of a call has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpanConvention {
    /// Every one.
    pub required: Vec<String>,
    /// Where it is known, and we always know.
    pub if_known: Vec<String>,
    /// Attributes of other conventions that belong to it.
    pub stable: Vec<String>,
}

/// One metric.
#[derive(Debug, Deserialize)]
pub struct MetricConvention {
    /// UCUM.
    pub unit: String,
    /// Bounds that a histogram should have.
    pub buckets: Vec<f64>,
    /// Attributes that each series has.
    pub required: Vec<String>,
    /// Attributes that a series may have.
    pub other: Vec<String>,
}

/// The conventions for generative AI, as they are kept in `data/gen_ai_conventions.json`.
///
/// # Errors
/// The file is broken.
pub fn gen_ai() -> anyhow::Result<Conventions> {
    serde_json::from_str(GEN_AI).context("data/gen_ai_conventions.json")
}

impl MetricConvention {
    /// Whether a series may have the attribute.
    #[must_use]
    pub fn knows(&self, attribute: &str) -> bool {
        let mut known = self.required.iter().chain(&self.other);
        known.any(|name| name == attribute)
    }
}
