//! What is wrong with a document, and where.

use std::fmt;

use serde::de::DeserializeOwned;

/// The longest place or reason that is told: both may hold text of the document.
const MAX_TOLD: usize = 300;

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Invalid {
    /// Where, for example `journey[0].step[2].path`; empty for the document as a whole.
    pub place: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Invalid {
    pub(crate) fn new(place: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let cut = |text: String| text.chars().take(MAX_TOLD).collect();
        Self {
            place: cut(place.to_string()),
            reason: cut(reason.to_string()),
        }
    }
}

/// A way into a document, from the outside to the inside.
#[derive(Debug, Clone, Default)]
pub struct Place(String);

impl Place {
    /// The member `name` of what is here.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.to_owned())
        } else {
            Self(format!("{}.{name}", self.0))
        }
    }

    /// The entry `index` of the list that is here.
    #[must_use]
    pub fn entry(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads JSON; what does not fit is named by its place.
pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Invalid>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = at_place(serde_path_to_error::deserialize(&mut deserializer))?;
    deserializer
        .end()
        .map_err(|error| vec![Invalid::new("", error)])?;
    Ok(value)
}

/// Reads TOML; what does not fit is named by its place.
pub(crate) fn read_toml<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Invalid>> {
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| vec![Invalid::new("", error.to_string().trim())])?;
    at_place(serde_path_to_error::deserialize(deserializer))
}

fn at_place<T, E: fmt::Display>(
    read: Result<T, serde_path_to_error::Error<E>>,
) -> Result<T, Vec<Invalid>> {
    read.map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { path };
        vec![Invalid::new(place, error.inner().to_string().trim())]
    })
}
