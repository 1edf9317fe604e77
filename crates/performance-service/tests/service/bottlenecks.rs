//! Faults that are planted in a real system: the findings name the part that has them.

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::fault_proxy::{Behaviour, FaultProxy};
use test_support::llm_simulator::{Percentiles, Profile, ProfileText, Running, TokenRange};
use test_support::process::{Process, Program};
use test_support::{Prometheus, Redis, http, port};

use crate::test_service::{RUN_DEADLINE, TestService};

/// A real API with Redis behind a proxy, the simulator as its model, and Prometheus.
pub(crate) struct Laboratory {
    pub(crate) service: TestService,
    pub(crate) proxy: FaultProxy,
    simulator: Running,
    prometheus: Prometheus,
    _api: Process,
    _redis: Redis,
}

impl Laboratory {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let redis = test_support::redis().await?;
        let proxy = FaultProxy::start(format!("127.0.0.1:{}", redis.port()))?;
        let simulator = test_support::simulator().await?;
        let address = format!("127.0.0.1:{}", port::free()?);
        let api = api(&address, &proxy, &simulator).await?;
        let prometheus = test_support::prometheus(&[("api", &address)]).await?;
        let service = TestService::start_with(&[
            ("PERFORMANCE_TARGETS", &format!("local=http://{address}")),
            ("PERFORMANCE_PROMETHEUS_URL", &prometheus.url()),
        ])
        .await?;
        prometheus.query_until_found("tokio_busy_ratio").await?;
        Ok(Self {
            service,
            proxy,
            simulator,
            prometheus,
            _api: api,
            _redis: redis,
        })
    }

    /// The first finding of a run by so many users, who ask a provider or for books alone; and
    /// what it is one of.
    async fn first_finding(
        &self,
        users: u32,
        provider: Option<&str>,
    ) -> anyhow::Result<(Value, String)> {
        let environment = provider.map_or_else(|| json!({}), |name| json!({"PROVIDER": name}));
        let body = json!({
            "testScript": "tests/books.js",
            "environment": environment,
            "options": {"virtualUsers": users, "duration": "12s", "warmUp": "5s"},
        });
        let run = self.run(&body).await?;
        let id = run["testId"].as_str().context("an id")?;
        let findings = &run["results"]["findings"];
        let first = findings["findings"].get(0).cloned();
        let seen = format!("/api/v1/performancetest/{id}/resources");
        let seen = self.service.get_json(&seen).await?;
        let log = self.prometheus.process().log();
        let first = first.with_context(|| format!("{findings} of {seen} {log}"))?;
        Ok((first, format!("{findings} of {seen}")))
    }

    /// A run to its end, in which every answer was as expected.
    pub(crate) async fn run(&self, body: &Value) -> anyhow::Result<Value> {
        let id = self.service.begin(body).await?;
        let run = self.service.wait_for_end(&id).await?;
        ensure!(run["status"] == "Completed", "{run}");
        ensure!(run["results"]["checks"][0]["fails"] == 0, "{run}");
        Ok(run)
    }

    /// Answers of this many milliseconds from now on.
    fn model_takes(&self, milliseconds: f64) -> anyhow::Result<()> {
        let always = |value: f64| Percentiles {
            p50: value,
            p95: value,
        };
        let profile = Profile::check(ProfileText {
            name: "slow".to_owned(),
            time_to_first_token_ms: always(milliseconds),
            inter_token_gap_ms: always(1.0),
            output_tokens: TokenRange { min: 20, max: 20 },
            ..Profile::instant().text().clone()
        })?;
        self.simulator.control().set_profile(profile);
        Ok(())
    }
}

/// The API's binary stands beside ours; `make test` builds both.
async fn api(address: &str, redis: &FaultProxy, model: &Running) -> anyhow::Result<Process> {
    let binary =
        Path::new(env!("CARGO_BIN_EXE_performance-service")).with_file_name("bookstore-api");
    ensure!(
        binary.is_file(),
        "bookstore-api is not built; `cargo build -p bookstore-api` builds it"
    );
    let program = Program::new("bookstore-api", binary)?;
    let state = program.directory().join("state");
    let process = program
        .env("BOOKSTORE_HTTP_ADDR", address)
        .env("BOOKSTORE_STATE_DIR", state)
        .env("BOOKSTORE_CACHE_LEVEL1_BYTES", "0")
        .env("REDIS_URL", format!("redis://{}", redis.address()))
        .env("OLLAMA_HOST", model.base_url())
        .env("BOOKSTORE_SIMULATED_PROVIDERS", "ollama")
        .env("BOOKSTORE_LLM_CONCURRENCY", "2")
        .env("BOOKSTORE_LLM_QUEUE_TIMEOUT", "20s")
        .start()?;
    let client = http::client()?;
    let url = format!("http://{address}/health/ready");
    process
        .ready(RUN_DEADLINE, async || {
            let status = client.get(&url).send().await?.status();
            ensure!(status.is_success(), "{status}");
            Ok(())
        })
        .await?;
    Ok(process)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_part_with_the_planted_fault_is_named() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    laboratory.proxy.set(Behaviour {
        latency_ms: 12,
        ..Behaviour::default()
    });
    let (finding, all) = laboratory.first_finding(2, None).await?;
    assert_eq!(
        (&finding["kind"], &finding["part"]),
        (&json!("storeTime"), &json!("redis")),
        "{all}"
    );
    laboratory.proxy.heal();

    laboratory.model_takes(1_000.0)?;
    let (finding, all) = laboratory.first_finding(2, Some("ollama")).await?;
    assert_eq!(
        (&finding["kind"], &finding["part"]),
        (&json!("modelTime"), &json!("ollama")),
        "{all}"
    );

    // Two places and eight who want one.
    let (finding, all) = laboratory.first_finding(8, Some("ollama")).await?;
    assert_eq!(
        (&finding["kind"], &finding["part"]),
        (&json!("modelQueue"), &json!("ollama")),
        "{all}"
    );
    let advice = finding["recommendation"]
        .as_str()
        .context("a recommendation")?;
    assert!(advice.contains("more calls to ollama at once"), "{advice}");
    Ok(())
}
