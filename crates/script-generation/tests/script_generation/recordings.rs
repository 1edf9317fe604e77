//! Scripts from recordings of a browser.

use anyhow::ensure;
use script_generation::har::{HarOptions, draft};
use serde_json::{Value, json};
use test_support::tools;

use crate::echo::Echo;
use crate::k6::{Script, told};

fn request(second: f64, method: &str, url: &str) -> Value {
    json!({
        "startedDateTime": format!("2026-11-21T10:00:{second:06.3}Z"),
        "time": 100.0,
        "request": {"method": method, "url": url, "headers": [], "cookies": [{"name": "a", "value": "b"}]},
        "response": {"status": if method == "POST" { 201 } else { 200 }, "content": {"mimeType": "application/json"}},
    })
}

fn with_headers(mut entry: Value, headers: &[(&str, &str)]) -> Value {
    let list: Vec<Value> = headers
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    entry["request"]["headers"] = list.into();
    entry
}

fn with_body(mut entry: Value, kind: &str, text: &str) -> Value {
    entry["request"]["postData"] = json!({"mimeType": kind, "text": text});
    entry
}

fn recording(entries: &[Value]) -> String {
    json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}})
        .to_string()
}

const SECRET: &str = "5up3r-s3cret";

/// A page of a shop as a person saw it.
fn visit() -> String {
    let headers = [
        (":authority", "shop.example"),
        ("Cookie", "session=5up3r-s3cret"),
        ("Authorization", "Bearer 5up3r-s3cret"),
        ("X-Api-Key", SECRET),
        ("User-Agent", "Browser"),
        ("X-Page", "'\"`${x}"),
    ];
    let first =
        "https://shop.example/api/v1/books?page=2&access_token=5up3r-s3cret&q=a'%0A%E2%80%A8b";
    let body = json!({"title": "t`", "user": {"password": SECRET}}).to_string();
    let form = "name=a+b&csrf_token=5up3r-s3cret";
    recording(&[
        with_headers(request(1.0, "GET", first), &headers),
        request(1.2, "GET", "https://shop.example/style.css?v=5up3r-s3cret"),
        request(1.3, "GET", "https://cdn.example/lib.js"),
        request(1.4, "GET", "https://stats.example/t?id=5up3r-s3cret"),
        with_body(
            request(2.5, "POST", "https://shop.example/api/v1/books"),
            "application/json",
            &body,
        ),
        with_body(
            request(2.65, "POST", "https://shop.example/form"),
            "application/x-www-form-urlencoded",
            form,
        ),
        request(
            2.9,
            "GET",
            "https://shop.example/api/v1/books/5eed98d48645e9aec0b30001",
        ),
    ])
}

#[tokio::test]
async fn a_recording_is_repeated_without_its_secrets() -> anyhow::Result<()> {
    let mut draft = draft(&visit(), &HarOptions::default()).map_err(|it| told(&it))?;
    let thinks: Vec<_> = draft.configuration.journeys[0]
        .steps
        .iter()
        .map(|step| step.think)
        .collect();
    ensure!(
        thinks == [Some([1.4, 1.4]), None, Some([0.2, 0.2]), None],
        "{thinks:?}"
    );
    let warnings = draft.warnings.join("\n");
    for told in [
        "Requests to other hosts that are left out: 2 (cdn.example, stats.example).",
        "Requests that are left out: 1 (static assets).",
        "Secrets are removed: access_token of the query, authorization of the headers, cookie of \
         the headers, csrf_token of a form, password of a body, x-api-key of the headers.",
    ] {
        ensure!(warnings.contains(told), "{warnings}");
    }
    draft.configuration.load.stages[0].seconds = 2;
    let script = Script::of_draft(&draft)?;
    for file in [&script.files.script, &script.files.data.to_string()] {
        ensure!(!file.contains(SECRET), "{file}");
    }
    script.inspect().await?;
    let echo = Echo::start().await?;
    let log = script.run(tools::k6_v1()?, &echo.base_url).await?;
    ensure!(!log.contains("wrong answer"), "{log}");
    let seen = echo.seen();
    ensure!(
        seen[0].query["q"] == "a'\n\u{2028}b" && seen[0].query["page"] == "2",
        "{:?}",
        seen[0]
    );
    ensure!(seen[0].headers["x-page"] == "'\"`${x}" && !seen[0].headers.contains_key("cookie"));
    ensure!(
        seen[1].body.contains("t`") && seen[1].body.contains("removed"),
        "{:?}",
        seen[1]
    );
    ensure!(seen[2].body == "name=a+b", "{:?}", seen[2]);
    ensure!(
        seen[3].path == "/api/v1/books/5eed98d48645e9aec0b30001",
        "{:?}",
        seen[3]
    );
    let name = draft.configuration.journeys[0].steps[3].name();
    ensure!(name == "GET /api/v1/books/{id}", "{name}");
    Ok(())
}

#[test]
fn the_target_and_the_assets_are_chosen() {
    let mut failed = request(3.0, "GET", "https://a.example/gone");
    failed["response"]["status"] = 404.into();
    let document = recording(&[
        request(1.0, "GET", "https://a.example/1"),
        request(2.0, "GET", "https://b.example:8443/2.png"),
        failed,
        request(0.5, "EAT", "https://a.example/3"),
    ]);
    let options = |target: &str, assets| HarOptions {
        target: Some(target.to_owned()),
        assets,
        load: None,
    };
    let drafted = draft(&document, &options("https://b.example:8443", true)).unwrap();
    assert_eq!(drafted.configuration.journeys[0].steps[0].path, "/2.png");
    assert!(draft(&document, &options("https://b.example:8443", false)).is_err());
    assert!(draft(&document, &options("nowhere", false)).is_err());
    let drafted = draft(&document, &options("https://a.example", false)).unwrap();
    assert_eq!(drafted.configuration.journeys[0].steps.len(), 1);
    assert_eq!(drafted.warnings.len(), 3, "{:?}", drafted.warnings);
}

#[test]
fn what_is_no_recording_is_named() {
    let mut undated = request(1.0, "GET", "https://a.example/");
    undated["startedDateTime"] = "soon".into();
    for (document, place) in [
        ("{}".to_owned(), ""),
        (json!({"log": {}}).to_string(), "log"),
        (recording(&[undated]), "log.entries[0].startedDateTime"),
        (
            recording(&[request(1.0, "GET", "not an address")]),
            "log.entries[0].request.url",
        ),
        (recording(&[]), "log.entries"),
    ] {
        let refused = draft(&document, &HarOptions::default()).unwrap_err();
        assert_eq!(refused[0].place, place, "{document}: {refused:?}");
    }
}
