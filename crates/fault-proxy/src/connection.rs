//! One connection: two directions, each a reader that stamps pieces of data with
//! the time at which they may pass, and a writer that waits for it. So latency
//! delays the data without slowing it down.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};

use crate::behaviour::{Behaviour, Mode};

/// Bytes read at once.
const PIECE_BYTES: usize = 16 * 1024;
/// Pieces under way in one direction: with a delay of a second this still lets
/// 4 MiB per second through.
const PIECES: usize = 256;
/// A limited rate is kept in steps of this length, so that a slow stream trickles.
const STEP: Duration = Duration::from_millis(20);
/// How long the upstream may take to accept; a local one answers at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a connection ended.
enum End {
    /// Both sides were done, one of them failed, or the cut was reached.
    Closed,
    /// The behaviour asked for a reset.
    Reset,
}

struct Piece {
    due: Instant,
    bytes: Vec<u8>,
}

/// Carries one connection until it ends.
pub(crate) async fn carry(
    mut client: TcpStream,
    upstream: String,
    mut behaviour: watch::Receiver<Behaviour>,
) {
    let end = match serve(&mut client, &upstream, &mut behaviour).await {
        Ok(end) => end,
        Err(error) => {
            tracing::debug!(%error, "connection failed");
            End::Reset
        }
    };
    if matches!(end, End::Reset)
        && let Err(error) = client.set_zero_linger()
    {
        tracing::debug!(%error, "cannot reset a connection");
    }
}

async fn serve(
    client: &mut TcpStream,
    upstream: &str,
    behaviour: &mut watch::Receiver<Behaviour>,
) -> io::Result<End> {
    client.set_nodelay(true)?;
    if let Some(end) = wait_until_forwarding(behaviour).await {
        return Ok(end);
    }
    let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(upstream));
    let mut server = connecting.await.map_err(|_| io::ErrorKind::TimedOut)??;
    server.set_nodelay(true)?;
    let (client_reads, client_writes) = client.split();
    let (server_reads, server_writes) = server.split();
    let watched = behaviour.clone();
    tokio::select! {
        end = reset_asked(behaviour) => Ok(end),
        // A cut ends both directions; an ordinary end only its own.
        both = async {
            tokio::try_join!(
                pump(client_reads, server_writes, watched.clone(), Direction::ToServer),
                pump(server_reads, client_writes, watched, Direction::ToClient),
            )
        } => both.map(|_| End::Closed).or_else(closed_by_cut),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    ToServer,
    ToClient,
}

async fn pump(
    reads: ReadHalf<'_>,
    writes: WriteHalf<'_>,
    behaviour: watch::Receiver<Behaviour>,
    direction: Direction,
) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel(PIECES);
    tokio::try_join!(
        read_pieces(reads, sender, behaviour.clone()),
        write_pieces(writes, receiver, behaviour, direction),
    )?;
    Ok(())
}

async fn read_pieces(
    mut reads: ReadHalf<'_>,
    pieces: mpsc::Sender<Piece>,
    behaviour: watch::Receiver<Behaviour>,
) -> io::Result<()> {
    let mut last_due = Instant::now();
    loop {
        let mut bytes = vec![0; PIECE_BYTES];
        let length = reads.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        bytes.truncate(length);
        let delay = behaviour.borrow().delay();
        // Jitter never reorders a stream.
        last_due = last_due.max(Instant::now() + delay);
        if pieces
            .send(Piece {
                due: last_due,
                bytes,
            })
            .await
            .is_err()
        {
            return Ok(());
        }
    }
}

async fn write_pieces(
    mut writes: WriteHalf<'_>,
    mut pieces: mpsc::Receiver<Piece>,
    mut behaviour: watch::Receiver<Behaviour>,
    direction: Direction,
) -> io::Result<()> {
    let mut passed = 0;
    while let Some(piece) = pieces.recv().await {
        sleep_until(piece.due).await;
        let mut rest = piece.bytes.as_slice();
        while !rest.is_empty() {
            if wait_until_forwarding(&mut behaviour).await.is_some() {
                return Ok(());
            }
            let now = *behaviour.borrow();
            let allowed = match (direction, now.cut_after_bytes) {
                (Direction::ToClient, Some(cut)) => cut.saturating_sub(passed),
                _ => u64::MAX,
            };
            let step = step_bytes(&now, rest.len());
            let length = step.min(usize::try_from(allowed).unwrap_or(usize::MAX));
            let (part, later) = rest.split_at(length);
            writes.write_all(part).await?;
            passed += part.len() as u64;
            if allowed <= step as u64 {
                writes.shutdown().await?;
                return Err(cut());
            }
            sleep_until(Instant::now() + now.transfer_time(part.len())).await;
            rest = later;
        }
    }
    writes.shutdown().await
}

/// Bytes that may pass in one step at the limited rate.
fn step_bytes(behaviour: &Behaviour, available: usize) -> usize {
    let Some(rate) = behaviour.bytes_per_second else {
        return available;
    };
    let per_step = u128::from(rate.get()) * STEP.as_millis() / 1000;
    usize::try_from(per_step)
        .unwrap_or(usize::MAX)
        .clamp(1, available)
}

/// Waits while connections are silent; says so when they are to be reset.
async fn wait_until_forwarding(behaviour: &mut watch::Receiver<Behaviour>) -> Option<End> {
    let decided = behaviour.wait_for(|now| now.mode != Mode::Silent).await;
    match decided.map(|now| now.mode) {
        Ok(Mode::Forward | Mode::Silent) => None,
        // The proxy is gone: so are its connections.
        Ok(Mode::Reset | Mode::Refuse) | Err(_) => Some(End::Reset),
    }
}

async fn reset_asked(behaviour: &mut watch::Receiver<Behaviour>) -> End {
    let asked = behaviour
        .wait_for(|now| matches!(now.mode, Mode::Reset | Mode::Refuse))
        .await;
    drop(asked);
    End::Reset
}

fn cut() -> io::Error {
    io::Error::other(Cut)
}

fn closed_by_cut(error: io::Error) -> io::Result<End> {
    if error.get_ref().is_some_and(|inner| inner.is::<Cut>()) {
        Ok(End::Closed)
    } else {
        Err(error)
    }
}

/// Marks the end of a connection at its agreed byte.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("cut by the fault proxy")
    }
}

impl std::error::Error for Cut {}
