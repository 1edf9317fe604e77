//! Readers who leave at an awkward moment, or all at once.

use std::sync::Arc;

use anyhow::{Context, ensure};
use http::Method;
use llm::Outcome;
use test_support::llm_simulator::{Percentiles, Profile};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    caller::Caller,
    event_stream::{open, send},
    hand_driven_model::{CANCELLED_WITHIN, HandDriven},
    llm_fixture::{SimulatedLlm, ask},
    test_api::Setup,
};

/// As many streams as one process of the local stack is meant for at once.
const STREAMS: usize = 256;

/// Readers who begin at the same moment: the store refuses reads that wait for their turn too long,
/// which is another test's matter.
const BEGINNERS: usize = 32;

#[tokio::test]
async fn leaving_before_the_first_word_ends_the_call() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    for events in [true, false] {
        let (caller, book) = (model.caller.clone(), model.caller.create_book("T").await?);
        let reader = tokio::spawn(async move {
            if events {
                drop(send(&caller, &book, "provider=claude").await);
            } else {
                drop(ask(&caller, &book, "provider=claude").await);
            }
        });
        let call = model.call().await?;
        reader.abort();
        let waited = call.left().await?;
        assert!(waited < CANCELLED_WITHIN, "events {events}: {waited:?}");
    }
    // Nobody is to blame: the model is as healthy as before.
    let providers = model.caller.read("/api/v1/books/llm-providers").await?;
    assert_eq!(providers["providers"][0]["name"], "claude");
    assert_eq!(providers["providers"][0]["healthy"], true);
    assert_eq!(providers["providers"][0]["circuit"], "closed");
    Ok(())
}

#[tokio::test]
async fn leaving_one_stream_of_an_http_2_connection_ends_its_call() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let client = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let book = model.caller.create_book("T").await?;
    let path = format!("{book}/generate-summary?provider=claude");
    let request = client
        .request(Method::POST, format!("{}{path}", model.api.base_url()))
        .header("X-Tenant-Name", model.caller.tenant())
        .header("Accept", "text/event-stream");
    let (response, call) = tokio::join!(request.send(), async {
        let mut call = model.call().await?;
        call.begin().await?;
        call.say("One").await?;
        anyhow::Ok(call)
    });
    let (mut response, call) = (response?, call?);
    assert_eq!(response.version(), http::Version::HTTP_2);
    let piece = response.chunk().await?.context("an event")?;
    assert!(
        piece.starts_with(b"id: 1\nevent: summary.start\n"),
        "{piece:?}"
    );
    drop(response);
    let waited = call.left().await?;
    assert!(waited < CANCELLED_WITHIN, "{waited:?}");
    // The connection goes on.
    let url = format!("{}{book}", model.api.base_url());
    let book = client
        .get(url)
        .header("X-Tenant-Name", model.caller.tenant());
    assert_eq!(book.send().await?.status(), 200);
    Ok(())
}

/// Reads a stream that must be whole, or leaves it after a few events.
async fn read(
    (caller, book): (Caller, String),
    beginners: Arc<Semaphore>,
    leaves: bool,
) -> anyhow::Result<()> {
    let begins = beginners.acquire().await?;
    let mut stream = open(&caller, &book, "provider=claude").await?;
    drop(begins);
    let (mut text, mut last_id) = (String::new(), 0);
    loop {
        let event = stream.event().await?;
        ensure!(event.id == last_id + 1, "{event:?} after {last_id}");
        last_id = event.id;
        text.push_str(event.text());
        if event.name == "summary.done" {
            ensure!(event.data["aiGeneratedSummary"] == text, "{event:?}");
            return Ok(());
        }
        if leaves && last_id == 3 {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn hundreds_of_streams_lose_nothing() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    // Long enough for all of them to be under way at once.
    let mut slow = Profile::instant().text().clone();
    slow.inter_token_gap_ms = Percentiles {
        p50: 20.0,
        p95: 20.0,
    };
    llm.simulator.control().set_profile(Profile::check(slow)?);
    let mut books = Vec::new();
    for _ in 0..STREAMS {
        books.push(llm.book().await?);
    }
    let beginners = Arc::new(Semaphore::new(BEGINNERS));
    let mut readers = JoinSet::new();
    for (n, book) in books.into_iter().enumerate() {
        readers.spawn(read(
            (llm.caller.clone(), book),
            Arc::clone(&beginners),
            n % 4 == 0,
        ));
    }
    while let Some(reader) = readers.join_next().await {
        reader??;
    }
    let rows = llm.ledger().await?;
    assert_eq!(rows.len(), STREAMS);
    let whole = rows.iter().filter(|row| row.outcome == Outcome::Succeeded);
    // Who leaves near the end may be too late.
    assert!(whole.clone().count() >= STREAMS * 3 / 4);
    let left = rows.iter().filter(|row| row.outcome == Outcome::Cancelled);
    assert_eq!(whole.count() + left.count(), STREAMS);
    Ok(())
}
