//! What messages hold, in both of this vendor's APIs.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::prompt::{Caching, Prompt};

/// What the frame around each message counts.
pub(super) const MESSAGE_TOKENS: u64 = 4;
/// What an image, a file or a sound counts here; the vendor's own figure depends
/// on its content, which the simulator does not look into.
const OTHER_PART_TOKENS: u64 = 100;

/// A text, or parts of which some are texts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
pub(super) struct Part {
    text: Option<String>,
    refusal: Option<String>,
}

/// A prompt that begins with the descriptions of these tools. This vendor caches
/// without being asked.
pub(super) fn prompt(tools: &[Box<RawValue>]) -> Prompt {
    let mut prompt = Prompt::new(Caching::AutomaticPrefix);
    for tool in tools {
        prompt.text("tool", tool.get(), 0);
    }
    prompt
}

impl Content {
    /// Adds a message to a prompt.
    pub(super) fn add_to(&self, prompt: &mut Prompt, role: &str) {
        match self {
            Self::Text(text) => prompt.text(role, text, MESSAGE_TOKENS),
            Self::Parts(parts) => {
                prompt.opaque(role, MESSAGE_TOKENS);
                for part in parts {
                    part.add_to(prompt, role);
                }
            }
        }
    }
}

impl Part {
    fn add_to(&self, prompt: &mut Prompt, role: &str) {
        match self.text.as_ref().or(self.refusal.as_ref()) {
            Some(text) => prompt.text(role, text, 0),
            None => prompt.opaque(role, OTHER_PART_TOKENS),
        }
    }
}
