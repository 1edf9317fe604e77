//! Token counts that are missing, absurd or split.

use llm::{LlmError, LlmProvider};

use crate::{
    dialects::{DIALECTS, Dialect},
    fixture::{Accounts, SHORT, request},
    responder::{Responder, Script, response},
};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A provider's words for counts: none, below zero, absurd, and parts that exceed their whole.
fn unbelievable(dialect: Dialect) -> Vec<String> {
    let (input, output, cached) = match dialect {
        Dialect::Claude => ("input_tokens", "output_tokens", ""),
        Dialect::OpenAiChat | Dialect::LmStudio => (
            "prompt_tokens",
            "completion_tokens",
            ",\"prompt_tokens_details\":{\"cached_tokens\":7}",
        ),
        Dialect::OpenAiResponses => (
            "input_tokens",
            "output_tokens",
            ",\"input_tokens_details\":{\"cached_tokens\":7}",
        ),
        Dialect::Ollama => ("prompt_eval_count", "eval_count", ""),
        Dialect::Bedrock => ("inputTokens", "outputTokens", ""),
    };
    let counts = |input_value: &str, output_value: &str, more: &str| {
        let counts = format!("\"{input}\":{input_value},\"{output}\":{output_value}{more}");
        match dialect {
            Dialect::Ollama => format!(",{counts}"),
            _ => format!(",\"usage\":{{{counts}}}"),
        }
    };
    let mut all = vec![
        String::new(),
        counts("-5", "-1", ""),
        counts("2000000000", "2000000000", ""),
        counts("99999999999999", "1e300", ""),
    ];
    if !cached.is_empty() {
        all.push(counts("6", "2", cached));
    }
    all
}

#[tokio::test]
async fn missing_and_absurd_usage_is_estimated_and_marked_or_refused() {
    for dialect in DIALECTS {
        for usage in unbelievable(dialect) {
            let body = dialect.whole(&usage);
            let script = Script::Close(response("200 OK", &[JSON], body.as_bytes()));
            let server = Responder::start(vec![script]).await;
            let provider = dialect.provider(server.base(), SHORT);
            let usage = match provider.complete(&request()).await {
                Ok(response) => response.usage,
                Err(LlmError::Malformed { .. }) if usage.contains("1e300") => continue,
                Err(error) => panic!("{dialect} {body}: {error}"),
            };
            assert!(usage.estimated, "{dialect} {body}");
            assert_eq!(usage.output_tokens, 2, "{dialect} {body}");
            assert!(usage.input_tokens > 5, "{dialect} {body}");
            assert_eq!(usage.cache_read_tokens, 0, "{dialect} {body}");
        }
    }
}

#[tokio::test]
async fn cache_writes_are_split_by_their_lifetime() {
    let body = concat!(
        "{\"id\":\"m\",\"model\":\"claude-sonnet-5-5\",\"stop_reason\":\"end_turn\",",
        "\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":\"text\",\"text\":\"ok\"}],",
        "\"usage\":{\"input_tokens\":7,\"cache_read_input_tokens\":100,",
        "\"cache_creation_input_tokens\":60,\"cache_creation\":{\"ephemeral_5m_input_tokens\":20,",
        "\"ephemeral_1h_input_tokens\":40},\"output_tokens\":9,",
        "\"output_tokens_details\":{\"thinking_tokens\":4}}}",
    );
    let script = Script::Close(response("200 OK", &[JSON], body.as_bytes()));
    let server = Responder::start(vec![script]).await;
    let accounts = Accounts::open();
    let measured = accounts.measured(Dialect::Claude.provider(server.base(), SHORT));
    let response = measured.complete(&request()).await.expect("an answer");
    let usage = response.usage;
    assert_eq!(response.text, "ok");
    assert_eq!(usage.input_tokens, 167);
    assert_eq!(
        (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens),
        (20, 40)
    );
    assert_eq!(usage.reasoning_tokens, 4);
    // Per token in pico-dollars: 2 M input, 0.1 M read, 2.5 M and 4 M write, 10 M output.
    let cost = response.cost.expect("a price");
    assert_eq!(cost.input.get(), 7 * 2_000_000);
    assert_eq!(cost.cache_read.get(), 100 * 100_000);
    assert_eq!(cost.cache_write.get(), 20 * 2_500_000 + 40 * 4_000_000);
    assert_eq!(cost.output.get(), 9 * 10_000_000);
}

#[tokio::test]
async fn bedrocks_cache_writes_are_split_by_their_lifetime() {
    let usage = concat!(
        ",\"usage\":{\"inputTokens\":7,\"outputTokens\":9,\"totalTokens\":176,",
        "\"cacheReadInputTokens\":100,\"cacheWriteInputTokens\":60,",
        "\"cacheDetails\":[{\"ttl\":\"1h\",\"inputTokens\":40},{\"ttl\":\"5m\",\"inputTokens\":20}]}",
    );
    let usage = usage_of(Dialect::Bedrock, usage).await;
    assert_eq!((usage.input_tokens, usage.output_tokens), (167, 9));
    assert_eq!(usage.cache_read_tokens, 100);
    assert_eq!(
        (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens),
        (20, 40)
    );
    assert!(!usage.estimated);
}

#[tokio::test]
async fn many_believable_cache_writes_make_no_unbelievable_one() {
    let written = vec!["{\"ttl\":\"1h\",\"inputTokens\":90000000}"; 1_000].join(",");
    let usage = format!(
        ",\"usage\":{{\"inputTokens\":7,\"outputTokens\":9,\"totalTokens\":16,\"cacheDetails\":[{written}]}}"
    );
    let usage = usage_of(Dialect::Bedrock, &usage).await;
    assert_eq!((usage.input_tokens, usage.output_tokens), (7, 9));
    assert_eq!(usage.cache_write_tokens(), 0);
    assert!(usage.estimated);
}

/// Parts of the counts of 7 uncached and 9 written tokens, with `COUNT` for one of them.
const PARTS: [(Dialect, &str); 11] = [
    (Dialect::Claude, r#""cache_read_input_tokens":COUNT"#),
    (Dialect::Claude, r#""cache_creation_input_tokens":COUNT"#),
    (
        Dialect::Claude,
        r#""cache_creation":{"ephemeral_5m_input_tokens":COUNT}"#,
    ),
    (
        Dialect::Claude,
        r#""cache_creation":{"ephemeral_1h_input_tokens":COUNT}"#,
    ),
    (
        Dialect::Claude,
        r#""output_tokens_details":{"thinking_tokens":COUNT}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#""prompt_tokens_details":{"cached_tokens":COUNT}"#,
    ),
    (
        Dialect::LmStudio,
        r#""completion_tokens_details":{"reasoning_tokens":COUNT}"#,
    ),
    (
        Dialect::OpenAiResponses,
        r#""input_tokens_details":{"cache_write_tokens":COUNT}"#,
    ),
    (Dialect::Bedrock, r#""cacheReadInputTokens":COUNT"#),
    (Dialect::Bedrock, r#""cacheWriteInputTokens":COUNT"#),
    (
        Dialect::Bedrock,
        r#""cacheDetails":[{"ttl":"1h","inputTokens":COUNT}]"#,
    ),
];

#[tokio::test]
async fn a_part_that_is_not_believed_makes_the_counts_an_estimate() {
    for (dialect, part) in PARTS {
        let whole = match dialect {
            Dialect::OpenAiChat | Dialect::LmStudio => r#""prompt_tokens":7,"completion_tokens":9"#,
            Dialect::Bedrock => r#""inputTokens":7,"outputTokens":9,"totalTokens":16"#,
            _ => r#""input_tokens":7,"output_tokens":9"#,
        };
        for (count, estimated) in [("-1", true), ("2000000000", true), ("0", false)] {
            let part = part.replace("COUNT", count);
            let usage = usage_of(dialect, &format!(r#","usage":{{{whole},{part}}}"#)).await;
            let case = format!("{dialect} {part}");
            assert_eq!((usage.input_tokens, usage.output_tokens), (7, 9), "{case}");
            assert_eq!(usage.uncached_input_tokens(), 7, "{case}");
            assert_eq!(usage.estimated, estimated, "{case}");
        }
    }
}

#[tokio::test]
async fn openais_parts_are_parts_of_their_whole() {
    for (dialect, usage) in [
        (
            Dialect::OpenAiChat,
            concat!(
                ",\"usage\":{\"prompt_tokens\":50,\"completion_tokens\":9,",
                "\"prompt_tokens_details\":{\"cached_tokens\":20,\"cache_write_tokens\":10},",
                "\"completion_tokens_details\":{\"reasoning_tokens\":4}}",
            ),
        ),
        (
            Dialect::OpenAiResponses,
            concat!(
                ",\"usage\":{\"input_tokens\":50,\"output_tokens\":9,",
                "\"input_tokens_details\":{\"cached_tokens\":20,\"cache_write_tokens\":10},",
                "\"output_tokens_details\":{\"reasoning_tokens\":4}}",
            ),
        ),
    ] {
        let usage = usage_of(dialect, usage).await;
        assert_eq!((usage.input_tokens, usage.output_tokens), (50, 9));
        assert_eq!(usage.uncached_input_tokens(), 20, "{dialect}");
        assert_eq!(usage.cache_write_5m_tokens, 10, "{dialect}");
        assert_eq!(usage.reasoning_tokens, 4, "{dialect}");
        assert!(!usage.estimated, "{dialect}");
    }
}

async fn usage_of(dialect: Dialect, usage: &str) -> llm::Usage {
    let body = dialect.whole(usage);
    let script = Script::Close(response("200 OK", &[JSON], body.as_bytes()));
    let server = Responder::start(vec![script]).await;
    let provider = dialect.provider(server.base(), SHORT);
    provider
        .complete(&request())
        .await
        .expect("an answer")
        .usage
}
