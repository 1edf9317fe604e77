//! Lists of books: order, pages, filters, sorting, and what is no page.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    caller::{AUTHORS, BOOKS, Caller},
    test_api::on_both_stores,
};

on_both_stores!(
    books_are_listed_in_pages_oldest_first,
    a_page_has_at_most_a_hundred,
    filters_compare_whole_values,
    sorting_is_stable,
    what_is_no_page_is_named,
    unknown_query_names_are_ignored,
);

async fn stock(caller: &Caller, count: usize) -> anyhow::Result<()> {
    let book = |n: usize| {
        json!({
            "title": format!("Book {}", n % 3), "author": format!("Author {}", n % 2),
            "genre": format!("Genre {}", n % 4), "price": n % 5,
            "description": n.to_string(),
        })
    };
    let books: Vec<Value> = (0..count).map(book).collect();
    caller
        .post(&format!("{BOOKS}/bulk"), &json!(books))
        .await?
        .expect(200)?;
    Ok(())
}

fn column(page: &Value, member: &str) -> Vec<String> {
    let books = page["books"].as_array();
    let text = |book: &Value| {
        book[member]
            .as_str()
            .map_or_else(|| book[member].to_string(), str::to_owned)
    };
    books
        .map(|books| books.iter().map(text).collect())
        .unwrap_or_default()
}

async fn books_are_listed_in_pages_oldest_first(caller: &Caller) -> anyhow::Result<()> {
    let empty = json!({"books": [], "totalCount": 0, "page": 1, "pageSize": 10, "totalPages": 0});
    assert_eq!(caller.read(BOOKS).await?, empty);
    stock(caller, 13).await?;
    let mut seen = Vec::new();
    for page in 1..=3 {
        let list = caller
            .read(&format!("{BOOKS}?page={page}&pageSize=5"))
            .await?;
        assert_eq!(list["totalCount"], 13);
        assert_eq!(list["totalPages"], 3);
        assert_eq!(list["page"], page);
        assert_eq!(list["pageSize"], 5);
        seen.extend(column(&list, "description"));
    }
    let expected: Vec<String> = (0..13).map(|n| n.to_string()).collect();
    assert_eq!(seen, expected);
    let beyond = caller.read(&format!("{BOOKS}?page=4&pageSize=5")).await?;
    assert_eq!(beyond["books"], json!([]));
    assert_eq!(beyond["totalCount"], 13);
    assert_eq!(
        column(&caller.read(BOOKS).await?, "id").len(),
        10,
        "the default size"
    );
    Ok(())
}

async fn a_page_has_at_most_a_hundred(caller: &Caller) -> anyhow::Result<()> {
    stock(caller, 120).await?;
    for size in [
        "100",
        "101",
        "1000",
        "2000",
        "2147483648",
        "9223372036854775807",
    ] {
        let list = caller.read(&format!("{BOOKS}?pageSize={size}")).await?;
        assert_eq!(list["pageSize"], 100, "{size}");
        assert_eq!(list["totalPages"], 2);
        assert_eq!(column(&list, "id").len(), 100);
    }
    Ok(())
}

async fn filters_compare_whole_values(caller: &Caller) -> anyhow::Result<()> {
    stock(caller, 12).await?;
    for (query, expected) in [
        (vec![("genre", "Genre 1")], vec!["1", "5", "9"]),
        (
            vec![("author", "Author 1"), ("genre", "Genre 3")],
            vec!["3", "7", "11"],
        ),
        (vec![("author", "Author 0"), ("genre", "Genre 1")], vec![]),
        (vec![("genre", "Genre")], vec![]),
        (vec![("genre", "genre 1")], vec![]),
        (vec![("genre", ".*")], vec![]),
        (vec![("genre", "{\"$ne\":null}")], vec![]),
    ] {
        let list = caller.get_where(BOOKS, &query).await?.expect(200)?.json()?;
        assert_eq!(column(&list, "description"), expected, "{query:?}");
        assert_eq!(list["totalCount"], expected.len());
    }
    Ok(())
}

async fn sorting_is_stable(caller: &Caller) -> anyhow::Result<()> {
    stock(caller, 7).await?;
    for (sort, expected) in [
        ("oldest", ["0", "1", "2", "3", "4", "5", "6"]),
        ("newest", ["6", "5", "4", "3", "2", "1", "0"]),
        ("title", ["0", "3", "6", "1", "4", "2", "5"]),
        ("price", ["0", "5", "1", "6", "2", "3", "4"]),
    ] {
        let mut seen = Vec::new();
        for page in 1..=3 {
            let path = format!("{BOOKS}?sort={sort}&page={page}&pageSize=3");
            seen.extend(column(&caller.read(&path).await?, "description"));
        }
        assert_eq!(seen, expected, "{sort}");
    }
    Ok(())
}

async fn what_is_no_page_is_named(caller: &Caller) -> anyhow::Result<()> {
    for path in [BOOKS, AUTHORS] {
        for (query, field) in [
            ("page=0", "page"),
            ("page=-1", "page"),
            ("page=abc", "page"),
            ("page=1.5", "page"),
            ("page=", "page"),
            ("page=%00", "page"),
            ("page=9223372036854775808", "page"),
            ("page=4294967296", "page"),
            ("page=1&page=2", "page"),
            ("pageSize=0", "pageSize"),
            ("pageSize=-5", "pageSize"),
            ("pageSize=ten", "pageSize"),
            ("pageSize=99999999999999999999", "pageSize"),
            ("pageSize=1&pageSize=1", "pageSize"),
        ] {
            let reply = caller.get(&format!("{path}?{query}")).await?;
            reply
                .problem(400)
                .and_then(|problem| problem.names(field))
                .with_context(|| format!("{path}?{query}"))?;
        }
    }
    for (query, field) in [
        ("sort=$natural", "sort"),
        ("sort=__proto__", "sort"),
        ("genre=a&genre=b", "genre"),
    ] {
        let reply = caller.get(&format!("{BOOKS}?{query}")).await?;
        reply
            .problem(400)
            .and_then(|problem| problem.names(field))
            .with_context(|| query.to_owned())?;
    }
    Ok(())
}

async fn unknown_query_names_are_ignored(caller: &Caller) -> anyhow::Result<()> {
    stock(caller, 2).await?;
    let path = format!("{BOOKS}?title[$ne]=&x=1&x=2&Page=7&_=%ff&limit=1");
    assert_eq!(caller.read(&path).await?["totalCount"], 2);
    Ok(())
}
