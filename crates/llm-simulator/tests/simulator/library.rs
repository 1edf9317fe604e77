//! Recording a simulator through the proxy, and replaying what it said.

use std::time::{Duration, Instant};

use llm_simulator::{
    Fault, FaultRule, Library, Miss, Recorder, RecorderConfig, ReplayConfig, SimulatorConfig,
};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::client::{DEADLINE, Pieces, TestSimulator, chat, pieces, prompt};

/// What no library may hold.
const SECRETS: [&str; 3] = ["test-key", "canary-query", "AKIDEXAMPLE"];

/// A proxy before a simulator, and the library that it writes.
pub(crate) struct Studio {
    pub(crate) client: Client,
    pub(crate) base_url: String,
    pub(crate) library: tempfile::TempPath,
    serving: JoinHandle<()>,
}

impl Studio {
    pub(crate) async fn before(simulator: &TestSimulator) -> Self {
        Self::before_address(&simulator.base_url()).await
    }

    pub(crate) async fn before_address(upstream: &str) -> Self {
        let library = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::remove_file(&library).unwrap();
        let recorder = Recorder::open(&RecorderConfig {
            upstream: upstream.parse().unwrap(),
            library: library.to_str().unwrap().to_owned(),
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            axum::serve(listener, recorder.router()).await.unwrap();
        });
        let client = Client::builder()
            .no_proxy()
            .timeout(DEADLINE)
            .build()
            .unwrap();
        Self {
            client,
            base_url,
            library,
            serving,
        }
    }

    pub(crate) async fn replayed(&self, speed: f64, miss: Miss) -> TestSimulator {
        let library = Library::load(self.library.to_str().unwrap()).unwrap();
        TestSimulator::start(SimulatorConfig {
            seed: 77,
            replay: Some(ReplayConfig::new(library, speed, miss)),
            ..SimulatorConfig::instant()
        })
        .await
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Every dialect, streamed and not.
pub(crate) fn calls(client: &Client, base: &str) -> Vec<RequestBuilder> {
    let openai = json!({"model": "gpt-5.5", "messages": [{"role": "user", "content": "Hello"}]});
    let converse = json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}]});
    let claude = "anthropic.claude-haiku-4-5-20251001-v1%3A0";
    let invoke = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Hello"}],
    });
    let with = |body: &Value, stream: bool| {
        let mut body = body.clone();
        body["stream"] = json!(stream);
        body
    };
    let mut bodies = Vec::new();
    for stream in [true, false] {
        bodies.extend([
            (
                "/v1/messages?tag=canary-query".to_owned(),
                prompt(json!({"stream": stream})),
            ),
            ("/v1/chat/completions".to_owned(), with(&openai, stream)),
            (
                "/v1/responses".to_owned(),
                json!({"model": "gpt-5.5", "input": "Hello", "stream": stream}),
            ),
            ("/api/chat".to_owned(), chat(json!({"stream": stream}))),
        ]);
    }
    for (action, body) in [
        ("converse-stream", &converse),
        ("converse", &converse),
        ("invoke-with-response-stream", &invoke),
        ("invoke", &invoke),
    ] {
        bodies.push((format!("/model/{claude}/{action}"), body.clone()));
    }
    bodies
        .into_iter()
        .map(|(path, body)| {
            client
                .post(format!("{base}{path}"))
                .header("anthropic-version", "2023-06-01")
                .header("authorization", "Bearer test-key")
                .json(&body)
        })
        .collect()
}

pub(crate) async fn read(request: RequestBuilder) -> (u16, String, Pieces) {
    let started = Instant::now();
    let reply = request.send().await.unwrap();
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    (reply.status().as_u16(), kind, pieces(reply, started).await)
}

#[tokio::test]
async fn every_dialect_is_replayed_as_it_was_recorded_but_for_ids() {
    let simulator = TestSimulator::instant().await;
    let studio = Studio::before(&simulator).await;
    let mut recorded = Vec::new();
    for request in calls(&studio.client, &studio.base_url) {
        recorded.push(read(request).await);
    }
    let text = std::fs::read_to_string(&studio.library).unwrap();
    assert_eq!(text.lines().count(), 13);
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret}");
    }
    let ids: Vec<String> = simulator
        .control()
        .calls(20)
        .into_iter()
        .map(|call| call.request_id)
        .collect();
    assert!(
        ids.iter().all(|id| !text.contains(id)),
        "an id is in the library"
    );

    let replay = studio.replayed(1000.0, Miss::Error).await;
    let replayed = calls(&studio.client, &replay.base_url());
    for (request, (status, kind, body)) in replayed.into_iter().zip(&recorded) {
        let shown = format!("{request:?}");
        let (again_status, again_kind, again) = read(request).await;
        assert_eq!((again_status, &again_kind), (*status, kind), "{shown}");
        assert!(*status == 200 && again.whole, "{shown}");
        assert_eq!(tokens(&again.bytes), tokens(&body.bytes), "{shown}");
    }
    let calls = replay.control().calls(20);
    assert!(calls.iter().all(|call| call.replayed), "was simulated");
}

/// What is left of a body without what an id or a frame's checksum can change.
fn tokens(bytes: &[u8]) -> usize {
    let words = String::from_utf8_lossy(bytes).into_owned();
    words.matches("text").count() + words.matches("content").count() + words.matches('\n').count()
}

#[tokio::test]
async fn timing_is_kept_and_can_be_stretched() {
    let simulator = TestSimulator::start(SimulatorConfig::standard()).await;
    let studio = Studio::before(&simulator).await;
    let request = || calls(&studio.client, &studio.base_url).swap_remove(0);
    let (_, _, recorded) = read(request()).await;
    let took = *recorded.arrivals.last().unwrap();
    for (speed, least, most) in [(1.0, 0.9, 3.0), (0.5, 1.9, 6.0)] {
        let replay = studio.replayed(speed, Miss::Error).await;
        let (_, _, again) = read(calls(&studio.client, &replay.base_url()).swap_remove(0)).await;
        let ratio = again.arrivals.last().unwrap().as_secs_f64() / took.as_secs_f64();
        assert!((least..most).contains(&ratio), "{speed}: {ratio}");
        assert!(again.arrivals.first().unwrap() < again.arrivals.last().unwrap());
    }
    assert!(took > Duration::from_millis(50), "{took:?}");
}

#[tokio::test]
async fn equal_requests_get_their_answers_in_order_and_faults_are_kept() {
    let simulator = TestSimulator::instant().await;
    let studio = Studio::before(&simulator).await;
    let request = |base: &str| calls(&studio.client, base).swap_remove(4);
    let mut rule = FaultRule::always(Fault::Status {
        code: 429,
        retry_after: Some("7".to_owned()),
        retry_after_ms: None,
    });
    rule.times = Some(1);
    simulator.control().set_faults(vec![rule]).unwrap();
    for _ in 0..2 {
        read(request(&studio.base_url)).await;
    }
    let cut = Fault::Cut {
        after_tokens: 3,
        within: None,
    };
    simulator
        .control()
        .set_faults(vec![FaultRule::always(cut)])
        .unwrap();
    let torn = read(calls(&studio.client, &studio.base_url).swap_remove(0)).await;
    assert!(!torn.2.whole);

    let replay = studio.replayed(1000.0, Miss::Error).await;
    let reply = request(&replay.base_url()).send().await.unwrap();
    assert_eq!(reply.status(), 429);
    assert_eq!(reply.headers()["retry-after"], "7");
    for _ in 0..2 {
        assert_eq!(read(request(&replay.base_url())).await.0, 200);
    }
    let torn = read(calls(&studio.client, &replay.base_url()).swap_remove(0)).await;
    assert!(torn.0 == 200 && !torn.2.whole && !torn.2.bytes.is_empty());
}

#[tokio::test]
async fn what_was_not_recorded_is_404_in_the_dialects_shape_or_simulated() {
    let simulator = TestSimulator::instant().await;
    let studio = Studio::before(&simulator).await;
    let strict = studio.replayed(1.0, Miss::Error).await;
    for (index, request) in calls(&studio.client, &strict.base_url())
        .into_iter()
        .enumerate()
    {
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 404, "{index}");
        let named = reply.headers().contains_key("x-amzn-errortype");
        let document: Value = reply.json().await.unwrap();
        assert!(document.get("error").is_some() || named, "{document}");
    }
    // Questions about models are no calls.
    let version = strict.get("/api/version").send().await.unwrap();
    assert_eq!(version.status(), 200);
    let lenient = studio.replayed(1.0, Miss::Simulate).await;
    for request in calls(&studio.client, &lenient.base_url()) {
        assert_eq!(read(request).await.0, 200);
    }
    assert_eq!(lenient.control().meter().total.completed, 12);
}

#[tokio::test]
async fn an_upstream_that_is_gone_or_wrong_is_a_clear_error() {
    let simulator = TestSimulator::instant().await;
    let studio = Studio::before(&simulator).await;
    drop(simulator);
    let request = || calls(&studio.client, &studio.base_url).swap_remove(0);
    let gone = async {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        while request().send().await.unwrap().status() != 502 {
            interval.tick().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
    for upstream in [
        "ftp://localhost",
        "http://anna:secret@localhost",
        "http://localhost?key=1",
    ] {
        let config = RecorderConfig {
            upstream: upstream.parse().unwrap(),
            library: studio.library.to_str().unwrap().to_owned(),
        };
        let refused = Recorder::open(&config).err().unwrap().to_string();
        assert!(
            refused.contains("upstream") && !refused.contains("secret"),
            "{refused}"
        );
    }
}
