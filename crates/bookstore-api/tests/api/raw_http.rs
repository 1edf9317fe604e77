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
            ("one", get("Host: a\r\n"), &[200]),
            ("none", get(""), &[400]),
            ("two", get("Host: a\r\nHost: b\r\n"), &[400]),
            ("two alike", get("Host: a\r\nhost: a\r\n"), &[400]),
        ],
    )
    .await
}

#[tokio::test]
async fn a_body_has_one_length() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let hidden = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = |headers: &str, body: &str| {
        format!(
            "POST /api/v1/books HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{headers}\r\n{body}"
        )
    };
    let chunked = format!("0\r\n\r\n{hidden}");
    let close = "Connection: close\r\n";
    check(
        &api,
        &[
            // The chunked body is empty, which is refused; what follows it must never be a request.
            (
                "length, then chunked",
                post(
                    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                    &chunked,
                ),
                &[400],
            ),
            (
                "chunked, then length",
                post(
                    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                    &chunked,
                ),
                &[400],
            ),
            (
                "two lengths",
                post(
                    &format!("Content-Length: 2\r\nContent-Length: 3\r\n{close}"),
                    "{}x",
                ),
                &[400],
            ),
            (
                "a list of lengths",
                post(&format!("Content-Length: 2, 3\r\n{close}"), "{}x"),
                &[400],
            ),
            (
                "a signed length",
                post(&format!("Content-Length: +2\r\n{close}"), "{}"),
                &[400],
            ),
            (
                "a negative length",
                post(&format!("Content-Length: -1\r\n{close}"), "{}"),
                &[400],
            ),
            (
                "an unknown coding",
                post(
                    &format!("Transfer-Encoding: chunked, identity\r\n{close}"),
                    "0\r\n\r\n",
                ),
                &[400, 501],
            ),
            (
                "a space before the colon",
                post(
                    &format!("Transfer-Encoding : chunked\r\n{close}"),
                    "0\r\n\r\n",
                ),
                &[400],
            ),
            (
                "a wrong chunk",
                post(
                    &format!("Transfer-Encoding: chunked\r\n{close}"),
                    "zz\r\n\r\n",
                ),
                &[400],
            ),
            (
                "a broken chunk",
                post(
                    &format!("Transfer-Encoding: chunked\r\n{close}"),
                    "2\r\n{}xx0\r\n\r\n",
                ),
                &[400],
            ),
        ],
    )
    .await
}

#[tokio::test]
async fn a_head_is_bounded_and_well_formed() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let close = "Host: a\r\nConnection: close\r\n";
    let many: String = (0..120).map(|n| format!("X-{n}: y\r\n")).collect();
    check(
        &api,
        &[
            (
                "120 headers",
                format!("GET /health HTTP/1.1\r\n{close}{many}\r\n"),
                &[431],
            ),
            (
                "a header of 500 KB",
                format!(
                    "GET /health HTTP/1.1\r\n{close}X: {}\r\n\r\n",
                    "y".repeat(500_000)
                ),
                &[431],
            ),
            (
                "an address of 70 KB",
                format!("GET /{} HTTP/1.1\r\n{close}\r\n", "x".repeat(70_000)),
                &[414],
            ),
            (
                "a folded header",
                format!("GET /health HTTP/1.1\r\n{close}X: a\r\n b\r\n\r\n"),
                &[400],
            ),
            (
                "another protocol",
                "SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned(),
                &[400],
            ),
            (
                "HTTP/3.0",
                format!("GET /health HTTP/3.0\r\n{close}\r\n"),
                &[400, 505],
            ),
            (
                "a bad escape",
                format!("GET /api/v1/books/%zz HTTP/1.1\r\n{close}\r\n"),
                &[400],
            ),
            (
                "no address",
                format!("GET  HTTP/1.1\r\n{close}\r\n"),
                &[400],
            ),
            (
                "a tunnel",
                format!("CONNECT 10.0.0.1:22 HTTP/1.1\r\n{close}\r\n"),
                &[400, 404, 405],
            ),
            (
                "a foreign address",
                format!("GET http://10.0.0.1/health HTTP/1.1\r\n{close}\r\n"),
                &[200, 400, 421],
            ),
        ],
    )
    .await
}
