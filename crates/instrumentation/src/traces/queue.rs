//! The spans that wait for one collector, and the task that sends them.
//!
//! The SDK's own batch processor does the same, but tells nobody what it drops, and cannot drive a
//! client that needs the runtime.

use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;
use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender},
        oneshot,
    },
    time::timeout,
};

use super::{destination::Destination, tail::DroppedSpans};

/// Finished spans that wait for the collector before new ones are dropped.
const LENGTH: usize = 8_192;

/// Spans of one export.
const BATCH: usize = 512;

/// How long a finished span waits for company.
const DELAY: Duration = Duration::from_millis(500);

/// How long one export may take.
pub(super) const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Debug)]
pub(super) struct Queue {
    sender: Sender<Item>,
    full: DroppedSpans,
}

#[derive(Debug)]
enum Item {
    Span(Box<SpanData>),
    /// To be answered when everything before it was sent, with whether it was taken.
    Flush(oneshot::Sender<bool>),
}

/// The task's side.
struct Sending {
    destination: Destination,
    failed: DroppedSpans,
    /// Whether the last export failed, which is said once.
    failing: bool,
}

impl Queue {
    /// Starts the task, which ends with the runtime.
    pub(super) fn start(destination: Destination) -> Self {
        let (sender, spans) = mpsc::channel(LENGTH);
        let name = destination.name();
        let sending = Sending {
            destination,
            failed: DroppedSpans::new(name, "export_failed"),
            failing: false,
        };
        tokio::spawn(sending.run(spans));
        Self {
            sender,
            full: DroppedSpans::new(name, "queue_full"),
        }
    }

    /// Takes a span, or counts that there is no room for it. Never waits.
    pub(super) fn offer(&self, span: SpanData) {
        if self.sender.try_send(Item::Span(Box::new(span))).is_err() {
            self.full.add(1);
        }
    }

    /// Waits until everything is sent; whether the last of it was taken.
    pub(super) async fn flush(&self) -> bool {
        let (done, sent) = oneshot::channel();
        self.sender.send(Item::Flush(done)).await.is_ok() && sent.await == Ok(true)
    }
}

/// Waits until a batch is full, somebody waits for what is there, or nobody is left to send more.
async fn gather(queue: &mut Receiver<Item>, items: &mut Vec<Item>) {
    let mut seen = 0;
    let is_flush = |item: &Item| matches!(item, Item::Flush(_));
    while items.len() < BATCH && !items[seen..].iter().any(is_flush) {
        seen = items.len();
        if queue.recv_many(items, BATCH - seen).await == 0 {
            return;
        }
    }
}

impl Sending {
    async fn run(mut self, mut queue: Receiver<Item>) {
        let mut items = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut items, BATCH).await > 0 {
            // At the end of its time it has what has come.
            timeout(DELAY, gather(&mut queue, &mut items)).await.ok();
            let (mut spans, mut waiting) = (Vec::with_capacity(items.len()), Vec::new());
            for item in items.drain(..) {
                match item {
                    Item::Span(span) => spans.push(*span),
                    Item::Flush(done) => waiting.push(done),
                }
            }
            self.export(spans).await;
            for done in waiting {
                // Who asked may have left.
                done.send(!self.failing).ok();
            }
        }
    }

    async fn export(&mut self, spans: Vec<SpanData>) {
        if spans.is_empty() {
            return;
        }
        let count = spans.len();
        let taken = timeout(EXPORT_TIMEOUT, self.destination.export(spans)).await;
        let reason = match taken {
            Ok(Ok(())) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!(exporter = self.destination.name(), "spans are taken again");
                }
                return;
            }
            Ok(Err(error)) => error,
            Err(_) => "no answer in time".to_owned(),
        };
        self.failed.add(count);
        self.destination.reconnect();
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(
                exporter = self.destination.name(),
                reason,
                "spans are not taken"
            );
        }
    }
}
