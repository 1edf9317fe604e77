//! What a streamed reply of a model tells while it comes: when tokens came, and in the end how
//! many they were. It reads the streams of `OpenAI` (chat and responses), Anthropic and Ollama, and
//! of all that speak like them.

use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest line that is looked into; a longer one is passed on and tells nothing.
const MAX_LINE_BYTES: usize = 256 * 1024;

/// Where texts stand in the events of a stream: pointers into their JSON.
const TEXTS: [&str; 8] = [
    "/choices/0/delta/content",
    "/choices/0/delta/reasoning_content",
    "/choices/0/text",
    // Anthropic.
    "/delta/text",
    "/delta/thinking",
    // Ollama.
    "/message/content",
    "/message/thinking",
    "/response",
];

/// Tokens of the prompt, each of them to be added.
const INPUT: [&str; 9] = [
    "/usage/prompt_tokens",
    "/response/usage/input_tokens",
    "/message/usage/input_tokens",
    "/message/usage/cache_read_input_tokens",
    "/message/usage/cache_creation_input_tokens",
    "/usage/input_tokens",
    "/usage/cache_read_input_tokens",
    "/usage/cache_creation_input_tokens",
    "/prompt_eval_count",
];

/// Those of them that came from the vendor's cache, each wherever it is counted.
const CACHED: [&str; 5] = [
    "/usage/prompt_tokens_details/cached_tokens",
    "/response/usage/input_tokens_details/cached_tokens",
    "/usage/input_tokens_details/cached_tokens",
    "/message/usage/cache_read_input_tokens",
    "/usage/cache_read_input_tokens",
];

/// Tokens of the answer; the latest count is of all of it.
const OUTPUT: [&str; 4] = [
    "/usage/completion_tokens",
    "/response/usage/output_tokens",
    "/usage/output_tokens",
    "/eval_count",
];

const MODEL: [&str; 3] = ["/model", "/message/model", "/response/model"];

/// Reads a reply piece by piece.
#[derive(Debug)]
pub(super) struct Reading {
    sent: Instant,
    line: Vec<u8>,
    /// Whether the line at hand is beyond its bound.
    skips: bool,
    last: Option<Instant>,
    told: Told,
}

/// What a reply told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    /// From the request to the first text.
    pub(super) first: Option<Duration>,
    /// Gaps between texts: how many, all together, and the longest.
    pub(super) gaps: u32,
    pub(super) gap_sum: Duration,
    pub(super) gap_max: Duration,
    pub(super) model: Option<String>,
    pub(super) input: Option<u64>,
    /// Of the input.
    pub(super) cached: u64,
    pub(super) output: Option<u64>,
}

impl Reading {
    /// A reply to what was sent then.
    pub(super) fn new(sent: Instant) -> Self {
        Self {
            sent,
            line: Vec::new(),
            skips: false,
            last: None,
            told: Told::default(),
        }
    }

    /// Takes a piece that came at a moment. Texts of one piece came together: they make one gap.
    pub(super) fn take(&mut self, piece: &[u8], at: Instant) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            if part.len() > room {
                self.skips = true;
                self.line.clear();
            } else if !self.skips {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.end_line(at);
            }
        }
    }

    /// The end of the reply; one that is not streamed has a single line.
    pub(super) fn finish(mut self, at: Instant) -> Told {
        self.end_line(at);
        self.told
    }

    fn end_line(&mut self, at: Instant) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.skips) {
            return;
        }
        let text = line.trim_ascii();
        let text = text.strip_prefix(b"data:").unwrap_or(text).trim_ascii();
        if text.first() != Some(&b'{') {
            return;
        }
        if let Ok(event) = serde_json::from_slice(text) {
            self.event(&event, at);
        }
    }

    fn event(&mut self, event: &Value, at: Instant) {
        if has_text(event) {
            self.text(at);
        }
        let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_u64);
        let input: Vec<u64> = INPUT.iter().filter_map(|pointer| number(pointer)).collect();
        if !input.is_empty() {
            let input = input.into_iter().fold(0, u64::saturating_add);
            // A later event repeats the count, or has only a part of it.
            self.told.input = self.told.input.max(Some(input));
        }
        let cached = CACHED.iter().filter_map(|pointer| number(pointer));
        self.told.cached = self.told.cached.max(cached.max().unwrap_or(0));
        let output = OUTPUT.iter().find_map(|pointer| number(pointer));
        self.told.output = output.or(self.told.output);
        if self.told.model.is_none() {
            let mut models = MODEL
                .iter()
                .filter_map(|pointer| event.pointer(pointer)?.as_str());
            self.told.model = models.next().map(str::to_owned);
        }
    }

    fn text(&mut self, at: Instant) {
        match self.last {
            None => self.told.first = Some(at.duration_since(self.sent)),
            Some(last) if at > last => {
                let gap = at.duration_since(last);
                self.told.gaps += 1;
                self.told.gap_sum += gap;
                self.told.gap_max = self.told.gap_max.max(gap);
            }
            Some(_) => {}
        }
        self.last = Some(at);
    }
}

fn has_text(event: &Value) -> bool {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    // The responses of OpenAI: the type says what a bare `delta` is.
    let kind = event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if kind.ends_with("_text.delta") {
        return event.get("delta").is_some_and(is_text);
    }
    let mut texts = TEXTS.iter().filter_map(|pointer| event.pointer(pointer));
    texts.any(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds lines that come 10 ms apart, each in two pieces.
    fn told(lines: &[&str]) -> Told {
        let sent = Instant::now();
        let mut reading = Reading::new(sent);
        let mut at = sent;
        for line in lines {
            let (begin, end) = line.split_at(line.len() / 2);
            reading.take(begin.as_bytes(), at);
            at += Duration::from_millis(10);
            reading.take(end.as_bytes(), at);
            reading.take(b"\n", at);
        }
        reading.finish(at)
    }

    #[test]
    fn each_dialect_tells_tokens_and_when_they_came() {
        for (name, lines) in [
            (
                "chat",
                &[
                    r#"data: {"model":"m","choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                    r#"data: {"model":"m","choices":[{"delta":{"content":"A"}}]}"#,
                    r#"data: {"model":"m","choices":[{"delta":{"content":"B"}}]}"#,
                    r#"data: {"model":"m","choices":[],"usage":{"prompt_tokens":7,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens":2}}"#,
                    "data: [DONE]",
                ][..],
            ),
            (
                "responses",
                &[
                    r#"data: {"type":"response.created","response":{"model":"m"}}"#,
                    r#"data: {"type":"response.output_text.delta","delta":"A"}"#,
                    r#"data: {"type":"response.output_text.delta","delta":"B"}"#,
                    r#"data: {"type":"response.completed","response":{"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":4},"output_tokens":2}}}"#,
                ],
            ),
            (
                "messages",
                &[
                    r#"data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}}}"#,
                    r#"data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"A"}}"#,
                    r#"data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"B"}}"#,
                    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
                ],
            ),
            (
                "ollama",
                &[
                    r#"{"model":"m","message":{"content":""},"done":false}"#,
                    r#"{"model":"m","message":{"content":"A"},"done":false}"#,
                    r#"{"model":"m","message":{"content":"B"},"done":false}"#,
                    r#"{"model":"m","message":{"content":""},"done":true,"prompt_eval_count":7,"eval_count":2}"#,
                ],
            ),
        ] {
            let told = told(lines);
            assert_eq!(told.first, Some(Duration::from_millis(20)), "{name}");
            assert_eq!(
                (told.gaps, told.gap_sum),
                (1, Duration::from_millis(10)),
                "{name}"
            );
            assert_eq!((told.input, told.output), (Some(7), Some(2)), "{name}");
            assert_eq!(told.model.as_deref(), Some("m"), "{name}");
            let cached = if name == "ollama" { 0 } else { 4 };
            assert_eq!(told.cached, cached, "{name}");
        }
    }

    #[test]
    fn what_is_no_stream_of_a_model_tells_nothing() {
        let long = format!("data: {{\"response\":\"{}\"}}", "x".repeat(MAX_LINE_BYTES));
        for lines in [&["<html>"][..], &["data: {", "[1,2]", ""], &[&long]] {
            assert_eq!(told(lines), Told::default(), "{:.40}", lines[0]);
        }
    }

    /// An answer that was not streamed came all at once.
    #[test]
    fn a_whole_answer_has_its_counts() {
        let told = told(&[r#"{"model":"m","usage":{"prompt_tokens":5,"completion_tokens":9}}"#]);
        assert_eq!(
            (told.first, told.input, told.output),
            (None, Some(5), Some(9))
        );
    }
}
