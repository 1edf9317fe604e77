//! Connections that are lent one call at a time, to whoever waits longest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::StoreError;

/// Some connections of the same kind.
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
    /// As many as there are connections; hands them out in the order of the requests.
    places: Arc<Semaphore>,
}

/// A connection of a pool. Dropping it gives the connection back.
pub(super) struct Lent {
    /// Present until the drop.
    connection: Option<Connection>,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(connections: Vec<Connection>) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(connections.len())),
            idle: Mutex::new(connections),
        })
    }

    /// Waits for a connection.
    pub(super) async fn lend(self: Arc<Self>) -> Result<Lent, StoreError> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let connection = self.idle().pop();
        Ok(Lent {
            connection,
            pool: self,
            _place: place,
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    pub(super) fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        let missing = || StoreError::Unavailable("a connection is missing".to_owned());
        self.connection.as_mut().ok_or_else(missing)
    }
}

impl Drop for Lent {
    /// The connection goes back before its place does, which is a field.
    fn drop(&mut self) {
        self.pool.idle().extend(self.connection.take());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Far longer than handing over a connection takes.
    const DEADLINE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn whichever_connection_is_free_first_goes_to_who_waits() {
        let connections = (0..3).map(|_| Connection::open_in_memory().unwrap());
        let pool = Pool::new(connections.collect());
        let lend = || Arc::clone(&pool).lend();
        let _first = lend().await.unwrap();
        let second = lend().await.unwrap();
        let _third = lend().await.unwrap();
        let waiting = tokio::spawn(lend());
        // The one thread of this runtime takes up the task, which finds nothing.
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(second);
        let mut fourth = timeout(DEADLINE, waiting).await.unwrap().unwrap().unwrap();
        assert!(fourth.connection().unwrap().is_autocommit());
    }

    #[tokio::test]
    async fn a_panic_gives_the_connection_back() {
        let pool = Pool::new(vec![Connection::open_in_memory().unwrap()]);
        let mut lent = Arc::clone(&pool).lend().await.unwrap();
        let work = tokio::task::spawn_blocking(move || {
            let transaction = lent.connection().unwrap().transaction().unwrap();
            assert!(transaction.is_autocommit(), "it is not");
        });
        assert!(work.await.unwrap_err().is_panic());
        let again = timeout(DEADLINE, Arc::clone(&pool).lend()).await.unwrap();
        assert!(again.unwrap().connection().unwrap().is_autocommit());
    }
}
