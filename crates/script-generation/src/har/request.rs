//! A recorded request as a step.

use serde_json::Value;
use url::form_urlencoded;

use super::recording::{Entry, PostData};
use super::secrets::{self, Removed};
use crate::configuration::{Method, Step, may_send};
use crate::naming::{Given, identifier, name_of};

/// Headers that k6 or the connection sets, or that would ask for "not modified".
const NOT_REPEATED: [&str; 19] = [
    "accept-encoding",
    "baggage",
    "cache-control",
    "connection",
    "content-length",
    "dnt",
    "host",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "origin",
    "pragma",
    "priority",
    "referer",
    "te",
    "traceparent",
    "tracestate",
    "upgrade-insecure-requests",
    "user-agent",
];

/// Endings of files that a page brings with it.
const ASSETS: [&str; 14] = [
    ".avif", ".css", ".gif", ".ico", ".jpeg", ".jpg", ".js", ".map", ".mjs", ".png", ".svg",
    ".webp", ".woff", ".woff2",
];

/// Kinds of replies that a page brings with it.
const ASSET_KINDS: [&str; 6] = [
    "image/",
    "font/",
    "audio/",
    "video/",
    "text/css",
    "text/javascript",
];

pub(super) struct Reading<'a> {
    pub(super) removed: &'a mut Removed,
    pub(super) assets: bool,
}

impl Reading<'_> {
    /// The step that repeats a request.
    ///
    /// # Errors
    /// Why it cannot be repeated.
    pub(super) fn step(&mut self, entry: &Entry) -> Result<Step, &'static str> {
        let method = Method::parse(&entry.request.method).ok_or("methods that are not known")?;
        if !self.assets && is_asset(entry) {
            return Err("static assets");
        }
        let status = match u16::try_from(entry.response.status) {
            // It will be complete for a user without a cache.
            Ok(304) => 200,
            Ok(status @ 200..=399) => status,
            _ => return Err("requests that had failed, or had no reply"),
        };
        let mut step = Step::new(method, "");
        step.status = status;
        let path = self.path(entry.url().path());
        step.name = Some(name_of(&format!("{} {}", method.as_str(), general(&path))));
        step.path = path;
        self.add_query(entry, &mut step);
        self.add_headers(entry, &mut step);
        if let Some(data) = &entry.request.post_data {
            self.add_body(data, &mut step)?;
        }
        Ok(step)
    }

    /// A recorded path is encoded; braces and what is not usual in paths are encoded, too.
    fn path(&mut self, path: &str) -> String {
        let segments = path.split('/').map(|segment| {
            if secrets::looks_like_one(segment) {
                self.removed.add("a part of a path");
                "removed".to_owned()
            } else {
                crate::openapi::encoded(segment)
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn add_query(&mut self, entry: &Entry, step: &mut Step) {
        let mut given = Given::default();
        let mut sign = '?';
        for (key, value) in entry.url().query_pairs() {
            if self.removed.is_secret(&key, &value, "of the query") {
                continue;
            }
            let name = given.unique(&identifier("", &key));
            let key: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
            step.path += &format!("{sign}{key}={{{name}}}");
            step.values.insert(name, value.into_owned().into());
            sign = '&';
        }
    }

    fn add_headers(&mut self, entry: &Entry, step: &mut Step) {
        for header in &entry.request.headers {
            let name = header.name.to_ascii_lowercase();
            let ours = NOT_REPEATED.contains(&name.as_str()) || name.starts_with("sec-");
            if ours || name.starts_with(':') {
                continue;
            }
            if self
                .removed
                .is_secret(&name, &header.value, "of the headers")
            {
                continue;
            }
            if may_send(&header.name, &header.value) {
                step.headers.insert(name, header.value.clone());
            }
        }
    }

    fn add_body(&mut self, data: &PostData, step: &mut Step) -> Result<(), &'static str> {
        if data.text.is_empty() {
            return Ok(());
        }
        let kind = data.mime_type.split(';').next().unwrap_or_default().trim();
        if kind == "application/x-www-form-urlencoded" {
            step.text = Some(self.form(&data.text));
        } else if let Ok(mut body) = serde_json::from_str::<Value>(&data.text) {
            if self.removed.clean(&mut body) {
                step.body = Some(body);
            } else {
                step.text = Some(data.text.clone());
            }
        } else if secrets::mentions_one(&data.text) {
            return Err("bodies of an unknown kind that may hold a secret");
        } else {
            step.text = Some(data.text.clone());
        }
        if !kind.is_empty() && may_send("content-type", &data.mime_type) {
            step.headers
                .entry("content-type".to_owned())
                .or_insert_with(|| data.mime_type.clone());
        }
        Ok(())
    }

    fn form(&mut self, text: &str) -> String {
        let fields = form_urlencoded::parse(text.as_bytes());
        let kept = fields.filter(|(key, value)| !self.removed.is_secret(key, value, "of a form"));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .finish()
    }
}

fn is_asset(entry: &Entry) -> bool {
    let path = entry.url().path().to_ascii_lowercase();
    let kind = entry.response.content.mime_type.to_ascii_lowercase();
    ASSETS.iter().any(|ending| path.ends_with(ending))
        || ASSET_KINDS.iter().any(|begin| kind.starts_with(begin))
        || kind.starts_with("application/javascript")
}

/// A path with `{id}` in the place of what looks like one, so that requests for different books
/// count as the same route.
fn general(path: &str) -> String {
    let is_id = |segment: &str| {
        let digits = segment.chars().all(|sign| sign.is_ascii_digit());
        let hexadecimal = segment.len() >= 16
            && segment
                .chars()
                .all(|sign| sign.is_ascii_hexdigit() || sign == '-');
        !segment.is_empty() && (digits || hexadecimal)
    };
    let segments = path
        .split('/')
        .map(|segment| if is_id(segment) { "{id}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}
