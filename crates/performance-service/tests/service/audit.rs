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

/// The same object has the same hash, whoever wrote it down and when.
#[tokio::test]
async fn each_change_has_the_hash_of_its_object_before_and_after() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let schedules = "/api/v1/performancetest/schedules";
    let one = format!("{schedules}/nightly");
    let at = |cron: &str| json!({"name": "nightly", "cron": cron});
    let first = guarded.post(ENGINEER, schedules, &at("0 2 * * *")).await?;
    assert_eq!(first.status(), 201);
    for (method, path, body, status) in [
        (Method::PUT, one.clone(), Some(at("0 3 * * *")), 200),
        (Method::POST, format!("{one}/pause"), None, 200),
        (Method::PUT, one.clone(), Some(at("61 3 * * *")), 400),
        (Method::DELETE, one.clone(), None, 204),
    ] {
        let reply = guarded.ask(ENGINEER, method, &path, body.as_ref()).await?;
        assert_eq!(reply.status(), status, "{path}");
    }
    let again = guarded.post(ENGINEER, schedules, &at("0 2 * * *")).await?;
    assert_eq!(again.status(), 201);
    let mut records = guarded.records("?user=emil").await?;
    records.reverse();
    let hashes = |record: &Value| {
        let hash = |name: &str| record[name].as_str().map(str::to_owned);
        (hash("objectBefore"), hash("objectAfter"))
    };
    let all: Vec<_> = records.iter().map(hashes).collect();
    let [added, replaced, paused, refused, removed, anew] = all.as_slice() else {
        panic!("six records: {records:?}");
    };
    assert_eq!(added.0, None);
    assert_eq!(added.1.as_ref().map(String::len), Some(64));
    assert_eq!(replaced.0, added.1);
    assert!(replaced.1.is_some() && replaced.1 != replaced.0);
    assert_eq!(paused.0, replaced.1);
    assert_eq!(refused, &(None, None), "what was refused changed nothing");
    assert_eq!(removed, &(paused.1.clone(), None));
    assert_eq!(anew, added);

    // What is filtered on the page is what its table has.
    let filter = "user=emil&action=DELETE%20%2Fapi%2Fv1%2Fperformancetest%2Fschedules%2F%7Bname%7D";
    let page = guarded
        .get(ADMIN, &format!("/audit?{filter}"))
        .await?
        .text()
        .await?;
    let before = removed.0.as_deref().unwrap();
    assert!(page.contains(before), "{page}");
    let (_, link) = page
        .split_once("href=\"/api/v1/performancetest/audit")
        .unwrap();
    let (link, _) = link.split_once('"').unwrap();
    let link = format!(
        "{AUDIT}{}",
        link.replace("&amp;", "&").replace("&#38;", "&")
    );
    assert!(link.contains("user=emil"), "{link}");
    let table = guarded.get(ADMIN, &link).await?.text().await?;
    assert_eq!(table.matches("\r\n").count(), 2, "{table}");
    assert!(table.contains(before), "{table}");
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
