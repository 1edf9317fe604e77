//! What a run would take, and what it may spend.

use crate::command::{call, service};

const STEADY: [&str; 4] = ["--vus", "1", "--duration", "2s"];

#[tokio::test]
async fn a_forecast_is_a_table_and_starts_nothing() -> anyhow::Result<()> {
    let service = service().await?;
    let forecast = [&["forecast", "smoke"], &STEADY[..]].concat();
    let text = call(&service, &forecast).await?.ended_with(0);
    assert!(
        text.contains("figure") && text.contains("rests on"),
        "{text}"
    );
    let unknown = "Not forecast: iterations, requests, requests per second,";
    assert!(text.contains(unknown), "{text}");
    assert!(text.contains("(no earlier run of this script"), "{text}");
    assert!(text.contains("up to 1 virtual user\n"), "{text}");
    assert!(text.contains("$100 of real money are left today"), "{text}");
    assert_eq!(service.target.requests(), 0);
    let none = call(&service, &["schedules"]).await?.ended_with(0);
    assert!(none.contains("nothing starts by the clock"), "{none}");
    let url = format!("{}/api/v1/performancetest/schedules", service.base_url);
    let nightly = serde_json::json!({"name": "nightly", "cron": "0 2 * * *"});
    let made = test_support::http::client()?.post(url).json(&nightly);
    assert_eq!(made.send().await?.status(), 201);
    let listed = call(&service, &["schedules"]).await?.ended_with(0);
    assert!(listed.contains("0 2 * * * UTC"), "{listed}");
    assert!(listed.contains("nobody knows what it costs"), "{listed}");

    let capped = ["--json", "run", "smoke", "--max-dollars", "0.25"];
    let run = call(&service, &[&capped, &STEADY[..]].concat()).await?;
    assert_eq!(run.json()["maxDollars"], "0.25");
    let with_cap = [&forecast[..], &["--max-dollars", "0.25"]].concat();
    let text = call(&service, &with_cap).await?.ended_with(0);
    assert!(
        text.contains("one earlier run, half of it either way"),
        "{text}"
    );
    let caps = "it is stopped at $0.25 of real money or $0.25 of simulated money";
    assert!(text.contains(caps), "{text}");
    let json = [&["--json"], &forecast[..]].concat();
    let document = call(&service, &json).await?.json();
    assert_eq!(document["runs"], 1);

    for wrong in ["-1", "much"] {
        let dollars = format!("--max-dollars={wrong}");
        let text = call(&service, &["run", "smoke", &dollars])
            .await?
            .ended_with(3);
        assert!(text.contains("--max-dollars"), "{text}");
    }
    let broken = call(&service, &["forecast", "tests/broken.js"]).await?;
    let text = broken.ended_with(3);
    assert!(text.contains("this script is broken"), "{text}");
    Ok(())
}
