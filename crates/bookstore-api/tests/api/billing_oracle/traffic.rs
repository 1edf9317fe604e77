//! The users: each does its planned calls one after another, on books of its own.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use test_support::wait;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    books::{Line, Row},
    invoice, ledger,
    plan::{Behaviour, Call, Plan, SHORT_BOOKS},
};
use crate::{
    caller::{BOOKS, Caller, address},
    event_stream::EventStream,
    llm_fixture::SimulatedLlm,
    reply::Reply,
};

/// Users at the same time: tests with deadlines run beside them.
const USERS: usize = 6;
/// Users at the same time who leave.
const LEAVING_USERS: usize = 3;
/// When those leave who wait for no text.
const PATIENCE: Duration = Duration::from_millis(150);
/// Both sides have booked a call that was left within a moment; a call that never arrived is in
/// one book only, and waited for in vain.
const SETTLED_WITHIN: Duration = Duration::from_secs(8);

/// What the users saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) streamed: u64,
    pub(super) kept: u64,
    pub(super) shared: u64,
    pub(super) fallbacks: u64,
    pub(super) left: u64,
    pub(super) traces: Vec<String>,
    pub(super) took: Duration,
}

/// Makes all calls of the plan. Those that are left come last and few at a time: how soon each side
/// hears of the other is then not a matter of how busy this machine is. Among the others, and beside
/// builds that took most of two cores, the API let go of what had been sent half a second before
/// and not been read yet, and the provider heard of it up to 0.28 s later.
pub(super) async fn send(llm: &SimulatedLlm, plan: &Plan) -> anyhow::Result<Seen> {
    let began = Instant::now();
    let (left, whole): (Vec<Call>, Vec<Call>) = plan
        .calls
        .iter()
        .cloned()
        .partition(|call| call.behaviour.leaves());
    let mut all = make(llm, whole, USERS).await?;
    all.add(make(llm, left, LEAVING_USERS).await?);
    all.took = began.elapsed();
    Ok(all)
}

async fn make(llm: &SimulatedLlm, calls: Vec<Call>, users: usize) -> anyhow::Result<Seen> {
    let calls: Arc<[Call]> = calls.into();
    let mut at_work = JoinSet::new();
    for number in 0..users {
        let (calls, caller) = (Arc::clone(&calls), llm.caller.clone());
        at_work.spawn(async move {
            let user = User {
                books: books(&caller).await?,
                caller,
            };
            let mut seen = Seen::default();
            for call in calls.iter().skip(number).step_by(users) {
                user.make(call, &mut seen).await?;
            }
            anyhow::Ok(seen)
        });
    }
    let mut all = Seen::default();
    while let Some(seen) = at_work.join_next().await {
        all.add(seen??);
    }
    Ok(all)
}

/// The invoice and the ledger, once both have the same number of calls.
pub(super) async fn settled(llm: &SimulatedLlm) -> anyhow::Result<(Vec<Line>, Vec<Row>)> {
    let base = llm.simulator.base_url();
    let even = wait::until("as many lines as rows", SETTLED_WITHIN, async || {
        let (lines, rows) = (
            invoice::count(&base).await?,
            ledger::count(&llm.caller).await?,
        );
        ensure!(lines == rows, "{lines} lines, {rows} rows");
        Ok(())
    });
    // If they stay different, the comparison says which.
    drop(even.await);
    Ok((
        invoice::read(&base).await?,
        ledger::read(&llm.caller).await?,
    ))
}

/// Sets something of the simulator.
pub(super) async fn control(llm: &SimulatedLlm, what: &str, body: &Value) -> anyhow::Result<()> {
    let url = format!("{}/control/{what}", llm.simulator.base_url());
    let reply = test_support::http::client()?
        .put(url)
        .json(body)
        .send()
        .await?;
    let status = reply.status();
    ensure!(
        status.is_success(),
        "{what}: {status} {}",
        reply.text().await?
    );
    Ok(())
}

struct User {
    caller: Caller,
    books: Vec<String>,
}

impl User {
    async fn make(&self, call: &Call, seen: &mut Seen) -> anyhow::Result<()> {
        match call.behaviour {
            Behaviour::Waits => {
                let reply = self.whole(call, 0, true).await?;
                seen.note(call, reply.as_ref());
            }
            Behaviour::AsksAgain => {
                for (request, refresh) in [(0, true), (1, false)] {
                    let reply = self.whole(call, request, refresh).await?;
                    seen.note(call, reply.as_ref());
                }
            }
            Behaviour::IsOneOfThree => {
                let three = (0..3).map(|request| self.whole(call, request, true));
                for reply in try_join_all(three).await? {
                    seen.note(call, reply.as_ref());
                }
            }
            Behaviour::LeavesAtText => {
                let mut events = EventStream::of(self.request(call, 0, true).send().await?);
                while let Some(event) = events.next_event().await? {
                    if event.name == "summary.delta" {
                        break;
                    }
                }
                seen.left += 1;
            }
            Behaviour::LeavesEarly => {
                let reply = timeout(PATIENCE, self.request(call, 0, true).send()).await;
                seen.left += u64::from(reply.is_err());
            }
        }
        let requests = 0..call.behaviour.requests();
        seen.traces
            .extend(requests.map(|request| call.trace_id(request)));
        Ok(())
    }

    /// The summary; `None` for a failure.
    async fn whole(
        &self,
        call: &Call,
        request: u32,
        refresh: bool,
    ) -> anyhow::Result<Option<Value>> {
        let response = self.request(call, request, refresh).send().await?;
        let may_fail = !call.fault.is_empty();
        if response.status() != 200 || !call.streamed {
            let reply = Reply::read(response).await?;
            return match reply.status {
                200 => reply.json().map(Some),
                429 | 502..=504 if may_fail => Ok(None),
                _ => anyhow::bail!("{call:?}: {}", reply.text()),
            };
        }
        let events = EventStream::of(response).rest().await?;
        let last = events.into_iter().next_back().context("an end")?;
        ensure!(
            may_fail || last.name == "summary.done",
            "{call:?}: {last:?}"
        );
        Ok((last.name == "summary.done").then_some(last.data))
    }

    fn request(&self, call: &Call, request: u32, refresh: bool) -> RequestBuilder {
        let (book, query) = (&self.books[call.book], call.query);
        let path = format!("{book}/generate-summary?refresh={refresh}&{query}");
        let parent = format!("00-{}-{:016x}-01", call.trace_id(request), call.number + 1);
        let builder = self.caller.request(Method::POST, &path);
        let builder = builder
            .header("traceparent", parent)
            .header("baggage", format!("test.id={}", call.test_id()));
        match call.streamed {
            true => builder.header("Accept", "text/event-stream"),
            false => builder,
        }
    }
}

impl Seen {
    fn note(&mut self, call: &Call, reply: Option<&Value>) {
        self.streamed += u64::from(call.streamed);
        let Some(reply) = reply else {
            self.failed += 1;
            return;
        };
        self.answered += 1;
        self.kept += u64::from(reply["cached"] == true);
        self.shared += u64::from(reply["sharedBy"].as_u64() > Some(1));
        self.fallbacks += u64::from(reply["fallbackFrom"].is_string());
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.streamed += other.streamed;
        self.kept += other.kept;
        self.shared += other.shared;
        self.fallbacks += other.fallbacks;
        self.left += other.left;
        self.traces.extend(other.traces);
    }
}

/// A user's books: short ones, then a long one.
async fn books(caller: &Caller) -> anyhow::Result<Vec<String>> {
    let short = "Children whispers mountain strangers, familiar promises, secretly distance. ";
    // Many short words are many tokens.
    let long = "it is as we do so ".repeat(220);
    let mut books = Vec::new();
    for number in 0..=SHORT_BOOKS {
        let description = match number {
            SHORT_BOOKS => long.clone(),
            _ => short.repeat(6),
        };
        let body = json!({"title": format!("Mountain Whispers {number}"),
            "author": "Somebody Familiar", "description": description});
        books.push(address(BOOKS, &caller.create(BOOKS, &body).await?)?);
    }
    Ok(books)
}
