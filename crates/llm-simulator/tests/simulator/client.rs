//! A simulator on a free port and a client that reads replies as they come.

use std::time::{Duration, Instant};

use llm_simulator::{CallRecord, Control, Running, Simulator, SimulatorConfig};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};

/// No step of these tests takes nearly as long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct TestSimulator {
    running: Running,
    client: Client,
}

/// A body that arrived in pieces, with the time of each since the request.
pub(crate) struct Pieces {
    pub(crate) bytes: Vec<u8>,
    pub(crate) arrivals: Vec<Duration>,
    /// Whether the body ended as it should.
    pub(crate) whole: bool,
}

impl TestSimulator {
    pub(crate) async fn start(config: SimulatorConfig) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = Simulator::build(config).spawn(listener).unwrap();
        let client = Client::builder()
            .no_proxy()
            .timeout(DEADLINE)
            .build()
            .unwrap();
        Self { running, client }
    }

    pub(crate) async fn instant() -> Self {
        Self::start(SimulatorConfig::instant()).await
    }

    pub(crate) fn control(&self) -> &Control {
        self.running.control()
    }

    pub(crate) fn base_url(&self) -> String {
        self.running.base_url()
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client
            .get(format!("{}{path}", self.running.base_url()))
    }

    pub(crate) fn head(&self, path: &str) -> RequestBuilder {
        self.client
            .head(format!("{}{path}", self.running.base_url()))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(format!("{}{path}", self.running.base_url()))
            .json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client
            .put(format!("{}{path}", self.running.base_url()))
            .json(body)
    }

    /// A post with Anthropic's credential and version.
    pub(crate) fn messages(&self, body: &Value) -> RequestBuilder {
        with_key(self.post("/v1/messages", body))
    }

    /// The last call, once the server has booked `calls`.
    pub(crate) async fn call(&self, calls: u64) -> CallRecord {
        let booked = async {
            let mut interval = tokio::time::interval(Duration::from_millis(2));
            while self.control().meter().total.calls < calls {
                interval.tick().await;
            }
        };
        timeout(DEADLINE, booked).await.unwrap();
        self.control().calls(1).remove(0)
    }
}

pub(crate) fn with_key(request: RequestBuilder) -> RequestBuilder {
    request
        .header("x-api-key", "test-key")
        .header("anthropic-version", "2023-06-01")
}

/// A short prompt for Claude with these fields besides.
pub(crate) fn prompt(fields: Value) -> Value {
    let mut body = json!({
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Hello, world!"}],
    });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

/// A short chat for Ollama with these fields besides.
pub(crate) fn chat(fields: Value) -> Value {
    let mut body = prompt(json!({"model": "llama3.2"}));
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.remove("max_tokens");
        body.extend(fields);
    }
    body
}

pub(crate) async fn json(request: RequestBuilder) -> (u16, Value) {
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    (status, reply.json().await.unwrap())
}

/// Reads a reply to its end, however it ends.
pub(crate) async fn pieces(mut reply: Response, started: Instant) -> Pieces {
    let mut pieces = Pieces {
        bytes: Vec::new(),
        arrivals: Vec::new(),
        whole: false,
    };
    while let Ok(piece) = reply.chunk().await {
        let Some(piece) = piece else {
            pieces.whole = true;
            break;
        };
        pieces.bytes.extend_from_slice(&piece);
        pieces.arrivals.push(started.elapsed());
    }
    pieces
}

/// The documents of a stream of JSON lines.
pub(crate) fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.ends_with('\n'), "the last line has no end: {text}");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Names and documents of server-sent events, one `event:` and one `data:` line each.
pub(crate) fn events(bytes: &[u8]) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let frames = text.split_terminator("\n\n");
    frames
        .map(|frame| {
            let (event, data) = frame.split_once('\n').unwrap();
            let name = event.strip_prefix("event: ").unwrap().to_owned();
            (
                name,
                serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap(),
            )
        })
        .collect()
}
