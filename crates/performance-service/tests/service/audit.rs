//! One record of each call that changes something, and of each that was refused.

use reqwest::Method;
use serde_json::{Value, json};
use test_support::access::{ADMIN, ENGINEER, STRANGER, VIEWER};

use crate::access::Guarded;

const AUDIT: &str = "/api/v1/performancetest/audit";
const START: &str = "/api/v1/performancetest/start";

impl Guarded {
    async fn records(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let page = self.get(ADMIN, &format!("{AUDIT}{query}")).await?;
        assert_eq!(page.status(), 200, "{query}");
        let page: Value = page.json().await?;
        Ok(page["records"].as_array().unwrap().clone())
    }

    async fn state(&self) -> anyhow::Result<Value> {
        let state = self.get(ADMIN, &format!("{AUDIT}/verify")).await?;
        Ok(state.json().await?)
    }
}

#[tokio::test]
async fn each_change_and_each_refusal_leaves_one_record() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let broken = json!({"testScript": "tests/broken.js"});
    let run = guarded.begin(ENGINEER, &broken).await?;
    guarded.post(VIEWER, START, &broken).await?;
    guarded.post("token-of-nobody", START, &broken).await?;
    guarded.post(ENGINEER, START, &json!({"vus": 0})).await?;
    guarded.post(STRANGER, START, &json!({"vus": 0})).await?;
    // What reads, what is nowhere and what has other methods changes nothing.
    guarded.get(ENGINEER, &run).await?;
    guarded.post(ENGINEER, "/nowhere", &broken).await?;
    guarded.ask(ENGINEER, Method::PUT, &run, None).await?;

    let told = |record: &Value| {
        let of = |name: &str| record[name].as_str().unwrap_or("nobody").to_owned();
        format!(
            "{} {} {} {}",
            of("tenant"),
            of("user"),
            of("outcome"),
            record["status"]
        )
    };
    let records = guarded.records("").await?;
    let all: Vec<String> = records.iter().map(told).collect();
    let expected = [
        "acme emil refused 400",
        "nobody  refused 401",
        "acme vera refused 403",
        "acme emil done 201",
    ];
    assert_eq!(all, expected);
    assert!(
        records
            .iter()
            .all(|record| record["action"] == format!("POST {START}"))
    );
    assert_eq!(records[3]["object"], run);
    assert_eq!(records[0]["object"], START);
    assert_eq!(records[0]["requestId"].as_str().map(str::len), Some(32));
    let state = guarded.state().await?;
    assert_eq!(
        (&state["intact"], &state["records"]),
        (&json!(true), &json!(5))
    );
    Ok(())
}

#[tokio::test]
async fn records_are_found_page_by_page_and_as_a_table() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    for token in [ENGINEER, VIEWER, ENGINEER] {
        guarded.post(token, START, &json!({"vus": 0})).await?;
    }
    let first = guarded.get(ADMIN, &format!("{AUDIT}?limit=2")).await?;
    let first: Value = first.json().await?;
    assert_eq!(first["records"].as_array().unwrap().len(), 2);
    let next = guarded
        .records(&format!("?before={}", first["next"]))
        .await?;
    assert_eq!((next.len(), &next[0]["number"]), (1, &json!(1)));
    assert_eq!(guarded.records("?user=vera").await?.len(), 1);
    assert_eq!(
        guarded.records("?user=emil&outcome=refused").await?.len(),
        2
    );
    assert_eq!(guarded.records("?to=2020-01-01T00:00:00Z").await?.len(), 0);
    for query in [
        "limit=0",
        "limit=501",
        "from=yesterday",
        "format=xml",
        "before=x",
    ] {
        let reply = guarded.get(ADMIN, &format!("{AUDIT}?{query}")).await?;
        assert_eq!(reply.status(), 400, "{query}");
    }
    let table = guarded.get(ADMIN, &format!("{AUDIT}?format=csv")).await?;
    assert_eq!(table.headers()["content-type"], "text/csv; charset=utf-8");
    let table = table.text().await?;
    assert_eq!(table.matches("\r\n").count(), 4, "{table}");
    assert!(table.starts_with("number,at,tenant,user,action"), "{table}");
    Ok(())
}

#[tokio::test]
async fn the_page_says_when_the_log_was_tampered_with() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    for _ in 0..3 {
        guarded.post(VIEWER, START, &json!({})).await?;
    }
    let page = guarded.get(ADMIN, "/audit").await?.text().await?;
    assert!(
        page.contains("All 3 records are as they were written"),
        "{page}"
    );
    assert!(
        page.contains("vera") && page.contains("refused 403"),
        "{page}"
    );
    let file = guarded.service.state.path().join("data/performance.sqlite");
    let connection = rusqlite::Connection::open(file)?;
    connection.execute_batch(
        "DROP TRIGGER audit_is_not_changed; UPDATE audit SET user = 'emil' WHERE number = 2",
    )?;
    let state = guarded.state().await?;
    assert_eq!(
        (&state["intact"], &state["brokenAt"]),
        (&json!(false), &json!(2))
    );
    let page = guarded.get(ADMIN, "/audit").await?.text().await?;
    assert!(page.contains("record 2 is not as it was written"), "{page}");
    Ok(())
}

#[tokio::test]
async fn unknown_callers_do_not_fill_the_log() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    for _ in 0..70 {
        guarded.post("token-of-nobody", START, &json!({})).await?;
    }
    let records = guarded.state().await?["records"].as_u64().unwrap();
    assert_eq!(records, 60);
    Ok(())
}

#[tokio::test]
async fn refused_calls_of_known_callers_do_not_fill_it_either() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    for _ in 0..70 {
        let reply = guarded.post(VIEWER, START, &json!({})).await?;
        assert_eq!(reply.status(), 403);
    }
    let records = async || {
        let state = guarded.state().await?;
        anyhow::Ok(state["records"].as_u64())
    };
    assert_eq!(records().await?, Some(60));
    // Others, and what is carried out, are recorded as ever.
    let refused = guarded.post(ENGINEER, START, &json!({"vus": 0})).await?;
    assert_eq!(refused.status(), 400);
    assert_eq!(records().await?, Some(61));
    Ok(())
}
