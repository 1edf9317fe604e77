//! What the API says about itself: `OpenAPI`, its pages, metrics.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use http::Method;
use serde_json::{Value, json};
use test_support::{process::Program, tools};

use crate::{
    caller::{BOOKS, Caller, NO_ID},
    test_api::{Setup, on_sqlite},
};

/// Every route, as a reader of the contract lists them.
const ROUTES: [(&str, &[&str]); 26] = [
    ("/api/v1/books", &["get", "post"]),
    ("/api/v1/books/{id}", &["get", "put", "patch", "delete"]),
    ("/api/v1/books/bulk", &["post"]),
    ("/api/v1/books/search", &["get"]),
    ("/api/v1/books/llm-providers", &["get"]),
    ("/api/v1/books/{id}/generate-summary", &["post"]),
    ("/api/v1/authors", &["get", "post"]),
    ("/api/v1/authors/{id}", &["get", "put", "patch", "delete"]),
    ("/api/v1/authors/bulk", &["post"]),
    ("/api/v1/books/{id}/summary/feedback", &["post"]),
    ("/api/v1/llm/experiments", &["get", "post"]),
    ("/api/v1/llm/experiments/{name}", &["get"]),
    ("/api/v1/llm/experiments/{name}/stop", &["post"]),
    ("/api/v1/llm/ledger", &["get"]),
    ("/api/v1/llm/costs", &["get"]),
    ("/api/v1/llm/recost", &["post"]),
    ("/api/v1/llm/budgets", &["get"]),
    ("/api/v1/llm/budgets/{tenant}", &["get", "put"]),
    ("/api/v1/errortest/{code}", &["get"]),
    ("/api/v1/errortest/random", &["get"]),
    ("/seed-data", &["post"]),
    ("/health", &["get"]),
    ("/health/live", &["get"]),
    ("/health/ready", &["get"]),
    ("/health/startup", &["get"]),
    ("/metrics", &["get"]),
];

/// promtool reads a file; the rest is room for a busy machine.
const PROMTOOL_DEADLINE: Duration = Duration::from_secs(20);

async fn document(caller: &Caller) -> anyhow::Result<Value> {
    caller.read("/swagger/v1/swagger.json").await
}

#[tokio::test]
async fn the_document_lists_every_route() -> anyhow::Result<()> {
    let document = document(&on_sqlite().await?).await?;
    let version = document["openapi"].as_str().unwrap_or("");
    assert!(version.starts_with("3."), "{version}");
    for (path, methods) in ROUTES {
        for method in methods {
            let operation = &document["paths"][path][method];
            let replies = operation["responses"]
                .as_object()
                .map_or(0, serde_json::Map::len);
            assert!(replies > 0, "{method} {path}");
        }
    }
    Ok(())
}

/// `UPDATE=1` writes the copy anew.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of this test, no setting"
)]
async fn the_tests_of_script_generation_have_this_document() -> anyhow::Result<()> {
    let document = document(&on_sqlite().await?).await?;
    let copy = "crates/script-generation/tests/script_generation/bookstore-api.json";
    let path = tools::workspace().join(copy);
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        std::fs::write(&path, format!("{document:#}\n"))?;
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    ensure!(
        kept == document,
        "{copy} is an older one; run this test with UPDATE=1"
    );
    Ok(())
}

#[tokio::test]
async fn every_documented_route_is_served() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let document = document(&caller).await?;
    let paths = document["paths"].as_object().context("paths")?;
    for (path, operations) in paths {
        let address = path
            .replace("{id}", NO_ID)
            .replace("{code}", "503")
            .replace("{tenant}", "somebody");
        let operations = operations.as_object().context("operations")?;
        for method in operations.keys().filter(|key| *key != "parameters") {
            let method: Method = method.to_ascii_uppercase().parse()?;
            let reply = caller
                .send_json(method.clone(), &address, &json!({}))
                .await?;
            // A random error may be this one.
            let served = reply.status != 405 || path.ends_with("/random");
            ensure!(served, "{method} {path}");
            // An unknown address has another detail than an unknown book.
            ensure!(!reply.text().contains("at this address"), "{method} {path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn references_in_the_document_lead_somewhere() -> anyhow::Result<()> {
    let document = document(&on_sqlite().await?).await?;
    let text = document.to_string();
    let references: BTreeSet<&str> = text
        .split("\"$ref\":\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(references.len() > 5, "{references:?}");
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    Ok(())
}

#[tokio::test]
async fn the_events_of_a_summary_are_described() -> anyhow::Result<()> {
    let document = document(&on_sqlite().await?).await?;
    let operation = &document["paths"]["/api/v1/books/{id}/generate-summary"]["post"];
    let content = &operation["responses"]["200"]["content"];
    assert!(
        content["application/json"]["schema"].is_object(),
        "{content}"
    );
    let schema = &content["text/event-stream"]["schema"];
    let name = schema["$ref"]
        .as_str()
        .unwrap_or("")
        .trim_start_matches('#');
    let kinds = &document.pointer(name).context("a schema")?["oneOf"];
    let kinds = kinds.as_array().context("kinds of events")?;
    let described = kinds.iter().filter_map(|kind| kind["description"].as_str());
    for event in ["start", "delta", "usage", "done", "error"] {
        let event = format!("`summary.{event}`");
        assert!(
            described.clone().any(|text| text.contains(&event)),
            "{event}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_pages_come_from_the_binary() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let entry = caller.get("/swagger").await?;
    assert!((300..400).contains(&entry.status), "{}", entry.status);
    let page = caller.get(entry.header("location")).await?;
    page.expect(200)?;
    assert!(page.header("content-type").starts_with("text/html"));
    let html = page.text();
    assert!(html.contains("swagger-ui"), "{html}");
    assert!(!html.contains("//cdn"), "{html}");
    let script = caller.get("/swagger/swagger-ui-bundle.js").await?;
    assert!(script.expect(200)?.body.len() > 100_000);
    Ok(())
}

/// An API that has counted something of each kind.
async fn metrics(accept: &str) -> anyhow::Result<crate::reply::Reply> {
    let caller = on_sqlite().await?;
    caller.create_book("T").await?;
    caller
        .get(&format!("{BOOKS}/{NO_ID}"))
        .await?
        .problem(404)?;
    let request = caller
        .bare_request(Method::GET, "/metrics")
        .header("Accept", accept);
    caller.send(request).await
}

#[tokio::test]
async fn metrics_are_text_that_promtool_accepts() -> anyhow::Result<()> {
    let reply = metrics("text/plain").await?;
    assert_eq!(
        reply.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = reply.expect(200)?.text();
    for family in [
        "http_server_request_duration_seconds_bucket",
        "db_client_operation_duration_seconds_count",
        "bookstore_cache_requests_total",
        "process_memory_usage_bytes",
    ] {
        assert!(text.contains(family), "{family}");
    }
    assert!(!text.contains(NO_ID), "an identifier became a label");
    let shell = Program::new("promtool", "/bin/sh")?;
    let file = shell.directory().join("metrics.txt");
    std::fs::write(&file, &text)?;
    let promtool = shell
        .args(["-c", "exec \"$0\" check metrics < \"$1\""])
        .args([tools::promtool()?, file])
        .start()?;
    let status = promtool.wait(PROMTOOL_DEADLINE).await?;
    ensure!(
        status.code() != Some(1),
        "it is no metrics text: {}",
        promtool.log()
    );
    let log = promtool.log();
    let found: Vec<&str> = log.lines().filter(|line| !is_by_convention(line)).collect();
    assert_eq!(found, Vec::<&str>::new());
    Ok(())
}

/// OpenTelemetry's names of three gauges end with what promtool keeps for histograms.
fn is_by_convention(line: &str) -> bool {
    let names = [
        "db_client_connection_count",
        "process_open_file_descriptor_count",
        "process_thread_count",
    ];
    let finding = "non-histogram and non-summary metrics should not have \"_count\" suffix";
    names.iter().any(|name| line == format!("{name} {finding}"))
}

#[tokio::test]
async fn metrics_are_openmetrics_for_whom_prefers_them() -> anyhow::Result<()> {
    let reply = metrics("application/openmetrics-text; version=1.0.0,text/plain;q=0.5").await?;
    assert_eq!(
        reply.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = reply.expect(200)?.text();
    assert!(text.ends_with("\n# EOF\n"), "no end");
    assert!(
        text.contains("\n# TYPE bookstore_cache_requests counter\n"),
        "{text}"
    );
    assert!(text.contains("\nbookstore_cache_requests_total{"), "{text}");
    assert!(!text.contains("\n\n"), "an empty line");
    Ok(())
}

#[tokio::test]
async fn prometheus_reads_the_metrics() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    api.caller()?.create_book("T").await?;
    let prometheus = test_support::prometheus(&[("bookstore-api", api.address())]).await?;
    let up = prometheus
        .query_until_found("up{job=\"bookstore-api\"} == 1")
        .await?;
    assert_eq!(up.len(), 1);
    let created = prometheus
        .query_until_found(
            "http_server_request_duration_seconds_count{http_route=\"/api/v1/books\",\
             http_request_method=\"POST\",http_response_status_code=\"201\",route_class=\"catalogue\"}",
        )
        .await?;
    assert_eq!(created.first().map(|series| series.value), Some(1.0));
    Ok(())
}
