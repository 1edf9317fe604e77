//! One book: created, read, deleted.

use anyhow::ensure;
use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::{BOOKS, Caller, NO_ID, address},
    test_api::on_both_stores,
};

on_both_stores!(
    a_book_is_created_and_read_back,
    what_was_not_sent_has_its_default,
    the_server_sets_identity_and_age,
    a_book_that_is_not_there_is_404,
    a_deleted_book_is_gone,
    the_resource_segment_matches_in_any_case,
    identifiers_match_in_any_case,
);

fn gatsby() -> Value {
    json!({
        "title": "The Great Gatsby", "author": "F. Scott Fitzgerald", "isbn": "978-0-7432-7356-5",
        "price": 12.99, "publishedDate": "1925-04-10T00:00:00Z", "genre": "Fiction",
        "description": "Parties of a summer.", "stockQuantity": 50,
    })
}

async fn a_book_is_created_and_read_back(caller: &Caller) -> anyhow::Result<()> {
    let reply = caller.post(BOOKS, &gatsby()).await?;
    let created = reply.expect(201)?.json()?;
    let address = address(BOOKS, &created)?;
    assert_eq!(reply.header("location"), address);
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(reply.header("content-type"), "application/json");
    for (name, value) in gatsby().as_object().into_iter().flatten() {
        assert_eq!(&created[name], value, "{name}");
    }
    assert_eq!(created["version"], 1);
    assert!(created.get("warnings").is_none(), "{created}");
    assert!(created.get("summary").is_none(), "{created}");

    let read = caller.get(&address).await?;
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(read.expect(200)?.json()?, created);
    Ok(())
}

async fn what_was_not_sent_has_its_default(caller: &Caller) -> anyhow::Result<()> {
    let sent = json!({"title": "T", "author": "A"});
    let book = caller.create(BOOKS, &sent).await?;
    for (name, value) in [
        ("isbn", json!("")),
        ("genre", json!("")),
        ("description", json!("")),
        ("price", json!(0)),
        ("stockQuantity", json!(0)),
    ] {
        assert_eq!(book[name], value, "{name}");
    }
    assert!(book.get("publishedDate").is_none(), "{book}");
    assert_eq!(caller.read(&address(BOOKS, &book)?).await?, book);
    Ok(())
}

async fn the_server_sets_identity_and_age(caller: &Caller) -> anyhow::Result<()> {
    let sent = json!({
        "title": "T", "author": "A", "tags": ["x"], "id": NO_ID, "_id": NO_ID, "version": 77,
        "createdAt": "2001-01-01T00:00:00Z", "updatedAt": "2001-01-01T00:00:00Z",
        "tenantId": "another", "summary": {"text": "mine"}, "role": "admin", "$where": "1",
    });
    let book = caller.create(BOOKS, &sent).await?;
    let id = book["id"].as_str().unwrap_or("");
    assert_eq!(id.len(), 24, "{book}");
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{book}");
    assert_ne!(id, NO_ID);
    assert_eq!(book["version"], 1);
    assert_eq!(book["createdAt"], book["updatedAt"]);
    let created = book["createdAt"].as_str().unwrap_or("");
    assert!(created.ends_with('Z') && created > "2026", "{created}");
    for ours in ["tags", "_id", "tenantId", "summary", "role", "$where"] {
        assert!(book.get(ours).is_none(), "{ours}: {book}");
    }
    Ok(())
}

async fn a_book_that_is_not_there_is_404(caller: &Caller) -> anyhow::Result<()> {
    let address = format!("{BOOKS}/{NO_ID}");
    let body = json!({"title": "T", "author": "A"});
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = caller.send_json(method, &address, &body).await?;
        let problem = reply.problem(404)?;
        assert!(problem.member("detail").contains("book"), "{problem:?}");
    }
    Ok(())
}

async fn a_deleted_book_is_gone(caller: &Caller) -> anyhow::Result<()> {
    let kept = caller.create_book("Kept").await?;
    let address = caller.create_book("Ephemera").await?;
    caller.get(&address).await?.expect(200)?;
    let reply = caller.delete(&address).await?;
    assert_eq!(reply.expect(204)?.body, b"");
    caller.get(&address).await?.problem(404)?;
    caller.delete(&address).await?.problem(404)?;
    let found = caller
        .read(&format!("{BOOKS}/search?query=Ephemera"))
        .await?;
    assert_eq!(found, json!([]));
    let list = caller.read(BOOKS).await?;
    assert_eq!(list["totalCount"], 1);
    caller.get(&kept).await?.expect(200)?;
    Ok(())
}

async fn the_resource_segment_matches_in_any_case(caller: &Caller) -> anyhow::Result<()> {
    let book = caller.create("/api/v1/Books", &gatsby()).await?;
    let id = book["id"].as_str().unwrap_or("");
    for path in [
        format!("/api/v1/Books/{id}"),
        format!("/API/V1/BOOKS/{id}"),
        "/api/v1/Books?genre=Fiction".to_owned(),
        "/api/v1/Books/search?query=Gatsby".to_owned(),
        "/api/v1/Authors".to_owned(),
        "/Health".to_owned(),
    ] {
        let reply = caller.get(&path).await?;
        ensure!(reply.status == 200, "{path} answered {}", reply.status);
    }
    let list = caller.read("/api/v1/Books?genre=fiction").await?;
    assert_eq!(list["totalCount"], 0, "values keep their case");
    Ok(())
}

async fn identifiers_match_in_any_case(caller: &Caller) -> anyhow::Result<()> {
    let book = caller.create(BOOKS, &gatsby()).await?;
    let upper = book["id"].as_str().unwrap_or("").to_ascii_uppercase();
    assert_eq!(caller.read(&format!("{BOOKS}/{upper}")).await?, book);
    Ok(())
}
