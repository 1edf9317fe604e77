//! Errors that a server sends inside a stream, and frames that are none.

use llm::LlmError;

use crate::{
    dialects::{Dialect, bedrock_frame},
    faults::{attempt, streamed},
    responder::{Script, response},
};

#[tokio::test]
async fn an_error_inside_a_stream_is_the_error_it_stands_for() {
    for (dialect, frame, status) in [
        (
            Dialect::Claude,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n\n",
            Some(529),
        ),
        (
            Dialect::Claude,
            "event: error\ndata: {\"type\":\"error\",\"error\":\"only text\"}\n\n",
            None,
        ),
        (
            Dialect::OpenAiChat,
            "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"code\":null}}\n\n",
            Some(500),
        ),
        (
            Dialect::LmStudio,
            "data: {\"error\":\"model crashed\"}\n\n",
            None,
        ),
        (
            Dialect::OpenAiResponses,
            "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\"}\n\n",
            Some(500),
        ),
        (
            Dialect::OpenAiResponses,
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}\n\n",
            Some(500),
        ),
        (Dialect::Ollama, "{\"error\":\"model crashed\"}\n", None),
        (Dialect::Ollama, "{\"error\":{\"message\":\"m\"}}\n", None),
    ] {
        check_error_inside(dialect, frame.as_bytes(), status, "upstream").await;
    }
    for (exception, status, error_type) in [
        ("internalServerException", Some(500), "upstream"),
        ("modelStreamErrorException", Some(424), "upstream"),
        ("serviceUnavailableException", Some(503), "upstream"),
        ("throttlingException", Some(429), "rate_limited"),
        ("validationException", Some(400), "rejected"),
        ("brandNewException", None, "upstream"),
    ] {
        let frame = bedrock_frame("exception", exception, "{\"message\":\"m\"}");
        check_error_inside(Dialect::Bedrock, &frame, status, error_type).await;
    }
}

async fn check_error_inside(dialect: Dialect, frame: &[u8], status: Option<u16>, error_type: &str) {
    let shown = String::from_utf8_lossy(frame);
    let [first, ..] = dialect.frames();
    let body = [&first, frame].concat();
    let headers = [dialect.stream_type(), ("x-request-id", "req_9")];
    let script = Script::Close(response("200 OK", &headers, &body));
    let (events, error, row) = attempt(dialect, script).await;
    assert_eq!(events.len(), 2, "{dialect}");
    let error = error.expect(&shown);
    assert_eq!(error.status(), status, "{shown}");
    assert_eq!(error.request_id(), Some("req_9"), "{shown}");
    assert_eq!(row.error_type.as_deref(), Some(error_type), "{shown}");
}

#[tokio::test]
async fn a_wrong_checksum_and_an_endless_frame_are_malformed() {
    let [first, second, last] = Dialect::Bedrock.frames();
    let mut spoilt = second.clone();
    *spoilt.last_mut().expect("a checksum") ^= 1;
    let endless = [&u32::MAX.to_be_bytes(), &second[4..]].concat();
    for frame in [spoilt, endless] {
        let body = [&first, &frame, &last].map(Vec::as_slice).concat();
        let script = Script::Close(streamed(Dialect::Bedrock, &body));
        let (_, error, row) = attempt(Dialect::Bedrock, script).await;
        assert!(
            matches!(error, Some(LlmError::Malformed { .. })),
            "{error:?}"
        );
        assert_eq!(row.error_type.as_deref(), Some("malformed"));
    }
}

#[tokio::test]
async fn a_stream_that_starts_twice_is_malformed() {
    for dialect in [Dialect::Claude, Dialect::OpenAiResponses, Dialect::Bedrock] {
        let [first, second, last] = dialect.frames();
        let body = [&first, &second, &first, &second, &last]
            .map(Vec::as_slice)
            .concat();
        let script = Script::Close(streamed(dialect, &body));
        let (events, error, row) = attempt(dialect, script).await;
        assert_eq!(events.len(), 3, "{dialect}: {events:?}");
        assert!(
            matches!(error, Some(LlmError::Malformed { .. })),
            "{dialect}: {error:?}"
        );
        assert_eq!(row.error_type.as_deref(), Some("malformed"), "{dialect}");
    }
}
