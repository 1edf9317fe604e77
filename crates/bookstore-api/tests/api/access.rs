//! Who may do what, with tokens.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use test_support::{
    access::{
        ADMIN, ENGINEER, Least,
        Least::{Admin, Engineer, Nobody, Viewer},
        STRANGER, TENANT, TokensFile, VIEWER, compare,
    },
    process::Program,
};

use crate::{
    reply::Reply,
    test_api::{Setup, TestApi},
};

/// A process that refuses to start does so at once; the rest is for a machine under load.
const END_DEADLINE: Duration = Duration::from_secs(30);

/// Every route and the least role that it takes.
const ROUTES: [(&str, &str, Least); 36] = [
    ("GET", "/api/v1/books", Viewer),
    ("POST", "/api/v1/books", Engineer),
    ("POST", "/api/v1/books/bulk", Engineer),
    ("GET", "/api/v1/books/search", Viewer),
    ("GET", "/api/v1/books/llm-providers", Viewer),
    ("GET", "/api/v1/books/{id}", Viewer),
    ("PUT", "/api/v1/books/{id}", Engineer),
    ("PATCH", "/api/v1/books/{id}", Engineer),
    ("DELETE", "/api/v1/books/{id}", Admin),
    ("POST", "/api/v1/books/{id}/generate-summary", Engineer),
    ("POST", "/api/v1/books/{id}/summary/feedback", Engineer),
    ("GET", "/api/v1/authors", Viewer),
    ("POST", "/api/v1/authors", Engineer),
    ("POST", "/api/v1/authors/bulk", Engineer),
    ("GET", "/api/v1/authors/{id}", Viewer),
    ("PUT", "/api/v1/authors/{id}", Engineer),
    ("PATCH", "/api/v1/authors/{id}", Engineer),
    ("DELETE", "/api/v1/authors/{id}", Admin),
    ("POST", "/seed-data", Engineer),
    ("GET", "/api/v1/errortest/random", Viewer),
    ("GET", "/api/v1/errortest/{code}", Viewer),
    ("GET", "/api/v1/llm/ledger", Viewer),
    ("GET", "/api/v1/llm/costs", Viewer),
    ("POST", "/api/v1/llm/recost", Viewer),
    ("GET", "/api/v1/llm/budgets", Admin),
    ("GET", "/api/v1/llm/budgets/{tenant}", Viewer),
    ("PUT", "/api/v1/llm/budgets/{tenant}", Admin),
    ("GET", "/api/v1/llm/experiments", Viewer),
    ("POST", "/api/v1/llm/experiments", Engineer),
    ("GET", "/api/v1/llm/experiments/{name}", Viewer),
    ("POST", "/api/v1/llm/experiments/{name}/stop", Engineer),
    ("GET", "/health", Nobody),
    ("GET", "/health/live", Nobody),
    ("GET", "/health/ready", Nobody),
    ("GET", "/health/startup", Nobody),
    ("GET", "/metrics", Nobody),
];

struct Guarded {
    api: TestApi,
    _file: TokensFile,
}

impl Guarded {
    async fn start() -> anyhow::Result<Self> {
        Self::start_with("RUST_LOG", "info").await
    }

    async fn start_with(name: &str, value: &str) -> anyhow::Result<Self> {
        let file = TokensFile::write()?;
        let api = Setup::default()
            .with(name, value)
            .with("BOOKSTORE_AUTH_MODE", "tokens")
            .with("BOOKSTORE_TOKENS_FILE", file.path())
            .start()
            .await?;
        Ok(Self { api, _file: file })
    }

    async fn ask(&self, token: &str, method: Method, path: &str) -> anyhow::Result<Reply> {
        let caller = self.api.caller()?;
        let request = caller.bare_request(method, path).bearer_auth(token);
        caller.send(request).await
    }

    async fn read(&self, token: &str, path: &str) -> anyhow::Result<Value> {
        self.ask(token, Method::GET, path)
            .await?
            .expect(200)?
            .json()
    }
}

#[tokio::test]
async fn each_route_takes_the_roles_of_the_table() -> anyhow::Result<()> {
    let guarded = Guarded::start().await?;
    compare(&guarded.api.base_url(), &ROUTES).await
}

#[tokio::test]
async fn the_tenant_is_that_of_the_token() -> anyhow::Result<()> {
    let guarded = Guarded::start().await?;
    let caller = guarded.api.caller()?;
    let book = caller
        .bare_request(Method::POST, "/api/v1/books")
        .bearer_auth(ENGINEER)
        .header("X-Tenant-Name", TENANT)
        .json(&json!({"title": "Ours", "author": "Us"}));
    caller.send(book).await?.expect(201)?;
    let count =
        async |token| anyhow::Ok(guarded.read(token, "/api/v1/books").await?["totalCount"].clone());
    assert_eq!(count(VIEWER).await?, 1);
    assert_eq!(count(STRANGER).await?, 0);
    let as_other = caller
        .bare_request(Method::GET, "/api/v1/books")
        .bearer_auth(STRANGER)
        .header("X-Tenant-Name", TENANT);
    let problem = caller.send(as_other).await?.problem(403)?;
    assert_eq!(problem.member("type"), "/problems/other-tenant");
    Ok(())
}

#[tokio::test]
async fn money_of_other_tenants_is_shown_to_administrators() -> anyhow::Result<()> {
    let guarded = Guarded::start().await?;
    for path in ["/api/v1/llm/budgets", "/api/v1/llm/budgets/other"] {
        guarded.ask(VIEWER, Method::GET, path).await?.problem(403)?;
        guarded.ask(ADMIN, Method::GET, path).await?.expect(200)?;
    }
    let own = format!("/api/v1/llm/budgets/{TENANT}");
    assert_eq!(guarded.read(VIEWER, &own).await?["tenant"], TENANT);
    Ok(())
}

#[tokio::test]
async fn a_token_is_nowhere_in_the_log() -> anyhow::Result<()> {
    let guarded = Guarded::start_with("RUST_LOG", "debug").await?;
    guarded.read(ADMIN, "/api/v1/books").await?;
    let wrong = format!("{ADMIN}-mistyped");
    let refused = guarded
        .ask(&wrong, Method::DELETE, "/api/v1/books/x")
        .await?;
    refused.problem(401)?;
    assert!(!refused.text().contains("canary"), "{}", refused.text());
    let log = guarded.api.process().log();
    assert!(log.contains("/api/v1/books"), "{log}");
    assert!(!log.contains("canary"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_process_without_usable_tokens_does_not_start() -> anyhow::Result<()> {
    let plain = tempfile::NamedTempFile::new()?;
    std::fs::write(plain.path(), format!("[[token]]\ntoken = '{ADMIN}'"))?;
    let plain = plain.path().to_str().unwrap_or_default();
    for (settings, says) in [
        (vec![("BOOKSTORE_AUTH_MODE", "tokens")], "is needed"),
        (
            vec![
                ("BOOKSTORE_AUTH_MODE", "tokens"),
                ("BOOKSTORE_TOKENS_FILE", plain),
            ],
            "line 2",
        ),
        (
            vec![("BOOKSTORE_HTTP_ADDR", "0.0.0.0:7002")],
            "is not loopback",
        ),
    ] {
        let mut program = Program::new("bookstore-api", env!("CARGO_BIN_EXE_bookstore-api"))?;
        for (name, value) in settings {
            program = program.env(name, value);
        }
        let process = program.start()?;
        assert!(!process.wait(END_DEADLINE).await?.success());
        let log = process.log();
        assert!(log.contains(says), "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
    Ok(())
}
