//! Requests that two parsers could read differently, byte by byte.

use anyhow::Context;

use crate::{
    test_api::{Setup, TestApi},
    wire::{exchange, replies, status},
};

async fn check(api: &TestApi, rows: &[(&str, String, &[u16])]) -> anyhow::Result<()> {
    for (name, request, expected) in rows {
        let reply = exchange(api.address(), request.as_bytes())
            .await
            .with_context(|| (*name).to_owned())?;
        let status = status(&reply);
        assert!(expected.contains(&status), "{name}: {reply}");
        assert_eq!(replies(&reply), 1, "{name}: {reply}");
        if reply.contains("\r\ncontent-type") && status >= 400 {
            assert!(
                reply.contains("application/problem+json"),
                "{name}: {reply}"
            );
        }
    }
    // None of them has hurt it.
    api.caller()?.create_book("T").await?;
    Ok(())
}

#[tokio::test]
async fn a_request_names_one_host() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let get = |hosts: &str| format!("GET /health HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
    check(
        &api,
        &[
            ("one", get("Host: localhost\r\n"), &[200]),
            ("none", get(""), &[400]),
            ("two", get("Host: localhost\r\nHost: b\r\n"), &[400]),
            ("two alike", get("Host: localhost\r\nhost: a\r\n"), &[400]),
        ],
    )
    .await
}

/// A POST of JSON with these further headers.
fn post(headers: &str, body: &str) -> String {
    let head =
        "POST /api/v1/books HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    format!("{head}{headers}\r\n{body}")
}

/// The same on a connection that is to be closed after it.
fn last_post(headers: &str, body: &str) -> String {
    post(&format!("{headers}Connection: close\r\n"), body)
}

/// The chunked body is empty, which is refused; what follows it must never be a request.
#[tokio::test]
async fn a_body_with_a_length_and_a_coding_hides_no_request() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let hidden = "0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (length, coding) = ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n");
    let length_first = post(&format!("{length}{coding}"), hidden);
    let coding_first = post(&format!("{coding}{length}"), hidden);
    check(
        &api,
        &[
            ("length first", length_first, &[400]),
            ("coding first", coding_first, &[400]),
        ],
    )
    .await
}

#[tokio::test]
async fn a_body_has_one_length() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let two = "Content-Length: 2\r\nContent-Length: 3\r\n";
    let identity = "Transfer-Encoding: chunked, identity\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    check(
        &api,
        &[
            ("two lengths", last_post(two, "{}x"), &[400]),
            (
                "a list",
                last_post("Content-Length: 2, 3\r\n", "{}x"),
                &[400],
            ),
            ("signed", last_post("Content-Length: +2\r\n", "{}"), &[400]),
            (
                "negative",
                last_post("Content-Length: -1\r\n", "{}"),
                &[400],
            ),
            (
                "an unknown coding",
                last_post(identity, "0\r\n\r\n"),
                &[400, 501],
            ),
            (
                "a space",
                last_post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
                &[400],
            ),
            ("a wrong chunk", last_post(chunked, "zz\r\n\r\n"), &[400]),
            (
                "a broken chunk",
                last_post(chunked, "2\r\n{}xx0\r\n\r\n"),
                &[400],
            ),
        ],
    )
    .await
}

/// A GET without a body, with these further headers.
fn get(address: &str, headers: &str) -> String {
    format!("GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn a_head_is_bounded_and_well_formed() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let many: String = (0..120).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(500_000));
    let far = format!("/{}", "x".repeat(70_000));
    let close = "Host: localhost\r\nConnection: close\r\n\r\n";
    let tunnel = format!("CONNECT 10.0.0.1:22 HTTP/1.1\r\n{close}");
    check(
        &api,
        &[
            ("120 headers", get("/health", &many), &[431]),
            ("a header of 500 KB", get("/health", &long), &[431]),
            ("an address of 70 KB", get(&far, ""), &[414]),
            ("a folded header", get("/health", "X: a\r\n b\r\n"), &[400]),
            (
                "another protocol",
                "SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned(),
                &[400],
            ),
            (
                "HTTP/3.0",
                format!("GET /health HTTP/3.0\r\n{close}"),
                &[400, 505],
            ),
            ("a bad escape", get("/api/v1/books/%zz", ""), &[400]),
            ("no address", get("", ""), &[400]),
            ("a tunnel", tunnel, &[400, 404, 405]),
            (
                "a foreign address",
                get("http://10.0.0.1/health", ""),
                &[200, 400, 421],
            ),
        ],
    )
    .await
}
