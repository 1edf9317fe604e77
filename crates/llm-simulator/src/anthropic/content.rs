//! What messages hold, and where the caller would have it cached.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Error;
use crate::prompt::{CacheTime, Prompt};

/// What an image, a document or a tool's block counts here; the vendor's own
/// figure depends on its content, which the simulator does not look into.
const OTHER_BLOCK_TOKENS: u64 = 100;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

/// A text, or something else that may be marked as well.
#[derive(Debug, Deserialize)]
pub(super) struct Block {
    text: Option<String>,
    cache_control: Option<CacheControl>,
}

/// What of a tool is looked at beside its length.
#[derive(Debug, Deserialize)]
struct Marks {
    cache_control: Option<CacheControl>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CacheControl {
    ttl: Option<String>,
}

/// The mark of a tool.
pub(super) fn tool_mark(tool: &RawValue) -> Option<CacheControl> {
    let marks: Marks = serde_json::from_str(tool.get()).ok()?;
    marks.cache_control
}

impl CacheControl {
    pub(super) fn check(&self, path: &str) -> Result<(), Error> {
        match self.ttl.as_deref() {
            None | Some("5m" | "1h") => Ok(()),
            Some(_) => Err(Error::invalid(format!(
                "{path}.cache_control.ttl: Input should be '5m' or '1h'"
            ))),
        }
    }
}

impl Content {
    pub(super) fn add_to(&self, prompt: &mut Prompt, role: &str, frame: u64) {
        match self {
            Self::Text(text) => prompt.text(role, text, frame),
            Self::Blocks(blocks) => {
                for (index, block) in blocks.iter().enumerate() {
                    block.add_to(prompt, role, if index == 0 { frame } else { 0 });
                }
            }
        }
    }

    /// How many blocks are marked for the cache.
    pub(super) fn check_marks(&self, path: &str) -> Result<usize, Error> {
        let Self::Blocks(blocks) = self else {
            return Ok(0);
        };
        let mut marks = 0;
        for (index, block) in blocks.iter().enumerate() {
            if let Some(control) = &block.cache_control {
                control.check(&format!("{path}.{index}"))?;
                marks += 1;
            }
        }
        Ok(marks)
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Blocks(blocks) => blocks.is_empty(),
        }
    }
}

impl Block {
    fn add_to(&self, prompt: &mut Prompt, role: &str, frame: u64) {
        match &self.text {
            Some(text) => prompt.text(role, text, frame),
            None => prompt.opaque(role, frame + OTHER_BLOCK_TOKENS),
        }
        mark(prompt, self.cache_control.as_ref());
    }
}

/// Marks the end of a prompt as its last piece asks for.
pub(super) fn mark(prompt: &mut Prompt, control: Option<&CacheControl>) {
    match control.map(|control| control.ttl.as_deref()) {
        None => {}
        Some(Some("1h")) => prompt.mark(CacheTime::OneHour),
        Some(_) => prompt.mark(CacheTime::FiveMinutes),
    }
}
