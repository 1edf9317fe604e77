//! One request: what is sent, what is expected, what is kept of the reply.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Think;

/// A request of a journey.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// A tag of its samples; method and path, without the query, when absent.
    pub name: Option<String>,
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The path and query behind the target's address; `{name}` is a value, encoded.
    pub path: String,
    /// Values by name, of this step alone. They come before those of replies and rows.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A body that is sent as JSON.
    pub body: Option<Value>,
    /// A body that is sent as it is.
    pub text: Option<String>,
    /// Where values go into `body`: names by JSON Pointer (RFC 6901).
    #[serde(default)]
    pub fill: BTreeMap<String, String>,
    /// The status of a right answer.
    #[serde(default = "ok")]
    pub status: u16,
    /// What later steps need of the reply: JSON Pointers by name. It is an error when one is
    /// missing there.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// The same, where a reply without it is right as well.
    #[serde(default)]
    pub find: BTreeMap<String, String>,
    /// What else a right answer holds.
    #[serde(default)]
    pub check: Vec<Check>,
    /// k6 expressions on the duration of this step.
    #[serde(default)]
    pub thresholds: Vec<String>,
    /// Seconds that the user waits behind it.
    pub think: Option<Think>,
}

/// Something that a right answer holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// A JSON Pointer into the reply. Without more, something must be there.
    pub at: String,
    /// It must be this.
    pub equals: Option<Value>,
    /// It must be the value of this name.
    pub value: Option<String>,
}

/// Methods of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads the head.
    Head,
    /// Asks what is allowed.
    Options,
    /// Creates or does.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// As requests have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Reads a method in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Get,
            Self::Head,
            Self::Options,
            Self::Post,
            Self::Put,
            Self::Patch,
            Self::Delete,
        ]
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(text))
    }

    /// Whether it asks for no change.
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

impl Step {
    /// A step that sends nothing but its address.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            name: None,
            method,
            path: path.into(),
            values: Map::new(),
            headers: BTreeMap::new(),
            body: None,
            text: None,
            fill: BTreeMap::new(),
            status: ok(),
            save: BTreeMap::new(),
            find: BTreeMap::new(),
            check: Vec::new(),
            thresholds: Vec::new(),
            think: None,
        }
    }

    /// The tag of its samples.
    #[must_use]
    pub fn name(&self) -> String {
        let path = self.path.split('?').next().unwrap_or(&self.path);
        self.name
            .clone()
            .unwrap_or_else(|| crate::naming::name_of(&format!("{} {path}", self.method.as_str())))
    }

    /// The names in braces in the path.
    #[must_use]
    pub fn placeholders(&self) -> BTreeSet<&str> {
        let after = self.path.split('{').skip(1);
        after
            .filter_map(|part| Some(part.split_once('}')?.0))
            .collect()
    }

    /// Everything that must be known before it can be sent.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<&str> {
        let compared = self.check.iter().filter_map(|check| check.value.as_deref());
        self.placeholders()
            .into_iter()
            .chain(self.fill.values().map(String::as_str))
            .chain(compared)
            .collect()
    }
}

const fn ok() -> u16 {
    200
}
