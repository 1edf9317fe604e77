//! A client that sends the same bytes and reads the reply without understanding it.

use std::{net::SocketAddr, time::Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::net::TcpStream;

use crate::calls::Streamed;

/// The requests: the same length as the layer's, within a few bytes.
const WHOLE: &str = r#"{"model":"claude-sonnet-5-5","max_tokens":300,"system":"You summarise books.","messages":[{"role":"user","content":"Summarise The Great Gatsby in two sentences."}],"stream":false}"#;
const STREAMED: &str = r#"{"model":"claude-sonnet-5-5","max_tokens":300,"system":"You summarise books.","messages":[{"role":"user","content":"Summarise The Great Gatsby in two sentences."}],"stream":true}"#;

/// What each piece of text begins with.
const TOKEN: &[u8] = b"event: content_block_delta";

/// A connection that is kept.
pub(crate) struct Bare(SendRequest<Full<Bytes>>);

impl Bare {
    pub(crate) async fn connect(simulator: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(simulator).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// A whole answer; its time in microseconds.
    pub(crate) async fn whole(&mut self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        self.send(WHOLE).await?.into_body().collect().await?;
        Ok(micros(begun))
    }

    /// A streamed answer.
    pub(crate) async fn streamed(&mut self) -> anyhow::Result<Streamed> {
        let begun = Instant::now();
        let mut body = self.send(STREAMED).await?.into_body();
        let (mut read, mut first) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if first.is_none() && memmem::find(&data, TOKEN).is_some() {
                first = Some(micros(begun));
            }
            read.push(data);
        }
        let total = micros(begun);
        // What comes now takes its time, too.
        let frames = memmem::find_iter(&read.concat(), TOKEN).count();
        Streamed::new(first, total, frames.try_into()?)
    }

    async fn send(&mut self, body: &'static str) -> anyhow::Result<Response<Incoming>> {
        let request = hyper::Request::post("/v1/messages")
            .header("host", "127.0.0.1")
            .header("content-type", "application/json")
            .header("x-api-key", "simulated")
            .header("anthropic-version", "2023-06-01")
            .body(Full::new(Bytes::from_static(body.as_bytes())))?;
        let response = self.0.send_request(request).await?;
        anyhow::ensure!(response.status().is_success(), "{}", response.status());
        Ok(response)
    }
}

fn micros(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6
}
