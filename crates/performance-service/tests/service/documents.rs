//! What the service says about itself.

use serde_json::json;

use crate::test_service::TestService;

#[tokio::test]
async fn scenarios_are_those_of_the_contract() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let scenarios = service
        .get_json("/api/v1/performancetest/scenarios")
        .await?;
    let listed: Vec<_> = scenarios
        .as_array()
        .unwrap()
        .iter()
        .map(|scenario| (scenario["name"].clone(), scenario["value"].clone()))
        .collect();
    let expected = ["Smoke", "Load", "Stress", "Spike", "Soak", "Volume"]
        .into_iter()
        .enumerate()
        .map(|(value, name)| (json!(name), json!(value)))
        .collect::<Vec<_>>();
    assert_eq!(listed, expected);
    Ok(())
}

#[tokio::test]
async fn every_call_is_described() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let document = service.get_json("/swagger/v1/swagger.json").await?;
    for (path, method) in [
        ("/api/v1/performancetest/start", "post"),
        ("/api/v1/performancetest/{id}", "get"),
        ("/api/v1/performancetest/{id}/cancel", "post"),
        ("/api/v1/performancetest/{id}/results", "get"),
        ("/api/v1/performancetest/{id}/logs", "get"),
        ("/api/v1/performancetest/{id}/export", "get"),
        ("/api/v1/performancetest/running", "get"),
        ("/api/v1/performancetest/tests", "get"),
        ("/api/v1/performancetest/cleanup", "post"),
        ("/api/v1/performancetest/scenarios", "get"),
        ("/api/v1/performancetest/quick-start/{scenario}", "post"),
        ("/quick-setup", "post"),
        ("/performance-hub", "get"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{path}");
    }
    let page = service.get("/swagger/").await?;
    assert_eq!(page.status(), 200);
    Ok(())
}

#[tokio::test]
async fn health_and_metrics_answer() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    assert_eq!(service.get_text("/health").await?, "Healthy");
    let ready = service.get_json("/health/ready").await?;
    for check in ["store", "k6", "scripts"] {
        assert_eq!(ready["checks"][check]["status"], "healthy", "{ready}");
    }
    let metrics = service.get_text("/metrics").await?;
    for family in [
        "http_server_request_duration_seconds",
        "performance_runs_active",
        "performance_queue_depth",
    ] {
        assert!(metrics.contains(family), "{family}: {metrics}");
    }
    Ok(())
}
