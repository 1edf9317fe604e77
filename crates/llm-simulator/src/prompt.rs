//! What was asked, as far as it counts: the lengths of its pieces in their
//! order, and where the caller or the vendor would have them cached.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::tokenizer;

/// How long a piece that the caller marks is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheTime {
    FiveMinutes,
    OneHour,
}

/// How a vendor caches prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caching {
    /// Never, as far as the caller's bill shows.
    Off,
    /// Up to each piece that the caller marks.
    Breakpoints,
    /// The longest beginning that came before, without being asked.
    AutomaticPrefix,
}

/// One piece: a message, a block of one, or the description of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) tokens: u64,
    /// Equal for equal pieces; of this piece alone, not of what precedes it.
    pub(crate) fingerprint: u64,
    /// Set on a piece after which the caller marked an end.
    pub(crate) cache: Option<CacheTime>,
}

/// A prompt in the order in which the vendor reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) caching: Caching,
    pub(crate) segments: Vec<Segment>,
}

impl Prompt {
    pub(crate) fn new(caching: Caching) -> Self {
        Self {
            caching,
            segments: Vec::new(),
        }
    }

    /// Adds a text in a frame that counts `frame` tokens; `role` tells apart who
    /// said the same.
    pub(crate) fn text(&mut self, role: &str, text: &str, frame: u64) {
        self.push(role, text, frame + tokenizer::count(text));
    }

    /// Adds something whose content is not looked into, but that counts.
    pub(crate) fn opaque(&mut self, role: &str, tokens: u64) {
        self.push(role, "", tokens);
    }

    /// Marks the end of what there is so far as worth caching.
    pub(crate) fn mark(&mut self, cache: CacheTime) {
        if let Some(last) = self.segments.last_mut() {
            last.cache = Some(cache);
        }
    }

    /// Tokens of the whole prompt, by the simulator's own tokenizer.
    pub(crate) fn tokens(&self) -> u64 {
        self.segments.iter().map(|segment| segment.tokens).sum()
    }

    fn push(&mut self, role: &str, text: &str, tokens: u64) {
        let mut hasher = DefaultHasher::new();
        (role, text, tokens).hash(&mut hasher);
        self.segments.push(Segment {
            tokens,
            fingerprint: hasher.finish(),
            cache: None,
        });
    }
}
