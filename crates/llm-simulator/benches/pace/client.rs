//! A client that does little more than read, so that the simulator is what is measured.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

/// Long enough for a head with some frames.
const BUFFER: usize = 16 * 1024;
/// What the first token of a stream begins with.
const FIRST_TOKEN: &[u8] = b"event: content_block_delta";
/// What ends a body of chunks.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

/// When a stream said its first token, and whose it was.
pub(crate) struct Streamed {
    pub(crate) request_id: String,
    pub(crate) first_token: Duration,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, stream: bool) -> anyhow::Result<Self> {
        let body = format!(
            r#"{{"model":"claude-sonnet-5-5","max_tokens":300,"messages":[{{"role":"user","content":"Summarise The Great Gatsby in two sentences."}}],"stream":{stream}}}"#
        );
        let request = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             x-api-key: bench\r\nanthropic-version: 2023-06-01\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            request: request.into_bytes(),
            buffer: Vec::with_capacity(BUFFER),
        })
    }

    /// One reply that is not streamed, read to its end.
    pub(crate) async fn whole(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        let (head, length) = loop {
            self.read().await?;
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                let text = std::str::from_utf8(&self.buffer[..head])?;
                anyhow::ensure!(text.starts_with("HTTP/1.1 200"), "{text}");
                let length = header(text, "content-length").context("no length")?;
                break (head + 4, length.parse::<usize>()?);
            }
        };
        while self.buffer.len() < head + length {
            self.read().await?;
        }
        Ok(())
    }

    /// One stream, read to its end.
    pub(crate) async fn streamed(&mut self) -> anyhow::Result<Streamed> {
        let asked = Instant::now();
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        while find(&self.buffer, FIRST_TOKEN).is_none() {
            self.read().await?;
        }
        let first_token = asked.elapsed();
        let head = find(&self.buffer, b"\r\n\r\n").context("no head")?;
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let request_id = header(text, "request-id").context("no id")?.to_owned();
        while !self.buffer.ends_with(LAST_CHUNK) {
            // Only the end of what was read matters now.
            let kept = self.buffer.len().saturating_sub(LAST_CHUNK.len());
            self.buffer.drain(..kept);
            self.read().await?;
        }
        Ok(Streamed {
            request_id,
            first_token,
        })
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        anyhow::ensure!(read > 0, "the simulator closed the connection");
        Ok(())
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
