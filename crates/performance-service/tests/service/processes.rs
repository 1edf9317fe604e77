//! One run by several k6.

use serde_json::json;

use crate::test_service::TestService;

#[tokio::test]
async fn two_k6_share_a_run_that_is_judged_as_one() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 3, "duration": "3s", "processes": 2});
    let body = json!({"scenario": "Smoke", "options": options});
    let id = service.begin(&body).await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    assert_eq!(run["options"]["processes"], 2);
    let metrics = &run["results"]["metrics"];
    let counted = metrics["http_reqs"]["values"]["count"].as_f64();
    let requests = u32::try_from(service.target.requests())?;
    assert_eq!(counted, Some(f64::from(requests)));
    assert_eq!(metrics["vus_max"]["values"]["max"], 3.0);
    let path = format!("/api/v1/performancetest/{id}/logs");
    let log = service.get_text(&path).await?;
    assert_eq!(
        log.matches("scenario smoke").count(),
        1,
        "setup is run once: {log}"
    );
    Ok(())
}

#[tokio::test]
async fn no_run_has_more_k6_than_processors_or_users() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for processes in [0, 65, 1_000_000_000] {
        let body = json!({"options": {"processes": processes}});
        let reply = service.ask(&body).await?;
        assert_eq!(reply.status(), 400, "{processes}");
        let problem: serde_json::Value = reply.json().await?;
        assert!(
            problem.to_string().contains("options.processes"),
            "{problem}"
        );
    }
    let options = json!({"virtualUsers": 1, "duration": "1s", "processes": 2});
    let body = json!({"scenario": "Smoke", "options": options});
    let id = service.begin(&body).await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["status"], "Failed");
    let message = run["errorMessage"].as_str().unwrap();
    assert!(message.contains("too few for 2 processes"), "{message}");
    Ok(())
}
