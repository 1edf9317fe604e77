//! Streams of a foreign model, stamped for k6 by the relay.

use anyhow::Context;
use serde_json::{Value, json};
use test_support::llm_simulator::{Percentiles, Profile, ProfileText, SimulatorConfig, TokenRange};

use crate::test_service::TestService;

/// Of the simulated model: its first token, and each after it.
const FIRST_TOKEN_MS: f64 = 120.0;
const GAP_MS: f64 = 5.0;
const TOKENS: u64 = 30;

fn config() -> anyhow::Result<SimulatorConfig> {
    let always = |value: f64| Percentiles {
        p50: value,
        p95: value,
    };
    let profile = Profile::check(ProfileText {
        name: "even".to_owned(),
        time_to_first_token_ms: always(FIRST_TOKEN_MS),
        inter_token_gap_ms: always(GAP_MS),
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

fn value(run: &Value, metric: &str, statistic: &str) -> f64 {
    let value = run["results"]["metrics"][metric]["values"][statistic].as_f64();
    value.unwrap_or(f64::NAN)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_foreign_model_are_stamped_counted_and_priced() -> anyhow::Result<()> {
    let simulator = test_support::simulator_with(config()?).await?;
    let service = TestService::start_with(&[
        (
            "PERFORMANCE_TARGETS",
            &format!("model={}", simulator.base_url()),
        ),
        ("PERFORMANCE_RELAY_PRICES", "llama3.2=0/0.5"),
    ])
    .await?;
    let body = json!({
        "testScript": "tests/relayed.js",
        "options": {"virtualUsers": 2, "duration": "4s", "relay": true},
    });
    let id = service.begin(&body).await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    for check in run["results"]["checks"].as_array().context("checks")? {
        assert_eq!(check["fails"], 0, "{check}");
    }
    let first = value(&run, "ai_ttft", "med");
    assert!(
        (FIRST_TOKEN_MS..FIRST_TOKEN_MS * 2.0).contains(&first),
        "{first} ms"
    );
    let (tokens, calls) = (
        value(&run, "ai_tokens_output", "count"),
        value(&run, "ai_ttft", "count"),
    );
    #[expect(clippy::cast_precision_loss, reason = "30 tokens")]
    let expected = calls * TOKENS as f64;
    assert!((tokens - expected).abs() < 0.5, "{tokens} of {calls} calls");
    // Half a dollar for a million tokens.
    let cost = value(&run, "ai_cost_pico_usd", "count");
    assert!((cost - tokens * 500_000.0).abs() < 0.5, "{cost}");
    // What the relay adds is small beside what it measures, also against calls without it.
    let overhead = value(&run, "ai_relay_overhead", "med");
    assert!((0.0..20.0).contains(&overhead), "{overhead} ms");
    let (direct, all) = (
        value(&run, "direct_duration", "med"),
        value(&run, "http_req_duration", "med"),
    );
    assert!(
        (direct - all).abs() < direct * 0.3,
        "{direct} ms without it, {all} ms of all"
    );
    let log = service
        .get_text(&format!("/api/v1/performancetest/{id}/logs"))
        .await?;
    assert!(log.contains("of another run 404, around 404"), "{log}");

    // When the run is over nobody reaches its target through the relay.
    let port = std::fs::read_to_string(service.state.path().join("relay-port"))?;
    let address = format!("http://127.0.0.1:{port}/{id}/api/tags");
    assert_eq!(service.client.get(address).send().await?.status(), 404);
    Ok(())
}

/// The suite that is shipped, with each protocol that it speaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_speaks_the_protocols_of_the_vendors() -> anyhow::Result<()> {
    let simulator = test_support::simulator_with(config()?).await?;
    let scripts = test_support::tools::workspace().join("k6");
    let scripts = scripts.to_str().context("a path")?;
    let target = format!("model={}", simulator.base_url());
    let settings = [
        ("PERFORMANCE_TARGETS", target.as_str()),
        ("PERFORMANCE_SCRIPTS_DIR", scripts),
    ];
    let service = TestService::start_with(&settings).await?;
    for provider in ["ollama", "openai", "claude"] {
        let body = json!({
            "testScript": "tests/ai-relay.js",
            "environment": {"PROVIDER": provider, "SCALE": "0.02"},
            "options": {"relay": true},
        });
        let id = service.begin(&body).await?;
        let run = service.wait_for_end(&id).await?;
        let told = &run["results"];
        assert_eq!(
            told["metrics"]["ai_operation_failed"]["values"]["passes"], 0.0,
            "{provider}: {run}"
        );
        assert!(
            value(&run, "ai_ttft", "min") >= FIRST_TOKEN_MS,
            "{provider}: {run}"
        );
        assert!(
            value(&run, "ai_inter_token", "med") >= 1.0,
            "{provider}: {run}"
        );
        assert!(
            value(&run, "ai_tokens_input", "count") > 0.0,
            "{provider}: {run}"
        );
        let calls = value(&run, "ai_ttft", "count");
        let unpriced = value(&run, "ai_unpriced_calls", "count");
        assert!((unpriced - calls).abs() < 0.5, "{unpriced} of {calls}");
    }
    Ok(())
}

#[tokio::test]
async fn a_script_that_did_not_ask_for_it_does_not_reach_the_relay() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let environment = json!({"LLM_RELAY_URL": "http://127.0.0.1:1"});
    let reply = service
        .ask(&json!({"scenario": "Smoke", "environment": environment}))
        .await?;
    assert_eq!(reply.status(), 400, "it is not the client's to set");
    let id = service
        .begin(&json!({"testScript": "tests/relayed.js"}))
        .await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "INVALID", "{run}");
    Ok(())
}
