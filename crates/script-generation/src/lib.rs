//! k6 scripts made from descriptions: a configuration of ours, an `OpenAPI` document, a recording
//! of a browser. Text in, text out; no file, no process, no clock.
//!
//! Whatever comes in becomes a [`configuration::Configuration`]: journeys of steps, and the load
//! that walks them. [`Configuration::parse`](configuration::Configuration::parse) reads one,
//! [`openapi::draft`] and [`har::draft`] make one. [`script::write`] checks it and writes two
//! files: the script, which holds names, paths and limits, and a JSON file, which holds every
//! value that is sent. So no text of others is ever program text: what stands in the script has
//! passed a narrow rule and is a literal ([`text`]).

pub mod configuration;
pub mod har;
pub mod openapi;
pub mod script;
pub mod text;

mod invalid;
mod naming;

pub use self::invalid::{Invalid, Place};

use serde::de::DeserializeOwned;

use self::configuration::Configuration;

/// The longest document that is read: a recording of a few hundred requests with their replies.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// A configuration that was made from another document.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The journeys and their load.
    pub configuration: Configuration,
    /// What was left out or made up, and why. A script's head repeats them.
    pub warnings: Vec<String>,
}

/// Reads options of [`openapi::draft`] or [`har::draft`] from JSON.
///
/// # Errors
/// What is refused, by its place.
pub fn read_options<T: DeserializeOwned>(json: &str) -> Result<T, Vec<Invalid>> {
    invalid::read_json(json)
}
