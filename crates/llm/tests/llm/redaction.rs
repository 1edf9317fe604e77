//! A server that repeats our keys in its errors tells them to nobody behind the layer.

use std::sync::Arc;

use futures_util::StreamExt;
use llm::{LlmError, LlmProvider, ProviderName};
use tracing::Instrument;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use crate::{
    dialects::{DIALECTS, Dialect, bedrock_frame},
    fixture::{Accounts, request},
    listening::{Log, listen},
    registry::build,
    responder::{Responder, Script, response},
    telemetry::Chats,
};

/// Secrets of all providers; long ones, of which a message's end may cut off a part.
const SECRETS: [(&str, &str); 5] = [
    ("ANTHROPIC_API_KEY", "sk-ant-canary-0123456789"),
    ("OPENAI_API_KEY", "sk-proj-canary-0123456789"),
    ("AWS_ACCESS_KEY_ID", "AKIACANARY0123456789"),
    ("AWS_SECRET_ACCESS_KEY", "canary/secret+0123456789=="),
    ("AWS_SESSION_TOKEN", "IQoJcanary//////////0123456789"),
];

/// What no text may hold: the common part of them.
const CANARY: &str = "canary";

/// A provider with all of its layers, whose server answers with these bytes.
async fn provider(
    accounts: &Accounts,
    dialect: Dialect,
    script: Vec<u8>,
) -> (Arc<dyn LlmProvider>, Responder) {
    let server = Responder::start(vec![Script::Close(script)]).await;
    let base = server.base().to_owned();
    let with_version = format!("{base}/v1");
    let style = match dialect {
        Dialect::OpenAiResponses => "responses",
        _ => "chat",
    };
    let mut settings = SECRETS.to_vec();
    settings.extend([
        ("ANTHROPIC_BASE_URL", base.as_str()),
        ("OPENAI_BASE_URL", &with_version),
        ("LMSTUDIO_BASE_URL", &with_version),
        ("OLLAMA_HOST", &base),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &base),
        ("OPENAI_API_STYLE", style),
        ("BOOKSTORE_LLM_ATTEMPTS", "1"),
    ]);
    let llm = build(accounts, &settings);
    let provider = llm.select(Some(dialect.name().as_str()));
    (provider.expect("configured"), server)
}

/// All secrets in one text, a cut one at its end where a message is shortened.
fn repeated() -> String {
    let secrets = SECRETS.map(|(_, secret)| secret).join(" and ");
    format!("wrong key: {secrets}; {} {secrets}", "x".repeat(125))
}

/// Replies with an error that holds every secret: refused, of another kind than asked for, and
/// inside of what begins as an answer.
fn replies(dialect: Dialect) -> Vec<Vec<u8>> {
    let text = repeated();
    let json = format!(r#"{{"error":{{"type":"{text}","message":"{text}"}},"message":"{text}"}}"#);
    let json_type = ("content-type", "application/json");
    let named = ("x-request-id", SECRETS[0].1);
    let refused = |status: &str| response(status, &[json_type, named], json.as_bytes());
    let [first, ..] = dialect.frames();
    let inside = match dialect {
        Dialect::Bedrock => {
            let message = format!(r#"{{"message":"{text}"}}"#);
            bedrock_frame("exception", "internalServerException", &message)
        }
        Dialect::Claude => format!(
            "data: {{\"type\":\"error\",\"error\":{{\"type\":\"x\",\"message\":\"{text}\"}}}}\n\n"
        )
        .into_bytes(),
        Dialect::OpenAiResponses => {
            format!("data: {{\"type\":\"error\",\"message\":\"{text}\"}}\n\n").into_bytes()
        }
        Dialect::OpenAiChat | Dialect::LmStudio => {
            format!("data: {{\"error\":{{\"message\":\"{text}\"}}}}\n\n").into_bytes()
        }
        Dialect::Ollama => format!("{{\"error\":\"{text}\"}}\n").into_bytes(),
    };
    let stream = [first.as_slice(), &inside].concat();
    let wrong = format!(
        r#"{{"content":"{text}","choices":"{text}","output":"{text}","message":"{text}","model":1}}"#
    );
    vec![
        refused("400 Bad Request"),
        refused("401 Unauthorized"),
        refused("429 Too Many Requests"),
        refused("500 Internal Server Error"),
        response("200 OK", &[("content-type", SECRETS[1].1), named], b"{}"),
        response("200 OK", &[json_type, named], wrong.as_bytes()),
        response("200 OK", &[dialect.stream_type(), named], &stream),
    ]
}

async fn ask(provider: &Arc<dyn LlmProvider>, streamed: bool) -> LlmError {
    if !streamed {
        return provider.complete(&request()).await.expect_err("an error");
    }
    match provider.stream(&request()).await {
        Err(error) => error,
        Ok(mut events) => loop {
            match events.next().await.expect("an end") {
                Ok(_) => {}
                Err(error) => return error,
            }
        },
    }
}

/// A call that fails: neither its error nor its row tells a secret.
async fn fail_unseen(dialect: Dialect, reply: Vec<u8>, streamed: bool, case: &str) {
    let accounts = Accounts::open();
    let (provider, _server) = provider(&accounts, dialect, reply).await;
    let error = ask(&provider, streamed)
        .instrument(tracing::info_span!("request"))
        .await;
    // What a handler logs and what a client may be told.
    tracing::warn!(%error, "the call failed");
    let shown = format!("{error:?} {error} {:?}", accounts.rows().await);
    assert!(!shown.to_lowercase().contains(CANARY), "{case}: {shown}");
}

/// An answer whose model, id and reason hold secrets, line breaks and more than is good.
fn talkative(dialect: Dialect) -> Vec<u8> {
    let noise = format!("{} {}", repeated(), "w".repeat(5_000));
    let named = noise.replace(' ', "-");
    let whole = dialect.whole("");
    let whole = ["claude-sonnet-5-5", "gpt-6.1-terra", "llama3.2"]
        .iter()
        .fold(whole, |text, model| text.replace(model, &named));
    let whole = whole
        .replace(r#""id":"m""#, &format!(r#""id":"{noise}""#))
        .replace(r#""id":"c""#, &format!(r#""id":"{noise}""#))
        .replace(r#""id":"r""#, &format!(r#""id":"{noise}""#))
        .replace(r#""end_turn""#, &format!(r#""{noise}""#))
        .replace(r#""stop""#, &format!(r#""{noise}""#))
        .replace(
            r#""done":true"#,
            &format!(r#""done":true,"done_reason":"{noise}""#),
        );
    let headers = [
        ("content-type", "application/json"),
        ("x-request-id", SECRETS[0].1),
        ("request-id", SECRETS[0].1),
    ];
    response("200 OK", &headers, whole.as_bytes())
}

#[tokio::test]
async fn a_good_answer_tells_no_secret_either() {
    for dialect in DIALECTS {
        let accounts = Accounts::open();
        let (provider, _server) = provider(&accounts, dialect, talkative(dialect)).await;
        let asked = request()
            .model
            .unwrap_or_else(|| provider.model().to_owned());
        let mut answered = provider.complete(&request()).await.expect("an answer");
        assert_eq!(answered.text, "12345678", "{dialect}");
        assert_eq!(answered.model, asked, "{dialect}");
        let rows = accounts.rows().await;
        assert_eq!(rows[0].model, asked, "{dialect}");
        let shown = format!("{answered:?} {rows:?}").to_lowercase();
        assert!(!shown.contains(CANARY), "{dialect}: {shown}");
        for word in [&mut answered.response_id, &mut answered.finish_reason] {
            let word = word.take().unwrap_or_default();
            let plain = word.chars().all(|letter| letter.is_ascii_graphic());
            assert!(plain && word.len() <= 128, "{dialect}: {word}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_succeeds_tells_no_secret_either() {
    let start = Dialect::Claude.frames().concat();
    let noise = repeated();
    let start = String::from_utf8(start).expect("text");
    let start = start
        .replace("msg_1", &noise)
        .replace("claude-sonnet-5-5", &noise)
        .replace("end_turn", &noise);
    let headers = [Dialect::Claude.stream_type(), ("request-id", SECRETS[0].1)];
    let reply = response("200 OK", &headers, start.as_bytes());
    let accounts = Accounts::open();
    let (provider, _server) = provider(&accounts, Dialect::Claude, reply).await;
    let events = provider.stream(&request()).await.expect("a stream");
    let events: Vec<_> = events.collect().await;
    assert!(
        events.len() >= 3 && events.iter().all(Result::is_ok),
        "{events:?}"
    );
    let shown = format!("{events:?} {:?}", accounts.rows().await).to_lowercase();
    assert!(!shown.contains(CANARY), "{shown}");
}

#[tokio::test]
async fn no_error_row_span_or_log_line_repeats_a_secret() {
    let (log, chats) = (Log::default(), Chats::default());
    let writer = log.clone();
    let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
    // As in a service: at the finest level the vendor's library shows the access key's name.
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(chats.clone())
        .with(lines);
    let _listening = listen(subscriber);
    for dialect in DIALECTS {
        for (place, reply) in replies(dialect).into_iter().enumerate() {
            for streamed in [false, true] {
                let case = format!("{dialect} {place} {streamed}");
                fail_unseen(dialect, reply.clone(), streamed, &case).await;
            }
        }
    }
    let closed = chats.closed();
    assert!(closed.len() >= DIALECTS.len() * 14, "{}", closed.len());
    let masked = closed.iter().filter(|fields| {
        let said = fields.get("otel.status_description");
        said.is_some_and(|said| said.contains("***"))
    });
    assert!(masked.count() >= DIALECTS.len() * 6);
    for fields in &closed {
        let shown = format!("{fields:?}").to_lowercase();
        assert!(!shown.contains(CANARY), "{shown}");
    }
    let logged = log.text();
    assert!(logged.contains("the call failed"));
    let shown = logged
        .lines()
        .find(|line| line.to_lowercase().contains(CANARY));
    assert_eq!(shown, None);
    assert_eq!(
        ProviderName::ALL.len(),
        DIALECTS.len() - 1,
        "every provider was asked"
    );
}
