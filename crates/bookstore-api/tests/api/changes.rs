//! PUT, PATCH and DELETE; entity tags and what they guard.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::{BOOKS, Caller, NO_ID, address},
    reply::Reply,
    test_api::on_both_stores,
};

on_both_stores!(
    put_replaces_everything_but_identity_and_age,
    patch_changes_what_it_names,
    a_change_is_seen_by_every_read,
    if_match_guards_changes,
    if_none_match_saves_the_body,
    checks_come_in_order,
    one_of_many_guarded_changes_wins,
    unguarded_changes_are_all_made,
);

fn whole() -> Value {
    json!({
        "title": "T", "author": "A", "isbn": "1234567", "price": 1.5, "genre": "G",
        "publishedDate": "2001-02-03", "description": "D", "stockQuantity": 4,
    })
}

async fn conditional(
    caller: &Caller,
    (method, path): (Method, &str),
    (header, tag): (&str, &str),
) -> anyhow::Result<Reply> {
    let body = match method {
        Method::PUT => json!({"title": "P", "author": "A"}),
        Method::PATCH => json!({"genre": "H"}),
        _ => json!(null),
    };
    let request = caller.request(method, path).header(header, tag);
    caller.send(request.json(&body)).await
}

async fn put_replaces_everything_but_identity_and_age(caller: &Caller) -> anyhow::Result<()> {
    let before = caller.create(BOOKS, &whole()).await?;
    let address = address(BOOKS, &before)?;
    let sent = json!({
        "title": "New", "author": "B", "id": NO_ID, "createdAt": "2001-01-01", "version": 9,
    });
    let reply = caller.put(&address, &sent).await?;
    let after = reply.expect(200)?.json()?;
    assert_eq!(reply.header("etag"), "\"2\"");
    for (name, value) in [
        ("id", before["id"].clone()),
        ("createdAt", before["createdAt"].clone()),
        ("title", json!("New")),
        ("author", json!("B")),
        ("version", json!(2)),
        ("isbn", json!("")),
        ("price", json!(0)),
        ("genre", json!("")),
        ("description", json!("")),
        ("stockQuantity", json!(0)),
    ] {
        assert_eq!(after[name], value, "{name}");
    }
    assert!(after.get("publishedDate").is_none(), "{after}");
    assert!(instant(&after["updatedAt"])? >= instant(&before["updatedAt"])?);
    assert_eq!(caller.read(&address).await?, after);
    Ok(())
}

/// Fractions of a second have as many digits as they need, so texts do not sort as times do.
fn instant(text: &Value) -> anyhow::Result<jiff::Timestamp> {
    Ok(text.as_str().context("an instant")?.parse()?)
}

async fn patch_changes_what_it_names(caller: &Caller) -> anyhow::Result<()> {
    let before = caller.create(BOOKS, &whole()).await?;
    let address = address(BOOKS, &before)?;
    let mut expected = before.clone();
    for (version, (field, sent, stored)) in [
        ("title", json!("New"), json!("New")),
        ("price", json!("9.99"), json!(9.99)),
        ("stockQuantity", json!(0), json!(0)),
        ("genre", json!(null), json!("")),
        (
            "publishedDate",
            json!("2002-03-04T05:06:07Z"),
            json!("2002-03-04T05:06:07Z"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = caller.patch(&address, &json!({field: sent})).await?;
        let after = reply.expect(200)?.json()?;
        expected[field] = stored;
        expected["version"] = json!(version + 2);
        expected["updatedAt"] = after["updatedAt"].clone();
        assert_eq!(after, expected, "{field}");
    }
    let cleared = caller
        .patch(&address, &json!({"publishedDate": null}))
        .await?;
    let cleared = cleared.expect(200)?.json()?;
    assert!(cleared.get("publishedDate").is_none(), "{cleared}");
    let nothing = caller
        .patch(&address, &json!({}))
        .await?
        .expect(200)?
        .json()?;
    assert_eq!(nothing["title"], "New");
    Ok(())
}

async fn a_change_is_seen_by_every_read(caller: &Caller) -> anyhow::Result<()> {
    let address = caller.create_book("Before").await?;
    for round in 0..20 {
        caller.read(&address).await?;
        let title = format!("After{round}");
        caller
            .patch(&address, &json!({"title": title}))
            .await?
            .expect(200)?;
        assert_eq!(caller.read(&address).await?["title"], title);
        assert_eq!(caller.read(BOOKS).await?["books"][0]["title"], title);
        let found = caller
            .read(&format!("{BOOKS}/search?query={title}"))
            .await?;
        assert_eq!(found[0]["title"], title);
    }
    let found = caller.read(&format!("{BOOKS}/search?query=Before")).await?;
    assert_eq!(found, json!([]));
    Ok(())
}

async fn if_match_guards_changes(caller: &Caller) -> anyhow::Result<()> {
    let address = caller.create_book("T").await?;
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        for tag in [
            "\"99\"",
            "W/\"1\"",
            "1",
            "\"abc\"",
            "\"\"",
            "\"-1\"",
            "\"18446744073709551616\"",
        ] {
            let reply = conditional(caller, (method.clone(), &address), ("If-Match", tag)).await?;
            reply
                .problem(412)
                .with_context(|| format!("{method} {tag}"))?;
        }
    }
    assert_eq!(caller.read(&address).await?["version"], 1);
    for (method, tag, status) in [
        (Method::PUT, "\"1\"", 200),
        (Method::PUT, "\"1\"", 412),
        (Method::PATCH, "\"7\", \"2\"", 200),
        (Method::PATCH, "*", 200),
        (Method::DELETE, "\"3\"", 412),
        (Method::DELETE, "\"4\"", 204),
        (Method::DELETE, "*", 404),
    ] {
        let reply = conditional(caller, (method.clone(), &address), ("If-Match", tag)).await?;
        reply
            .expect(status)
            .with_context(|| format!("{method} {tag}"))?;
    }
    Ok(())
}

async fn if_none_match_saves_the_body(caller: &Caller) -> anyhow::Result<()> {
    let address = caller.create_book("T").await?;
    for (tag, status) in [
        ("\"1\"", 304),
        ("W/\"1\"", 304),
        ("\"0\", \"1\"", 304),
        ("*", 304),
        ("\"2\"", 200),
        ("1", 200),
    ] {
        let reply = conditional(caller, (Method::GET, &address), ("If-None-Match", tag)).await?;
        reply.expect(status).with_context(|| tag.to_owned())?;
        assert_eq!(reply.header("etag"), "\"1\"");
        assert_eq!(reply.body.is_empty(), status == 304);
    }
    caller
        .patch(&address, &json!({"genre": "G"}))
        .await?
        .expect(200)?;
    let reply = conditional(caller, (Method::GET, &address), ("If-None-Match", "\"1\"")).await?;
    reply.expect(200)?;
    Ok(())
}

async fn checks_come_in_order(caller: &Caller) -> anyhow::Result<()> {
    let known = caller.create_book("T").await?;
    let unknown = format!("{BOOKS}/{NO_ID}");
    let wrong = json!({"title": "", "author": "A", "price": -1});
    for method in [Method::PUT, Method::PATCH] {
        for address in [&known, &unknown] {
            let request = caller
                .request(method.clone(), address)
                .header("If-Match", "\"99\"");
            caller.send(request.json(&wrong)).await?.problem(400)?;
        }
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = conditional(caller, (method, &unknown), ("If-Match", "\"99\"")).await?;
        reply.problem(404)?;
    }
    Ok(())
}

async fn one_of_many_guarded_changes_wins(caller: &Caller) -> anyhow::Result<()> {
    let address = caller.create_book("T").await?;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (caller, address) = (caller.clone(), address.clone());
        tasks.spawn(async move {
            let request = caller
                .request(Method::PATCH, &address)
                .header("If-Match", "\"1\"");
            caller
                .send(request.json(&json!({"stockQuantity": n})))
                .await
        });
    }
    let mut made = 0;
    while let Some(reply) = tasks.join_next().await {
        let reply = reply??;
        if reply.status == 200 {
            made += 1;
        } else {
            reply.problem(412)?;
        }
    }
    assert_eq!(made, 1);
    assert_eq!(caller.read(&address).await?["version"], 2);
    Ok(())
}

async fn unguarded_changes_are_all_made(caller: &Caller) -> anyhow::Result<()> {
    let address = caller.create_book("T").await?;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16 {
        let field = ["genre", "description", "isbn"][n % 3];
        let (caller, address) = (caller.clone(), address.clone());
        tasks.spawn(async move {
            let mut request = caller.request(Method::PATCH, &address);
            if n % 2 == 0 {
                request = request.header("If-Match", "*");
            }
            caller.send(request.json(&json!({field: "x"}))).await
        });
    }
    while let Some(reply) = tasks.join_next().await {
        reply??.expect(200)?;
    }
    let book = caller.read(&address).await?;
    assert_eq!(book["version"], 17);
    for field in ["genre", "description", "isbn"] {
        assert_eq!(book[field], "x", "{field}");
    }
    Ok(())
}
