//! What people say of steps, by REST, and steps that nobody has explained.

use reqwest::Method;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use test_support::access::{ADMIN, ENGINEER, VIEWER};
use test_support::wait;

use crate::access::Guarded;
use crate::test_service::{RUN_DEADLINE, TestService};

const PREFIX: &str = "/api/v1/performancetest";
const MEASURE: &str = "http_req_duration p(95)";

/// Runs before and after a step, which differ a little among themselves.
const LEVEL: u32 = 12;

#[tokio::test]
async fn a_step_that_nobody_explained_needs_a_person() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let first = completed(&service).await?;
    let figures = (0..LEVEL * 2).map(|number| {
        let level = if number < LEVEL { 100.0 } else { 150.0 };
        level + f64::from(number % 3)
    });
    let ids = repeat(&service, &first, figures)?;
    let home = service.get_text("/").await?;
    let expected = ">steady &#60;b&#62;</a> changed its p95 by +4";
    assert!(home.contains(expected), "{home}");
    assert!(home.contains("href=\"/tests/steady%20%3Cb%3E\""), "{home}");
    let number = LEVEL + 2;
    let expected = format!("from #{number} (4daffb7) on, and nobody has said why");
    assert!(home.contains(&expected), "{home}");

    let step = &ids[LEVEL as usize];
    let trend = service
        .get_json(&format!("{PREFIX}/trends?test=steady%20%3Cb%3E"))
        .await?;
    assert_eq!(trend["changePoints"][0]["testId"], step.as_str());
    let note = json!({"measure": MEASURE, "text": "a new disk"});
    let url = format!("{}{PREFIX}/{step}/notes", service.base_url);
    let said = service.client.put(&url).json(&note).send().await?;
    assert_eq!(said.status(), 200);
    let home = service.get_text("/").await?;
    assert!(home.contains("Nothing needs you."), "{home}");
    let noted = service
        .get_json(&format!("{PREFIX}/notes?test=steady%20%3Cb%3E"))
        .await?;
    assert_eq!(noted[0]["testId"], step.as_str());
    assert_eq!(noted[0]["note"]["text"], "a new disk");
    // Without a run of the level before there is another series, and it is found anew.
    let url = format!("{url}?measure={}", MEASURE.replace(' ', "%20"));
    assert_eq!(service.client.delete(url).send().await?.status(), 204);
    let url = format!("{}{PREFIX}/{}", service.base_url, ids[0]);
    assert_eq!(service.client.delete(url).send().await?.status(), 204);
    let home = service.get_text("/").await?;
    assert!(home.contains("nobody has said why"), "{home}");
    Ok(())
}

#[tokio::test]
async fn notes_are_made_by_engineers_and_leave_records() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let smoke = json!({
        "testName": "steady", "scenario": "Smoke",
        "options": {"virtualUsers": 1, "duration": "1s"},
    });
    let run = guarded.begin(ENGINEER, &smoke).await?;
    wait::until("the run is over", RUN_DEADLINE, async || {
        let run: Value = guarded.get(VIEWER, &run).await?.json().await?;
        anyhow::ensure!(run["status"] == "Completed", "{run}");
        Ok(())
    })
    .await?;
    let notes = format!("{run}/notes");
    let put = async |token, measure: &str, text: &str| {
        let body = json!({"measure": measure, "text": text});
        let reply = guarded.ask(token, Method::PUT, &notes, Some(&body)).await?;
        anyhow::Ok((reply.status().as_u16(), reply.json::<Value>().await?))
    };
    assert_eq!(put(VIEWER, MEASURE, "no").await?.0, 403);
    for (measure, text, field) in [
        ("none", "x", "measure"),
        (MEASURE, " ", "text"),
        (MEASURE, "two\nlines", "text"),
        (MEASURE, &"x".repeat(501), "text"),
    ] {
        let (status, problem) = put(ENGINEER, measure, text).await?;
        assert_eq!(status, 400, "{problem}");
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    let (status, note) = put(ENGINEER, MEASURE, "a new disk").await?;
    assert_eq!((status, &note["author"]), (200, &json!("emil")));
    assert_eq!(put(ADMIN, MEASURE, "another disk").await?.0, 200);
    let clear = format!("{notes}?measure={}", MEASURE.replace(' ', "%20"));
    for status in [204, 404] {
        let reply = guarded.ask(ENGINEER, Method::DELETE, &clear, None).await?;
        assert_eq!(reply.status(), status);
    }
    let listed = guarded
        .get(VIEWER, &format!("{PREFIX}/notes?test=steady"))
        .await?;
    assert_eq!(listed.json::<Value>().await?, json!([]));
    let without = guarded.get(VIEWER, &format!("{PREFIX}/notes")).await?;
    assert_eq!(without.status(), 400);

    let records = guarded.get(ADMIN, &format!("{PREFIX}/audit")).await?;
    let records: Value = records.json().await?;
    let records = records["records"].as_array().unwrap();
    let of = |index: usize| {
        let record = &records[index];
        assert_eq!(record["object"], notes.as_str(), "{record}");
        [&record["objectBefore"], &record["objectAfter"]].map(|hash| hash.as_str().is_some())
    };
    // The newest first: what was refused, taken back, put in the place of another one, made.
    assert_eq!(of(0), [false, false]);
    assert_eq!(of(1), [true, false]);
    assert_eq!(of(2), [true, true]);
    assert_eq!(of(3), [false, true]);
    assert_eq!(records[1]["objectBefore"], records[2]["objectAfter"]);
    Ok(())
}

async fn completed(service: &TestService) -> anyhow::Result<String> {
    let id = service
        .begin(&json!({
            "testName": "steady <b>", "scenario": "Smoke", "revision": "4daffb7",
            "options": {"virtualUsers": 1, "duration": "1s"},
        }))
        .await?;
    service.wait_for_end(&id).await?;
    // What it measured is no part of the series.
    let connection = database(service)?;
    connection.execute("DELETE FROM figures WHERE measure = ?1", [MEASURE])?;
    Ok(id)
}

/// Runs like this one, with these figures; their ids.
fn repeat(
    service: &TestService,
    like: &str,
    figures: impl Iterator<Item = f64>,
) -> anyhow::Result<Vec<String>> {
    let connection = database(service)?;
    let mut ids = Vec::new();
    for (number, figure) in (2_u64..).zip(figures) {
        let id = format!("{number:032x}");
        connection.execute(
            "INSERT INTO all_runs (tenant, id, number, test_name, scenario, script, request, status,
                 fence, queued_at_ms, started_at_ms, completed_at_ms, verdict, results, environment)
             SELECT tenant, ?2, ?3, test_name, scenario, script, request, status,
                 fence, queued_at_ms, started_at_ms, completed_at_ms, verdict, results, environment
             FROM runs WHERE id = ?1",
            params![like, id, number],
        )?;
        connection.execute(
            "INSERT INTO figures (run, measure, value) VALUES (?1, ?2, ?3)",
            params![connection.last_insert_rowid(), MEASURE, figure],
        )?;
        ids.push(id);
    }
    Ok(ids)
}

fn database(service: &TestService) -> anyhow::Result<Connection> {
    let file = service.state.path().join("data/performance.sqlite");
    let connection = Connection::open(file)?;
    connection.busy_timeout(RUN_DEADLINE)?;
    Ok(connection)
}
