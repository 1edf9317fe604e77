//! Servers that misbehave in every way seen: always a typed error, never a panic or a hang.

use std::time::Duration;

use llm::{ChatEvent, Deadlines, LlmError, LlmProvider, Outcome, Stage};
use tokio::time::Instant;

use crate::{
    dialects::{DIALECTS, Dialect},
    fixture::{Accounts, SHORT, collect, drain, request},
    responder::{Responder, Script, response},
};

const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) fn streamed(dialect: Dialect, body: &[u8]) -> Vec<u8> {
    response("200 OK", &[dialect.stream_type()], body)
}

/// Runs one streamed attempt against a script: what arrived, how it ended, and its booking.
pub(crate) async fn attempt(
    dialect: Dialect,
    script: Script,
) -> (Vec<ChatEvent>, Option<LlmError>, llm::LedgerRow) {
    let server = Responder::start(vec![script]).await;
    let accounts = Accounts::open();
    let measured = accounts.measured(dialect.provider(server.base(), SHORT));
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
    for dialect in DIALECTS {
        let body = dialect.frames().concat();
        let server = Responder::start(vec![Script::Close(streamed(dialect, &body))]).await;
        let provider = dialect.provider(server.base(), SHORT);
        let stream = provider.stream(&request()).await.expect("a stream");
        let response = collect(stream).await;
        assert_eq!(response.text, "Hé you", "{dialect}");
        assert_eq!(response.usage.input_tokens, 15, "{dialect}");
        assert_eq!(response.usage.output_tokens, 3, "{dialect}");
        let cached = if dialect == Dialect::Ollama { 0 } else { 5 };
        assert_eq!(response.usage.cache_read_tokens, cached, "{dialect}");
        assert!(!response.usage.estimated);
    }
}

#[tokio::test]
async fn a_stream_without_its_terminator_is_never_a_clean_end() {
    for dialect in DIALECTS {
        let [first, second, last] = dialect.frames();
        let text = [first, second].concat();
        let half_of_last = [&text, last.split_at(last.len() / 2).0].concat();
        for body in [text, half_of_last] {
            let (events, error, row) =
                attempt(dialect, Script::Close(streamed(dialect, &body))).await;
            assert_eq!(events.len(), 3, "{dialect}: {events:?}");
            assert!(error.is_some(), "{dialect}");
            assert_eq!(row.outcome, Outcome::Partial, "{dialect}");
            assert!(row.usage.estimated);
            assert!(row.usage.input_tokens > 0 && row.usage.output_tokens > 0);
        }
    }
}

#[tokio::test]
async fn a_cut_inside_a_character_is_an_error() {
    for dialect in DIALECTS {
        let [first, ..] = dialect.frames();
        let starts = first.windows(2).position(|pair| pair == "é".as_bytes());
        let cut = &first[..=starts.expect("the character")];
        let script = response("200 OK", &[dialect.stream_type()], cut);
        let (_, error, row) = attempt(dialect, Script::Close(script)).await;
        // Frames of known length end too early before anybody reads the character.
        let expected = if dialect == Dialect::Bedrock {
            "interrupted"
        } else {
            "malformed"
        };
        let error = error.expect("an error");
        assert_eq!(error.error_type(), expected, "{dialect}: {error:?}");
        assert_eq!(row.error_type.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_interrupted() {
    for dialect in DIALECTS {
        let [first, ..] = dialect.frames();
        let headers = [dialect.stream_type(), ("content-length", "100000")];
        let script = response("200 OK", &headers, &first);
        let (events, error, row) = attempt(dialect, Script::Close(script)).await;
        assert_eq!(events.len(), 2, "{dialect}");
        assert!(
            matches!(error, Some(LlmError::Interrupted { .. })),
            "{dialect}: {error:?}"
        );
        assert_eq!(row.outcome, Outcome::Partial);
    }
}

#[tokio::test]
async fn silence_before_and_in_a_stream_hits_its_own_deadline_and_frees_the_connection() {
    for dialect in DIALECTS {
        let [first, ..] = dialect.frames();
        let head = streamed(dialect, b"");
        for (bytes, expected) in [
            (Vec::new(), Stage::FirstByte),
            (head, Stage::FirstByte),
            (streamed(dialect, &first), Stage::Idle),
        ] {
            let server = Responder::start(vec![Script::Silence(bytes)]).await;
            let provider = dialect.provider(server.base(), SHORT);
            let error = match provider.stream(&request()).await {
                Ok(stream) => drain(stream).await.1,
                Err(error) => Some(error),
            };
            assert_eq!(error, Some(LlmError::Timeout(expected)), "{dialect}");
            tokio::time::timeout(Duration::from_secs(5), server.client_left())
                .await
                .expect("the connection is closed");
        }
    }
}

#[tokio::test]
async fn the_deadline_of_the_call_ends_whole_answers_and_streams() {
    for dialect in DIALECTS {
        let [first, ..] = dialect.frames();
        let server = Responder::start(vec![Script::Silence(streamed(dialect, &first))]).await;
        let provider = dialect.provider(server.base(), Deadlines::default());
        let mut request = request();
        request.context.deadline = Some(Instant::now() + Duration::from_millis(200));
        let stream = provider.stream(&request).await.expect("a stream");
        let (_, error) = drain(stream).await;
        assert_eq!(error, Some(LlmError::Timeout(Stage::Total)), "{dialect}");

        let silent = Responder::start(vec![Script::Silence(Vec::new())]).await;
        let provider = dialect.provider(silent.base(), Deadlines::default());
        request.context.deadline = Some(Instant::now() + Duration::from_millis(200));
        let error = provider.complete(&request).await.expect_err("silence");
        assert_eq!(error, LlmError::Timeout(Stage::Total), "{dialect}");
    }
}

#[tokio::test]
async fn statuses_request_ids_and_retry_after_are_kept() {
    for dialect in DIALECTS {
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
            let provider = dialect.provider(server.base(), SHORT);
            let error = provider.complete(&request()).await.expect_err(line);
            assert_eq!(error.status(), Some(status), "{dialect} {line}");
            assert_eq!(error.request_id(), Some("req_7"), "{dialect} {line}");
            assert_eq!(error.is_retryable(), retryable, "{dialect} {line}");
            if retryable {
                assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
            }
            let streaming = provider.stream(&request()).await.map(|_| ());
            assert_eq!(streaming, Err(error), "{dialect} {line}");
        }
    }
}

#[tokio::test]
async fn answers_that_are_none_are_malformed() {
    for dialect in DIALECTS {
        let html = ("content-type", "text/html");
        let page = b"<html>welcome</html>".as_slice();
        for script in [
            response("200 OK", &[html], page),
            response("200 OK", &[JSON], page),
            response("200 OK", &[JSON], b""),
            response("200 OK", &[JSON], b"{\"half\":"),
            response("200 OK", &[JSON], b"[]"),
            response("200 OK", &[dialect.stream_type()], page),
            response("302 Found", &[("location", "http://127.0.0.1:1/")], b""),
        ] {
            let server = Responder::start(vec![Script::Close(script.clone())]).await;
            let provider = dialect.provider(server.base(), SHORT);
            let shown = String::from_utf8_lossy(&script).into_owned();
            let error = provider.complete(&request()).await.expect_err(&shown);
            assert!(
                matches!(error, LlmError::Malformed { .. }),
                "{dialect} {shown}: {error:?}"
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
                "{dialect} {shown}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
    for dialect in DIALECTS {
        let line = format!("data: {}", "x".repeat(10_000_000));
        let (_, error, _) =
            attempt(dialect, Script::Close(streamed(dialect, line.as_bytes()))).await;
        assert!(
            matches!(error, Some(LlmError::Malformed { .. })),
            "{dialect}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_broken_answer_still_names_the_request() {
    for dialect in DIALECTS {
        let headers = [JSON, ("x-amzn-requestid", "req_8")];
        let script = Script::Close(response("200 OK", &headers, b"{\"half\":"));
        let server = Responder::start(vec![script]).await;
        let provider = dialect.provider(server.base(), SHORT);
        let error = provider.complete(&request()).await.expect_err("half");
        assert!(error.to_string().contains("req_8"), "{dialect}: {error}");
    }
}
