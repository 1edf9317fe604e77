//! What a script says of its secrets is kept nowhere but in k6's own files, for as long as these
//! are there.

use serde_json::json;

use crate::test_service::TestService;

#[tokio::test]
async fn secrets_of_a_script_are_in_no_result_series_or_log() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({"testScript": "tests/leaky.js"}))
        .await?;
    let run = service.wait_for_end(&id).await?;
    assert!(service.target.requests() > 0, "{run}");
    let raw = service.directory(&id).join("k6-1/samples.ndjson");
    assert!(std::fs::read_to_string(raw)?.contains("canary-query"));

    let family = format!("/api/v1/performancetest/{id}");
    let mut paths = vec![
        family.clone(),
        format!("/runs/{id}"),
        format!("/performance-hub?test={id}"),
    ];
    paths.extend(["results", "timeline", "logs"].map(|part| format!("{family}/{part}")));
    let formats = ["json", "csv", "k6-summary", "html", "markdown", "junit"];
    paths.extend(formats.map(|format| format!("{family}/export?format={format}")));
    for path in paths {
        let text = service.get_text(&path).await?;
        assert!(!text.contains("canary"), "{path}: {text}");
    }
    let logs = service.get_text(&format!("{family}/logs")).await?;
    assert!(logs.contains("Authorization: Bearer ***"), "{logs}");
    let own = service.process.log();
    assert!(!own.contains("canary"), "{own}");
    for file in std::fs::read_dir(service.state.path().join("data"))? {
        let bytes = std::fs::read(file?.path())?;
        let found = bytes.windows(6).any(|window| window == b"canary");
        assert!(!found, "the store has a secret");
    }
    Ok(())
}
