//! Baselines: made of good runs, replaced by better ones or with a reason.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::test_service::TestService;

const BASELINES: &str = "/api/v1/performancetest/baselines";

#[tokio::test]
async fn a_baseline_is_replaced_only_for_a_reason() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let wish = json!({"test": "steady"});
    let (status, problem) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    for _ in 0..5 {
        run(&service).await?;
    }
    let (status, first) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!(
        (&first["version"], &first["environment"]),
        (&json!(1), &json!("local"))
    );
    assert_eq!(first["measures"]["http_req_duration p(95)"]["runs"], 5);

    // The same runs are no improvement of themselves.
    let (status, problem) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(
        problem["type"].as_str().unwrap().ends_with("not-improved"),
        "{problem}"
    );

    let candidate = run(&service).await?;
    let path = format!("/api/v1/performancetest/compare?reference=baseline&candidate={candidate}");
    let compared = service.get_json(&path).await?;
    assert_eq!(compared["reference"].as_array().unwrap().len(), 5);
    let p95 = compared["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "p95 of http_req_duration")
        .unwrap();
    assert_eq!(p95["method"], "robust-z", "{p95}");

    // Lists tell the same of the latest run.
    let home = service.get_text("/").await?;
    assert!(
        home.contains("<td class=\"against\"><span title=\"p95 of"),
        "{home}"
    );
    assert!(
        home.contains("The run is one of the baseline&#39;s."),
        "{home}"
    );

    let wish = json!({"test": "steady", "reason": "another machine"});
    let (status, second) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::CREATED, "{second}");
    assert_eq!(second["replacement"]["byHand"]["reason"], "another machine");
    let versions = service
        .get_json(&format!("{BASELINES}/versions?test=steady&scenario=Smoke"))
        .await?;
    let versions = versions.as_array().unwrap().iter();
    let numbers: Vec<&Value> = versions.map(|version| &version["version"]).collect();
    assert_eq!(numbers, [2, 1]);
    let in_force = service.get_json(BASELINES).await?;
    assert_eq!(in_force[0]["version"], 2);
    // The run in question is one of its runs by now.
    let compared = service.get_json(&path).await?;
    assert_eq!(compared["reference"].as_array().unwrap().len(), 4);

    established_by_the_form(&service).await?;
    goes_back_and_ends(&service, &first, &path).await
}

async fn established_by_the_form(service: &TestService) -> anyhow::Result<()> {
    let form = "test=steady&reason=%3Cb%3Eby%20hand%3C%2Fb%3E";
    let request = service
        .client
        .post(format!("{}/baselines", service.base_url));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let reply = request.body(form).send().await?;
    assert_eq!(reply.status(), 303);
    for path in ["/baselines", "/tests/steady"] {
        let page = service.get_text(path).await?;
        assert!(page.contains("&#60;b&#62;by hand&#60;/b&#62;"), "{page}");
    }
    Ok(())
}

/// From the third version to the first one, to none, and to a new one.
async fn goes_back_and_ends(
    service: &TestService,
    first: &Value,
    compare: &str,
) -> anyhow::Result<()> {
    let rollback = format!("{BASELINES}/rollback");
    for (wish, field) in [(to(9, "why not"), "version"), (to(1, " "), "reason")] {
        let (status, problem) = send(service, &rollback, &wish).await?;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    let (status, back) = send(service, &rollback, &to(1, "the index is gone")).await?;
    assert_eq!(status, StatusCode::CREATED, "{back}");
    assert_eq!(
        (&back["version"], &back["runs"]),
        (&json!(4), &first["runs"])
    );
    let why = &back["replacement"]["rolledBack"];
    assert_eq!(
        (&why["to"], &why["reason"]),
        (&json!(1), &json!("the index is gone"))
    );
    let (status, problem) = send(service, &rollback, &to(1, "once more")).await?;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    ends(service, compare).await?;
    let (status, problem) = send(service, &rollback, &to(5, "to nothing")).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    // What follows nothing replaces nothing, and the numbers go on.
    let (status, next) = ask(service, &json!({"test": "steady"})).await?;
    assert_eq!(status, StatusCode::CREATED, "{next}");
    assert_eq!(
        (&next["version"], &next["replacement"]),
        (&json!(6), &Value::Null)
    );
    let page = service.get_text("/baselines").await?;
    assert!(page.contains("none was in force before"), "{page}");
    what_is_gone_stays_gone(service, first).await
}

/// The wish to go back to a version.
fn to(version: u64, reason: &str) -> Value {
    json!({"test": "steady", "scenario": "Smoke", "version": version, "reason": reason})
}

/// The baseline is withdrawn, with a reason, once.
async fn ends(service: &TestService, compare: &str) -> anyhow::Result<()> {
    let withdraw = async |query: &str| {
        let url = format!(
            "{}{BASELINES}?test=steady&scenario=Smoke{query}",
            service.base_url
        );
        let reply = service.client.delete(url).send().await?;
        anyhow::Ok((reply.status(), reply.json::<Value>().await?))
    };
    let (status, problem) = withdraw("").await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let keyed = async || {
        let query = "test=steady&scenario=Smoke&reason=another%20machine%20comes";
        let url = format!("{}{BASELINES}?{query}", service.base_url);
        let request = service.client.delete(url).header("idempotency-key", "end");
        let reply = request.send().await?;
        anyhow::Ok((reply.status(), reply.json::<Value>().await?))
    };
    let (status, none) = keyed().await?;
    assert_eq!(status, StatusCode::OK, "{none}");
    // The service was killed between the change and its answer.
    let file = service.state.path().join("data/performance.sqlite");
    let forgotten = rusqlite::Connection::open(file)?.execute(
        "UPDATE idempotency_keys SET state = 'unknown', status = NULL, body = NULL",
        [],
    )?;
    assert_eq!(forgotten, 1);
    assert_eq!(keyed().await?, (StatusCode::OK, none.clone()));
    let why = &none["replacement"]["withdrawn"]["reason"];
    assert_eq!(why, "another machine comes");
    assert_eq!(service.get_json(BASELINES).await?, json!([]));
    assert_eq!(service.get(compare).await?.status(), 404);
    let (status, problem) = withdraw("&reason=again").await?;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
    Ok(())
}

/// A version one of whose runs was removed neither comes back nor can be pinned.
async fn what_is_gone_stays_gone(service: &TestService, first: &Value) -> anyhow::Result<()> {
    let run = first["runs"][0].as_str().unwrap();
    let url = format!("{}/api/v1/performancetest/{run}", service.base_url);
    let removed = service.client.delete(url).send().await?;
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    let back = json!({"test": "steady", "scenario": "Smoke", "version": 1, "reason": "once more"});
    let (status, problem) = send(service, &format!("{BASELINES}/rollback"), &back).await?;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let kind = problem["type"].as_str().unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        kind.ends_with("runs-removed") && detail.contains(run),
        "{problem}"
    );
    let form = "test=steady&environment=local&scenario=Smoke&version=1&pinned=yes";
    let url = format!("{}/baselines/pin", service.base_url);
    let request = service.client.post(url);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(request.body(form).send().await?.status(), 409);
    let page = service
        .get_text("/baselines/one?test=steady&environment=local&scenario=Smoke")
        .await?;
    assert!(page.contains("runs removed"), "{page}");
    assert!(!page.contains("to version 1<"), "{page}");
    Ok(())
}

#[tokio::test]
async fn what_makes_no_baseline_is_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (wish, status, field) in [
        (json!({}), 400, "test"),
        (json!({"runs": ["x"]}), 400, "runs"),
        (json!({"runs": []}), 400, "runs"),
        (json!({"runs": ["0".repeat(32)]}), 404, ""),
    ] {
        let (found, problem) = ask(&service, &wish).await?;
        assert_eq!(found, status, "{wish}: {problem}");
        assert!(
            field.is_empty() || problem["errors"][field].is_array(),
            "{problem}"
        );
    }
    let reply = service
        .get(&format!("{BASELINES}/versions?test=none&scenario=Smoke"))
        .await?;
    assert_eq!(reply.status(), 404);
    let id = run(&service).await?;
    let (status, problem) = ask(&service, &json!({"runs": [id, id, id, id, id]})).await?;
    assert_eq!(status, 400, "{problem}");
    Ok(())
}

async fn ask(service: &TestService, wish: &Value) -> anyhow::Result<(StatusCode, Value)> {
    send(service, BASELINES, wish).await
}

async fn send(
    service: &TestService,
    path: &str,
    body: &Value,
) -> anyhow::Result<(StatusCode, Value)> {
    let url = format!("{}{path}", service.base_url);
    let reply = service.client.post(url).json(body).send().await?;
    Ok((reply.status(), reply.json().await?))
}

async fn run(service: &TestService) -> anyhow::Result<String> {
    let id = service
        .begin(&json!({
            "testName": "steady",
            "scenario": "Smoke",
            "options": {"virtualUsers": 1, "duration": "1s"},
        }))
        .await?;
    service.wait_for_end(&id).await?;
    Ok(id)
}
