//! A target in production is loaded by an administrator who names it once more, by nobody else.

use serde_json::{Value, json};
use test_support::access::{ADMIN, ENGINEER};

use crate::access::Guarded;
use crate::test_service::TestService;

const START: &str = "/api/v1/performancetest/start";

#[tokio::test]
async fn a_production_target_needs_an_administrator_who_names_it() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[("PERFORMANCE_PRODUCTION_TARGETS", "local")]).await?;
    let bare = json!({"testScript": "tests/broken.js"});
    let named = json!({"testScript": "tests/broken.js", "confirmProduction": "local"});
    let other = json!({"testScript": "tests/broken.js", "confirmProduction": "Local"});
    for (token, body, status) in [
        (ENGINEER, &bare, 403),
        (ENGINEER, &named, 403),
        (ADMIN, &bare, 403),
        (ADMIN, &other, 403),
        (ADMIN, &named, 201),
    ] {
        let reply = guarded.post(token, START, body).await?;
        assert_eq!(reply.status(), status, "{body}");
        if status == 403 {
            let problem: Value = reply.json().await?;
            assert_eq!(problem["type"], "/problems/production-target");
        }
    }
    let quick = "/api/v1/performancetest/quick-start/smoke";
    let quick = guarded.post(ADMIN, quick, &json!({})).await?;
    assert_eq!(quick.status(), 403);
    assert_eq!(guarded.service.target.requests(), 0);
    Ok(())
}

#[tokio::test]
async fn a_misspelled_production_target_is_found_at_start() -> anyhow::Result<()> {
    let service = TestService::launch(&[("PERFORMANCE_PRODUCTION_TARGETS", "locall")]).await?;
    let ended = service
        .process
        .wait(std::time::Duration::from_secs(30))
        .await?;
    assert!(!ended.success());
    let log = service.process.log();
    assert!(
        log.contains("\"locall\" is not in PERFORMANCE_TARGETS"),
        "{log}"
    );
    Ok(())
}
