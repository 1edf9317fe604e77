//! What a configuration asks for is what a target sees, and what is wrong with one is named.

use std::collections::BTreeSet;

use anyhow::ensure;
use axum::http::Method;
use script_generation::configuration::Configuration;
use serde_json::{Value, json};
use test_support::tools;

use crate::echo::Echo;
use crate::k6::{Script, told};

const CONFIGURATION: &str = r#"
title = "Two kinds of users"
load = { model = "open", stages = [{ seconds = 2, to = 20 }] }
rows = [{ word = "a b" }, { word = "c&d" }]

[[journey]]
name = "writer"
weight = 1
make = { isbn = "isbn13", mark = "unique" }
[[journey.step]]
method = "POST"
path = "/things"
status = 201
headers = { X-Kind = "test" }
body = { isbn = "", inner = [{ mark = "" }], word = "stays" }
fill = { "/isbn" = "isbn", "/inner/0/mark" = "mark" }
save = { thing = "/id" }
thresholds = ["p(95)<10000"]
[[journey.step]]
path = "/things/{thing}?word={word}"
check = [{ at = "/id", value = "thing" }, { at = "/items/0/id", equals = "first" }]
[[journey.step]]
name = "remove it"
method = "DELETE"
path = "/things/{thing}"
status = 204

[[journey]]
name = "reader"
weight = 3
think = [0.01, 0.02]
[[journey.step]]
path = "/things"
find = { missing = "/nothing/here" }
[[journey.step]]
name = "never sent"
path = "/never/{missing}"
"#;

#[tokio::test]
async fn a_target_sees_what_is_asked_for() -> anyhow::Result<()> {
    let configuration = Configuration::parse(CONFIGURATION).map_err(|it| told(&it))?;
    let script = Script::of(&configuration, &[])?;
    script.inspect().await?;
    for k6 in [tools::k6()?, tools::k6_v1()?] {
        let echo = Echo::start().await?;
        let log = script.run(k6, &echo.base_url).await?;
        ensure!(!log.contains("wrong answer"), "{log}");
        let seen = echo.seen();
        let of = |method: Method| seen.iter().filter(move |it| it.method == method);
        let (written, removed) = (of(Method::POST).count(), of(Method::DELETE).count());
        ensure!(
            written > 0 && written == removed,
            "{written} written, {removed} removed"
        );
        let read = of(Method::GET).filter(|it| it.path == "/things").count();
        // One in four writes, evenly: the last round may be cut.
        ensure!(
            read.abs_diff(3 * written) <= 3,
            "{read} read, {written} written"
        );
        ensure!(seen.iter().all(|it| !it.path.starts_with("/never")));
        let words: BTreeSet<_> = seen.iter().filter_map(|it| it.query.get("word")).collect();
        ensure!(
            words.iter().map(|it| it.as_str()).eq(["a b", "c&d"]),
            "{words:?}"
        );
        let mut marks = BTreeSet::new();
        for request in of(Method::POST) {
            let body: Value = serde_json::from_str(&request.body)?;
            ensure!(body["isbn"].as_str().is_some_and(is_isbn), "{body}");
            ensure!(
                body["word"] == "stays" && request.headers["x-kind"] == "test",
                "{body}"
            );
            marks.insert(body["inner"][0]["mark"].to_string());
        }
        ensure!(marks.len() == written && marks.iter().all(|it| it.starts_with("\"run-7-")));
        let headers = &seen[0].headers;
        ensure!(
            headers["baggage"] == "test.id=run-7,test.scenario=load",
            "{headers:?}"
        );
        let parent = headers["traceparent"].to_str()?;
        ensure!(parent.len() == 55 && parent.ends_with("-01"), "{parent}");
    }
    Ok(())
}

fn is_isbn(text: &str) -> bool {
    let digits = text.chars().filter_map(|digit| digit.to_digit(10));
    let weighted = digits
        .enumerate()
        .map(|(index, digit)| digit * if index % 2 == 0 { 1 } else { 3 });
    text.len() == 13 && weighted.sum::<u32>() % 10 == 0
}

fn assert_refused(cases: &[(Value, &str)]) {
    for (document, place) in cases {
        let refused = Configuration::parse(&document.to_string()).unwrap_err();
        let places: Vec<&str> = refused.iter().map(|it| it.place.as_str()).collect();
        assert!(places.contains(place), "{document}: {refused:?}");
    }
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    assert_refused(&[
        (json!({"title": "t"}), "journey"),
        (json!({"title": "", "journey": []}), "title"),
        (json!({"title": "t", "jorney": []}), "jorney"),
        (
            json!({"title": "t", "load": {"model": "closed", "stages": [{"seconds": 0, "to": 1}]}}),
            "load.stages[0].seconds",
        ),
        (
            json!({"title": "t", "load": {"model": "closed", "stages": [{"seconds": 1, "to": 1e9}]}}),
            "load.stages[0].to",
        ),
        (
            json!({"title": "t", "thresholds": {"http_reqs": ["'); x("]}}),
            "thresholds.http_reqs[0]",
        ),
        (
            json!({"title": "t", "rows": [{"a": 1}, {"b": 1}]}),
            "rows[1]",
        ),
        (json!({"title": "t", "rows": [{"__proto__": 1}]}), "rows[0]"),
    ]);
    let refused = Configuration::parse("title = \"t\"\n[[journey]]\nname = 5").unwrap_err();
    assert_eq!(refused[0].place, "journey[0].name");
    assert!(!Configuration::parse("title = ").unwrap_err().is_empty());
}

#[test]
fn what_is_wrong_with_a_step_is_named_by_its_place() {
    let step = |step: Value| json!({"title": "t", "journey": [{"name": "j", "step": [step]}]});
    assert_refused(&[
        (step(json!({"path": "books"})), "journey[0].step[0].path"),
        (step(json!({"path": "/a b"})), "journey[0].step[0].path"),
        (step(json!({"path": "/{a"})), "journey[0].step[0].path"),
        (step(json!({"path": "/{a}"})), "journey[0].step[0]"),
        (
            step(json!({"path": "/\u{2028}"})),
            "journey[0].step[0].path",
        ),
        (
            step(json!({"path": "/", "method": "EAT"})),
            "journey[0].step[0].method",
        ),
        (
            step(json!({"path": "/", "name": "a,b"})),
            "journey[0].step[0].name",
        ),
        (
            step(json!({"path": "/", "headers": {"Authorization": "Bearer x"}})),
            "journey[0].step[0].headers.Authorization",
        ),
        (
            step(json!({"path": "/", "headers": {"X-A": "a\r\nb"}})),
            "journey[0].step[0].headers.X-A",
        ),
        (
            step(json!({"path": "/", "body": {}, "fill": {"/x": "y"}})),
            "journey[0].step[0].fill./x",
        ),
        (
            step(json!({"path": "/", "save": {"a": "/b`"}})),
            "journey[0].step[0].save.a",
        ),
        (
            step(json!({"path": "/", "status": 500})),
            "journey[0].step[0].status",
        ),
        (
            step(json!({"path": "/", "think": [2, 1]})),
            "journey[0].step[0].think",
        ),
    ]);
}
