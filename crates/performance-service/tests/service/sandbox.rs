//! What the service's own environment does to a run: nothing.

use std::net::TcpListener;

use serde_json::json;

use crate::test_service::TestService;

#[tokio::test]
async fn the_environment_of_the_service_changes_no_run() -> anyhow::Result<()> {
    let proxy = TcpListener::bind("127.0.0.1:0")?;
    proxy.set_nonblocking(true)?;
    let address = format!("http://{}", proxy.local_addr()?);
    let service = TestService::start_with(&[
        ("K6_VUS", "7"),
        ("K6_DURATION", "20s"),
        ("K6_OUT", "json=elsewhere.json"),
        ("K6_AUTO_EXTENSION_RESOLUTION", "true"),
        ("GODEBUG", "multipathtcp=1"),
        ("SSLKEYLOGFILE", "/tmp/keys"),
        ("HTTP_PROXY", &address),
        ("http_proxy", &address),
        ("ALL_PROXY", &address),
    ])
    .await?;
    let options = json!({"virtualUsers": 2, "duration": "2s"});
    let body = json!({"scenario": "Smoke", "options": options});
    let id = service.begin(&body).await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    assert_eq!(run["results"]["metrics"]["vus_max"]["values"]["max"], 2.0);
    assert!(service.target.requests() > 0);
    assert!(proxy.accept().is_err(), "the proxy was asked");
    let path = format!("/api/v1/performancetest/{id}/logs");
    let log = service.get_text(&path).await?;
    assert!(!log.contains("Landlock"), "{log}");
    Ok(())
}
