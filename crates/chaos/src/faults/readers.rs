//! Readers who do harm by themselves: those who leave, and those who come all at once.

use std::time::Duration;

use fault_proxy::Behaviour;
use futures_util::StreamExt as _;
use reqwest::RequestBuilder;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::api::{Api, whole};
use crate::plan::Dependency;
use crate::samples::Answer;
use crate::stack::Stack;

/// How long a reader stays who leaves before the end.
const STAYS: Duration = Duration::from_millis(120);

/// Readers of streams who go away in their middle, each a task of its own.
pub(super) async fn leave(api: &Api, per_second: u32, until: Instant) -> anyhow::Result<()> {
    let book = api.create("left").await?;
    let mut clock = interval(Duration::from_secs(1) / per_second.max(1));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut readers = JoinSet::new();
    while Instant::now() < until {
        clock.tick().await;
        while readers.try_join_next().is_some() {}
        let request = api.summary(&book, true);
        // Who leaves drops the connection.
        readers.spawn(timeout(STAYS, read_to_the_end(request)));
    }
    readers.shutdown().await;
    Ok(())
}

async fn read_to_the_end(request: RequestBuilder) {
    let Ok(reply) = request.send().await else {
        return;
    };
    let mut body = reply.bytes_stream();
    while body.next().await.is_some() {}
}

/// Readers who ask for one book at the same time.
pub(super) struct Crowd<'a> {
    pub(super) stack: &'a Stack,
    pub(super) api: &'a Api,
    pub(super) readers: u32,
}

impl Crowd<'_> {
    /// So often Redis is emptied and the crowd asks. Gives what was answered otherwise than it
    /// must be.
    pub(super) async fn come(&self, times: u32, store_ms: u64) -> anyhow::Result<Vec<String>> {
        let book = self.api.create("asked for by all").await?;
        let path = format!("/api/v1/books/{book}");
        self.stack.set(
            Dependency::Mongo,
            Behaviour {
                latency_ms: store_ms,
                ..Behaviour::default()
            },
        )?;
        let mut wrong = Vec::new();
        for time in 1..=times {
            let flush = vec!["FLUSHALL".to_owned()];
            self.stack.command_redis(&[flush]).await?;
            let refused = self.ask_at_once(&path).await;
            if refused > 0 {
                let readers = self.readers;
                wrong.push(format!(
                    "crowd {time}: {refused} of {readers} readers got no book"
                ));
            }
        }
        self.stack.set(Dependency::Mongo, Behaviour::default())?;
        Ok(wrong)
    }

    async fn ask_at_once(&self, path: &str) -> usize {
        let mut readers = JoinSet::new();
        for _ in 0..self.readers {
            readers.spawn(whole(self.api.get(path)));
        }
        let answers = readers.join_all().await;
        let refused = |answer: &&Answer| **answer != Answer::Status(200);
        answers.iter().filter(refused).count()
    }
}
