//! Servers that misbehave in every way seen: always a typed error, never a panic or a hang.

use llm::{ChatEvent, Deadlines, LlmError, LlmProvider, Outcome, ProviderName, Stage};
use std::time::Duration;
use tokio::time::Instant;

use crate::{
    fixture::{Accounts, PROVIDERS, SHORT, collect, drain, provider, request},
    responder::{Responder, Script, response},
};

const JSON: (&str, &str) = ("content-type", "application/json");

fn stream_type(name: ProviderName) -> (&'static str, &'static str) {
    match name {
        ProviderName::Claude => ("content-type", "text/event-stream; charset=utf-8"),
        _ => ("content-type", "application/x-ndjson"),
    }
}

/// A stream's frames: the start with the text `Hé`, the text ` you`, and the terminator.
fn frames(name: ProviderName) -> [String; 3] {
    let frames = match name {
        ProviderName::Claude => [
            concat!(
                "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",",
                "\"model\":\"claude-sonnet-5-5\",\"content\":[],\"usage\":{\"input_tokens\":10,",
                "\"cache_read_input_tokens\":5,\"output_tokens\":1}}}\r\n\r\n: comment\n",
                "event: ping\ndata: {\"type\":\"ping\"}\n\n",
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
                "\"delta\":{\"type\":\"text_delta\",\"text\":\"Hé\"}}\n\n",
            ),
            concat!(
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
                "\"delta\":{\"type\":\"text_delta\",\"text\":\" you\"}}\n\n",
            ),
            concat!(
                "event: brand_new\ndata: {\"type\":\"brand_new\",\"x\":[1]}\n\n",
                "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},",
                "\"usage\":{\"input_tokens\":10,\"output_tokens\":3}}\n\n",
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            ),
        ],
        _ => [
            "{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"Hé\"},\"done\":false}\n",
            "\n{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\" you\"},\"done\":false}\n",
            concat!(
                "{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,",
                "\"done_reason\":\"stop\",\"prompt_eval_count\":15,\"eval_count\":3}",
            ),
        ],
    };
    frames.map(str::to_owned)
}

fn streamed(name: ProviderName, body: &str) -> Vec<u8> {
    response("200 OK", &[stream_type(name)], body.as_bytes())
}

/// Runs one streamed attempt against a script: what arrived, how it ended, and its booking.
async fn attempt(
    name: ProviderName,
    script: Script,
) -> (Vec<ChatEvent>, Option<LlmError>, llm::LedgerRow) {
    let server = Responder::start(vec![script]).await;
    let accounts = Accounts::open();
    let measured = accounts.measured(provider(name, server.base(), SHORT));
    let (events, error) = match measured.stream(&request()).await {
        Ok(stream) => drain(stream).await,
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut rows = accounts.rows().await;
    assert_eq!(rows.len(), 1);
    (events, error, rows.remove(0))
}

#[tokio::test]
async fn a_whole_stream_counts_cached_tokens_and_takes_the_last_count() {
    for name in PROVIDERS {
        let body = frames(name).concat();
        let server = Responder::start(vec![Script::Close(streamed(name, &body))]).await;
        let provider = provider(name, server.base(), SHORT);
        let stream = provider.stream(&request()).await.expect("a stream");
        let response = collect(stream).await;
        assert_eq!(response.text, "Hé you", "{name}");
        assert_eq!(response.usage.input_tokens, 15, "{name}");
        assert_eq!(response.usage.output_tokens, 3, "{name}");
        let cached = if name == ProviderName::Claude { 5 } else { 0 };
        assert_eq!(response.usage.cache_read_tokens, cached, "{name}");
        assert!(!response.usage.estimated);
    }
}

#[tokio::test]
async fn a_stream_without_its_terminator_is_never_a_clean_end() {
    for name in PROVIDERS {
        let [first, second, last] = frames(name);
        let text = first.clone() + &second;
        let half_of_last = text.clone() + last.split_at(last.len() / 2).0;
        for body in [text, half_of_last] {
            let (events, error, row) = attempt(name, Script::Close(streamed(name, &body))).await;
            assert_eq!(events.len(), 3, "{name}: {events:?}");
            assert!(error.is_some(), "{name}");
            assert_eq!(row.outcome, Outcome::Partial, "{name}");
            assert!(row.usage.estimated);
            assert!(row.usage.input_tokens > 0 && row.usage.output_tokens > 0);
        }
    }
}

#[tokio::test]
async fn a_cut_inside_a_character_is_an_error() {
    for name in PROVIDERS {
        let [first, ..] = frames(name);
        let middle = first.find('é').expect("the character") + 1;
        let cut = &first.as_bytes()[..middle];
        let script = response("200 OK", &[stream_type(name)], cut);
        let (_, error, row) = attempt(name, Script::Close(script)).await;
        assert!(
            matches!(error, Some(LlmError::Malformed { .. })),
            "{name}: {error:?}"
        );
        assert_eq!(row.error_type.as_deref(), Some("malformed"));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_interrupted() {
    for name in PROVIDERS {
        let [first, ..] = frames(name);
        let headers = [stream_type(name), ("content-length", "100000")];
        let script = response("200 OK", &headers, first.as_bytes());
        let (events, error, row) = attempt(name, Script::Close(script)).await;
        assert_eq!(events.len(), 2, "{name}");
        assert!(
            matches!(error, Some(LlmError::Interrupted { .. })),
            "{name}: {error:?}"
        );
        assert_eq!(row.outcome, Outcome::Partial);
    }
}

#[tokio::test]
async fn silence_before_and_in_a_stream_hits_its_own_deadline_and_frees_the_connection() {
    for name in PROVIDERS {
        let [first, ..] = frames(name);
        let head = streamed(name, "");
        for (bytes, expected) in [
            (Vec::new(), Stage::FirstByte),
            (head, Stage::FirstByte),
            (streamed(name, &first), Stage::Idle),
        ] {
            let server = Responder::start(vec![Script::Silence(bytes)]).await;
            let provider = provider(name, server.base(), SHORT);
            let error = match provider.stream(&request()).await {
                Ok(stream) => drain(stream).await.1,
                Err(error) => Some(error),
            };
            assert_eq!(error, Some(LlmError::Timeout(expected)), "{name}");
            tokio::time::timeout(Duration::from_secs(5), server.client_left())
                .await
                .expect("the connection is closed");
        }
    }
}

#[tokio::test]
async fn the_deadline_of_the_call_ends_whole_answers_and_streams() {
    for name in PROVIDERS {
        let [first, ..] = frames(name);
        let server = Responder::start(vec![Script::Silence(streamed(name, &first))]).await;
        let provider = provider(name, server.base(), Deadlines::default());
        let mut request = request();
        request.context.deadline = Some(Instant::now() + Duration::from_millis(200));
        let stream = provider.stream(&request).await.expect("a stream");
        let (_, error) = drain(stream).await;
        assert_eq!(error, Some(LlmError::Timeout(Stage::Total)), "{name}");

        let silent = Responder::start(vec![Script::Silence(Vec::new())]).await;
        let provider = crate::fixture::provider(name, silent.base(), Deadlines::default());
        request.context.deadline = Some(Instant::now() + Duration::from_millis(200));
        let error = provider.complete(&request).await.expect_err("silence");
        assert_eq!(error, LlmError::Timeout(Stage::Total), "{name}");
    }
}

#[tokio::test]
async fn statuses_request_ids_and_retry_after_are_kept() {
    for name in PROVIDERS {
        let headers = [JSON, ("request-id", "req_7"), ("retry-after", "3")];
        let body = b"{\"type\":\"error\",\"error\":{\"type\":\"x\",\"message\":\"words\"}}";
        for (line, status, retryable) in [
            ("429 Too Many Requests", 429, true),
            ("500 Internal Server Error", 500, true),
            ("529 Overloaded", 529, true),
            ("400 Bad Request", 400, false),
            ("401 Unauthorized", 401, false),
        ] {
            let script = Script::Close(response(line, &headers, body));
            let server = Responder::start(vec![script]).await;
            let provider = provider(name, server.base(), SHORT);
            let error = provider.complete(&request()).await.expect_err(line);
            assert_eq!(error.status(), Some(status), "{name} {line}");
            assert_eq!(error.request_id(), Some("req_7"), "{name} {line}");
            assert_eq!(error.is_retryable(), retryable, "{name} {line}");
            if retryable {
                assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
            }
            let streaming = provider.stream(&request()).await.map(|_| ());
            assert_eq!(streaming, Err(error), "{name} {line}");
        }
    }
}

#[tokio::test]
async fn answers_that_are_none_are_malformed() {
    for name in PROVIDERS {
        let html = ("content-type", "text/html");
        let page = b"<html>welcome</html>".as_slice();
        for script in [
            response("200 OK", &[html], page),
            response("200 OK", &[JSON], page),
            response("200 OK", &[JSON], b""),
            response("200 OK", &[JSON], b"{\"half\":"),
            response("200 OK", &[JSON], b"[]"),
            response("200 OK", &[stream_type(name)], page),
            response("302 Found", &[("location", "http://127.0.0.1:1/")], b""),
        ] {
            let server = Responder::start(vec![Script::Close(script.clone())]).await;
            let provider = provider(name, server.base(), SHORT);
            let shown = String::from_utf8_lossy(&script).into_owned();
            let error = provider.complete(&request()).await.expect_err(&shown);
            assert!(
                matches!(error, LlmError::Malformed { .. }),
                "{name} {shown}: {error:?}"
            );
            let error = match provider.stream(&request()).await {
                Ok(stream) => drain(stream).await.1.expect(&shown),
                Err(error) => error,
            };
            assert!(
                matches!(
                    error,
                    LlmError::Malformed { .. } | LlmError::Interrupted { .. }
                ),
                "{name} {shown}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
    for name in PROVIDERS {
        let line = format!("data: {}", "x".repeat(2 * 1024 * 1024));
        let (_, error, _) = attempt(name, Script::Close(streamed(name, &line))).await;
        assert!(
            matches!(error, Some(LlmError::Malformed { .. })),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_error_inside_a_stream_is_the_error_it_stands_for() {
    let cases = [
        (
            ProviderName::Claude,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n\n",
            Some(529),
        ),
        (
            ProviderName::Claude,
            "event: error\ndata: {\"type\":\"error\",\"error\":\"only text\"}\n\n",
            None,
        ),
        (
            ProviderName::Ollama,
            "{\"error\":\"model crashed\"}\n",
            None,
        ),
        (
            ProviderName::Ollama,
            "{\"error\":{\"message\":\"m\"}}\n",
            None,
        ),
    ];
    for (name, frame, status) in cases {
        let body = frames(name)[0].clone() + frame;
        let (events, error, row) = attempt(name, Script::Close(streamed(name, &body))).await;
        assert_eq!(events.len(), 2, "{name}");
        assert_eq!(error.as_ref().and_then(LlmError::status), status, "{frame}");
        assert_eq!(row.error_type.as_deref(), Some("upstream"), "{frame}");
    }
}

#[tokio::test]
async fn missing_and_absurd_usage_is_estimated_and_marked() {
    for usage in [
        "",
        ",\"prompt_eval_count\":-5,\"eval_count\":1e300",
        ",\"prompt_eval_count\":99999999999999,\"eval_count\":null",
    ] {
        let body = format!(
            "{{\"model\":\"llama3.2\",\"message\":{{\"content\":\"12345678\"}},\"done\":true{usage}}}"
        );
        let script = Script::Close(response("200 OK", &[JSON], body.as_bytes()));
        let server = Responder::start(vec![script]).await;
        let provider = provider(ProviderName::Ollama, server.base(), SHORT);
        let response = provider.complete(&request()).await.expect("an answer");
        assert!(response.usage.estimated, "{usage}");
        assert_eq!(response.usage.output_tokens, 2, "{usage}");
        assert!(response.usage.input_tokens > 5, "{usage}");
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
    let measured = accounts.measured(provider(ProviderName::Claude, server.base(), SHORT));
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
async fn the_request_carries_the_key_and_only_the_temperature_that_the_model_takes() {
    let script = Script::Close(response("500 Oops", &[], b""));
    let server = Responder::start(vec![script]).await;
    let provider = provider(ProviderName::Claude, server.base(), SHORT);
    for model in ["claude-sonnet-5-5", "claude-haiku-4-5"] {
        let mut request = request();
        request.model = Some(model.to_owned());
        provider.complete(&request).await.expect_err("a 500");
    }
    let [refuses, takes] = &server.requests()[..] else {
        panic!("two requests");
    };
    assert!(refuses.starts_with("POST /v1/messages HTTP/1.1\r\n"));
    assert!(refuses.contains("x-api-key: test-key\r\n"));
    assert!(refuses.contains("anthropic-version: "));
    assert!(!refuses.contains("temperature"));
    assert!(takes.contains("\"temperature\":0.3"));
}
