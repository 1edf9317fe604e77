//! What was acknowledged is there after `kill -9`, and nothing is there by half.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::wait;
use tokio::task::JoinSet;

use crate::{
    caller::{BOOKS, Caller},
    test_api::{Setup, TestApi},
};

/// Creates in all, so many at the same time, and how many are done when the kill comes.
const CREATES: usize = 1_000;
const AT_ONCE: usize = 8;
const KILL_AFTER: std::ops::Range<usize> = 200..700;

/// Books of one bulk request; each task sends one of these after ten single ones.
const BULK: usize = 10;

/// A thousand creates take seconds; the rest is room for a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// What the clients were told.
#[derive(Debug, Default)]
struct Told {
    /// Identifiers of acknowledged books.
    books: Vec<String>,
    /// Genres that only one bulk request has, of the acknowledged ones.
    bulks: HashSet<String>,
    /// Books of which nothing was told: the store had not answered in time.
    unknown: usize,
}

type Notebook = Arc<Mutex<Told>>;

fn note<T>(notebook: &Notebook, change: impl FnOnce(&mut Told) -> T) -> T {
    change(&mut notebook.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Creates until all are made or the API is gone.
async fn create(caller: Caller, creator: usize, notebook: Notebook) {
    for n in 0..CREATES / AT_ONCE {
        let book = json!({"title": format!("{creator}-{n}"), "author": "A", "isbn": "1"});
        let Ok(reply) = caller.post(BOOKS, &book).await else {
            return;
        };
        if let (201, Ok(book)) = (reply.status, reply.json()) {
            let id = book["id"].as_str().unwrap_or("").to_owned();
            note(&notebook, |told| told.books.push(id));
        } else {
            note(&notebook, |told| told.unknown += 1);
        }
        if n % 10 == 0 {
            let genre = format!("bulk {creator}-{n}");
            let books = vec![json!({"title": "B", "author": "A", "genre": genre}); BULK];
            let reply = caller
                .post(&format!("{BOOKS}/bulk"), &Value::from(books))
                .await;
            match reply.map(|reply| reply.status) {
                Ok(200) => _ = note(&notebook, |told| told.bulks.insert(genre)),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

async fn check(api: &TestApi) -> anyhow::Result<()> {
    let (caller, notebook) = (api.caller()?, Notebook::default());
    let mut creators = JoinSet::new();
    for creator in 0..AT_ONCE {
        creators.spawn(create(caller.clone(), creator, Arc::clone(&notebook)));
    }
    let enough = fastrand::usize(KILL_AFTER);
    wait::until("enough creates", DEADLINE, async || {
        let made = note(&notebook, |told| told.books.len());
        ensure!(made >= enough, "{made} of {enough}");
        Ok(())
    })
    .await?;
    api.kill();
    while creators.join_next().await.is_some() {}
    let told = note(&notebook, std::mem::take);
    assert!(told.books.len() < CREATES, "the kill came in the middle");
    api.restart().await?;

    let stored = wait::until("every bulk is whole", DEADLINE, async || {
        let stored = everything(&caller).await?;
        check_bulks(&stored, &told)?;
        Ok(stored)
    })
    .await?;
    let ids: HashSet<&str> = stored
        .iter()
        .filter_map(|book| book["id"].as_str())
        .collect();
    for id in &told.books {
        ensure!(
            ids.contains(id.as_str()),
            "{id} was acknowledged and is lost"
        );
    }
    // At most what was under way may be there without having been acknowledged.
    let single = stored.iter().filter(|book| book["genre"] == "").count();
    let (books, unknown) = (told.books.len(), told.unknown);
    ensure!(
        single <= books + unknown + AT_ONCE,
        "{single} are stored, {books} were acknowledged, {unknown} of unknown outcome"
    );
    caller.create_book("After").await?;
    Ok(())
}

/// Each bulk request is there as a whole or not at all; an acknowledged one is there.
fn check_bulks(stored: &[Value], told: &Told) -> anyhow::Result<()> {
    let genres: Vec<&str> = stored
        .iter()
        .filter_map(|book| book["genre"].as_str())
        .collect();
    let count = |genre: &str| genres.iter().filter(|other| **other == genre).count();
    for genre in genres.iter().filter(|genre| !genre.is_empty()) {
        ensure!(count(genre) == BULK, "{genre} is there by half");
    }
    for genre in &told.bulks {
        ensure!(count(genre) == BULK, "{genre} was acknowledged and is lost");
    }
    Ok(())
}

async fn everything(caller: &Caller) -> anyhow::Result<Vec<Value>> {
    let mut books = Vec::new();
    for page in 1.. {
        let list = caller
            .read(&format!("{BOOKS}?page={page}&pageSize=100"))
            .await?;
        books.extend(list["books"].as_array().context("books")?.iter().cloned());
        if page >= list["totalPages"].as_u64().context("totalPages")? {
            ensure!(list["totalCount"] == books.len(), "{}", list["totalCount"]);
            break;
        }
    }
    Ok(books)
}

#[tokio::test]
async fn kill_loses_no_acknowledged_book_in_sqlite() -> anyhow::Result<()> {
    check(&Setup::default().start().await?).await
}

#[tokio::test]
async fn kill_loses_no_acknowledged_book_in_mongodb() -> anyhow::Result<()> {
    let store = test_support::ferretdb().await?;
    check(
        &Setup::default()
            .with("MONGODB_URI", store.uri())
            .start()
            .await?,
    )
    .await
}
