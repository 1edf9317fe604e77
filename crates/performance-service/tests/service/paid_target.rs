//! A real API, whose Claude is the simulator, as the target of runs.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use test_support::llm_simulator::{Percentiles, Profile, ProfileText, Running};
use test_support::process::{Process, Program};
use test_support::{http, port};

use crate::test_service::TestService;

/// A debug binary on a machine under load starts in a second or two.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// Of a slow model, from the call to the first token. An answer costs half a cent at most.
const SLOW_MS: f64 = 3_000.0;

/// Units of 10⁻¹² USD per token of claude-sonnet-5-5: 2 dollars a million in, 10 out
/// (Anthropic's price list of 2026-11-20).
const PRICES: (u64, u64) = (2_000_000, 10_000_000);

/// Whose money the calls are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Money {
    Real,
    Simulated,
}

/// A service whose target pays for each call.
pub(crate) struct PaidService {
    pub(crate) service: TestService,
    simulator: Running,
    pub(crate) api: Process,
}

impl PaidService {
    /// With further settings of the performance service. The API's binary stands beside ours;
    /// `make test` builds both.
    pub(crate) async fn start(money: Money, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let simulator = test_support::simulator().await?;
        let binary = env!("CARGO_BIN_EXE_performance-service");
        let binary = Path::new(binary).with_file_name("bookstore-api");
        ensure!(
            binary.is_file(),
            "bookstore-api is not built; `cargo build -p bookstore-api` builds it"
        );
        let address = format!("127.0.0.1:{}", port::free()?);
        let program = Program::new("bookstore-api", binary)?;
        let state = program.directory().join("state");
        let mut program = program
            .env("BOOKSTORE_HTTP_ADDR", &address)
            .env("BOOKSTORE_STATE_DIR", state)
            .env("ANTHROPIC_API_KEY", "sk-test-key-of-the-simulator")
            .env("ANTHROPIC_BASE_URL", simulator.base_url());
        if money == Money::Simulated {
            program = program.env("BOOKSTORE_SIMULATED_PROVIDERS", "claude");
        }
        let api = program.start()?;
        let base_url = format!("http://{address}");
        let client = http::client()?;
        api.ready(START_DEADLINE, async || {
            let reply = client
                .get(format!("{base_url}/health/ready"))
                .send()
                .await?;
            ensure!(reply.status().is_success(), "{}", reply.status());
            Ok(())
        })
        .await?;
        let target = format!("local={base_url}");
        let mut all = vec![("PERFORMANCE_TARGETS", target.as_str())];
        all.extend(settings);
        Ok(Self {
            service: TestService::start_with(&all).await?,
            simulator,
            api,
        })
    }

    /// What the simulator has answered, at the vendor's prices, in units of 10⁻¹² USD.
    pub(crate) fn invoice(&self) -> u64 {
        let used = self.simulator.control().meter().total;
        used.input_tokens * PRICES.0 + used.output_tokens * PRICES.1
    }

    /// Lets a dollar take its time, so that what a test does before the next one is spent comes
    /// before it on a busy machine too.
    pub(crate) fn spend_slowly(&self) -> anyhow::Result<()> {
        let slow = Percentiles {
            p50: SLOW_MS,
            p95: SLOW_MS,
        };
        let profile = Profile::check(ProfileText {
            name: "slow".to_owned(),
            time_to_first_token_ms: slow,
            ..Profile::instant().text().clone()
        })?;
        self.simulator.control().set_profile(profile);
        Ok(())
    }

    /// The same without any delay, as after the start.
    pub(crate) fn spend_quickly(&self) {
        self.simulator.control().set_profile(Profile::instant());
    }

    /// Carries out a run of the paid script and gives it.
    pub(crate) async fn run(&self, more: &Value) -> anyhow::Result<Value> {
        let id = self.service.begin(&paid(more)).await?;
        self.service.wait_for_end(&id).await
    }
}

/// A request for a run of the paid script.
pub(crate) fn paid(more: &Value) -> Value {
    let mut body = json!({"testName": "paid", "scenario": "Smoke", "testScript": "tests/paid.js"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The exact sum of an amount of money.
#[track_caller]
pub(crate) fn pico(amount: &Value) -> u64 {
    let pico_usd = amount["picoUsd"].as_u64();
    assert!(pico_usd.is_some(), "{amount}");
    pico_usd.unwrap()
}
