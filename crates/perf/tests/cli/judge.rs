//! Runs that were made elsewhere.

use crate::command::{call, end, perf, service, text};

const LIMITS: &str = r#"
[[limit]]
metric = "http_req_failed"
stat = "rate"
target = 1
unit = "%"
window = "run"

[[limit]]
metric = "http_req_duration"
stat = "p(95)"
target = 60000
unit = "ms"
"#;

#[tokio::test]
async fn a_summary_is_held_against_limits() -> anyhow::Result<()> {
    let service = service().await?;
    let run = ["run", "smoke", "--vus", "1", "--duration", "1s"];
    call(&service, &run).await?.ended_with(0);
    let directory = tempfile::tempdir()?;
    let [summary, report, limits] =
        ["summary.json", "report.json", "limits.toml"].map(|name| directory.path().join(name));
    for (format, file) in [("k6-summary", &summary), ("json", &report)] {
        let report = ["report", "1", "--format", format, "-o", text(file)];
        call(&service, &report).await?.ended_with(0);
    }
    // No service is asked.
    service.process.kill();
    let validate = [
        "validate",
        text(&summary),
        text(&report),
        "--limits",
        text(&limits),
    ];
    std::fs::write(&limits, LIMITS)?;
    let told = call(&service, &validate).await?.ended_with(0);
    assert_eq!(told.matches("All 2 limits held.").count(), 2, "{told}");
    // The longest request of the whole run decides no steady part of it.
    std::fs::write(&limits, LIMITS.replace("60000", "0.0001"))?;
    let told = call(&service, &validate).await?.ended_with(1);
    assert!(told.contains("the limit is on `steady`"), "{told}");
    let tight = LIMITS.replace("60000", "0.0001\nwindow = \"run\"");
    std::fs::write(&limits, tight.replace("p(95)", "avg"))?;
    let outcome = call(&service, &[&["--json"], &validate[..]].concat()).await?;
    let judged = outcome.json();
    assert_eq!(outcome.code, 2, "{judged}");
    assert_eq!(judged[0]["verdict"]["level"], "FAIL");
    assert_eq!(judged[0]["limits"], judged[1]["limits"]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_summary_is_refused() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("samples.json");
    for (content, reason) in [
        (
            "{\"type\":\"Metric\"}\n{\"type\":\"Point\"}\n",
            "--out json",
        ),
        ("{}", "no `metrics`"),
    ] {
        std::fs::write(&file, content)?;
        let call = perf("http://127.0.0.1:1", &["validate", text(&file)])?.start()?;
        let told = end(&call).await?.ended_with(3);
        assert!(told.contains(reason), "{told}");
    }
    let call = perf("http://127.0.0.1:1", &["validate", "nowhere.json"])?.start()?;
    let told = end(&call).await?.ended_with(3);
    assert!(told.contains("nowhere.json: No such file"), "{told}");
    Ok(())
}
