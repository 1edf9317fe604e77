//! Valid ISBNs are unique within a tenant; others are kept and doubted.

use serde_json::{Value, json};

use crate::{
    caller::{BOOKS, Caller, address},
    test_api::on_both_stores,
};

on_both_stores!(
    a_valid_isbn_is_unique,
    a_changed_book_may_not_take_an_isbn,
    a_deleted_book_frees_its_isbn,
    doubtful_isbns_are_kept_with_a_warning,
    one_of_many_at_once_wins,
);

fn book(isbn: &str) -> Value {
    json!({"title": "T", "author": "A", "isbn": isbn})
}

/// Spellings of one number.
const SPELLINGS: [&str; 5] = [
    "978-0-7432-7356-5",
    "9780743273565",
    "0-7432-7356-7",
    "0743273567",
    "97-80743273565",
];

async fn a_valid_isbn_is_unique(caller: &Caller) -> anyhow::Result<()> {
    caller.create(BOOKS, &book(SPELLINGS[0])).await?;
    for isbn in SPELLINGS {
        let problem = caller.post(BOOKS, &book(isbn)).await?.problem(409)?;
        assert!(problem.member("detail").contains("ISBN"), "{problem:?}");
    }
    let other = caller.other_tenant()?;
    other.create(BOOKS, &book(SPELLINGS[1])).await?;
    assert_eq!(caller.read(BOOKS).await?["totalCount"], 1);
    Ok(())
}

async fn a_changed_book_may_not_take_an_isbn(caller: &Caller) -> anyhow::Result<()> {
    let first = caller.create(BOOKS, &book(SPELLINGS[0])).await?;
    let second = caller.create(BOOKS, &book("080442957X")).await?;
    let (first, address) = (address(BOOKS, &first)?, address(BOOKS, &second)?);
    caller
        .put(&address, &book(SPELLINGS[3]))
        .await?
        .problem(409)?;
    let patch = json!({"isbn": SPELLINGS[1]});
    caller.patch(&address, &patch).await?.problem(409)?;
    assert_eq!(caller.read(&address).await?, second, "nothing was changed");
    // Its own number, in any spelling, is no duplicate.
    caller.put(&first, &book(SPELLINGS[2])).await?.expect(200)?;
    caller.patch(&first, &patch).await?.expect(200)?;
    Ok(())
}

async fn a_deleted_book_frees_its_isbn(caller: &Caller) -> anyhow::Result<()> {
    let first = caller.create(BOOKS, &book(SPELLINGS[0])).await?;
    let address = address(BOOKS, &first)?;
    caller.delete(&address).await?.expect(204)?;
    let second = caller.create(BOOKS, &book(SPELLINGS[0])).await?;
    assert_ne!(first["id"], second["id"]);
    Ok(())
}

async fn doubtful_isbns_are_kept_with_a_warning(caller: &Caller) -> anyhow::Result<()> {
    for isbn in [
        "1234567",
        "9780743273566",
        "978074327356512345678901",
        "ABC-7",
        "0743273566",
    ] {
        for _ in 0..2 {
            let created = caller.create(BOOKS, &book(isbn)).await?;
            assert_eq!(created["isbn"], isbn);
            let warnings = created["warnings"].as_array().map_or(0, Vec::len);
            assert_eq!(warnings, 1, "{created}");
            let address = address(BOOKS, &created)?;
            let read = caller.read(&address).await?;
            assert!(read.get("warnings").is_none(), "{read}");
            let put = caller
                .put(&address, &book(isbn))
                .await?
                .expect(200)?
                .json()?;
            assert_eq!(put["warnings"], created["warnings"]);
        }
    }
    let plain = caller.create(BOOKS, &book("")).await?;
    assert!(plain.get("warnings").is_none(), "{plain}");
    Ok(())
}

async fn one_of_many_at_once_wins(caller: &Caller) -> anyhow::Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for isbn in SPELLINGS {
        let caller = caller.clone();
        tasks.spawn(async move { caller.post(BOOKS, &book(isbn)).await });
    }
    let mut created = 0;
    while let Some(reply) = tasks.join_next().await {
        let reply = reply??;
        if reply.status == 201 {
            created += 1;
        } else {
            reply.problem(409)?;
        }
    }
    assert_eq!(created, 1);
    Ok(())
}
