//! Identifiers, addresses and methods that cannot be.

use anyhow::{Context, ensure};
use http::Method;
use serde_json::json;

use crate::{
    caller::{AUTHORS, BOOKS, NO_ID},
    test_api::on_sqlite,
};

/// Segments that are no identifier, as they stand in an address.
const NO_IDENTIFIERS: [&str; 20] = [
    "0",
    "abc",
    "0123456789abcdef0123456",
    "0123456789abcdef012345678",
    "0123456789abcdef0123456g",
    "0123456789abcdef0123456%00",
    "65a1b2c3-d4e5-f607-1829-3a4b5c6d7e8f",
    "..%2f..%2f",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%00",
    "%ff%fe",
    "%F0%9F%93%9A",
    "null",
    "undefined",
    "$where",
    "%7B%22$gt%22:%22%22%7D",
    "-1",
    "1e24",
    "%20%20",
    "ｆ0123456789abcdef0123456",
];

#[tokio::test]
async fn malformed_identifiers_are_400_on_every_method() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let body = json!({"title": "T", "author": "A", "name": "N"});
    for id in NO_IDENTIFIERS {
        for (method, path) in [
            (Method::GET, format!("{BOOKS}/{id}")),
            (Method::PUT, format!("{BOOKS}/{id}")),
            (Method::PATCH, format!("{BOOKS}/{id}")),
            (Method::DELETE, format!("{BOOKS}/{id}")),
            (Method::POST, format!("{BOOKS}/{id}/generate-summary")),
            (
                Method::POST,
                format!("{BOOKS}/{id}/generate-summary?provider=openai"),
            ),
            (Method::GET, format!("{AUTHORS}/{id}")),
            (Method::PUT, format!("{AUTHORS}/{id}")),
            (Method::PATCH, format!("{AUTHORS}/{id}")),
            (Method::DELETE, format!("{AUTHORS}/{id}")),
        ] {
            let reply = caller.send_json(method.clone(), &path, &body).await?;
            reply
                .problem(400)
                .and_then(|problem| problem.names("id"))
                .with_context(|| format!("{method} {path}"))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn unknown_addresses_are_404() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v2/books",
        "/api/v1/book",
        "/api/v1/books/0123456789abcdef01234567/pages",
        "/health/none",
        "/metrics/x",
        "/seed",
        "/.env",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/books%2f0123456789abcdef01234567",
        "/swagger/../metrics/x",
    ] {
        let reply = caller.get(path).await?;
        reply.problem(404).with_context(|| path.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn other_methods_are_405_with_the_allowed_ones() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let book = format!("{BOOKS}/{NO_ID}");
    for (path, allowed) in [
        (BOOKS, "GET,HEAD,POST"),
        (book.as_str(), "DELETE,GET,HEAD,PATCH,PUT"),
        ("/api/v1/books/bulk", "POST"),
        ("/api/v1/books/search", "GET,HEAD"),
        ("/api/v1/books/llm-providers", "GET,HEAD"),
        ("/api/v1/authors", "GET,HEAD,POST"),
        ("/api/v1/errortest/random", "GET,HEAD"),
        ("/seed-data", "POST"),
        ("/health/ready", "GET,HEAD"),
        ("/metrics", "GET,HEAD"),
    ] {
        for method in ["TRACE", "PROPFIND", "OPTIONS", "LOCK", "BREW", "get"] {
            let method: Method = method.parse()?;
            let reply = caller.send(caller.request(method.clone(), path)).await?;
            reply
                .problem(405)
                .with_context(|| format!("{method} {path}"))?;
            let mut allow: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
            allow.sort_unstable();
            // A route with a fixed word may stand where an identifier could.
            let complete = allowed.split(',').all(|method| allow.contains(&method));
            ensure!(
                complete && !allow.contains(&"TRACE"),
                "{path} allows {allow:?}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let address = caller.create_book("T").await?;
    for path in [address.as_str(), BOOKS, "/health", "/metrics"] {
        let reply = caller.send(caller.request(Method::HEAD, path)).await?;
        assert!(reply.expect(200)?.body.is_empty(), "{path}");
    }
    let none = format!("{BOOKS}/{NO_ID}");
    let reply = caller.send(caller.request(Method::HEAD, &none)).await?;
    reply.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn a_request_keeps_the_id_that_it_came_with() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let path = format!("{BOOKS}/{NO_ID}");
    for (given, kept) in [
        ("order-4711", true),
        ("a/b c", true),
        ("\"></script>", true),
        (&"x".repeat(128), true),
        (&"x".repeat(129), false),
        ("", false),
    ] {
        let request = caller
            .request(Method::GET, &path)
            .header("X-Correlation-ID", given);
        let reply = caller.send(request).await?;
        let problem = reply.problem(404)?;
        assert_eq!(problem.member("instance") == given, kept, "{given}");
    }
    Ok(())
}
