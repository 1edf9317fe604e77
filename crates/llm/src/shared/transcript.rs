//! What a stream has said until now.

use std::sync::Arc;

use crate::{ChatEvent, ChatResponse};

/// Most bytes of an answer that is shared, each stream having a transcript: a hundred times what
/// a caller here asks for, and the longest outputs on sale are half of it.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Everything that a stream has said, for callers that are at different places of it.
pub(super) struct Transcript<E> {
    start: Option<ChatEvent>,
    /// How often it has started: a fallback begins anew.
    starts: u32,
    /// What came since the last start.
    text: String,
    end: Option<End<E>>,
}

/// How a stream ended.
struct End<E> {
    result: Result<Arc<ChatResponse>, E>,
    /// The numbers of the callers who were there, in the order of coming.
    present: Arc<[u64]>,
}

/// How far a caller has read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    /// Which start it has read.
    start: u32,
    /// Bytes of the text since then.
    read: usize,
}

impl<E: Clone> Transcript<E> {
    /// The next event behind `position`, which moves over it: all the text that has come since, in
    /// one piece.
    pub(super) fn after(&self, position: &mut Position) -> Option<Result<ChatEvent, E>> {
        if position.start != self.starts
            && let Some(start) = &self.start
        {
            *position = Position {
                start: self.starts,
                read: 0,
            };
            return Some(Ok(start.clone()));
        }
        // Only whole pieces are appended, so a position never lies inside a character.
        if let Some(text) = self
            .text
            .get(position.read..)
            .filter(|text| !text.is_empty())
        {
            position.read = self.text.len();
            return Some(Ok(ChatEvent::Delta(text.to_owned())));
        }
        let result = self.end.as_ref()?.result.clone();
        Some(result.map(|response| ChatEvent::Finished(Box::new((*response).clone()))))
    }
}

impl<E> Transcript<E> {
    pub(super) const fn new() -> Self {
        Self {
            start: None,
            starts: 0,
            text: String::new(),
            end: None,
        }
    }

    /// Begins, or begins anew: the text before it is void.
    pub(super) fn start(&mut self, event: ChatEvent) {
        self.start = Some(event);
        self.starts = self.starts.saturating_add(1);
        self.text.clear();
    }

    /// Whether there was room for `text`.
    pub(super) fn append(&mut self, text: &str) -> bool {
        let fits = self.text.len() + text.len() <= MAX_BYTES;
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    pub(super) fn end(&mut self, result: Result<ChatResponse, E>, present: Arc<[u64]>) {
        let result = result.map(Arc::new);
        self.end = Some(End { result, present });
    }

    /// The callers who were there at the end; nobody before it.
    pub(super) fn present(&self) -> Arc<[u64]> {
        self.end
            .as_ref()
            .map_or_else(|| Arc::from([]), |end| Arc::clone(&end.present))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpeningLatency;

    #[test]
    fn who_comes_late_gets_all_of_the_text_in_one_piece() {
        let mut transcript: Transcript<()> = Transcript::new();
        let start = ChatEvent::Started {
            model: "m".to_owned(),
            response_id: None,
            request_id: None,
            usage: None,
            service_tier: None,
            fallback: None,
            latency: OpeningLatency::default(),
        };
        let mut early = Position::default();
        assert_eq!(transcript.after(&mut early), None);
        transcript.start(start.clone());
        assert_eq!(transcript.after(&mut early), Some(Ok(start.clone())));
        assert_eq!(transcript.after(&mut early), None);
        assert!(transcript.append("Hé"));
        let delta = |text: &str| Some(Ok(ChatEvent::Delta(text.to_owned())));
        assert_eq!(transcript.after(&mut early), delta("Hé"));
        assert!(transcript.append("llo"));
        let mut late = Position::default();
        assert_eq!(transcript.after(&mut late), Some(Ok(start)));
        assert_eq!(transcript.after(&mut late), delta("Héllo"));
        assert_eq!(transcript.after(&mut late), None);
        assert_eq!(transcript.after(&mut early), delta("llo"));
        transcript.end(Err(()), Arc::from([0]));
        assert_eq!(transcript.after(&mut early), Some(Err(())));
        assert_eq!(transcript.after(&mut late), Some(Err(())));
    }
    #[test]
    fn who_reads_on_after_a_new_start_reads_only_what_came_since() {
        let start = |model: &str| ChatEvent::Started {
            model: model.to_owned(),
            response_id: None,
            request_id: None,
            usage: None,
            service_tier: None,
            fallback: None,
            latency: OpeningLatency::default(),
        };
        let delta = |text: &str| Some(Ok(ChatEvent::Delta(text.to_owned())));
        let mut transcript: Transcript<()> = Transcript::new();
        let mut early = Position::default();
        transcript.start(start("first"));
        assert!(transcript.append("void and long"));
        assert_eq!(transcript.after(&mut early), Some(Ok(start("first"))));
        assert_eq!(transcript.after(&mut early), delta("void and long"));
        transcript.start(start("second"));
        assert!(transcript.append("text"));
        for position in [&mut early, &mut Position::default()] {
            assert_eq!(transcript.after(position), Some(Ok(start("second"))));
            assert_eq!(transcript.after(position), delta("text"));
            assert_eq!(transcript.after(position), None);
        }
    }
}
