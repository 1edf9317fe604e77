//! What a recorded answer says that it used, in any vendor's words.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::PACKED;
use crate::{
    journal::CallRecord,
    service_tier::ServiceTier,
    wire::{Encoding, Frame},
};

/// The member that holds the counts, but for vendors that count beside the answer's text.
const USAGE: &str = "usage";
/// The whole prompt, or what no cache had to do with.
const INPUT: [&str; 5] = [
    "input_tokens",
    "prompt_tokens",
    "inputTokens",
    "prompt_token_count",
    "prompt_eval_count",
];
/// The whole answer.
const OUTPUT: [&str; 5] = [
    "output_tokens",
    "completion_tokens",
    "outputTokens",
    "generation_token_count",
    "eval_count",
];
/// Cached tokens that the count of the prompt leaves out.
const READ_BESIDE: [&str; 3] = [
    "cache_read_input_tokens",
    "cacheReadInputTokens",
    "cacheReadInputTokenCount",
];
const WRITTEN_BESIDE: [&str; 3] = [
    "cache_creation_input_tokens",
    "cacheWriteInputTokens",
    "cacheWriteInputTokenCount",
];
/// Details of the prompt, whose count has them in it.
const OF_INPUT: [&str; 2] = ["input_tokens_details", "prompt_tokens_details"];
/// Details of the answer.
const OF_OUTPUT: [&str; 2] = ["output_tokens_details", "completion_tokens_details"];
/// More than any model reads or writes: a recorded fault. Such a count says nothing.
const MOST_TOKENS: u64 = 100_000_000;

/// Tokens by kind, in the journal's meaning: cached ones are part of the input, reasoning is part
/// of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordedUsage {
    input: u64,
    cache_read: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
    pub(super) output: u64,
    reasoning: u64,
    service_tier: ServiceTier,
}

/// The counts in an answer, of which the last of each kind holds.
#[derive(Default)]
struct Said {
    input: Option<u64>,
    output: Option<u64>,
    read_beside: Option<u64>,
    written_beside: Option<u64>,
    read_within: Option<u64>,
    written_within: Option<u64>,
    /// Of those written, for an hour.
    written_1h: Option<u64>,
    reasoning: Option<u64>,
    service_tier: ServiceTier,
}

impl RecordedUsage {
    /// What the frames say; `None` if they do not say how long prompt and answer were.
    pub(super) fn of<'a>(
        frames: impl IntoIterator<Item = &'a [u8]>,
        encoding: Encoding,
    ) -> Option<Self> {
        let mut said = Said::default();
        for frame in frames {
            for document in documents(frame, encoding) {
                said.read(&document);
            }
        }
        said.total()
    }

    /// Writes the prompt down, and as much of the answer as was `said`.
    pub(super) fn write(&self, said: u64, record: &mut CallRecord) {
        record.service_tier = self.service_tier;
        record.input_tokens = self.input;
        record.cache_read_tokens = self.cache_read;
        record.cache_write_5m_tokens = self.cache_write_5m;
        record.cache_write_1h_tokens = self.cache_write_1h;
        record.output_tokens = said;
        // Whoever reasons does so first.
        record.reasoning_tokens = self.reasoning.min(said);
    }
}

impl Said {
    /// Reads the counts of one document, wherever it has them.
    fn read(&mut self, document: &Value) {
        if let Value::Object(members) = document {
            self.count(members);
        }
        self.search(document);
    }

    fn search(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::Object(usage) if name == USAGE => self.count(usage),
                        Value::Object(tier) if name == "serviceTier" => self.name(tier.get("type")),
                        tier if name == "service_tier" => self.name(Some(tier)),
                        other => self.search(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.search(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn name(&mut self, tier: Option<&Value>) {
        let said = tier.and_then(Value::as_str).and_then(ServiceTier::said);
        self.service_tier = said.unwrap_or(self.service_tier);
    }

    fn count(&mut self, usage: &Map<String, Value>) {
        self.name(usage.get("service_tier"));
        take(&mut self.input, usage, &INPUT);
        take(&mut self.output, usage, &OUTPUT);
        take(&mut self.read_beside, usage, &READ_BESIDE);
        take(&mut self.written_beside, usage, &WRITTEN_BESIDE);
        for details in OF_INPUT
            .iter()
            .filter_map(|name| usage.get(*name)?.as_object())
        {
            take(&mut self.read_within, details, &["cached_tokens"]);
            take(&mut self.written_within, details, &["cache_write_tokens"]);
        }
        for details in OF_OUTPUT
            .iter()
            .filter_map(|name| usage.get(*name)?.as_object())
        {
            take(&mut self.reasoning, details, &["reasoning_tokens"]);
        }
        if let Some(Value::Object(by_time)) = usage.get("cache_creation") {
            take(
                &mut self.written_1h,
                by_time,
                &["ephemeral_1h_input_tokens"],
            );
        }
        let by_time = usage.get("cacheDetails").and_then(Value::as_array);
        for detail in by_time.into_iter().flatten().filter_map(Value::as_object) {
            if detail.get("ttl").is_some_and(|ttl| ttl == "1h") {
                take(&mut self.written_1h, detail, &["inputTokens"]);
            }
        }
    }

    fn total(&self) -> Option<RecordedUsage> {
        let (input, output) = (self.input?, self.output?);
        let beside = self.read_beside.unwrap_or(0) + self.written_beside.unwrap_or(0);
        let input = input + beside;
        let read = self
            .read_beside
            .or(self.read_within)
            .unwrap_or(0)
            .min(input);
        let written = self.written_beside.or(self.written_within).unwrap_or(0);
        let written = written.min(input - read);
        let written_1h = self.written_1h.unwrap_or(0).min(written);
        Some(RecordedUsage {
            input,
            cache_read: read,
            cache_write_5m: written - written_1h,
            cache_write_1h: written_1h,
            output,
            reasoning: self.reasoning.unwrap_or(0).min(output),
            service_tier: self.service_tier,
        })
    }
}

fn take(count: &mut Option<u64>, members: &Map<String, Value>, names: &[&str]) {
    let found = names.iter().find_map(|name| members.get(*name)?.as_u64());
    *count = found.filter(|found| *found <= MOST_TOKENS).or(*count);
}

/// The documents in a frame; none in one that was torn or spoiled.
fn documents(frame: &[u8], encoding: Encoding) -> Vec<Value> {
    let parsed = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    let lines = || frame.split(|byte| *byte == b'\n');
    match encoding {
        Encoding::Document => parsed(frame).into_iter().collect(),
        Encoding::Lines => lines().filter_map(parsed).collect(),
        Encoding::Events => {
            let data = lines().filter_map(|line| line.strip_prefix(b"data:"));
            data.filter_map(parsed).collect()
        }
        Encoding::Binary => {
            let payload = Frame::parse(frame).and_then(|frame| parsed(frame.payload()));
            payload.map(unpacked).into_iter().collect()
        }
    }
}

/// The document of another vendor that Bedrock has packed into its own.
fn unpacked(document: Value) -> Value {
    let packed = document.get(PACKED).and_then(Value::as_str);
    let inner = packed.and_then(|text| STANDARD.decode(text).ok());
    let inner = inner.and_then(|text| serde_json::from_slice(&text).ok());
    inner.unwrap_or(document)
}

#[cfg(test)]
mod tests {
    use super::RecordedUsage;
    use crate::{service_tier::ServiceTier, wire::Encoding};

    fn of(frames: &[&str], encoding: Encoding) -> Option<[u64; 6]> {
        let usage = RecordedUsage::of(frames.iter().map(|frame| frame.as_bytes()), encoding)?;
        Some([
            usage.input,
            usage.cache_read,
            usage.cache_write_5m,
            usage.cache_write_1h,
            usage.output,
            usage.reasoning,
        ])
    }

    #[test]
    fn tokens_beside_the_prompt_are_added_and_later_counts_hold() {
        let start = "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":10,\
                     \"cache_read_input_tokens\":20,\"cache_creation_input_tokens\":30,\
                     \"cache_creation\":{\"ephemeral_1h_input_tokens\":12},\"output_tokens\":1}}}\n\n";
        let end = "event: message_delta\ndata: {\"usage\":{\"output_tokens\":44}}\n\n";
        let claude = of(&[start, "data: {torn", end], Encoding::Events);
        assert_eq!(claude, Some([60, 20, 18, 12, 44, 0]));
        let converse = r#"{"usage":{"inputTokens":10,"cacheReadInputTokens":20,"outputTokens":4,
            "cacheWriteInputTokens":30,"cacheDetails":[{"ttl":"1h","inputTokens":30}]}}"#;
        let converse = of(&[converse], Encoding::Document);
        assert_eq!(converse, Some([60, 20, 0, 30, 4, 0]));
    }

    #[test]
    fn tokens_within_the_prompt_are_not_added() {
        let chat = "data: {\"usage\":null}\n\ndata: {\"usage\":{\"prompt_tokens\":60,\
                    \"completion_tokens\":44,\"prompt_tokens_details\":{\"cached_tokens\":20,\
                    \"cache_write_tokens\":5},\"completion_tokens_details\":\
                    {\"reasoning_tokens\":40}}}\n\ndata: [DONE]\n\n";
        assert_eq!(of(&[chat], Encoding::Events), Some([60, 20, 5, 0, 44, 40]));
        let response = r#"{"response":{"usage":{"input_tokens":60,"output_tokens":44,
            "input_tokens_details":{"cached_tokens":90}}}}"#;
        let response = of(&[response], Encoding::Document);
        assert_eq!(response, Some([60, 60, 0, 0, 44, 0]));
        let ollama = "{\"done\":false}\n{\"prompt_eval_count\":7,\"eval_count\":3}\n";
        assert_eq!(of(&[ollama], Encoding::Lines), Some([7, 0, 0, 0, 3, 0]));
    }

    #[test]
    fn the_class_of_service_is_the_last_that_is_named() {
        let counts = r#""usage":{"input_tokens":5,"output_tokens":1}"#;
        for (answer, expected) in [
            (format!("{{{counts}}}"), ServiceTier::Standard),
            (
                format!(r#"{{{counts},"service_tier":"flex"}}"#),
                ServiceTier::Flex,
            ),
            (
                format!(r#"{{{counts},"service_tier":"auto"}}"#),
                ServiceTier::Standard,
            ),
            (
                format!(r#"{{"response":{{{counts},"service_tier":"scale"}}}}"#),
                ServiceTier::Scale,
            ),
            (
                r#"{"usage":{"input_tokens":5,"output_tokens":1,"service_tier":"priority"}}"#
                    .to_owned(),
                ServiceTier::Priority,
            ),
            (
                format!(r#"{{{counts},"serviceTier":{{"type":"reserved"}}}}"#),
                ServiceTier::Reserved,
            ),
        ] {
            let usage = RecordedUsage::of([answer.as_bytes()], Encoding::Document);
            let tier = usage.map(|usage| usage.service_tier);
            assert_eq!(tier, Some(expected), "{answer}");
        }
    }

    #[test]
    fn what_is_not_said_or_absurd_is_no_usage() {
        for usage in [
            r#"{}"#,
            r#"{"usage":{"input_tokens":5}}"#,
            r#"{"usage":{"input_tokens":-5,"output_tokens":-1}}"#,
            r#"{"usage":{"input_tokens":1000000000000000,"output_tokens":1}}"#,
            r#"{"usage":"#,
        ] {
            assert_eq!(of(&[usage], Encoding::Document), None, "{usage}");
        }
    }
}
