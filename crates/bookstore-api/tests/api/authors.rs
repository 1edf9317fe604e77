//! Authors: the same verbs as books, and `biography`.

use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::{AUTHORS, Caller, NO_ID, address},
    test_api::on_both_stores,
};

on_both_stores!(
    an_author_is_created_and_read_back,
    what_was_not_sent_has_its_default,
    biography_is_another_name_of_bio,
    an_author_is_replaced_and_changed,
    an_author_that_is_not_there_is_404,
    authors_are_listed,
);

fn orwell() -> Value {
    json!({
        "name": "George Orwell", "bio": "Essayist.", "birthDate": "1903-06-25T00:00:00Z",
        "nationality": "British", "website": "https://orwell.example/",
    })
}

async fn an_author_is_created_and_read_back(caller: &Caller) -> anyhow::Result<()> {
    let reply = caller.post(AUTHORS, &orwell()).await?;
    let created = reply.expect(201)?.json()?;
    let address = address(AUTHORS, &created)?;
    assert_eq!(reply.header("location"), address);
    assert_eq!(reply.header("etag"), "\"1\"");
    for (name, value) in orwell().as_object().into_iter().flatten() {
        assert_eq!(&created[name], value, "{name}");
    }
    assert_eq!(created["createdAt"], created["updatedAt"]);
    assert_eq!(caller.read(&address).await?, created);
    caller.delete(&address).await?.expect(204)?;
    caller.get(&address).await?.problem(404)?;
    Ok(())
}

async fn what_was_not_sent_has_its_default(caller: &Caller) -> anyhow::Result<()> {
    let author = caller.create(AUTHORS, &json!({"name": "N"})).await?;
    for name in ["bio", "nationality", "website"] {
        assert_eq!(author[name], "", "{name}");
    }
    assert!(author.get("birthDate").is_none(), "{author}");
    Ok(())
}

async fn biography_is_another_name_of_bio(caller: &Caller) -> anyhow::Result<()> {
    let sent = json!({"name": "N", "biography": "first"});
    let author = caller.create(AUTHORS, &sent).await?;
    assert_eq!(author["bio"], "first");
    assert!(author.get("biography").is_none(), "{author}");
    let address = address(AUTHORS, &author)?;
    for (method, body, bio) in [
        (
            Method::PUT,
            json!({"name": "N", "biography": "second"}),
            "second",
        ),
        (Method::PATCH, json!({"biography": "third"}), "third"),
        (
            Method::PATCH,
            json!({"bio": "fourth", "biography": "not this"}),
            "fourth",
        ),
    ] {
        let reply = caller.send_json(method, &address, &body).await?;
        assert_eq!(reply.expect(200)?.json()?["bio"], bio);
    }
    let long = json!({"biography": "x".repeat(10_001)});
    caller
        .patch(&address, &long)
        .await?
        .problem(400)?
        .names("biography")
}

async fn an_author_is_replaced_and_changed(caller: &Caller) -> anyhow::Result<()> {
    let author = caller.create(AUTHORS, &orwell()).await?;
    let address = address(AUTHORS, &author)?;
    let patched = caller
        .patch(&address, &json!({"nationality": "English"}))
        .await?;
    assert_eq!(patched.header("etag"), "\"2\"");
    let patched = patched.expect(200)?.json()?;
    assert_eq!(patched["nationality"], "English");
    assert_eq!(patched["website"], author["website"]);
    let replaced = caller.put(&address, &json!({"name": "Eric Blair"})).await?;
    let replaced = replaced.expect(200)?.json()?;
    assert_eq!(replaced["name"], "Eric Blair");
    assert_eq!(replaced["website"], "");
    assert!(replaced.get("birthDate").is_none(), "{replaced}");
    assert_eq!(replaced["createdAt"], author["createdAt"]);
    assert_eq!(replaced["version"], 3);
    assert_eq!(caller.read(&address).await?, replaced);
    Ok(())
}

async fn an_author_that_is_not_there_is_404(caller: &Caller) -> anyhow::Result<()> {
    let address = format!("{AUTHORS}/{NO_ID}");
    let body = json!({"name": "N"});
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = caller.send_json(method, &address, &body).await?;
        let problem = reply.problem(404)?;
        assert!(problem.member("detail").contains("author"), "{problem:?}");
    }
    Ok(())
}

async fn authors_are_listed(caller: &Caller) -> anyhow::Result<()> {
    for name in ["Zola", "Austen", "Mann"] {
        caller.create(AUTHORS, &json!({"name": name})).await?;
    }
    let page = caller.read(&format!("{AUTHORS}?page=1&pageSize=2")).await?;
    assert_eq!(page["authors"][0]["name"], "Zola", "oldest first");
    assert_eq!(page["authors"][1]["name"], "Austen");
    assert_eq!(page["totalCount"], 3);
    assert_eq!(page["totalPages"], 2);
    let page = caller.read(&format!("{AUTHORS}?page=2&pageSize=2")).await?;
    assert_eq!(page["authors"][0]["name"], "Mann");
    let page = caller
        .read(&format!("{AUTHORS}?page=9&pageSize=2000"))
        .await?;
    assert_eq!(page["authors"], json!([]));
    assert_eq!(page["pageSize"], 100);
    Ok(())
}
