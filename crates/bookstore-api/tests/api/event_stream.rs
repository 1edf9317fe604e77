//! A reader of server-sent events that also sees comments.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use http::Method;
use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use crate::{caller::Caller, reply::Reply};

/// Longer than any silence in these tests.
const DEADLINE: Duration = Duration::from_secs(30);

/// A stream of events that is being read. Dropping it closes the connection.
pub(crate) struct EventStream {
    response: Response,
    buffer: Vec<u8>,
}

/// What stands between two empty lines.
#[derive(Debug)]
pub(crate) enum Block {
    Event(Event),
    Comment(String),
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Event {
    /// The text of a `summary.delta`.
    pub(crate) fn text(&self) -> &str {
        self.data["text"].as_str().unwrap_or("")
    }
}

/// Asks for a summary as events; `query` such as `provider=claude`. The reply has come when its
/// head has.
pub(crate) async fn send(caller: &Caller, book: &str, query: &str) -> anyhow::Result<Response> {
    let path = format!("{book}/generate-summary?{query}");
    let request = caller.request(Method::POST, &path);
    let request = request.header("Accept", "text/event-stream");
    let response = timeout(DEADLINE, request.send()).await;
    Ok(response.context("no head of a reply")??)
}

/// Asks for a summary as events, which must succeed.
pub(crate) async fn open(caller: &Caller, book: &str, query: &str) -> anyhow::Result<EventStream> {
    let response = send(caller, book, query).await?;
    if response.status() != 200 {
        bail!("{:?}", Reply::read(response).await?);
    }
    Ok(EventStream::of(response))
}

impl EventStream {
    /// The events of a reply.
    pub(crate) const fn of(response: Response) -> Self {
        Self {
            response,
            buffer: Vec::new(),
        }
    }

    /// A header's text; empty without one.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The next block; `None` at the end of the reply.
    pub(crate) async fn block(&mut self) -> anyhow::Result<Option<Block>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let rest = self.buffer.split_off(end + 2);
                let block = std::mem::replace(&mut self.buffer, rest);
                return parse(std::str::from_utf8(&block)?).map(Some);
            }
            let chunk = timeout(DEADLINE, self.response.chunk()).await;
            match chunk.context("nothing came")?? {
                Some(bytes) => self.buffer.extend(bytes),
                None => {
                    ensure!(self.buffer.is_empty(), "an unfinished event");
                    return Ok(None);
                }
            }
        }
    }

    /// The next event; `None` at the end of the reply.
    pub(crate) async fn next_event(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            match self.block().await? {
                Some(Block::Event(event)) => return Ok(Some(event)),
                Some(Block::Comment(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next event, which must come.
    pub(crate) async fn event(&mut self) -> anyhow::Result<Event> {
        self.next_event().await?.context("the stream has ended")
    }

    /// The next event, which must have this name.
    pub(crate) async fn expect(&mut self, name: &str) -> anyhow::Result<Event> {
        let event = self.event().await?;
        ensure!(event.name == name, "{name} expected, got {event:?}");
        Ok(event)
    }

    /// All events to the end.
    pub(crate) async fn rest(&mut self) -> anyhow::Result<Vec<Event>> {
        let mut events = Vec::new();
        while let Some(event) = self.next_event().await? {
            events.push(event);
        }
        Ok(events)
    }
}

fn parse(block: &str) -> anyhow::Result<Block> {
    let (mut id, mut name, mut data) = (None, None, None);
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (field, value) = line.split_once(':').context("a field")?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return Ok(Block::Comment(value.to_owned())),
            "id" => id = Some(value.parse()?),
            "event" => name = Some(value.to_owned()),
            "data" => data = Some(serde_json::from_str(value)?),
            other => bail!("field {other} in {block}"),
        }
    }
    Ok(Block::Event(Event {
        id: id.with_context(|| format!("no id in {block}"))?,
        name: name.with_context(|| format!("no name in {block}"))?,
        data: data.with_context(|| format!("no data in {block}"))?,
    }))
}
