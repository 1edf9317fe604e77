//! SIGTERM: what was accepted is answered, what was answered is kept, and the exit code is 0.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use serde_json::json;
use test_support::{
    llm_simulator::{Percentiles, Profile},
    wait,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    caller::{BOOKS, Caller},
    event_stream::{EventStream, open},
    hand_driven_model::{Call, HandDriven},
    llm_fixture::{SimulatedLlm, ask},
    test_api::Setup,
    wire::{rest, status},
};

const DEADLINE: Duration = Duration::from_secs(45);

#[tokio::test]
async fn requests_under_way_are_finished() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let mut slow = Profile::instant().text().clone();
    slow.time_to_first_token_ms = Percentiles {
        p50: 2_000.0,
        p95: 2_000.0,
    };
    llm.simulator.control().set_profile(Profile::check(slow)?);
    let mut tasks = JoinSet::new();
    for _ in 0..5 {
        let (caller, book) = (llm.caller.clone(), llm.book().await?);
        tasks.spawn(async move { ask(&caller, &book, "provider=claude").await });
    }
    wait::until("all calls are under way", DEADLINE, async || {
        let in_flight = llm.counted("bookstore_gen_ai_in_flight", &[]).await?;
        ensure!(in_flight.to_string() == "5", "{in_flight}");
        Ok(())
    })
    .await?;
    let ended = llm.api.terminate().await?;
    while let Some(reply) = tasks.join_next().await {
        let summary = reply??.expect(200)?.json()?;
        assert_eq!(summary["cached"], false);
    }
    assert_eq!(ended.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_stream_under_way_is_read_to_its_end() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let (mut stream, mut call) = begin(&model, &book).await?;
    model.api.process().signal(Signal::SIGTERM)?;
    refuses_connections(&model).await?;
    call.say(" two").await?;
    call.finish().await?;
    let events = stream.rest().await?;
    let done = events.last().context("an end")?;
    assert_eq!(done.name, "summary.done");
    assert_eq!(done.data["aiGeneratedSummary"], "One two");
    assert_eq!(model.api.process().wait(DEADLINE).await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_stream_without_end_is_told_before_it_is_cut_off() -> anyhow::Result<()> {
    let setup = Setup::default().with("BOOKSTORE_DRAIN_TIMEOUT", "1s");
    let model = HandDriven::start(setup).await?;
    let book = model.caller.create_book("T").await?;
    let (mut stream, call) = begin(&model, &book).await?;
    model.api.process().signal(Signal::SIGTERM)?;
    let events = stream.rest().await?;
    let last = events.last().context("an end")?;
    assert_eq!(last.name, "summary.error");
    assert_eq!(last.data["status"], 503);
    assert_eq!(last.data["type"], "/problems/shutting-down");
    call.left().await?;
    assert_eq!(model.api.process().wait(DEADLINE).await?.code(), Some(0));
    Ok(())
}

/// A stream that has said its first word.
async fn begin(model: &HandDriven, book: &str) -> anyhow::Result<(EventStream, Call)> {
    let asked = async {
        let mut call = model.call().await?;
        call.begin().await?;
        call.say("One").await?;
        anyhow::Ok(call)
    };
    let (stream, call) = tokio::join!(open(&model.caller, book, "provider=claude"), asked);
    let mut stream = stream?;
    stream.expect("summary.start").await?;
    Ok((stream, call?))
}

/// Waits until the shutdown has begun.
async fn refuses_connections(model: &HandDriven) -> anyhow::Result<()> {
    wait::until("the listener is closed", DEADLINE, async || {
        let connected = TcpStream::connect(model.api.address()).await;
        ensure!(connected.is_err(), "it still listens");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn connections_that_wait_to_be_accepted_are_answered() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let process = api.process();
    // While the process stands still, the kernel acknowledges connections and their requests; the
    // signal is there when it goes on.
    process.freeze()?;
    let mut waiting = Vec::new();
    for n in 0..40 {
        let mut connection = TcpStream::connect(api.address()).await?;
        let body = format!("{{\"title\":\"Book {n}\",\"author\":\"A\"}}");
        let head =
            "POST /api/v1/books HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        connection.write_all(request.as_bytes()).await?;
        waiting.push(connection);
    }
    process.signal(Signal::SIGTERM)?;
    process.thaw()?;
    for (n, mut connection) in waiting.into_iter().enumerate() {
        let reply = rest(&mut connection).await?;
        assert_eq!(status(&reply), 201, "connection {n} got {reply:?}");
    }
    assert_eq!(process.wait(DEADLINE).await?.code(), Some(0));
    Ok(())
}

/// A client that keeps its connection sends its next request before it can know of the shutdown.
#[tokio::test]
async fn kept_connections_are_answered_once_more() -> anyhow::Result<()> {
    const REQUEST: &[u8] = b"GET /api/v1/books HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let api = Setup::default().start().await?;
    let process = api.process();
    let mut kept = Vec::new();
    for _ in 0..40 {
        let mut connection = TcpStream::connect(api.address()).await?;
        connection.write_all(REQUEST).await?;
        let mut first = [0; 4_096];
        let read = connection.read(&mut first).await?;
        assert_eq!(status(&String::from_utf8_lossy(&first[..read])), 200);
        kept.push(connection);
    }
    process.freeze()?;
    process.signal(Signal::SIGTERM)?;
    for connection in &mut kept {
        connection.write_all(REQUEST).await?;
    }
    process.thaw()?;
    for (n, connection) in kept.iter_mut().enumerate() {
        let reply = rest(connection).await?;
        assert_eq!(status(&reply), 200, "connection {n} got {reply:?}");
    }
    assert_eq!(process.wait(DEADLINE).await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn under_load_nothing_is_stored_that_was_not_answered() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let caller = api.caller()?;
    let ended = Arc::new(AtomicBool::new(false));
    let mut creators = JoinSet::new();
    for _ in 0..8 {
        creators.spawn(create_until(caller.clone(), Arc::clone(&ended)));
    }
    wait::until("the load is on", DEADLINE, async || {
        let list = caller.read(BOOKS).await?;
        ensure!(
            list["totalCount"].as_u64() > Some(100),
            "{}",
            list["totalCount"]
        );
        Ok(())
    })
    .await?;
    let status = api.terminate().await?;
    ended.store(true, Ordering::Relaxed);
    assert_eq!(status.code(), Some(0));
    let mut answered = HashSet::new();
    while let Some(ids) = creators.join_next().await {
        answered.extend(ids??);
    }
    api.restart().await?;
    let mut stored = HashSet::new();
    for page in 1.. {
        let list = caller
            .read(&format!("{BOOKS}?page={page}&pageSize=100"))
            .await?;
        let ids = list["books"].as_array().context("books")?;
        if ids.is_empty() {
            break;
        }
        stored.extend(
            ids.iter()
                .filter_map(|book| book["id"].as_str().map(str::to_owned)),
        );
    }
    let unanswered: Vec<_> = stored.difference(&answered).collect();
    assert_eq!(
        unanswered,
        Vec::<&String>::new(),
        "accepted and then dropped"
    );
    let lost: Vec<_> = answered.difference(&stored).collect();
    assert_eq!(lost, Vec::<&String>::new(), "acknowledged and lost");
    Ok(())
}

/// Creates books until the API is gone, and gives the identifiers that it was answered.
async fn create_until(caller: Caller, ended: Arc<AtomicBool>) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        let book = json!({"title": "T", "author": "A"});
        let Ok(reply) = caller.post(BOOKS, &book).await else {
            return Ok(ids);
        };
        let book = reply.expect(201)?.json()?;
        ids.push(book["id"].as_str().unwrap_or("").to_owned());
    }
    Ok(ids)
}

#[tokio::test]
async fn an_interrupt_ends_it_as_well() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    // An idle kept connection holds nothing up.
    api.caller()?.create_book("T").await?;
    api.process().signal(Signal::SIGINT)?;
    assert_eq!(api.process().wait(DEADLINE).await?.code(), Some(0));
    Ok(())
}
