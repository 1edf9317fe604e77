//! Scripts that the service writes, saves and runs.

use reqwest::Response;
use serde_json::{Value, json};

use crate::test_service::TestService;

const GENERATE: &str = "/api/v1/performancetest/generate";

async fn generate(service: &TestService, body: &Value) -> anyhow::Result<Response> {
    let url = format!("{}{GENERATE}", service.base_url);
    Ok(service.client.post(url).json(body).send().await?)
}

fn configuration() -> Value {
    json!({
        "title": "Work, and nothing else",
        "load": {"model": "open", "stages": [{"seconds": 2, "to": 10}]},
        "rows": [{"word": "'\"`${x}\u{2028}</script>"}],
        "journey": [{"name": "worker", "step": [
            {"path": "/work?word={word}", "thresholds": ["p(95)<5000"]},
        ]}],
    })
}

#[tokio::test]
async fn a_configuration_is_saved_and_run() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let body = json!({"from": "configuration", "document": configuration(), "save": "work"});
    let reply = generate(&service, &body).await?;
    assert_eq!(reply.status(), 201);
    let generated: Value = reply.json().await?;
    assert_eq!(generated["testScript"], "generated/work.js");
    assert_eq!(generated["dataFile"], "work.json");
    assert_eq!(generated["data"]["rows"], configuration()["rows"]);
    for version in ["v2", "v1"] {
        let options = json!({"k6Version": version});
        let body = json!({"testScript": "generated/work.js", "options": options});
        let id = service.begin(&body).await?;
        let run = service.wait_for_end(&id).await?;
        assert_eq!(run["verdict"]["level"], "PASS", "{run}");
        let thresholds = &run["results"]["thresholds"]["results"];
        assert_eq!(
            thresholds["http_reqs{journey:worker}: count>0"]["ok"], true,
            "{thresholds}"
        );
    }
    let query = "word='%22%60%24%7Bx%7D%E2%80%A8%3C%2Fscript%3E";
    assert_eq!(
        service.target.queries().first().map(String::as_str),
        Some(query)
    );

    let again = generate(&service, &body_of(&configuration(), "work")).await?;
    assert_eq!(again.status(), 409);
    let url = format!("{}/api/v1/performancetest/start", service.base_url);
    let of_other = service.client.post(url).header("x-tenant-name", "other");
    let of_other = of_other
        .json(&json!({"testScript": "generated/work.js"}))
        .send()
        .await?;
    assert_eq!(of_other.status(), 400, "a tenant's script is its own");
    Ok(())
}

fn body_of(document: &Value, save: &str) -> Value {
    json!({"from": "configuration", "document": document, "save": save})
}

#[tokio::test]
async fn a_recording_is_saved_and_run() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let entry = |second: u32, url: &str| {
        json!({
            "startedDateTime": format!("2026-11-21T10:00:0{second}.000+01:00"),
            "time": 900,
            "request": {"method": "GET", "url": url, "headers": [{"name": "Cookie", "value": "a=b"}]},
            "response": {"status": 200, "content": {"mimeType": "text/plain"}},
        })
    };
    let entries = [
        entry(1, "https://shop.example/work?vu=1"),
        entry(2, "https://shop.example/work?vu=2"),
        entry(3, "https://elsewhere.example/x"),
    ];
    let document = json!({"log": {"version": "1.2", "entries": entries}}).to_string();
    let load = json!({"model": "closed", "stages": [{"seconds": 2, "to": 1}]});
    let body =
        json!({"from": "har", "document": document, "options": {"load": load}, "save": "rec"});
    let reply = generate(&service, &body).await?;
    assert_eq!(reply.status(), 201);
    let generated: Value = reply.json().await?;
    let warnings = generated["warnings"].to_string();
    assert!(
        warnings.contains("elsewhere.example") && warnings.contains("cookie"),
        "{warnings}"
    );
    let id = service
        .begin(&json!({"testScript": "generated/rec.js"}))
        .await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    let queries: Vec<String> = service.target.queries().into_iter().collect();
    assert_eq!(queries, ["vu=1", "vu=2"]);
    Ok(())
}

#[tokio::test]
async fn the_services_own_document_becomes_a_script() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let document = service.get_json("/swagger/v1/swagger.json").await?;
    let options = json!({"tags": ["runs", "baselines"]});
    let body = json!({"from": "openapi", "document": document, "options": options});
    let reply = generate(&service, &body).await?;
    assert_eq!(reply.status(), 200);
    let generated: Value = reply.json().await?;
    let script = generated["script"].as_str().unwrap();
    assert!(
        script.contains("path: '/api/v1/performancetest/tests"),
        "{script}"
    );
    assert!(generated.get("testScript").is_none());
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_named_by_its_place() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let step = json!({"title": "t", "journey": [{"name": "j", "step": [{"path": "x"}]}]});
    for (body, place) in [
        (json!({"from": "nothing", "document": {}}), "from"),
        (json!({"from": "har"}), "body"),
        (
            json!({"from": "configuration", "document": step}),
            "document.journey[0].step[0].path",
        ),
        (
            json!({"from": "configuration", "document": "title = "}),
            "document",
        ),
        (
            json!({"from": "configuration", "document": configuration(), "options": {"x": 1}}),
            "options.x",
        ),
        (
            json!({"from": "openapi", "document": {"openapi": "2.0"}}),
            "document.openapi",
        ),
        (
            json!({"from": "har", "document": {"log": {"entries": 5}}}),
            "document.log.entries",
        ),
        (
            json!({"from": "configuration", "document": configuration(), "save": "../x"}),
            "save",
        ),
        (
            json!({"from": "configuration", "document": configuration(), "save": ""}),
            "save",
        ),
    ] {
        let reply = generate(&service, &body).await?;
        assert_eq!(reply.status(), 400, "{body}");
        let problem: Value = reply.json().await?;
        let errors = problem["errors"].as_object().unwrap();
        assert!(errors.contains_key(place), "{body}: {problem}");
    }
    let large = json!({"from": "har", "document": "x".repeat(17 * 1024 * 1024)});
    assert_eq!(generate(&service, &large).await?.status(), 413);
    for name in [
        "generated/none.js",
        "generated/../x.js",
        "generated/x",
        "generated/",
    ] {
        let reply = service.ask(&json!({"testScript": name})).await?;
        assert_eq!(reply.status(), 400, "{name}");
    }
    Ok(())
}
