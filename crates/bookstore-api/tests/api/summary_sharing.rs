//! Many readers, one call of the model: who gets what, who pays what, who may leave when.

use std::{collections::HashSet, time::Duration};

use anyhow::{Context, ensure};
use llm::Outcome;
use serde_json::Value;
use test_support::{
    llm_simulator::{Percentiles, Profile},
    wait,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpSocket,
    task::{JoinHandle, JoinSet},
};

use crate::{
    caller::Caller,
    event_stream::{EventStream, open},
    hand_driven_model::{CANCELLED_WITHIN, Call, HandDriven, talkative},
    llm_fixture::{SimulatedLlm, ask, list_price, number},
    test_api::Setup,
};

const DEADLINE: Duration = Duration::from_secs(30);

/// A model that is slow enough for all readers to come while it answers.
async fn slow_model() -> anyhow::Result<SimulatedLlm> {
    let llm = SimulatedLlm::start().await?;
    let mut slow = Profile::instant().text().clone();
    slow.time_to_first_token_ms = Percentiles {
        p50: 2_000.0,
        p95: 2_000.0,
    };
    llm.simulator.control().set_profile(Profile::check(slow)?);
    Ok(llm)
}

/// The text and the last event's data.
async fn streamed(caller: Caller, book: String) -> anyhow::Result<(String, Value)> {
    let events = open(&caller, &book, "provider=claude")
        .await?
        .rest()
        .await?;
    let text = events.iter().map(|event| event.text()).collect();
    let done = events.last().context("an end")?;
    ensure!(done.name == "summary.done", "{done:?}");
    Ok((text, done.data.clone()))
}

async fn in_one_piece(caller: Caller, book: String) -> anyhow::Result<(String, Value)> {
    let reply = ask(&caller, &book, "provider=claude").await?;
    let reply = reply.expect(200)?.json()?;
    let text = reply["aiGeneratedSummary"].as_str().unwrap_or("");
    Ok((text.to_owned(), reply.clone()))
}

#[tokio::test]
async fn fifty_readers_of_both_kinds_share_one_call() -> anyhow::Result<()> {
    let llm = slow_model().await?;
    let book = llm.book().await?;
    let mut readers = JoinSet::new();
    for n in 0..50 {
        let (caller, book) = (llm.caller.clone(), book.clone());
        if n % 2 == 0 {
            readers.spawn(streamed(caller, book));
        } else {
            readers.spawn(in_one_piece(caller, book));
        }
    }
    let (mut texts, mut paid) = (HashSet::new(), Vec::new());
    while let Some(read) = readers.join_next().await {
        let (text, reply) = read??;
        assert_eq!(reply["aiGeneratedSummary"], text);
        assert_eq!(reply["sharedBy"], 50);
        assert_eq!(reply["cached"], false);
        assert!(reply["latency"]["timeToFirstTokenMs"].is_f64(), "{reply}");
        paid.push(number(&reply["cost"]["picoUsd"])?);
        texts.insert(text);
    }
    assert_eq!(texts.len(), 1);
    let metered = llm.metered();
    assert_eq!(metered.calls, 1);
    let cost = list_price(metered.input_tokens, metered.output_tokens);
    assert_eq!(paid.iter().sum::<u64>(), cost, "the parts add up");
    let (least, most) = (paid.iter().min(), paid.iter().max());
    assert!(most <= least.map(|least| least + 1).as_ref(), "{paid:?}");
    let labels = ["reason=\"coalesced\"", "simulated=\"true\""];
    let saved = "bookstore_gen_ai_saved_cost_pico_usd_total";
    let saved = llm.counted(saved, &labels).await?;
    assert_eq!(saved.to_string(), (49 * cost).to_string());
    let rows = llm.ledger().await?;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].cost.map(|cost| cost.get()),
        Some(i64::try_from(cost)?)
    );
    Ok(())
}

#[tokio::test]
async fn tenants_models_and_single_requests_share_nothing() -> anyhow::Result<()> {
    let llm = slow_model().await?;
    let (book, other) = (llm.book().await?, llm.caller.other_tenant()?);
    let foreign = other.create_book("A Book to Summarize").await?;
    let haiku = "provider=claude&model=claude-haiku-4-5";
    let (mine, theirs, third) = tokio::join!(
        ask(&llm.caller, &book, "provider=claude"),
        ask(&other, &foreign, "provider=claude"),
        ask(&llm.caller, &book, haiku),
    );
    for reply in [mine?, theirs?, third?] {
        assert_eq!(reply.expect(200)?.json()?["sharedBy"], 1);
    }
    assert_eq!(llm.metered().calls, 3);

    // With the cache off every request reaches the model.
    let setup = Setup::default().with("BOOKSTORE_SUMMARY_CACHE", "off");
    let llm = SimulatedLlm::start_with(setup).await?;
    let book = llm.book().await?;
    let asks = (0..5).map(|_| ask(&llm.caller, &book, "provider=claude"));
    for reply in futures_util::future::join_all(asks).await {
        assert_eq!(reply?.expect(200)?.json()?["sharedBy"], 1);
    }
    assert_eq!(llm.metered().calls, 5);
    Ok(())
}

/// How a reader reads.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Events,
    Json,
}

/// A reader of an answer under way; aborting it closes its connection.
fn begin(model: &HandDriven, book: &str, kind: Kind) -> JoinHandle<anyhow::Result<Value>> {
    let (caller, book) = (model.caller.clone(), book.to_owned());
    tokio::spawn(async move {
        let (_, reply) = match kind {
            Kind::Events => streamed(caller, book).await?,
            Kind::Json => in_one_piece(caller, book).await?,
        };
        Ok(reply)
    })
}

/// Waits until this many readers follow an answer in the API.
pub(crate) async fn readers(model: &HandDriven, expected: usize) -> anyhow::Result<()> {
    let expected = format!("bookstore_gen_ai_stream_callers {expected}");
    wait::until("the readers are there", DEADLINE, async || {
        let text = model.caller.get("/metrics").await?.text();
        ensure!(text.lines().any(|line| line == expected), "not {expected}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn any_reader_may_leave_and_the_last_one_ends_the_call() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let mut booked = 0;
    for kinds in [
        [Kind::Events; 3],
        [Kind::Json; 3],
        [Kind::Events, Kind::Json, Kind::Events],
    ] {
        for first_to_leave in 0..3 {
            let book = model.caller.create_book("T").await?;
            let mut reading = vec![begin(&model, &book, kinds[0])];
            let mut call = model.call().await?;
            call.begin().await?;
            call.say("One word").await?;
            reading.extend(kinds[1..].iter().map(|kind| begin(&model, &book, *kind)));
            readers(&model, 3).await?;
            for left in [2, 1] {
                let leaver = reading.remove(first_to_leave % reading.len());
                leaver.abort();
                readers(&model, left).await?;
                call.say(" and one more").await?;
            }
            reading.remove(0).abort();
            let waited = call.left().await?;
            assert!(waited < CANCELLED_WITHIN, "{kinds:?}: {waited:?}");
            booked += 1;
        }
    }
    assert!(!model.is_called_again().await, "a share of nobody's");
    cancelled_rows(&model, booked).await
}

/// Every call was booked as cancelled, with what was read of it.
async fn cancelled_rows(model: &HandDriven, expected: usize) -> anyhow::Result<()> {
    model.api.terminate().await?;
    let ledger = llm::Ledger::open(&model.api.ledger())?;
    let tenant = tenancy::TenantId::parse(model.caller.tenant())?;
    let page = llm::LedgerPage {
        offset: 0,
        limit: 100,
    };
    let rows = ledger.rows(llm::LedgerFilter::of(tenant), page).await?;
    assert_eq!(rows.len(), expected);
    for row in rows {
        assert_eq!(row.outcome, Outcome::Cancelled);
        assert!(row.usage.estimated);
        assert_eq!(row.usage.input_tokens, 100);
        // "One word and one more" at four characters a token, at least.
        assert!(row.usage.output_tokens >= 5, "{:?}", row.usage);
        assert!(row.cost.is_some_and(|cost| cost.get() > 0));
    }
    Ok(())
}

#[tokio::test]
async fn who_stays_gets_it_all_and_who_comes_late_too() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let first = begin(&model, &book, Kind::Events);
    let mut call = model.call().await?;
    call.begin().await?;
    call.say("One, ").await?;
    let mut stays = late(&model, &book).await?;
    stays.expect("summary.start").await?;
    assert_eq!(stays.expect("summary.delta").await?.text(), "One,");
    call.say("two, ").await?;
    assert_eq!(stays.expect("summary.delta").await?.text(), " two,");
    first.abort();
    readers(&model, 1).await?;
    // This one comes after two pieces and gets them as one.
    let mut late = late(&model, &book).await?;
    late.expect("summary.start").await?;
    assert_eq!(late.expect("summary.delta").await?.text(), "One, two,");
    let json = begin(&model, &book, Kind::Json);
    readers(&model, 3).await?;
    call.say("three.").await?;
    call.finish().await?;
    for stream in [&mut stays, &mut late] {
        let events = stream.rest().await?;
        let done = events.last().context("an end")?;
        assert_eq!(done.data["aiGeneratedSummary"], "One, two, three.");
        // The one that left does not pay.
        assert_eq!(done.data["sharedBy"], 3);
    }
    assert_eq!(json.await??["aiGeneratedSummary"], "One, two, three.");
    assert!(!model.is_called_again().await);
    // It is kept like any other.
    let kept = in_one_piece(model.caller.clone(), book).await?.1;
    assert_eq!(kept["cached"], true);
    Ok(())
}

async fn late(model: &HandDriven, book: &str) -> anyhow::Result<EventStream> {
    open(&model.caller, book, "provider=claude").await
}

#[tokio::test]
async fn a_reader_that_reads_nothing_slows_nobody() -> anyhow::Result<()> {
    let (_prompts, setup) = talkative()?;
    let model = HandDriven::start(setup).await?;
    let book = model.caller.create_book("T").await?;
    let socket = TcpSocket::new_v4()?;
    // The kernel's buffers are part of what a reader holds: as little as it allows.
    socket.set_recv_buffer_size(2_048)?;
    let mut lazy = socket.connect(model.api.address().parse()?).await?;
    let head = format!(
        "POST {book}/generate-summary?provider=claude HTTP/1.1\r\nHost: localhost\r\n\
         X-Tenant-Name: {}\r\nAccept: text/event-stream\r\n\r\n",
        model.caller.tenant()
    );
    lazy.write_all(head.as_bytes()).await?;
    let mut call = model.call().await?;
    call.begin().await?;
    let reading = begin(&model, &book, Kind::Events);
    readers(&model, 2).await?;
    say_much(&mut call).await?;
    call.finish().await?;
    let reply = reading.await??;
    let text = reply["aiGeneratedSummary"].as_str().unwrap_or("");
    assert_eq!(text.len(), PIECES * PIECE);
    assert_eq!(reply["sharedBy"], 2);
    Ok(())
}

/// Together most of what one answer may have.
const PIECES: usize = 900;
const PIECE: usize = 1_000;

async fn say_much(call: &mut Call) -> anyhow::Result<()> {
    let piece = "x".repeat(PIECE);
    for _ in 0..PIECES {
        call.say(&piece).await?;
    }
    Ok(())
}
