//! Tenants by `X-Tenant-Name`: what one has, no other sees, on any route.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::{AUTHORS, BOOKS, Caller, address},
    test_api::on_both_stores,
};

on_both_stores!(
    another_tenants_entities_are_not_there,
    lists_and_searches_show_the_own_ones,
    names_differ_in_every_character,
    no_name_is_the_default_tenant,
    names_that_cannot_be_are_refused_on_every_route,
);

async fn another_tenants_entities_are_not_there(caller: &Caller) -> anyhow::Result<()> {
    let other = caller.other_tenant()?;
    for (path, least) in [
        (BOOKS, json!({"title": "T", "author": "A"})),
        (AUTHORS, json!({"name": "N"})),
    ] {
        let created = caller.create(path, &least).await?;
        let address = address(path, &created)?;
        // Asked before and after the owner's own read, which fills the cache.
        for _ in 0..2 {
            for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
                let reply = other.send_json(method.clone(), &address, &least).await?;
                reply
                    .problem(404)
                    .with_context(|| format!("{method} {address}"))?;
            }
            assert_eq!(caller.read(&address).await?, created);
        }
    }
    let book = caller.create_book("T").await?;
    let summary = format!("{book}/generate-summary?provider=ollama");
    other.post_nothing(&summary).await?.problem(404)?;
    Ok(())
}

async fn lists_and_searches_show_the_own_ones(caller: &Caller) -> anyhow::Result<()> {
    let other = caller.other_tenant()?;
    for (tenant, title) in [(caller, "Mine"), (&other, "Theirs")] {
        tenant.create_book(title).await?;
        tenant
            .post(
                &format!("{BOOKS}/bulk"),
                &json!([{"title": title, "author": "B"}]),
            )
            .await?
            .expect(200)?;
        tenant.create(AUTHORS, &json!({"name": title})).await?;
    }
    for (tenant, own, foreign) in [(caller, "Mine", "Theirs"), (&other, "Theirs", "Mine")] {
        let books = tenant.read(BOOKS).await?;
        assert_eq!(books["totalCount"], 2);
        assert!(!books.to_string().contains(foreign), "{books}");
        let authors = tenant.read(AUTHORS).await?;
        assert_eq!(authors["totalCount"], 1);
        assert_eq!(authors["authors"][0]["name"], own);
        let found = tenant
            .read(&format!("{BOOKS}/search?query={foreign}"))
            .await?;
        assert_eq!(found, json!([]));
        let found = tenant.read(&format!("{BOOKS}/search?query={own}")).await?;
        assert_eq!(found.as_array().map(Vec::len), Some(2));
    }
    Ok(())
}

async fn of_tenant(
    caller: &Caller,
    tenant: &str,
    (method, path): (Method, &str),
) -> anyhow::Result<crate::reply::Reply> {
    let request = caller
        .bare_request(method, path)
        .header("X-Tenant-Name", tenant);
    caller
        .send(request.json(&json!({"title": "T", "author": "A", "name": "N"})))
        .await
}

async fn names_differ_in_every_character(caller: &Caller) -> anyhow::Result<()> {
    let name = caller.tenant();
    let names = [
        name.to_owned(),
        name.to_uppercase(),
        format!("{name}."),
        format!("{name}-"),
        format!("{name}_"),
    ];
    for name in &names {
        of_tenant(caller, name, (Method::POST, BOOKS))
            .await?
            .expect(201)?;
    }
    for name in &names {
        let list = of_tenant(caller, name, (Method::GET, BOOKS))
            .await?
            .expect(200)?
            .json()?;
        assert_eq!(list["totalCount"], 1, "{name}");
    }
    Ok(())
}

async fn no_name_is_the_default_tenant(caller: &Caller) -> anyhow::Result<()> {
    let sent = json!({"title": "Of the default tenant", "author": "A"});
    let request = caller.bare_request(Method::POST, BOOKS).json(&sent);
    let created = caller.send(request).await?.expect(201)?.json()?;
    let address = address(BOOKS, &created)?;
    let read: Value = of_tenant(caller, "default", (Method::GET, &address))
        .await?
        .expect(200)?
        .json()?;
    assert_eq!(read, created);
    caller.get(&address).await?.problem(404)?;
    Ok(())
}

async fn names_that_cannot_be_are_refused_on_every_route(caller: &Caller) -> anyhow::Result<()> {
    let address = caller.create_book("T").await?;
    let summary = format!("{address}/generate-summary");
    let long = "x".repeat(65);
    for (method, path) in [
        (Method::GET, BOOKS),
        (Method::POST, BOOKS),
        (Method::POST, "/api/v1/books/bulk"),
        (Method::GET, "/api/v1/books/search?query=x"),
        (Method::GET, address.as_str()),
        (Method::PUT, address.as_str()),
        (Method::PATCH, address.as_str()),
        (Method::DELETE, address.as_str()),
        (Method::POST, summary.as_str()),
        (Method::GET, AUTHORS),
        (Method::POST, AUTHORS),
        (Method::POST, "/api/v1/authors/bulk"),
        (Method::POST, "/seed-data"),
    ] {
        for name in [
            "", " ", "a:b", "a*", "{a}", "a b", "..", ".a", "../a", "a/b", "tenänt", "dеfault",
            &long,
        ] {
            let reply = of_tenant(caller, name, (method.clone(), path)).await?;
            reply
                .problem(400)
                .and_then(|problem| problem.names("X-Tenant-Name"))
                .with_context(|| format!("{method} {path} of {name:?}"))?;
        }
        let twice = caller
            .request(method.clone(), path)
            .header("X-Tenant-Name", "another");
        caller
            .send(twice)
            .await?
            .problem(400)
            .and_then(|problem| problem.names("X-Tenant-Name"))
            .with_context(|| format!("{method} {path} of two tenants"))?;
    }
    caller.get(&address).await?.expect(200)?;
    Ok(())
}
