//! A Claude that says what a test tells it to, byte by byte, and sees when its caller leaves.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use crate::{
    caller::Caller,
    test_api::{Setup, TestApi},
};

/// How soon the model must learn that nobody waits any more.
pub(crate) const CANCELLED_WITHIN: Duration = Duration::from_millis(250);

/// Longer than any step of these tests.
const DEADLINE: Duration = Duration::from_secs(30);

/// An API whose Claude is driven by hand.
pub(crate) struct HandDriven {
    pub(crate) api: TestApi,
    pub(crate) caller: Caller,
    listener: TcpListener,
}

/// A directory with a prompt that lets a model say as much as it likes, and the setup that asks
/// with it.
pub(crate) fn talkative() -> anyhow::Result<(tempfile::TempDir, Setup)> {
    let directory = tempfile::tempdir()?;
    let prompt = "name = 'talk'\nversion = 1\nmax_tokens = 4000\nmax_characters = 1000000\n\
                  system = 'Talk about the book.'\nuser = '{{ book }}'";
    std::fs::write(directory.path().join("talk.toml"), prompt)?;
    let setup = Setup::default()
        .with("BOOKSTORE_PROMPTS", directory.path())
        .with("BOOKSTORE_SUMMARY_PROMPT", "talk");
    Ok((directory, setup))
}

/// One call of the model.
pub(crate) struct Call(TcpStream);

impl HandDriven {
    pub(crate) async fn start(setup: Setup) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api = setup
            .with("ANTHROPIC_API_KEY", "sk-test-key-of-nobody")
            .with(
                "ANTHROPIC_BASE_URL",
                format!("http://{}", listener.local_addr()?),
            )
            .with("BOOKSTORE_SIMULATED_PROVIDERS", "claude")
            .with("BOOKSTORE_LLM_ATTEMPTS", "1")
            .start()
            .await?;
        let caller = api.caller()?;
        Ok(Self {
            api,
            caller,
            listener,
        })
    }

    /// The next call, its request read.
    pub(crate) async fn call(&self) -> anyhow::Result<Call> {
        Ok(self.asked().await?.0)
    }

    /// The next call, and the JSON that it asks with.
    pub(crate) async fn asked(&self) -> anyhow::Result<(Call, Value)> {
        let accepted = timeout(DEADLINE, self.listener.accept()).await;
        let (mut connection, _) = accepted.context("the model was not called")??;
        let mut request = Vec::new();
        while !is_complete(&request) {
            ensure!(
                connection.read_buf(&mut request).await? > 0,
                "half a request"
            );
        }
        let head = request.windows(4).position(|four| four == b"\r\n\r\n");
        let body = request.split_off(head.context("a head")? + 4);
        Ok((Call(connection), serde_json::from_slice(&body)?))
    }

    /// Whether the model is being called once more.
    pub(crate) async fn is_called_again(&self) -> bool {
        timeout(CANCELLED_WITHIN, self.listener.accept())
            .await
            .is_ok()
    }
}

impl Call {
    /// The head of the reply and the first event: 100 tokens in.
    pub(crate) async fn begin(&mut self) -> anyhow::Result<()> {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        self.raw(head.as_bytes()).await?;
        let usage = json!({"input_tokens": 100, "output_tokens": 1});
        let message =
            json!({"id": "msg_1", "model": "claude-sonnet-5-5", "content": [], "usage": usage});
        self.raw(&frame(
            &json!({"type": "message_start", "message": message}),
        ))
        .await
    }

    /// A piece of text.
    pub(crate) async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.raw(&delta(text)).await
    }

    /// The end of the answer: 20 tokens out.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        self.stop("end_turn").await
    }

    /// The same for this reason.
    pub(crate) async fn stop(mut self, reason: &str) -> anyhow::Result<()> {
        let delta = json!({"stop_reason": reason});
        let usage = json!({"output_tokens": 20});
        let event = json!({"type": "message_delta", "delta": delta, "usage": usage});
        self.raw(&frame(&event)).await?;
        self.raw(&frame(&json!({"type": "message_stop"}))).await?;
        Ok(self.0.shutdown().await?)
    }

    /// Any bytes.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.0.write_all(bytes).await?;
        Ok(self.0.flush().await?)
    }

    /// Waits until the caller has closed the connection, and tells how long that took.
    pub(crate) async fn left(mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut rest = Vec::new();
        // A reset is a leaving too.
        drop(timeout(DEADLINE, self.0.read_to_end(&mut rest)).await?);
        Ok(began.elapsed())
    }
}

/// The event that carries a piece of text.
pub(crate) fn delta(text: &str) -> Vec<u8> {
    let delta = json!({"type": "text_delta", "text": text});
    frame(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
}

fn frame(event: &Value) -> Vec<u8> {
    let kind = event["type"].as_str().unwrap_or("");
    format!("event: {kind}\ndata: {event}\n\n").into_bytes()
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
