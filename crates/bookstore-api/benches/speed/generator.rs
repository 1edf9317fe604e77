//! Load over HTTP/1.1 from one core that never sleeps.
//!
//! A generator that sleeps between two replies has to be woken by each of them, which costs the
//! server more than an answer does, and costs a slow server more than a fast one. So this one asks
//! the kernel again and again instead of waiting, and a comparison shows what the servers do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Connections, each with one request under way: enough to keep one core busy, as few as a small
/// service has.
pub(crate) const CONNECTIONS: usize = 64;

/// Largest reply that is read.
const MAX_REPLY: usize = 64 * 1_024;

/// Sends `request` over and over for `duration`; how many were answered with 2xx, and in what time.
pub(crate) async fn generate(
    port: u16,
    request: Arc<[u8]>,
    duration: Duration,
) -> anyhow::Result<(u64, Duration)> {
    let (over, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (request, over, answered) = (request.clone(), over.clone(), answered.clone());
        connections.spawn(async move {
            let mut connection = Connection::new(stream);
            while !over.load(Ordering::Relaxed) {
                connection.ask(&request).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    let started = Instant::now();
    // This keeps the runtime from sleeping.
    while started.elapsed() < duration && connections.len() == CONNECTIONS {
        tokio::task::yield_now().await;
    }
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    Ok((answered.load(Ordering::Relaxed), started.elapsed()))
}

struct Connection {
    stream: TcpStream,
    reply: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            reply: Vec::with_capacity(MAX_REPLY),
        }
    }

    async fn ask(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.reply.clear();
        loop {
            let read = self.stream.read_buf(&mut self.reply).await?;
            ensure!(read > 0, "the server closed a connection");
            ensure!(self.reply.len() < MAX_REPLY, "a reply is too long");
            if let Some(length) = reply_length(&self.reply)? {
                ensure!(self.reply.len() <= length, "more than one reply");
                if self.reply.len() == length {
                    return Ok(());
                }
            }
        }
    }
}

/// The length of the reply that begins so, once its head is complete.
fn reply_length(reply: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&reply[..head])?;
    ensure!(text.starts_with("HTTP/1.1 2"), "answered {text}");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then_some(value.trim())
    });
    let length: usize = length.context("a reply has no length")?.parse()?;
    Ok(Some(head + 4 + length))
}
