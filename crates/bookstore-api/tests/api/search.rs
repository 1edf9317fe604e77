//! Search: text in title, author and description; never a pattern.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    caller::{BOOKS, Caller},
    test_api::on_both_stores,
};

on_both_stores!(
    texts_are_found_in_any_case_and_in_part,
    the_text_is_no_pattern,
    at_most_fifty_are_found_newest_first,
    the_best_come_first,
    a_search_needs_a_text,
);

async fn search(caller: &Caller, text: &str) -> anyhow::Result<Vec<String>> {
    let reply = caller
        .get_where(&format!("{BOOKS}/search"), &[("query", text)])
        .await?;
    let found = reply
        .expect(200)
        .with_context(|| format!("{text:?}"))?
        .json()?;
    let books = found.as_array().context("a bare array")?;
    let title = |book: &Value| book["title"].as_str().unwrap_or("").to_owned();
    Ok(books.iter().map(title).collect())
}

async fn texts_are_found_in_any_case_and_in_part(caller: &Caller) -> anyhow::Result<()> {
    for (title, author, description) in [
        (
            "Nineteen Eighty-Four",
            "George Orwell",
            "A clerk rewrites the past.",
        ),
        (
            "Les Misérables",
            "Victor Hugo",
            "A convict and his inspector.",
        ),
        ("吾輩は猫である", "夏目漱石", "Told by a cat."),
    ] {
        let book = json!({"title": title, "author": author, "description": description});
        caller.create(BOOKS, &book).await?;
    }
    for (text, expected) in [
        ("eighty", "Nineteen Eighty-Four"),
        ("ORWELL", "Nineteen Eighty-Four"),
        ("rewrit", "Nineteen Eighty-Four"),
        ("eteen Eigh", "Nineteen Eighty-Four"),
        ("n", "Nineteen Eighty-Four"),
        ("misérables", "Les Misérables"),
        ("hugo", "Les Misérables"),
        ("猫", "吾輩は猫である"),
        ("夏目漱石", "吾輩は猫である"),
    ] {
        let found = search(caller, text).await?;
        assert!(
            found.iter().any(|title| title == expected),
            "{text}: {found:?}"
        );
    }
    assert_eq!(
        search(caller, "nobody wrote this").await?,
        Vec::<String>::new()
    );
    assert_eq!(
        search(&caller.other_tenant()?, "orwell").await?,
        Vec::<String>::new()
    );
    Ok(())
}

async fn the_text_is_no_pattern(caller: &Caller) -> anyhow::Result<()> {
    for title in [
        "C++ (2nd ed.) 100% [new]",
        "plain words",
        "under_score \"quoted\"",
        "a*b OR c-d",
    ] {
        caller.create_book(title).await?;
    }
    for (text, expected) in [
        ("C++", vec!["C++ (2nd ed.) 100% [new]"]),
        ("100%", vec!["C++ (2nd ed.) 100% [new]"]),
        ("[new]", vec!["C++ (2nd ed.) 100% [new]"]),
        ("under_s", vec!["under_score \"quoted\""]),
        ("\"quoted\"", vec!["under_score \"quoted\""]),
        ("a*b", vec!["a*b OR c-d"]),
        ("OR c-", vec!["a*b OR c-d"]),
        (".*", vec![]),
        ("%", vec!["C++ (2nd ed.) 100% [new]"]),
        ("pl%words", vec![]),
        ("pl_in", vec![]),
        ("(a+)+$", vec![]),
        ("plain OR quoted", vec![]),
        ("title:plain", vec![]),
        ("\"", vec!["under_score \"quoted\""]),
        ("'; DROP TABLE books; --", vec![]),
        ("{\"$gt\":\"\"}", vec![]),
        ("NEAR(plain words)", vec![]),
        ("\\", vec![]),
    ] {
        assert_eq!(search(caller, text).await?, expected, "{text}");
    }
    assert_eq!(caller.read(BOOKS).await?["totalCount"], 4);
    Ok(())
}

async fn at_most_fifty_are_found_newest_first(caller: &Caller) -> anyhow::Result<()> {
    let book = |n: usize| json!({"title": format!("Volume {n:02}"), "author": "A"});
    let books: Vec<Value> = (0..60).map(book).collect();
    caller
        .post(&format!("{BOOKS}/bulk"), &json!(books))
        .await?
        .expect(200)?;
    let found = search(caller, "volume").await?;
    let expected: Vec<String> = (10..60).rev().map(|n| format!("Volume {n:02}")).collect();
    assert_eq!(found, expected);
    Ok(())
}

async fn the_best_come_first(caller: &Caller) -> anyhow::Result<()> {
    for (title, author, description) in [
        ("Whales", "A", "Nothing else."),
        (
            "Other",
            "B",
            "There is a whale in it, one of many animals in a long story.",
        ),
        ("Ships", "C", "Nothing of the kind."),
    ] {
        let book = json!({"title": title, "author": author, "description": description});
        caller.create(BOOKS, &book).await?;
    }
    assert_eq!(search(caller, "whale").await?, ["Whales", "Other"]);
    Ok(())
}

async fn a_search_needs_a_text(caller: &Caller) -> anyhow::Result<()> {
    let long = format!("query={}", "x".repeat(201));
    for query in [
        "",
        "q=x",
        "query=",
        "query=%20%09",
        "query=%00",
        "query=a&query=b",
        &long,
    ] {
        let reply = caller.get(&format!("{BOOKS}/search?{query}")).await?;
        reply
            .problem(400)
            .and_then(|problem| problem.names("query"))
            .with_context(|| query.to_owned())?;
    }
    assert_eq!(
        search(caller, &"é".repeat(200)).await?,
        Vec::<String>::new()
    );
    Ok(())
}
