//! Money as a limit: what runs cost is watched, stops them, and is kept.

use anyhow::Context;
use serde_json::{Value, json};

use crate::paid_target::{Money, PaidService, paid, pico};
use crate::test_service::TestService;

const SPEND: &str = "/api/v1/performancetest/spend";

/// A cent in units of 10⁻¹² USD.
const ALLOWED: u64 = 10_000_000_000;

#[tokio::test]
async fn a_run_is_stopped_at_its_cap() -> anyhow::Result<()> {
    let paid_service = PaidService::start(Money::Simulated, &[]).await?;
    let service = &paid_service.service;
    let body = json!({"maxDollars": 0.01, "vus": 1, "duration": "60s"});
    let run = paid_service.run(&body).await?;
    assert_eq!(run["status"], "Cancelled", "{run}");
    assert_eq!(run["verdict"]["level"], "INVALID");
    assert_eq!(run["verdict"]["exitCode"], 2);
    let reason = run["verdict"]["reasons"][0].as_str().context("a reason")?;
    assert!(
        reason.starts_with("Stopped by its budget: it spent sim $0.0"),
        "{reason}"
    );
    assert!(
        reason.contains("of the sim $0.0100 that it may spend"),
        "{reason}"
    );

    // What the simulator's own meter says, but for a call that k6's end may have cut off, whose
    // tokens are estimated: it costs less than a cent.
    let spend = &run["results"]["spend"];
    let cost = pico(&spend["simulated"]["cost"]);
    assert!(cost.abs_diff(paid_service.invoice()) < ALLOWED, "{spend}");
    assert_eq!(pico(&spend["real"]["cost"]), 0);
    assert_eq!(spend["source"], "ledger");
    let reached = &spend["reached"];
    assert_eq!(
        (&reached["stopped"], &reached["simulated"]),
        (&json!(true), &json!(true))
    );
    let overshoot = pico(&reached["overshoot"]);
    assert_eq!(overshoot, cost - ALLOWED);
    println!("cap $0.01, overshoot {overshoot} pico-dollars");
    // A second until the ledger is asked again and one to stop: some twenty calls of 3 m$ at most.
    assert!(overshoot < 60_000_000_000, "{overshoot}");

    let kept = service.get_json(SPEND).await?;
    assert_eq!(kept["simulated"], spend["simulated"]["cost"], "{kept}");
    assert_eq!(pico(&kept["real"]), 0);
    assert_eq!(kept["groups"][0]["key"], "paid");
    assert_eq!(kept["stopped"][0]["testId"], run["testId"]);
    assert_eq!(kept["stopped"][0]["overshoot"], reached["overshoot"]);
    let models = service.get_json(&format!("{SPEND}?by=model")).await?;
    assert!(
        models["groups"][0]["key"]
            .as_str()
            .unwrap()
            .contains("sonnet"),
        "{models}"
    );
    shown(service, &run).await
}

/// The page of the run, its report and the page of all runs show the one figure.
async fn shown(service: &TestService, run: &Value) -> anyhow::Result<()> {
    let id = run["testId"].as_str().context("an id")?;
    let exact = run["results"]["spend"]["simulated"]["cost"]["usd"]
        .as_str()
        .unwrap();
    let exact = format!("sim {exact} USD");
    let export = format!("/api/v1/performancetest/{id}/export?format=html");
    for path in ["/spend", &format!("/runs/{id}"), &export] {
        let page = service.get_text(path).await?;
        assert!(page.contains(&exact), "{path}: {page}");
        assert!(!page.contains("style="), "{path}");
    }
    let page = service.get_text("/spend").await?;
    assert!(
        page.contains("Stopped by their budget") && page.contains("#1 paid"),
        "{page}"
    );
    let comment = service
        .get_text(&export.replace("html", "markdown"))
        .await?;
    assert!(comment.contains("It cost sim $0.0"), "{comment}");
    for query in ["by=planet", "from=soon", "from=2026-02-01&to=2026-01-01"] {
        let reply = service.get(&format!("{SPEND}?{query}")).await?;
        assert_eq!(reply.status(), 400, "{query}");
    }
    let before = service.get_json(&format!("{SPEND}?to=2020-01-01")).await?;
    assert_eq!(before["groups"], json!([]));
    Ok(())
}

#[tokio::test]
async fn real_dollars_are_forecast_and_confirmed() -> anyhow::Result<()> {
    let settings = [("PERFORMANCE_CONFIRM_USD", "0.001")];
    let paid_service = PaidService::start(Money::Real, &settings).await?;
    let service = &paid_service.service;
    let first = paid_service
        .run(&json!({"vus": 1, "duration": "2s"}))
        .await?;
    assert_eq!(first["verdict"]["level"], "PASS", "{first}");
    let spend = &first["results"]["spend"];
    assert_eq!(pico(&spend["real"]["cost"]), paid_service.invoice());
    assert_eq!(pico(&spend["simulated"]["cost"]), 0);
    // Nothing was known before it.
    assert_eq!(first["forecast"]["real"]["range"], Value::Null);

    let longer = json!({"vus": 1, "duration": "20s", "maxDollars": "3"});
    let forecast = service.forecast(&paid(&longer)).await?;
    let expected = pico(&forecast["real"]["range"]["expected"]);
    let once = paid_service.invoice();
    assert!(
        (5 * once..20 * once).contains(&expected),
        "{once}: {forecast}"
    );
    assert!(forecast["inputTokens"]["range"]["expected"].as_f64() > Some(0.0));
    assert_eq!(forecast["runs"], 1);
    let wanted = forecast["confirmDollars"]
        .as_str()
        .context("a confirmation")?;

    let refused = service.ask(&paid(&longer)).await?;
    assert_eq!(refused.status(), 409);
    let problem: Value = refused.json().await?;
    assert_eq!(problem["type"], "/problems/confirm-dollars", "{problem}");
    assert_eq!(problem["confirmDollars"], wanted);
    assert_eq!(problem["forecast"]["real"], forecast["real"]);
    let too_little = json!({"vus": 1, "duration": "20s", "confirmDollars": 0.0001});
    assert_eq!(service.ask(&paid(&too_little)).await?.status(), 409);

    let short = json!({"vus": 1, "duration": "2s", "confirmDollars": wanted});
    let second = paid_service.run(&short).await?;
    let lines = second["forecastLines"].as_array().context("lines")?;
    let line = |figure: &str| lines.iter().find(|line| line["figure"] == figure).unwrap();
    assert_eq!(
        line("real dollars")["basis"],
        "one earlier run, half of it either way"
    );
    assert!(
        line("real dollars")["actual"]
            .as_str()
            .unwrap()
            .starts_with('$')
    );
    let page = format!("/runs/{}", second["testId"].as_str().unwrap());
    assert!(
        service
            .get_text(&page)
            .await?
            .contains("Forecast and actual")
    );
    Ok(())
}

#[tokio::test]
async fn the_dollars_of_a_day_are_bounded() -> anyhow::Result<()> {
    let settings = [("PERFORMANCE_TENANT_DAILY_USD", "0.004")];
    let paid_service = PaidService::start(Money::Real, &settings).await?;
    let run = paid_service
        .run(&json!({"vus": 1, "duration": "60s"}))
        .await?;
    assert_eq!(run["status"], "Cancelled", "{run}");
    assert_eq!(run["results"]["spend"]["reached"]["simulated"], false);
    let next = paid_service.service.ask(&paid(&json!({}))).await?;
    assert_eq!(next.status(), 429);
    assert!(next.headers().contains_key("retry-after"));
    let problem: Value = next.json().await?;
    assert_eq!(problem["limit"], "dollarsPerDay", "{problem}");
    assert_eq!(problem["allowed"], "0.004");
    Ok(())
}
