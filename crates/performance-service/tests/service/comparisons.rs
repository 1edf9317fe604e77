//! Runs held against each other, and over time.

use serde_json::{Value, json};

use crate::test_service::TestService;

const PREFIX: &str = "/api/v1/performancetest";

#[tokio::test]
async fn runs_are_compared_measure_by_measure() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let first = run(&service, "alike", "1s").await?;
    let second = run(&service, "alike", "1s").await?;
    let path = format!("{PREFIX}/compare?runs={first},{second}");
    let compared = service.get_json(&path).await?;
    assert_eq!(compared["reference"][0]["testId"], first.as_str());
    assert_eq!(compared["candidate"][0]["testId"], second.as_str());
    assert_eq!(compared["differs"], json!([]));
    let comparisons = compared["comparisons"].as_array().unwrap();
    let named = |name: &str| {
        let mut found = comparisons.iter().filter(|one| one["name"] == name);
        found.next().unwrap_or_else(|| panic!("{name}: {compared}"))
    };
    // One run on a side shows a difference and proves none.
    let p95 = named("p95 of http_req_duration");
    assert_eq!(p95["method"], "difference-only");
    assert_eq!(p95["confidence"], "low");
    let rerun = &compared["rerun"];
    let needed = rerun["runsNeeded"].as_u64().unwrap();
    assert!(needed >= 4, "{rerun}");
    let more = (&rerun["referenceRuns"], &rerun["candidateRuns"]);
    assert_eq!(more, (&json!(needed - 1), &json!(needed - 1)));
    let seconds = rerun["seconds"].as_f64().unwrap();
    assert!(
        (6.0..1_800.0).contains(&seconds),
        "each of them lasts a second: {rerun}"
    );
    assert_eq!(rerun["real"]["cost"]["usd"], "0");
    let suggested = rerun["sentence"].as_str().unwrap();
    assert!(
        suggested.contains("p95 of http_req_duration"),
        "{suggested}"
    );
    assert_eq!(named("failed checks")["candidate"]["centre"], 0.0);
    assert!(
        !comparisons
            .iter()
            .any(|one| one["name"] == "p99 of http_req_duration")
    );

    let page = service
        .get_text(&format!("/compare?runs={first},{second}"))
        .await?;
    assert!(page.contains("Nothing else differs"), "{page}");
    assert!(page.contains("p95 of http_req_duration"), "{page}");
    assert!(
        page.contains(&format!("<p id=\"rerun\">{suggested}</p>")),
        "{page}"
    );
    assert!(!page.contains("style="), "{page}");

    let other = run(&service, "alike", "2s").await?;
    let path = format!("{PREFIX}/compare?reference={first},{second}&candidate={other}");
    let compared = service.get_json(&path).await?;
    assert_eq!(compared["differs"], json!(["option duration"]));
    Ok(())
}

#[tokio::test]
async fn a_test_is_followed_over_its_runs() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let name = "a/b <i>&#x";
    let first = run(&service, name, "1s").await?;
    let second = run(&service, name, "1s").await?;
    run(&service, "another", "1s").await?;
    let encoded = "a%2Fb%20%3Ci%3E%26%23x";
    let trend = service
        .get_json(&format!("{PREFIX}/trends?test={encoded}"))
        .await?;
    let ids: Vec<&Value> = trend["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| &point["testId"])
        .collect();
    assert_eq!(ids, [first.as_str(), second.as_str()]);
    assert_eq!(trend["measure"], "http_req_duration p(95)");
    assert_eq!(trend["changePoints"], json!([]));
    assert_eq!(trend["points"][1]["revision"], "4daffb7");

    let home = service.get_text("/").await?;
    let row = format!("href=\"/tests/{encoded}\"");
    assert!(
        home.contains(&row) && home.contains("2 runs, the first"),
        "{home}"
    );

    let run_page = service.get_text(&format!("/runs/{second}")).await?;
    assert!(
        run_page.contains(&format!("href=\"/tests/{encoded}\"")),
        "{run_page}"
    );
    let page = service.get_text(&format!("/tests/{encoded}")).await?;
    assert!(
        page.contains(&format!("/compare?runs={first},{second}")),
        "{page}"
    );
    assert!(!page.contains("<i>"), "{page}");
    Ok(())
}

#[tokio::test]
async fn a_trend_is_of_one_target_and_scenario_and_can_be_explained() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = run(&service, "steady", "1s").await?;
    let load = json!({
        "testName": "steady",
        "scenario": "Load",
        "testScript": "tests/smoke.js",
        "options": {
            "virtualUsers": 1,
            "duration": "1s",
            "thresholds": {"http_req_duration": ["p(95)<60000"]},
        },
    });
    let latest = service.begin(&load).await?;
    service.wait_for_end(&latest).await?;
    let points = async |query: &str| {
        let path = format!("{PREFIX}/trends?test=steady{query}");
        let trend = service.get_json(&path).await?;
        anyhow::Ok(trend["points"].as_array().unwrap().len())
    };
    assert_eq!(points("").await?, 2);
    assert_eq!(points("&scenario=Smoke").await?, 1);
    assert_eq!(points("&environment=elsewhere").await?, 0);

    // The page begins with what the latest run was.
    let page = service.get_text("/tests/steady").await?;
    let (mine, other) = (format!("/runs/{latest}\""), format!("/runs/{id}\""));
    assert!(page.contains(&mine) && !page.contains(&other), "{page}");
    assert!(page.contains("<option selected>Load</option>"), "{page}");
    assert!(
        page.contains("The threshold of 60,000 lies above"),
        "{page}"
    );
    let all = service
        .get_text("/tests/steady?environment=&scenario=&along=dates")
        .await?;
    assert!(all.contains(&mine) && all.contains(&other), "{all}");
    let none = service.get_text("/tests/steady?environment=none").await?;
    assert!(none.contains("All runs of the test"), "{none}");
    let wrong = service.get("/tests/steady?along=moons").await?;
    assert_eq!(wrong.status(), 400);

    steps_are_explained(&service, &latest).await
}

/// A person's words for a step of the trend.
async fn steps_are_explained(service: &TestService, latest: &str) -> anyhow::Result<()> {
    let explain = async |run: &str, measure: &str, text: &str| {
        let fields = [("run", run), ("measure", measure), ("text", text)];
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let request = service
            .client
            .post(format!("{}/tests/steady/notes", service.base_url))
            .header("content-type", "application/x-www-form-urlencoded");
        anyhow::Ok(request.body(body).send().await?.status().as_u16())
    };
    let measure = "http_req_duration p(95)";
    assert_eq!(explain(latest, measure, "a <b>new</b> disk").await?, 303);
    let page = service.get_text("/tests/steady").await?;
    assert!(
        page.contains("“a &#60;b&#62;new&#60;/b&#62; disk”"),
        "{page}"
    );
    let trend = service
        .get_json(&format!("{PREFIX}/trends?test=steady"))
        .await?;
    assert_eq!(trend["points"][1]["note"]["text"], "a <b>new</b> disk");
    assert_eq!(explain(latest, "none", "x").await?, 400);
    assert_eq!(explain(latest, measure, &"x".repeat(501)).await?, 400);
    assert_eq!(explain(&"0".repeat(32), measure, "x").await?, 404);
    assert_eq!(explain(latest, measure, "").await?, 303);
    let page = service.get_text("/tests/steady").await?;
    assert!(!page.contains("disk"), "{page}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let (unknown, other) = ("0".repeat(32), "1".repeat(32));
    for (query, status) in [
        (String::new(), 400),
        (format!("runs={unknown}"), 400),
        (format!("runs={unknown},x"), 400),
        (format!("reference={unknown}"), 400),
        (format!("runs={unknown},{other}"), 404),
        // What counts twice, or on both sides, seems to confirm itself.
        (format!("runs={unknown},{other},{other}"), 400),
        (format!("runs={unknown},{unknown}"), 400),
        (
            format!("reference={unknown}&candidate={other},{unknown}"),
            400,
        ),
        (format!("reference=baseline&candidate={other},{other}"), 400),
    ] {
        for place in [format!("{PREFIX}/compare"), "/compare".to_owned()] {
            let reply = service.get(&format!("{place}?{query}")).await?;
            assert_eq!(reply.status(), status, "{place}?{query}");
        }
    }
    for (query, status) in [("", 400), ("test=unknown", 404)] {
        let reply = service.get(&format!("{PREFIX}/trends?{query}")).await?;
        assert_eq!(reply.status(), status, "{query}");
    }
    Ok(())
}

async fn run(service: &TestService, name: &str, duration: &str) -> anyhow::Result<String> {
    let id = service
        .begin(&json!({
            "testName": name,
            "scenario": "Smoke",
            "revision": "4daffb7",
            "options": {"virtualUsers": 1, "duration": duration},
        }))
        .await?;
    service.wait_for_end(&id).await?;
    Ok(id)
}
