//! Commands that are never dropped half-way.
//!
//! The driver has a queue for those who wait for a connection. Whoever leaves it stays in it, and
//! for each event in the pool the driver looks at one place of the queue only. So after a server
//! hung for some seconds under load, the driver served those who had long left, about as many as
//! came anew, and calls failed for up to half a minute more. A command that is dropped after it was
//! sent is no better: its connection is closed, and the server goes on with work that nobody
//! counts. So a command goes on when its caller's time is over and keeps its place meanwhile; there
//! are as many places as connections, so nobody waits in the driver's queue for long.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{StorageError, calls::Turn};

/// How long a command may go on after its caller's time: longer than the driver takes to see that a
/// server hangs (a heartbeat of 10 s and its limit of 1 s), which ends all commands of it.
const LONGEST_REST: Duration = Duration::from_secs(15);

/// Carries a command to its end, whether its caller waits for that or not.
///
/// # Errors
/// Its own.
pub(super) async fn to_its_end<T: Send + 'static>(
    turn: Turn,
    deadline: Instant,
    command: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    let bounded = async move {
        let ended = timeout_at(deadline + LONGEST_REST, command).await;
        drop(turn);
        ended.unwrap_or(Err(StorageError::Timeout { write: false }))
    };
    let ended = tokio::spawn(bounded).await;
    ended.unwrap_or_else(|failure| Err(StorageError::Unavailable(failure.to_string())))
}
