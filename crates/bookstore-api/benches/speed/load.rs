//! One round of load on a server, and what the server spent on it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use test_support::process::Process;

use crate::generator::generate;

/// The kernel's unit of processor time in `/proc`, for user space.
const TICK: Duration = Duration::from_millis(10);

/// One round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Requests a second.
    pub(crate) rate: f64,
    /// What the server's core spent on one request, in microseconds; 0 where nobody looked.
    pub(crate) cpu_micros: f64,
    /// The part of its core that the server had.
    pub(crate) busy: f64,
}

/// A server and the request that is put to it.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    server: &'a Process,
    port: u16,
    request: Arc<[u8]>,
}

impl<'a> Target<'a> {
    /// Reads of `path`.
    pub(crate) fn get(server: &'a Process, port: u16, path: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        Self {
            server,
            port,
            request: request.into_bytes().into(),
        }
    }

    /// JSON that is posted to `path`.
    pub(crate) fn post(server: &'a Process, port: u16, path: &str, json: &str) -> Self {
        let length = json.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        );
        Self {
            server,
            port,
            request: request.into_bytes().into(),
        }
    }

    /// Puts load on the server; fails when a request was not answered with 2xx.
    pub(crate) async fn round(&self, duration: Duration) -> anyhow::Result<Round> {
        let before = processor_time(self.server)?;
        let (answered, elapsed) = generate(self.port, Arc::clone(&self.request), duration).await?;
        let spent = processor_time(self.server)?.saturating_sub(before);
        ensure!(answered > 0, "no request was answered");
        let answered = f64::from(u32::try_from(answered)?);
        Ok(Round {
            rate: answered / elapsed.as_secs_f64(),
            cpu_micros: spent.as_secs_f64() * 1e6 / answered,
            busy: spent.as_secs_f64() / elapsed.as_secs_f64(),
        })
    }
}

/// What the process has used so far, all of its threads together.
fn processor_time(process: &Process) -> anyhow::Result<Duration> {
    let pid = process.pid().context("the server runs")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold blanks; utime and stime are the 12th and 13th field after it.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<_, _>>()?;
    Ok(TICK * ticks)
}
