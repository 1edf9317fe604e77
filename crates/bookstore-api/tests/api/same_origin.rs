//! Pages of other sites cannot spend money or change anything through a browser on this machine.

use std::time::Duration;

use http::Method;
use test_support::{port, wait};

use crate::{llm_fixture::SimulatedLlm, test_api::Setup};

/// Longer than a start takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_page_of_another_site_spends_nothing() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    let summary = format!("{book}/generate-summary?provider=claude");
    let ask = |name: &'static str, value: &str| {
        let request = llm.caller.request(Method::POST, &summary);
        llm.caller.send(request.header(name, value))
    };
    for (name, value, kind) in [
        ("sec-fetch-site", "cross-site", "cross-site"),
        ("sec-fetch-site", "same-site", "cross-site"),
        ("host", "evil.example:7002", "host-refused"),
    ] {
        let reply = ask(name, value).await?;
        let problem = reply.problem(403)?;
        assert!(problem.member("type").ends_with(kind), "{problem:?}");
    }
    assert_eq!(llm.metered().calls, 0);
    for (name, value) in [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("host", "localhost:7002"),
        ("host", "[::1]"),
        ("x-nothing", "as programs ask"),
    ] {
        ask(name, value).await?.expect(200)?;
    }
    assert_eq!(llm.metered().calls, 1, "the first is kept for the others");
    Ok(())
}

#[tokio::test]
async fn beyond_loopback_its_names_are_a_setting() -> anyhow::Result<()> {
    let address = format!("0.0.0.0:{}", port::free()?);
    let api = Setup::default()
        .with("BOOKSTORE_HTTP_ADDR", &address)
        .with("BOOKSTORE_ALLOW_REMOTE", "yes")
        .with("BOOKSTORE_HOST_NAMES", "bookstore-api, books.example")
        .launch()?;
    let port = address.rsplit(':').next().unwrap_or_default();
    let caller = api.caller()?.at(&format!("http://127.0.0.1:{port}"));
    wait::until("the API answers", PATIENCE, async || {
        caller.get("/health/ready").await?.expect(200)?;
        Ok(())
    })
    .await?;
    for (host, status) in [
        ("bookstore-api:7002", 200),
        ("books.example", 200),
        ("127.0.0.1:7002", 200),
        ("evil.example", 403),
    ] {
        let request = caller.request(Method::GET, "/api/v1/books");
        let reply = caller.send(request.header("host", host)).await?;
        assert_eq!(reply.status, status, "{host}");
    }
    Ok(())
}
