//! The same events over a WebSocket: JSON messages, and a client that joins and leaves runs.
//!
//! A client sends `{"type": "joinTest", "test": id, "after": 0}`, `{"type": "leaveTest", "test":
//! id}`, `{"type": "joinAll"}` or `{"type": "leaveAll"}`, and gets `{"type": kind, "id": 7,
//! "data": {…}}`; what it may not have is told as `{"type": "error", "data": problem}`.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{AbortHandle, BoxStream, SelectAll, abortable};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, header};
use performance_store::RunAddress;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use tokio::time::{interval, timeout};

use super::WatcherPlace;
use super::stream::{self, Told};
use crate::app::App;
use crate::problems;

/// A client's message names one run.
const MAX_MESSAGE_BYTES: usize = 4 * 1_024;

/// Groups of one connection, the group of all runs among them.
const MAX_GROUPS: usize = 16;

/// How often a silent connection is asked whether it is there.
const PING: Duration = Duration::from_secs(15);

/// How long a client may take to accept a message.
const WRITE: Duration = Duration::from_secs(30);

/// What a client asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Wish {
    /// The events of a run from `after` on.
    JoinTest {
        test: String,
        #[serde(default)]
        after: u64,
    },
    /// No more of them.
    LeaveTest { test: String },
    /// The events of all runs from now on.
    JoinAll,
    /// No more of them.
    LeaveAll,
}

/// What it gets.
#[derive(Serialize)]
struct Reply<'a> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    data: &'a RawValue,
}

/// The events of a group; `None` says that it is over.
type GroupEvents = BoxStream<'static, (String, Option<Told>)>;

/// A connection and what it watches.
struct Watcher {
    app: App,
    tenant: TenantId,
    socket: WebSocket,
    events: SelectAll<GroupEvents>,
    groups: HashMap<String, AbortHandle>,
}

/// The name of the group of all runs; a run's id is hexadecimal.
const ALL: &str = "all";

/// Opens a WebSocket that watches `first`, if it is given.
///
/// # Errors
/// 403 for a page of another site: browsers let any page open one.
pub(super) fn watch(
    app: App,
    tenant: TenantId,
    (upgrade, headers): (WebSocketUpgrade, HeaderMap),
    first: Option<(String, u64)>,
    place: WatcherPlace,
) -> Result<Response, Problem> {
    if !is_same_origin(&headers) {
        let detail = "a page of another site may not watch runs";
        return Err(Problem::forbidden(detail).with_kind("cross-site"));
    }
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let watcher = Watcher {
            app,
            tenant,
            socket,
            events: SelectAll::new(),
            groups: HashMap::new(),
        };
        watcher.run(first).await;
        drop(place);
    }))
}

/// Programs send no `Origin`; a browser's must be the host that it asks.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name)?.to_str().ok();
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => !headers.contains_key(header::ORIGIN),
        (Some(origin), Some(host)) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority == Some(host)
        }
        (Some(_), None) => false,
    }
}

impl Watcher {
    async fn run(mut self, first: Option<(String, u64)>) {
        let shutdown = self.app.shutdown.clone();
        let mut pings = interval(PING);
        if let Some((test, after)) = first
            && self.grant(Wish::JoinTest { test, after }).await.is_none()
        {
            return;
        }
        loop {
            let going_on = tokio::select! {
                () = shutdown.cancelled() => None,
                received = self.socket.recv() => match received {
                    Some(Ok(message)) => self.receive(message).await,
                    Some(Err(_)) | None => None,
                },
                Some((group, told)) = self.events.next() => self.tell(&group, told).await,
                _ = pings.tick() => self.send(Message::Ping(Bytes::new())).await,
            };
            if going_on.is_none() {
                break;
            }
        }
        // A client that has left cannot be told; neither does it matter.
        drop(timeout(WRITE, self.socket.close()).await);
    }

    /// `None` when the connection is over.
    async fn receive(&mut self, message: Message) -> Option<()> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return None,
            Message::Ping(_) | Message::Pong(_) => return Some(()),
            Message::Binary(_) => {
                return self.refuse(&Problem::malformed("must be text")).await;
            }
        };
        match serde_json::from_str(&text) {
            Ok(wish) => self.grant(wish).await,
            Err(error) => self.refuse(&Problem::malformed(error.to_string())).await,
        }
    }

    async fn grant(&mut self, wish: Wish) -> Option<()> {
        match wish {
            Wish::JoinAll => {
                let events = stream::all_runs(&self.app, self.tenant.clone(), ());
                self.join(ALL.to_owned(), events.boxed()).await
            }
            Wish::LeaveAll => {
                self.leave(ALL);
                Some(())
            }
            Wish::LeaveTest { test } => {
                self.leave(&test);
                Some(())
            }
            Wish::JoinTest { test, after } => match address(&self.app, &self.tenant, &test).await {
                Ok(run) => {
                    let events = stream::one_run(&self.app, run, after, ());
                    self.join(test, events.boxed()).await
                }
                Err(problem) => self.refuse(&problem).await,
            },
        }
    }

    async fn join(&mut self, group: String, events: BoxStream<'static, Told>) -> Option<()> {
        self.leave(&group);
        if self.groups.len() >= MAX_GROUPS {
            let detail = format!("a connection watches at most {MAX_GROUPS} groups");
            return self.refuse(&Problem::conflict(detail)).await;
        }
        let (events, handle) = abortable(events);
        let name = group.clone();
        let end = futures_util::stream::once(std::future::ready((group.clone(), None)));
        let events = events.map(move |told| (name.clone(), Some(told)));
        self.groups.insert(group, handle);
        self.events.push(events.chain(end).boxed());
        Some(())
    }

    fn leave(&mut self, group: &str) {
        if let Some(handle) = self.groups.remove(group) {
            handle.abort();
        }
    }

    async fn tell(&mut self, group: &str, told: Option<Told>) -> Option<()> {
        let Some(Told { id, event }) = told else {
            // Only an end by itself: a group that was joined anew goes on.
            if self
                .groups
                .get(group)
                .is_some_and(|handle| !handle.is_aborted())
            {
                self.groups.remove(group);
            }
            return Some(());
        };
        let data = RawValue::from_string(event.data).ok()?;
        self.reply(event.kind.as_ref(), id, &data).await
    }

    async fn refuse(&mut self, problem: &Problem) -> Option<()> {
        let data = serde_json::value::to_raw_value(&problem.to_json()).ok()?;
        self.reply("error", None, &data).await
    }

    async fn reply(&mut self, kind: &str, id: Option<u64>, data: &RawValue) -> Option<()> {
        let reply = Reply {
            r#type: kind,
            id,
            data,
        };
        let text = serde_json::to_string(&reply).ok()?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Option<()> {
        timeout(WRITE, self.socket.send(message)).await.ok()?.ok()
    }
}

/// The run of a tenant that a client names.
async fn address(app: &App, tenant: &TenantId, test: &str) -> Result<RunAddress, Problem> {
    let run = RunAddress {
        tenant: tenant.clone(),
        id: test.parse().map_err(|_| problems::no_such_run())?,
    };
    app.store.get(&run).await.map_err(problems::from_store)?;
    Ok(run)
}
