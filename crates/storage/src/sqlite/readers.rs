//! The connections that read.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, InterruptHandle};
use tokio::task;

use crate::{StorageError, calls::Turn};

/// Idle connections. The places of the store's calls are as many, so one is always idle for a call
/// whose turn it is.
pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
}

/// A connection that goes back when its call is over, also when the call panicked.
struct Lent {
    connection: Option<Connection>,
    readers: Arc<Readers>,
}

/// Ends the query when nobody waits for it any more.
struct Watch(Arc<Mutex<Option<InterruptHandle>>>);

impl Readers {
    pub(super) fn new(idle: Vec<Connection>) -> Self {
        Self {
            idle: Mutex::new(idle),
        }
    }

    /// Runs `query` beside the asynchronous tasks; it is interrupted when this future is dropped.
    pub(super) async fn run<T, Q>(self: Arc<Self>, turn: Turn, query: Q) -> Result<T, StorageError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    {
        let running = Arc::new(Mutex::new(None));
        let watch = Watch(Arc::clone(&running));
        let work = move || {
            let _turn = turn;
            let lent = Lent::from(&self)?;
            let connection = lent.connection.as_ref().ok_or_else(none_idle)?;
            *lock(&running) = Some(connection.get_interrupt_handle());
            let result = query(connection);
            // From here on an interruption would hit the connection's next query.
            *lock(&running) = None;
            result
        };
        let result = task::spawn_blocking(work).await;
        drop(watch);
        result.unwrap_or_else(|failure| Err(StorageError::Corrupt(failure.to_string())))
    }
}

impl Lent {
    fn from(readers: &Arc<Readers>) -> Result<Self, StorageError> {
        let connection = Some(lock(&readers.idle).pop().ok_or_else(none_idle)?);
        Ok(Self {
            connection,
            readers: Arc::clone(readers),
        })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            lock(&self.readers.idle).push(connection);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The lock is held meanwhile, so that the query cannot end and another one begin.
        if let Some(running) = lock(&self.0).as_ref() {
            running.interrupt();
        }
    }
}

fn none_idle() -> StorageError {
    StorageError::Unavailable("no connection is idle".into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
