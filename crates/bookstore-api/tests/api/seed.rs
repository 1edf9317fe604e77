//! `/seed-data`: the same three books and authors however often it is called.

use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::{AUTHORS, BOOKS, Caller},
    test_api::on_both_stores,
};

on_both_stores!(
    the_samples_are_those_of_the_contract,
    a_second_call_adds_nothing,
    calls_at_once_add_everything_once,
    a_body_is_never_parsed,
);

const PATH: &str = "/seed-data";

fn members(list: &Value, name: &str, wanted: &[&str]) -> Vec<Value> {
    let entry = |entry: &Value| wanted.iter().map(|name| entry[*name].clone()).collect();
    list[name]
        .as_array()
        .map(|list| list.iter().map(entry).collect())
        .unwrap_or_default()
}

async fn the_samples_are_those_of_the_contract(caller: &Caller) -> anyhow::Result<()> {
    let reply = caller.post_nothing(PATH).await?;
    let message = reply.expect(200)?.json()?["message"]
        .to_string()
        .to_lowercase();
    assert!(
        message.contains("seeded") && message.contains("success"),
        "{message}"
    );
    let (books, authors) = (caller.read(BOOKS).await?, caller.read(AUTHORS).await?);
    let wanted = [
        "title",
        "author",
        "isbn",
        "price",
        "genre",
        "stockQuantity",
        "publishedDate",
    ];
    assert_eq!(json!(members(&books, "books", &wanted)), sample_books());
    let wanted = ["name", "birthDate", "nationality"];
    assert_eq!(
        json!(members(&authors, "authors", &wanted)),
        sample_authors()
    );
    Ok(())
}

fn sample_books() -> Value {
    json!([
        [
            "The Great Gatsby",
            "F. Scott Fitzgerald",
            "978-0-7432-7356-5",
            12.99,
            "Fiction",
            50,
            "1925-04-10T00:00:00Z"
        ],
        [
            "To Kill a Mockingbird",
            "Harper Lee",
            "978-0-06-112008-4",
            14.99,
            "Fiction",
            35,
            "1960-07-11T00:00:00Z"
        ],
        [
            "1984",
            "George Orwell",
            "978-0-452-28423-4",
            13.99,
            "Dystopian Fiction",
            42,
            "1949-06-08T00:00:00Z"
        ],
    ])
}

fn sample_authors() -> Value {
    json!([
        ["F. Scott Fitzgerald", "1896-09-24T00:00:00Z", "American"],
        ["Harper Lee", "1926-04-28T00:00:00Z", "American"],
        ["George Orwell", "1903-06-25T00:00:00Z", "British"],
    ])
}

async fn totals(caller: &Caller) -> anyhow::Result<(Value, Value)> {
    let (books, authors) = (caller.read(BOOKS).await?, caller.read(AUTHORS).await?);
    Ok((books["totalCount"].clone(), authors["totalCount"].clone()))
}

async fn a_second_call_adds_nothing(caller: &Caller) -> anyhow::Result<()> {
    for _ in 0..3 {
        caller.post_nothing(PATH).await?.expect(200)?;
        assert_eq!(totals(caller).await?, (json!(3), json!(3)));
    }
    // A book of the same ISBN that was made by hand stands for the sample.
    let other = caller.other_tenant()?;
    let book = json!({"title": "Mine", "author": "A", "isbn": "9780743273565"});
    other.create(BOOKS, &book).await?;
    other.post_nothing(PATH).await?.expect(200)?;
    assert_eq!(totals(&other).await?, (json!(3), json!(3)));
    Ok(())
}

async fn calls_at_once_add_everything_once(caller: &Caller) -> anyhow::Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let caller = caller.clone();
        tasks.spawn(async move { caller.post_nothing(PATH).await });
    }
    while let Some(reply) = tasks.join_next().await {
        reply??.expect(200)?;
    }
    assert_eq!(totals(caller).await?, (json!(3), json!(3)));
    Ok(())
}

async fn a_body_is_never_parsed(caller: &Caller) -> anyhow::Result<()> {
    for (content_type, body) in [
        ("application/json", "{not json"),
        ("application/json", ""),
        ("text/plain", "x"),
        ("application/xml", "<x/>"),
    ] {
        let seed = caller
            .request(Method::POST, PATH)
            .header("Content-Type", content_type);
        caller.send(seed.body(body)).await?.expect(200)?;
        let address = caller.create_book("T").await?;
        let delete = caller
            .request(Method::DELETE, &address)
            .header("Content-Type", content_type);
        caller.send(delete.body(body)).await?.expect(204)?;
    }
    Ok(())
}
