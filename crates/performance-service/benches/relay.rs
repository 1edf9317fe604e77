//! What the relay adds to the calls of a foreign model that it stamps.
//!
//! A real k6 asks a simulated model in turn through the relay and without it, in one run of the
//! service. The simulator, the service and k6 share this machine's cores, as they do in a run.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::bench::{is_wanted, note, option, row};
use test_support::llm_simulator::{Percentiles, Profile, ProfileText, SimulatorConfig, TokenRange};
use test_support::performance_service::PerformanceService;
use test_support::{http, simulator_with, wait};

const MEDIAN: &str = "relay, added to each call, p50";
const TAIL: &str = "relay, added to each call, p95";
const FIRST: &str = "relay, first token stamped late, p50";

/// Milliseconds that may be added: a hundredth of the first token of a quick hosted model (100 ms
/// and more) in the middle, and a twentieth in the tail.
const MEDIAN_BAR: f64 = 1.0;
const TAIL_BAR: f64 = 5.0;

/// Milliseconds that a stamp may be late: the simulator's own bar is 2 ms at p99.
const FIRST_BAR: f64 = 2.0;

/// Of the simulated model, milliseconds: quick, so that a round has many calls.
const FIRST_TOKEN: f64 = 10.0;
const GAP: f64 = 1.0;
const TOKENS: u64 = 10;

/// Seconds of load for each second of a round: a call takes 20 ms, and two users make half of
/// theirs without the relay.
const LOAD: u64 = 4;
const ROUND: u64 = 3;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    if !is_wanted(&[MEDIAN, TAIL, FIRST])? {
        return Ok(());
    }
    let seconds = match option("--seconds")? {
        Some(text) => text.parse().context("--seconds needs a number")?,
        None => ROUND,
    };
    let simulator = simulator_with(model()?).await?;
    let target = format!("model={}", simulator.base_url());
    let binary = env!("CARGO_BIN_EXE_performance-service");
    let service = PerformanceService::launch(binary, &[("PERFORMANCE_TARGETS", &target)]).await?;
    service.ready().await?;
    let metrics = measure(&service, seconds * LOAD).await?;
    let value = |metric: &str, statistic: &str| {
        let value = metrics[metric]["values"][statistic].as_f64();
        value.with_context(|| format!("{statistic} of {metric}: {metrics}"))
    };
    let calls = value("ai_ttft", "count")?;
    let at_most = |what: &str, figure: f64, bar: f64| {
        let shown = format!("{figure:.3} ms");
        let bar_shown = format!("<= {bar} ms");
        row(what, &shown, &bar_shown, figure / bar, figure <= bar)
    };
    at_most(MEDIAN, value("ai_relay_overhead", "med")?, MEDIAN_BAR)?;
    at_most(TAIL, value("ai_relay_overhead", "p(95)")?, TAIL_BAR)?;
    let first = value("ai_ttft", "med")? - FIRST_TOKEN;
    at_most(FIRST, first, FIRST_BAR)?;
    note(&format!(
        "relay: {calls} calls through it; as many without it took {:.3} ms (p50) and {:.3} ms (p95)",
        value("direct_duration", "med")?,
        value("direct_duration", "p(95)")?
    ))
}

fn model() -> anyhow::Result<SimulatorConfig> {
    let always = |value: f64| Percentiles {
        p50: value,
        p95: value,
    };
    let profile = Profile::check(ProfileText {
        name: "even".to_owned(),
        time_to_first_token_ms: always(FIRST_TOKEN),
        inter_token_gap_ms: always(GAP),
        output_tokens: TokenRange {
            min: TOKENS,
            max: TOKENS,
        },
        ..Profile::instant().text().clone()
    })?;
    Ok(SimulatorConfig {
        profile,
        ..SimulatorConfig::instant()
    })
}

/// The metrics of a run of so many seconds.
async fn measure(service: &PerformanceService, seconds: u64) -> anyhow::Result<Value> {
    let client = http::client()?;
    let family = format!("{}/api/v1/performancetest", service.base_url);
    let duration = format!("{seconds}s");
    let body = json!({
        "testScript": "tests/relayed.js",
        "options": {"virtualUsers": 2, "duration": duration, "relay": true},
    });
    let reply = client.post(format!("{family}/start")).json(&body);
    let run: Value = reply.send().await?.error_for_status()?.json().await?;
    let id = run["testId"].as_str().context("an id")?;
    // Start, setup and judgement are a few seconds more.
    let deadline = std::time::Duration::from_secs(seconds + 60);
    let run = wait::until("the run is over", deadline, async || {
        let reply = client.get(format!("{family}/{id}")).send().await?;
        let run: Value = reply.error_for_status()?.json().await?;
        ensure!(run["completedAt"].is_string(), "{run}");
        Ok(run)
    })
    .await?;
    ensure!(run["status"] == "Completed", "{run}");
    for check in run["results"]["checks"].as_array().context("checks")? {
        ensure!(check["fails"] == 0, "{check}");
    }
    Ok(run["results"]["metrics"].clone())
}
