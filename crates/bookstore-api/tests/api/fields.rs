//! The tolerances and the limits of every field, in POST, PUT and PATCH.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::{AUTHORS, BOOKS, Caller, address},
    test_api::on_both_stores,
};

on_both_stores!(
    spellings_of_books_are_taken,
    spellings_of_authors_are_taken,
    wrong_fields_of_books_are_named,
    wrong_fields_of_authors_are_named,
    every_wrong_field_is_named_at_once,
    unknown_fields_are_refused_in_patches_only,
);

/// A kind of entity: its address and the least that it needs.
type Kind = (&'static str, Value);

fn book() -> Kind {
    (BOOKS, json!({"title": "T", "author": "A"}))
}

fn author() -> Kind {
    (AUTHORS, json!({"name": "N"}))
}

/// Sends one field in all three ways and compares what the reply has.
async fn check_taken(
    caller: &Caller,
    (path, least): &Kind,
    rows: &[(&str, Value, Value)],
) -> anyhow::Result<()> {
    let address = address(path, &caller.create(path, least).await?)?;
    for (field, sent, expected) in rows {
        let mut whole = least.clone();
        whole[field] = sent.clone();
        let part = json!({*field: sent});
        for (method, address, body) in [
            (Method::POST, *path, &whole),
            (Method::PUT, address.as_str(), &whole),
            (Method::PATCH, address.as_str(), &part),
        ] {
            let case = || format!("{method} {field} = {sent}");
            let reply = caller.send_json(method.clone(), address, body).await?;
            let status = if method == Method::POST { 201 } else { 200 };
            let stored = reply.expect(status).with_context(case)?.json()?;
            assert_eq!(&stored[field], expected, "{}", case());
        }
    }
    Ok(())
}

/// Sends one field in all three ways; each must be refused and the field be named.
async fn check_refused(
    caller: &Caller,
    (path, least): &Kind,
    rows: &[(&str, Value)],
) -> anyhow::Result<()> {
    let created = caller.create(path, least).await?;
    let address = address(path, &created)?;
    for (field, sent) in rows {
        let mut whole = least.clone();
        whole[field] = sent.clone();
        let part = json!({*field: sent});
        for (method, address, body) in [
            (Method::POST, *path, &whole),
            (Method::PUT, address.as_str(), &whole),
            (Method::PATCH, address.as_str(), &part),
        ] {
            let shown: String = sent.to_string().chars().take(60).collect();
            let case = || format!("{method} {field} = {shown}");
            let reply = caller.send_json(method.clone(), address, body).await?;
            reply
                .problem(400)
                .and_then(|problem| problem.names(field))
                .with_context(case)?;
        }
    }
    assert_eq!(caller.read(&address).await?, created, "nothing was changed");
    Ok(())
}

fn long(characters: usize) -> Value {
    "é".repeat(characters).into()
}

/// What is sent as an instant, and what it is.
fn instants(field: &'static str) -> Vec<(&'static str, Value, Value)> {
    [
        ("1925-04-10", "1925-04-10T00:00:00Z"),
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z"),
        ("2024-01-02T03:04:05.5-05:30", "2024-01-02T08:34:05.5Z"),
        ("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.123Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("1600-02-29", "1600-02-29T00:00:00Z"),
    ]
    .map(|(sent, stored)| (field, json!(sent), json!(stored)))
    .to_vec()
}

fn no_instants(field: &'static str) -> Vec<(&'static str, Value)> {
    [
        "yesterday",
        "2024-13-01",
        "2024-02-30",
        "10/04/1925",
        "2024-01-02T25:00:00Z",
        "1e9",
        "NaN",
    ]
    .map(Value::from)
    .into_iter()
    .chain([
        json!(1_700_000_000),
        json!(true),
        json!([]),
        json!({"$date": 0}),
    ])
    .map(|sent| (field, sent))
    .collect()
}

async fn spellings_of_books_are_taken(caller: &Caller) -> anyhow::Result<()> {
    let mut rows = vec![
        ("title", json!(" kept as it is "), json!(" kept as it is ")),
        ("title", long(500), long(500)),
        ("author", long(300), long(300)),
        ("genre", long(100), long(100)),
        ("genre", json!(null), json!("")),
        ("description", long(10_000), long(10_000)),
        ("price", json!(0), json!(0)),
        ("price", json!("23.45"), json!(23.45)),
        ("price", json!(" 23.4500 "), json!(23.45)),
        ("price", json!("1.5e1"), json!(15)),
        ("price", json!(0.0001), json!(0.0001)),
        ("price", json!(99_999_999.999_9), json!(99_999_999.999_9)),
        ("price", json!(null), json!(0)),
        ("stockQuantity", json!(0), json!(0)),
        ("stockQuantity", json!("12"), json!(12)),
        ("stockQuantity", json!(12.0), json!(12)),
        ("stockQuantity", json!(2_147_483_647), json!(2_147_483_647)),
        ("isbn", json!(""), json!("")),
        ("isbn", json!("1234567"), json!("1234567")),
        (
            "isbn",
            json!("ISBN-abc-0123456789-abcdefghijkl"),
            json!("ISBN-abc-0123456789-abcdefghijkl"),
        ),
    ];
    rows.extend(instants("publishedDate"));
    check_taken(caller, &book(), &rows).await
}

async fn spellings_of_authors_are_taken(caller: &Caller) -> anyhow::Result<()> {
    let mut rows = vec![
        ("name", long(300), long(300)),
        ("bio", long(10_000), long(10_000)),
        ("nationality", long(100), long(100)),
        (
            "website",
            json!("javascript:alert(1)"),
            json!("javascript:alert(1)"),
        ),
        ("website", json!(null), json!("")),
    ];
    rows.extend(instants("birthDate"));
    check_taken(caller, &author(), &rows).await
}

async fn wrong_fields_of_books_are_named(caller: &Caller) -> anyhow::Result<()> {
    let mut rows = vec![("title", long(100_000))];
    for (field, limit) in [
        ("title", 500),
        ("author", 300),
        ("genre", 100),
        ("description", 10_000),
    ] {
        rows.push((field, long(limit + 1)));
        rows.extend(
            [
                json!("a\0b"),
                json!(7),
                json!(true),
                json!([]),
                json!({"$gt": ""}),
            ]
            .map(|sent| (field, sent)),
        );
    }
    for field in ["title", "author"] {
        rows.extend([json!(""), json!("  "), json!(null)].map(|sent| (field, sent)));
    }
    for field in ["price", "stockQuantity"] {
        let never = [
            "invalid",
            "",
            "NaN",
            "Infinity",
            "1e999",
            "1e999999999999",
            "0x10",
            "--1",
            "1,5",
        ];
        rows.extend(never.map(|sent| (field, json!(sent))));
        let never = [
            json!(-1),
            json!("-0.01"),
            json!(1e300),
            json!(true),
            json!([1]),
            json!({"$gt": 0}),
        ];
        rows.extend(never.map(|sent| (field, sent)));
    }
    rows.push(("price", json!(0.000_01)));
    rows.push(("price", json!("1e-999")));
    rows.push(("stockQuantity", json!(1.5)));
    rows.push(("stockQuantity", json!(2_147_483_648_u64)));
    rows.extend(["978 0743273565", "é", "a_b", "<script>"].map(|sent| ("isbn", json!(sent))));
    rows.push(("isbn", json!("1".repeat(33))));
    rows.extend(no_instants("publishedDate"));
    check_refused(caller, &book(), &rows).await
}

async fn wrong_fields_of_authors_are_named(caller: &Caller) -> anyhow::Result<()> {
    let mut rows = vec![("name", json!("")), ("name", json!(null))];
    for (field, limit) in [
        ("name", 300),
        ("bio", 10_000),
        ("nationality", 100),
        ("website", 500),
    ] {
        rows.push((field, long(limit + 1)));
        rows.extend([json!("a\0b"), json!(7), json!([])].map(|sent| (field, sent)));
    }
    rows.extend(no_instants("birthDate"));
    check_refused(caller, &author(), &rows).await
}

async fn every_wrong_field_is_named_at_once(caller: &Caller) -> anyhow::Result<()> {
    let body = json!({"price": -1, "stockQuantity": "x", "isbn": "?", "publishedDate": "soon"});
    let problem = caller.post(BOOKS, &body).await?.problem(400)?;
    for field in [
        "title",
        "author",
        "price",
        "stockQuantity",
        "isbn",
        "publishedDate",
    ] {
        problem.names(field)?;
    }
    Ok(())
}

async fn unknown_fields_are_refused_in_patches_only(caller: &Caller) -> anyhow::Result<()> {
    for (path, least) in [book(), author()] {
        let address = address(path, &caller.create(path, &least).await?)?;
        let mut whole = least.clone();
        for field in [
            "tags",
            "id",
            "createdAt",
            "version",
            "tenantId",
            "$set",
            "a.b",
            "",
            "summary",
        ] {
            whole[field] = json!("x");
            let part = json!({field: "x"});
            let refused = caller.patch(&address, &part).await?;
            refused
                .problem(400)
                .and_then(|problem| problem.names(field))
                .with_context(|| field.to_owned())?;
        }
        caller.put(&address, &whole).await?.expect(200)?;
        caller.post(path, &whole).await?.expect(201)?;
    }
    Ok(())
}
