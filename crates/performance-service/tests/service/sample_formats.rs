//! What k6 writes its samples as makes no difference to what a run says, and the run tells.

use serde_json::{Value, json};
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService};

#[tokio::test]
async fn a_run_tells_what_its_samples_were_written_as() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (asked, format) in [(json!(null), "json"), (json!("CSV"), "csv")] {
        let options = json!({"virtualUsers": 2, "duration": "2s", "outputFormat": asked});
        let body = json!({"scenario": "Smoke", "options": options});
        let before = service.target.requests();
        let id = service.begin(&body).await?;
        let run = service.wait_for_end(&id).await?;
        check_whole(&run, format, service.target.requests() - before);
        let files = service.directory(&id).join("k6-1");
        assert_eq!(files.join("samples.csv").exists(), format == "csv");
        let page = service.get_text(&format!("/runs/{id}")).await?;
        assert!(page.contains(&format!("written as {format}")), "{page}");
    }
    Ok(())
}

#[tokio::test]
async fn samples_as_csv_are_read_on_after_a_kill() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 2, "duration": "5s", "outputFormat": "csv"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    wait::until("load is on", RUN_DEADLINE, async || {
        anyhow::ensure!(service.target.requests() > 20, "not yet");
        Ok(())
    })
    .await?;
    service.process.kill();
    service.process.start_again()?;
    service.ready().await?;
    let run = service.wait_for_end(&id).await?;
    check_whole(&run, "csv", service.target.requests());
    assert!(service.process.log().contains("goes on"), "it was adopted");
    Ok(())
}

/// Every request of the target is in the results.
fn check_whole(run: &Value, format: &str, requests: u64) {
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    let results = &run["results"];
    assert_eq!(results["coverage"]["sampleFormat"], format, "{results}");
    let counted = results["metrics"]["http_reqs"]["values"]["count"].as_f64();
    let requests = u32::try_from(requests).map(f64::from);
    assert_eq!(counted, requests.ok(), "{results}");
    let checks = results["checks"].as_array().map(Vec::len);
    assert_eq!(checks, Some(2), "{results}");
}
