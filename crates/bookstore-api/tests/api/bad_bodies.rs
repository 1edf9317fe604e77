//! Bodies that are no JSON, too long, of another type, or not there.

use anyhow::Context;
use http::Method;
use serde_json::json;

use crate::{
    caller::{AUTHORS, BOOKS, Caller, address},
    test_api::on_sqlite,
};

/// The routes that take a body, with an entity of each kind.
async fn routes(caller: &Caller) -> anyhow::Result<Vec<(Method, String)>> {
    let book = caller.create_book("T").await?;
    let author = caller.create(AUTHORS, &json!({"name": "N"})).await?;
    let author = address(AUTHORS, &author)?;
    Ok(vec![
        (Method::POST, BOOKS.to_owned()),
        (Method::POST, format!("{BOOKS}/bulk")),
        (Method::PUT, book.clone()),
        (Method::PATCH, book),
        (Method::POST, AUTHORS.to_owned()),
        (Method::POST, format!("{AUTHORS}/bulk")),
        (Method::PUT, author.clone()),
        (Method::PATCH, author),
    ])
}

#[tokio::test]
async fn what_is_no_json_is_400() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let deep_array = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep_object = format!("{}1{}", "{\"title\":".repeat(200), "}".repeat(200));
    let bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "null",
        "true",
        "7",
        "\"text\"",
        "{\"title\":\"T\",}",
        "{\"title\":\"T\"} {}",
        "{'title':'T'}",
        "{\"title\":NaN,\"author\":\"A\",\"name\":\"N\"}",
        "{\"title\":\"T\",\"author\":\"A\",\"name\":\"N\",\"price\":Infinity}",
        "{\"title\":\"\\ud800\",\"author\":\"A\",\"name\":\"\\udfff\"}",
        "{\"\\ud800\":1,\"title\":\"T\",\"author\":\"A\",\"name\":\"N\"}",
        "{\"title\":\"a\nb\",\"author\":\"A\",\"name\":\"a\nb\"}",
        "{\"title\":\"T\\x\",\"author\":\"A\",\"name\":\"N\\x\"}",
        "\u{feff}{\"title\":\"T\",\"author\":\"A\",\"name\":\"N\"}",
        &deep_array,
        &deep_object,
        &"[".repeat(100_000),
        &"{\"a\":".repeat(40_000),
    ]
    .map(|text| text.as_bytes().to_vec())
    .into_iter()
    .chain([
        b"{\"title\":\"\xff\xfe\",\"author\":\"A\",\"name\":\"\xc3\x28\"}".to_vec(),
        b"\x1f\x8b\x08\x00\x00\x00".to_vec(),
        b"\x00".to_vec(),
    ])
    .collect();
    for (method, path) in routes(&caller).await? {
        for body in &bodies {
            let reply = caller
                .send_bytes(method.clone(), &path, body.clone())
                .await?;
            let shown: String = String::from_utf8_lossy(body).chars().take(40).collect();
            let problem = reply
                .problem(400)
                .with_context(|| format!("{method} {path}: {shown:?}"))?;
            let errors = problem.0["errors"]
                .as_object()
                .map_or(0, serde_json::Map::len);
            assert!(errors > 0, "{method} {path}: {shown:?}: {problem:?}");
            assert!(
                reply.body.len() < 2_000,
                "an error is small: {}",
                reply.text()
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_member_that_stands_twice_counts_once() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let body = "{\"title\":\"first\",\"title\":\"last\",\"author\":\"A\"}";
    let reply = caller.send_bytes(Method::POST, BOOKS, body).await?;
    assert_eq!(reply.expect(201)?.json()?["title"], "last");
    Ok(())
}

#[tokio::test]
async fn too_long_bodies_are_413() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let body = |length: usize| {
        let text = "x".repeat(length);
        format!("{{\"title\":\"T\",\"author\":\"A\",\"name\":\"N\",\"tags\":\"{text}\"}}")
    };
    for (method, path) in routes(&caller).await? {
        let bulk = path.ends_with("/bulk");
        let (short, long) = if bulk {
            (4_000_000, 5_000_000)
        } else {
            (250_000, 300_000)
        };
        let wrap = |text: String| if bulk { format!("[{text}]") } else { text };
        // Again and again: a connection that is reset before the reply is read loses it.
        for _ in 0..5 {
            let reply = caller
                .send_bytes(method.clone(), &path, wrap(body(long)))
                .await;
            reply?
                .problem(413)
                .with_context(|| format!("{method} {path}"))?;
        }
        if method != Method::PATCH {
            let reply = caller
                .send_bytes(method.clone(), &path, wrap(body(short)))
                .await?;
            assert!(
                (200..300).contains(&reply.status),
                "{method} {path}: {}",
                reply.text()
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn other_types_are_415() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let body = "{\"title\":\"T\",\"author\":\"A\",\"name\":\"N\"}";
    for (method, path) in routes(&caller).await? {
        for content_type in [
            "text/plain",
            "text/json",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonx",
            "json",
        ] {
            let request = caller
                .request(method.clone(), &path)
                .header("Content-Type", content_type);
            let reply = caller.send(request.body(body)).await?;
            reply
                .problem(415)
                .with_context(|| format!("{method} {path} of {content_type}"))?;
        }
        let untyped = caller.request(method.clone(), &path).body(body);
        caller.send(untyped).await?.problem(415)?;
        let packed = caller
            .request(method, &path)
            .header("Content-Type", "application/json");
        let packed = packed
            .header("Content-Encoding", "gzip")
            .body(&b"\x1f\x8b\x08\x00"[..]);
        let problem = caller.send(packed).await?.problem(415)?;
        assert!(
            problem.member("detail").contains("Content-Encoding"),
            "{problem:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_spelling_of_json_is_taken() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    for content_type in [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/vnd.bookstore+json",
    ] {
        let request = caller
            .request(Method::POST, BOOKS)
            .header("Content-Type", content_type);
        let request = request
            .header("Accept", "image/png")
            .header("Content-Encoding", "identity");
        let reply = caller
            .send(request.body("{\"title\":\"T\",\"author\":\"A\"}"))
            .await?;
        reply.expect(201).with_context(|| content_type.to_owned())?;
    }
    Ok(())
}
