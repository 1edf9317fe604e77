//! The parts of a document that matter, with references followed.

use serde_json::Value;

use super::operation::Operation;
use crate::configuration::Method;
use crate::invalid::Invalid;

/// References behind one another; a longer chain is a circle.
const MAX_REFERENCES: usize = 16;

/// The longest title that is repeated.
const MAX_TITLE: usize = 100;

#[derive(Clone)]
pub(super) struct Document<'a> {
    root: &'a Value,
    paths: &'a serde_json::Map<String, Value>,
}

impl<'a> Document<'a> {
    pub(super) fn read(root: &'a Value) -> Result<Self, Invalid> {
        let version = root["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.") {
            return Err(Invalid::new("openapi", "must be 3.0 or 3.1, as \"3.1.0\""));
        }
        let paths = root["paths"]
            .as_object()
            .ok_or_else(|| Invalid::new("paths", "must be an object of paths"))?;
        if let Some(path) = paths.keys().find(|path| !path.starts_with('/')) {
            let place = format!("paths.{path}");
            return Err(Invalid::new(place, "must begin with a slash"));
        }
        Ok(Self { root, paths })
    }

    pub(super) fn title(&self) -> String {
        let title = self.root["info"]["title"].as_str().unwrap_or_default();
        let title: String = title.chars().take(MAX_TITLE).collect();
        if title.trim().is_empty() {
            "API".to_owned()
        } else {
            title
        }
    }

    /// What the first server's address puts before each path. Its host is the run's business.
    pub(super) fn path_prefix(&self) -> String {
        let address = self.root["servers"][0]["url"].as_str().unwrap_or_default();
        let base = url::Url::parse("http://target/");
        let url = base.and_then(|base| base.join(address));
        let path = url.map(|url| url.path().trim_end_matches('/').to_owned());
        // Variables of the address are no part of it yet.
        path.map(|path| encoded(&path)).unwrap_or_default()
    }

    /// What stands behind a value that may be a reference into this document.
    pub(super) fn resolved(&self, value: &'a Value) -> Option<&'a Value> {
        let mut value = value;
        for _ in 0..MAX_REFERENCES {
            match value.get("$ref") {
                None => return Some(value),
                Some(target) => value = self.root.pointer(target.as_str()?.strip_prefix('#')?)?,
            }
        }
        None
    }

    pub(super) fn operations(&self) -> Vec<Operation<'a>> {
        let mut operations = Vec::new();
        for (path, item) in self.paths {
            let Some(item) = self.resolved(item).and_then(Value::as_object) else {
                continue;
            };
            let shared = item.get("parameters");
            for (method, operation) in item {
                if let (Some(method), true) = (Method::parse(method), operation.is_object()) {
                    operations.push(Operation::read(self, (method, path), shared, operation));
                }
            }
        }
        operations
    }

    /// Whether an operation wants credentials.
    pub(super) fn is_secured(&self, operation: &Value) -> bool {
        let schemes = operation
            .get("security")
            .or_else(|| self.root.get("security"));
        let schemes = schemes.and_then(Value::as_array);
        // An empty requirement stands for none.
        let open = |scheme: &Value| scheme.as_object().is_some_and(serde_json::Map::is_empty);
        schemes.is_some_and(|list| !list.is_empty() && !list.iter().any(open))
    }
}

/// A piece of a path template.
pub(super) enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// The pieces of a path template; a brace without its other half is text.
pub(super) fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some((text, (name, behind))) = rest
        .split_once('{')
        .and_then(|(text, after)| Some((text, after.split_once('}')?)))
    {
        parts.extend([Part::Text(text), Part::Name(name)]);
        rest = behind;
    }
    parts.push(Part::Text(rest));
    parts
}

/// A text as a part of a path; what is encoded already stays so.
pub(crate) fn encoded(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        let sign = char::from(byte);
        if sign.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(sign) {
            path.push(sign);
        } else {
            path += &format!("%{byte:02X}");
        }
    }
    path
}
