//! Many at once: all of them, or none.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    caller::{AUTHORS, BOOKS, Caller},
    test_api::{on_both_stores, on_sqlite},
};

on_both_stores!(
    many_books_are_created_at_once,
    many_authors_are_created_at_once,
    one_wrong_entry_stops_all,
    a_duplicate_stops_all_and_is_named,
    what_is_no_list_is_refused,
);

fn books(count: usize) -> Vec<Value> {
    let book =
        |n: usize| json!({"title": format!("Book {n}"), "author": "A", "isbn": n.to_string()});
    (0..count).map(book).collect()
}

async fn bulk(caller: &Caller, books: &Value) -> anyhow::Result<crate::reply::Reply> {
    caller.post(&format!("{BOOKS}/bulk"), books).await
}

async fn total(caller: &Caller) -> anyhow::Result<Value> {
    Ok(caller.read(BOOKS).await?["totalCount"].clone())
}

/// The stand-in for `MongoDB` takes some milliseconds for each book, so the most that is allowed is
/// sent to `SQLite` alone.
#[tokio::test]
async fn a_thousand_books_are_created_at_once() -> anyhow::Result<()> {
    check_created(&on_sqlite().await?, 1_000).await
}

async fn many_books_are_created_at_once(caller: &Caller) -> anyhow::Result<()> {
    check_created(caller, 100).await
}

async fn check_created(caller: &Caller, count: usize) -> anyhow::Result<()> {
    let reply = bulk(caller, &json!(books(count))).await?;
    let created = reply.expect(200)?.json()?;
    let message = created["message"].as_str().unwrap_or("");
    assert!(message.contains(&count.to_string()), "{message}");
    let list = created["books"].as_array().context("a list of books")?;
    assert_eq!(list.len(), count);
    let last = format!("Book {}", count - 1);
    assert_eq!(
        list[count - 1]["title"],
        last,
        "in the order of the request"
    );
    assert_eq!(list[0]["warnings"].as_array().map(Vec::len), Some(1));
    assert_eq!(total(caller).await?, count);
    let address = crate::caller::address(BOOKS, &list[count / 2])?;
    let middle = format!("Book {}", count / 2);
    assert_eq!(caller.read(&address).await?["title"], middle);
    Ok(())
}

async fn many_authors_are_created_at_once(caller: &Caller) -> anyhow::Result<()> {
    let sent = json!([{"name": "One", "biography": "b"}, {"name": "Two", "tags": []}]);
    let reply = caller.post(&format!("{AUTHORS}/bulk"), &sent).await?;
    let created = reply.expect(200)?.json()?;
    assert_eq!(created["authors"][0]["bio"], "b");
    assert!(created["message"].is_string(), "{created}");
    assert_eq!(caller.read(AUTHORS).await?["totalCount"], 2);
    let wrong = json!([{"name": "Three"}, {"bio": "nameless"}]);
    let reply = caller.post(&format!("{AUTHORS}/bulk"), &wrong).await?;
    reply.problem(400)?.names("[1].name")?;
    assert_eq!(caller.read(AUTHORS).await?["totalCount"], 2);
    Ok(())
}

async fn one_wrong_entry_stops_all(caller: &Caller) -> anyhow::Result<()> {
    let mut sent = books(20);
    sent[3] = json!({"title": "", "author": "A"});
    sent[7]["price"] = json!("invalid");
    sent[19] = json!("a book");
    let problem = bulk(caller, &json!(sent)).await?.problem(400)?;
    for field in ["[3].title", "[7].price", "[19]"] {
        problem.names(field)?;
    }
    assert_eq!(total(caller).await?, 0);
    Ok(())
}

async fn a_duplicate_stops_all_and_is_named(caller: &Caller) -> anyhow::Result<()> {
    let mut sent = books(10);
    sent[2]["isbn"] = json!("978-0-7432-7356-5");
    sent[8]["isbn"] = json!("0743273567");
    let problem = bulk(caller, &json!(sent)).await?.problem(409)?;
    assert!(problem.member("detail").contains("[8]"), "{problem:?}");
    assert_eq!(total(caller).await?, 0);

    sent[8]["isbn"] = json!("");
    bulk(caller, &json!(sent)).await?.expect(200)?;
    let mut again = books(5);
    again[4]["isbn"] = json!("9780743273565");
    let problem = bulk(caller, &json!(again)).await?.problem(409)?;
    assert!(problem.member("detail").contains("[4]"), "{problem:?}");
    assert_eq!(total(caller).await?, 10);
    let found = caller.read(&format!("{BOOKS}/search?query=Book")).await?;
    assert_eq!(found.as_array().map(Vec::len), Some(10));
    Ok(())
}

async fn what_is_no_list_is_refused(caller: &Caller) -> anyhow::Result<()> {
    for sent in [
        json!([]),
        json!({}),
        json!({"books": books(1)}),
        json!(null),
        json!("x"),
        json!(books(1_001)),
    ] {
        bulk(caller, &sent).await?.problem(400)?.names("body")?;
    }
    assert_eq!(total(caller).await?, 0);
    Ok(())
}
