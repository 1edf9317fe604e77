//! A real server of the `MongoDB` wire protocol: `FerretDB` with its data in
//! `SQLite` files. It has no transactions, no `Decimal128` and no partial indexes.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{Process, Program};
use crate::{port, tools};

/// `FerretDB` is up within a second; the rest is room for a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// The operation code of `OP_MSG` in the `MongoDB` wire protocol.
const OP_MSG: i32 = 2013;

/// Header of a message: length, request id, response to, operation code.
const HEADER: usize = 16;

/// A reply to `ping` has under 100 bytes; anything far beyond is no reply.
const MAX_REPLY: usize = 4_096;

/// A `FerretDB` of its own, empty. Killed when dropped.
#[derive(Debug)]
pub struct FerretDb {
    process: Process,
    port: u16,
}

/// Starts `FerretDB` and waits until it answers a `ping` command.
///
/// # Errors
/// When it is not installed or does not start.
pub async fn ferretdb() -> anyhow::Result<FerretDb> {
    let port = port::free()?;
    let program = Program::new("ferretdb", tools::ferretdb()?)?;
    let state = program.directory().join("state");
    let process = program
        .args(["-listen", &format!("127.0.0.1:{port}")])
        .arg("-state")
        .arg(state)
        .start()?;
    let server = FerretDb { process, port };
    server.ready().await?;
    Ok(server)
}

impl FerretDb {
    /// `mongodb://127.0.0.1:PORT/`, also while the server is down.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/", self.port)
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

    /// SIGCONT after [`FerretDb::freeze`].
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

    /// Starts the server again on the same port and the same data, and waits
    /// until it answers.
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

/// Sends `{ping: 1, $db: "admin"}` and looks for `ok: 1.0` in the reply. Written
/// by hand so that this crate, which every other one tests with, needs no
/// `MongoDB` driver.
async fn ping(port: u16) -> anyhow::Result<()> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    connection.write_all(&ping_message()?).await?;
    let length = connection.read_i32_le().await.context("no reply to ping")?;
    let rest = usize::try_from(length)?.saturating_sub(size_of::<i32>());
    ensure!(rest <= MAX_REPLY, "a reply of {length} bytes to ping");
    let mut reply = vec![0; rest];
    connection.read_exact(&mut reply).await?;
    let okay = [b"\x01ok\0".as_slice(), &1.0_f64.to_le_bytes()].concat();
    ensure!(
        reply.windows(okay.len()).any(|part| part == okay),
        "ping was not answered by ok: 1"
    );
    Ok(())
}

fn ping_message() -> anyhow::Result<Vec<u8>> {
    let mut fields = Vec::new();
    fields.extend(b"\x10ping\0");
    fields.extend(1_i32.to_le_bytes());
    fields.extend(b"\x02$db\0");
    fields.extend(6_i32.to_le_bytes());
    fields.extend(b"admin\0");
    // A document is its own length, its fields and a zero byte.
    let document = i32::try_from(size_of::<i32>() + fields.len() + 1)?;
    // No flags, and a section of kind 0: one document.
    let before = [0; size_of::<u32>() + 1];
    let total = HEADER + before.len() + usize::try_from(document)?;
    let mut message = Vec::with_capacity(total);
    for number in [i32::try_from(total)?, 1, 0, OP_MSG] {
        message.extend(number.to_le_bytes());
    }
    message.extend(before);
    message.extend(document.to_le_bytes());
    message.extend(fields);
    message.push(0);
    Ok(message)
}
