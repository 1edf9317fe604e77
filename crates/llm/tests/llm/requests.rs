//! What the providers send, and what they never show.

use llm::{
    BedrockCredentials, ChatRequest, Claude, Deadlines, LlmError, LlmProvider, Message,
    MessageRole, OpenAi, OpenAiStyle,
};
use serde_json::{Value, json};

use crate::{
    dialects::{DIALECTS, Dialect},
    fixture::{SHORT, access_key, bedrock, claude_config, client, openai_config, request},
    listening::{Log, listen},
    responder::{Responder, Script, response},
};

/// The protocols that are sent a key.
const KEYED: [Dialect; 4] = [
    Dialect::Claude,
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::Bedrock,
];

/// What one request to a server that refuses it looked like.
struct Sent {
    head: String,
    body: Value,
    error: LlmError,
}

async fn send(provider: impl FnOnce(&str) -> Box<dyn LlmProvider>, request: &ChatRequest) -> Sent {
    let script = Script::Close(response("500 Oops", &[], b""));
    let server = Responder::start(vec![script]).await;
    let provider = provider(server.base());
    let error = provider.complete(request).await.expect_err("a 500");
    let requests = server.requests();
    let [sent] = &requests[..] else {
        panic!("one request: {requests:?}");
    };
    let (head, body) = sent.split_once("\r\n\r\n").expect("a head");
    Sent {
        head: head.to_lowercase(),
        body: serde_json::from_str(body).expect("JSON"),
        error,
    }
}

async fn send_by(dialect: Dialect, request: &ChatRequest) -> Sent {
    let provider = |base: &str| -> Box<dyn LlmProvider> {
        match dialect {
            Dialect::Bedrock => Box::new(bedrock(base, &access_key(), SHORT)),
            Dialect::OpenAiChat => Box::new(openai(base, OpenAiStyle::Chat)),
            Dialect::OpenAiResponses => Box::new(openai(base, OpenAiStyle::Responses)),
            Dialect::Claude => Box::new(claude(base)),
            Dialect::Ollama | Dialect::LmStudio => panic!("{dialect} has no key"),
        }
    };
    send(provider, request).await
}

fn openai(base: &str, style: OpenAiStyle) -> OpenAi {
    OpenAi::new(client(), &openai_config(base, style), SHORT).expect("a usable key")
}

fn claude(base: &str) -> Claude {
    let key = "test-key".to_owned().into();
    Claude::new(client(), &claude_config(base), &key, SHORT).expect("a usable key")
}

fn asking(model: &str) -> ChatRequest {
    let mut request = request();
    request.model = Some(model.to_owned());
    request.messages.push(Message {
        role: MessageRole::Assistant,
        content: "Yes.".to_owned(),
    });
    request
}

#[tokio::test]
async fn claude_gets_its_key_and_only_the_temperature_that_the_model_takes() {
    let refuses = send_by(Dialect::Claude, &asking("claude-sonnet-5-5")).await;
    assert!(refuses.head.starts_with("post /v1/messages http/1.1\r\n"));
    assert!(refuses.head.contains("x-api-key: test-key"));
    assert!(refuses.head.contains("anthropic-version: "));
    assert!(refuses.body.get("temperature").is_none());
    let takes = send_by(Dialect::Claude, &asking("claude-haiku-4-5")).await;
    assert_eq!(takes.body["temperature"], json!(0.3));
}

#[tokio::test]
async fn openai_chat_names_the_bound_of_the_output_as_the_model_wants_it() {
    let plain = send_by(Dialect::OpenAiChat, &asking("gpt-4o-mini")).await;
    assert!(
        plain
            .head
            .starts_with("post /v1/chat/completions http/1.1\r\n")
    );
    assert!(plain.head.contains("authorization: bearer test-key"));
    let expected = json!({
        "model": "gpt-4o-mini",
        "max_tokens": 300,
        "temperature": 0.3,
        "stream": false,
        "messages": [
            {"role": "system", "content": "You summarise books."},
            {"role": "user", "content": "Summarise The Great Gatsby in two sentences."},
            {"role": "assistant", "content": "Yes."},
        ],
    });
    assert_eq!(plain.body, expected);
    let reasoning = send_by(Dialect::OpenAiChat, &asking("gpt-6-sol")).await;
    assert_eq!(reasoning.body["max_completion_tokens"], 300);
    assert!(reasoning.body.get("max_tokens").is_none());
    assert!(reasoning.body.get("temperature").is_none());
}

#[tokio::test]
async fn openai_responses_are_not_stored() {
    let sent = send_by(Dialect::OpenAiResponses, &asking("gpt-4o-mini")).await;
    assert!(sent.head.starts_with("post /v1/responses http/1.1\r\n"));
    assert!(sent.head.contains("authorization: bearer test-key"));
    let expected = json!({
        "model": "gpt-4o-mini",
        "max_output_tokens": 300,
        "temperature": 0.3,
        "store": false,
        "stream": false,
        "instructions": "You summarise books.",
        "input": [
            {"type": "message", "role": "user",
             "content": "Summarise The Great Gatsby in two sentences."},
            {"type": "message", "role": "assistant", "content": "Yes."},
        ],
    });
    assert_eq!(sent.body, expected);
}

#[tokio::test]
async fn bedrock_is_signed_for_its_region_and_the_model_is_encoded() {
    let sent = send_by(Dialect::Bedrock, &asking("us.amazon.nova-lite-v1:0")).await;
    let line = "post /model/us.amazon.nova-lite-v1%3a0/converse http/1.1\r\n";
    assert!(sent.head.starts_with(line), "{}", sent.head);
    let signature = "authorization: aws4-hmac-sha256 credential=akidtest/";
    assert!(sent.head.contains(signature), "{}", sent.head);
    assert!(sent.head.contains("/eu-west-1/bedrock/aws4_request"));
    assert!(!sent.head.contains("test-key"));
    let expected = json!({
        "system": [{"text": "You summarise books."}],
        "messages": [
            {"role": "user",
             "content": [{"text": "Summarise The Great Gatsby in two sentences."}]},
            {"role": "assistant", "content": [{"text": "Yes."}]},
        ],
        "inferenceConfig": {"maxTokens": 300, "temperature": 0.3},
    });
    let temperature = &sent.body["inferenceConfig"]["temperature"];
    assert!((temperature.as_f64().expect("a number") - 0.3).abs() < 1e-6);
    let mut body = sent.body.clone();
    body["inferenceConfig"]["temperature"] = json!(0.3);
    assert_eq!(body, expected);

    let bearer = BedrockCredentials::Bearer("test-key".to_owned().into());
    let provider = |base: &str| -> Box<dyn LlmProvider> { Box::new(bedrock(base, &bearer, SHORT)) };
    let sent = send(provider, &asking("us.anthropic.claude-sonnet-5")).await;
    assert!(
        sent.head.contains("authorization: bearer test-key"),
        "{}",
        sent.head
    );
    assert!(sent.body["inferenceConfig"].get("temperature").is_none());
}

#[tokio::test]
async fn lm_studio_gets_no_key_of_ours_and_streams_ask_for_counts() {
    let script = Script::Close(response("500 Oops", &[], b""));
    let server = Responder::start(vec![script]).await;
    let provider = Dialect::LmStudio.provider(server.base(), SHORT);
    let refused = provider.stream(&asking("gpt-6-oss")).await.map(|_| ());
    assert_eq!(refused.expect_err("a 500").status(), Some(500));
    let sent = server.requests().remove(0);
    assert!(sent.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    assert!(sent.contains("authorization: Bearer lm-studio\r\n"));
    for part in [
        "\"stream\":true",
        "\"stream_options\":{\"include_usage\":true}",
        "\"max_tokens\":300",
        "\"temperature\":0.3",
    ] {
        assert!(sent.contains(part), "{part} in {sent}");
    }
}

#[tokio::test]
async fn a_key_is_in_no_debug_text_and_no_error() {
    let base = "http://127.0.0.1:1";
    let bearer = BedrockCredentials::Bearer("test-key".to_owned().into());
    for shown in [
        format!("{:?}", claude(base)),
        format!("{:?}", openai(base, OpenAiStyle::Chat)),
        format!("{:?}", bedrock(base, &access_key(), SHORT)),
        format!("{:?}", bedrock(base, &bearer, SHORT)),
    ] {
        assert!(!shown.contains("test-key"), "{shown}");
    }
    for dialect in KEYED {
        let sent = send_by(dialect, &request()).await;
        let shown = format!("{:?} {}", sent.error, sent.error);
        assert!(!shown.contains("test-key"), "{dialect}: {shown}");
    }
    for dialect in DIALECTS {
        let provider = dialect.provider(base, Deadlines::default());
        let error = provider.complete(&request()).await.expect_err("nobody");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("test-key"), "{dialect}: {shown}");
    }
}

#[tokio::test]
async fn a_key_is_in_no_log_line_of_any_level_and_any_library() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _listening = listen(subscriber);
    for dialect in KEYED {
        send_by(dialect, &request()).await;
    }
    for credentials in [
        BedrockCredentials::Bearer("test-key".to_owned().into()),
        BedrockCredentials::AccessKey {
            id: "AKIDTEST".to_owned().into(),
            secret: "test-key".to_owned().into(),
            session_token: Some("test-key".to_owned().into()),
        },
    ] {
        let provider =
            |base: &str| -> Box<dyn LlmProvider> { Box::new(bedrock(base, &credentials, SHORT)) };
        send(provider, &request()).await;
    }
    let logged = log.text();
    assert!(logged.contains("TRACE"), "the libraries log");
    let shown = logged.lines().find(|line| line.contains("test-key"));
    assert_eq!(shown, None);
}
