//! A real Redis server.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{Process, Program};
use crate::{port, tools};

/// Redis is up within milliseconds; the rest is room for a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A Redis server of its own, empty and without persistence. Killed when
/// dropped.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
}

/// Starts Redis and waits until it answers.
///
/// # Errors
/// When Redis is not installed or does not start.
pub async fn redis() -> anyhow::Result<Redis> {
    redis_with(&[]).await
}

/// Starts Redis with further arguments, for example
/// `["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"]`.
///
/// # Errors
/// When Redis is not installed or does not start, which a wrong argument causes.
pub async fn redis_with(arguments: &[&str]) -> anyhow::Result<Redis> {
    let port = port::free()?;
    let process = Program::new("redis-server", tools::redis_server()?)?
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args([
            "--save",
            "",
            "--appendonly",
            "no",
            "--enable-debug-command",
            "local",
        ])
        .args(arguments)
        .start()?;
    let redis = Redis { process, port };
    redis.ready().await?;
    Ok(redis)
}

impl Redis {
    /// `redis://127.0.0.1:PORT`, also while the server is down.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port, which stays the same over a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process, for its id, its log and other signals.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// SIGSTOP: connections stay open and the kernel accepts new ones, but
    /// nothing answers.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.process.freeze()
    }

    /// SIGCONT after [`Redis::freeze`].
    ///
    /// # Errors
    /// When the server does not run.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.process.thaw()
    }

    /// SIGKILL; returns when the process is gone. New connections are refused.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Starts the server again on the same port, empty, and waits until it
    /// answers.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&self) -> anyhow::Result<()> {
        self.process.start_again()?;
        self.ready().await
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let port = self.port;
        self.process
            .ready(START_DEADLINE, async || ping(port).await)
            .await
    }
}

async fn ping(port: u16) -> anyhow::Result<()> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    connection.write_all(b"PING\r\n").await?;
    let mut reply = [0; 7];
    connection
        .read_exact(&mut reply)
        .await
        .context("no reply to PING")?;
    ensure!(
        reply == *b"+PONG\r\n",
        "PING was answered by {:?}",
        String::from_utf8_lossy(&reply)
    );
    Ok(())
}
