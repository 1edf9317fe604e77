//! The API under test, in a process of its own with settings as users have them.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use test_support::{
    http, port,
    process::{Process, Program},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{cores::Cores, load::Target, row::note};

/// The binary under test, built with this bench.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_bookstore-api");

/// Text of the books that are stored: as long as a short blurb.
pub(crate) const DESCRIPTION: &str = "A self-made millionaire, an old love and the parties of a \
    Long Island summer, told by the neighbour who watched them come to nothing.";

/// What a start may take before it counts as failed.
const START: Duration = Duration::from_secs(30);

/// A running API.
#[derive(Debug)]
pub(crate) struct Api {
    process: Process,
    port: u16,
}

impl Api {
    /// Starts it on the server's core and waits until it is ready.
    pub(crate) async fn start(cores: &Cores, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let api = Self::spawn(cores.serving("bookstore-api", BINARY)?, settings)?;
        api.wait_ready().await?;
        Ok(api)
    }

    /// Starts `program` without waiting for it.
    pub(crate) fn spawn(program: Program, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let port = port::free()?;
        let state = program.directory().join("state");
        let mut program = program
            .env("BOOKSTORE_HTTP_ADDR", format!("127.0.0.1:{port}"))
            .env("BOOKSTORE_STATE_DIR", state);
        for (name, value) in settings {
            program = program.env(name, value);
        }
        let process = program.start()?;
        Ok(Self { process, port })
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn wait_ready(&self) -> anyhow::Result<()> {
        let ready = async || ensure_ready(self.port).await;
        self.process.ready(START, ready).await
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Reads of `path`.
    pub(crate) fn reads(&self, path: &str) -> Target<'_> {
        Target::get(&self.process, self.port, path)
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.process.directory().join("state/data/bookstore.sqlite")
    }

    /// Stores `count` books.
    pub(crate) async fn fill(&self, count: usize) -> anyhow::Result<()> {
        let books = format!("[{}]", vec![book(); count].join(","));
        let reply = http::client()?
            .post(self.url("/api/v1/books/bulk"))
            .header("content-type", "application/json")
            .body(books);
        let reply = reply.send().await?;
        let (status, text) = (reply.status(), reply.text().await?);
        ensure!(status.as_u16() == 200, "bulk insert: {status}: {text}");
        Ok(())
    }

    /// Creates a book; its path and the body of a read.
    pub(crate) async fn one_book(&self) -> anyhow::Result<(String, String)> {
        let client = http::client()?;
        let created = client
            .post(self.url("/api/v1/books"))
            .header("content-type", "application/json")
            .body(book())
            .send()
            .await?
            .error_for_status()?;
        let location = created.headers().get("location");
        let path = location.context("a created book says where it is")?;
        let path = path.to_str()?.to_owned();
        let read = client.get(self.url(&path)).send().await?;
        Ok((path, read.error_for_status()?.text().await?))
    }

    /// The value of a sample of `/metrics` whose line begins with `name` and has `label`.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> anyhow::Result<f64> {
        let metrics = http::client()?.get(self.url("/metrics")).send().await?;
        let text = metrics.error_for_status()?.text().await?;
        let wanted =
            |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
        let line = text.lines().find(wanted);
        let value = line.and_then(|line| line.rsplit(' ').next());
        Ok(value.context("no such metric")?.parse()?)
    }
}

/// The JSON of the books that are created.
pub(crate) fn book() -> String {
    format!(
        r#"{{"title":"The Great Gatsby","author":"F. Scott Fitzgerald","price":12.99,"genre":"Fiction","description":"{DESCRIPTION}","stockQuantity":50}}"#
    )
}

/// Fails until the API says that it is ready.
pub(crate) async fn ensure_ready(port: u16) -> anyhow::Result<()> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    let request =
        "GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".as_bytes();
    connection.write_all(request).await?;
    let mut head = [0; 12];
    connection.read_exact(&mut head).await?;
    ensure!(head == *b"HTTP/1.1 200", "it is not ready");
    Ok(())
}

/// Prints the settings that the figures depend on: the API's own answer.
pub(crate) async fn print_settings(cores: &Cores) -> anyhow::Result<()> {
    let check = cores.anywhere("bookstore-api", BINARY)?;
    let check = check.arg("--check-config").start()?;
    check.wait(START).await?;
    let settings = check.log();
    for name in ["BOOKSTORE_TRACE_SAMPLING=", "RUST_LOG="] {
        let line = settings.lines().find(|line| line.starts_with(name));
        note(line.context("a setting is missing from --check-config")?);
    }
    Ok(())
}
