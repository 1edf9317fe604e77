//! Calls that go on when their caller's time is over.
//!
//! The driver serves those who wait for a connection one after the other, also those who have long
//! left: dropped calls to a server that hangs keep later ones from it for as long again. So a call
//! that has begun keeps its place until it ends; see the store of the books.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::timeout};

use super::{LedgerError, MAX_CONNECTIONS};

/// How long a call may go on after its caller's time: longer than the driver takes to see that a
/// server hangs (a heartbeat of 10 s and its limit of 1 s), which ends all calls of it.
const LONGEST_REST: Duration = Duration::from_secs(15);

/// As many as connections.
#[derive(Clone)]
pub(super) struct Places {
    reads: Arc<Semaphore>,
    /// One: whoever reads the ledger keeps no row out of it.
    writes: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            reads: Arc::new(Semaphore::new(MAX_CONNECTIONS as usize - 1)),
            writes: Arc::new(Semaphore::new(1)),
        }
    }

    /// What the call gives, if it does within its time.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        carry(&self.reads, limit, call).await
    }

    /// The same of a call that changes something, which it may do later than its caller waits.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        carry(&self.writes, limit, call).await
    }
}

async fn carry<T: Send + 'static>(
    places: &Arc<Semaphore>,
    limit: Duration,
    call: impl Future<Output = T> + Send + 'static,
) -> Result<T, LedgerError> {
    let carried = async {
        let place = Arc::clone(places).acquire_owned().await;
        let bounded = async move {
            let ended = timeout(limit + LONGEST_REST, call).await;
            drop(place);
            ended
        };
        tokio::spawn(bounded).await
    };
    match timeout(limit, carried).await {
        Ok(Ok(Ok(given))) => Ok(given),
        Ok(Err(broken)) => Err(LedgerError::Server(broken.to_string())),
        Ok(Ok(Err(_))) | Err(_) => Err(LedgerError::Late),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::Notify;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn a_call_keeps_its_place_until_it_ends() {
        let places = Places::new();
        let (answer, ended) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let call = {
            let (answer, ended) = (Arc::clone(&answer), Arc::clone(&ended));
            async move {
                answer.notified().await;
                ended.store(true, Ordering::SeqCst);
            }
        };
        let late = places.write(LIMIT, call).await;
        assert!(matches!(late, Err(LedgerError::Late)), "{late:?}");
        let next = places.write(LIMIT, async { 7 }).await;
        assert!(matches!(next, Err(LedgerError::Late)), "{next:?}");
        let read = places.read(LIMIT, async { 7 }).await;
        assert!(matches!(read, Ok(7)), "{read:?}");
        answer.notify_one();
        let next = places.write(LIMIT, async { 7 }).await;
        assert!(matches!(next, Ok(7)), "{next:?}");
        assert!(ended.load(Ordering::SeqCst), "it was carried to its end");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_ends_gives_its_place_back() {
        let places = Places::new();
        let never = places.write(LIMIT, std::future::pending::<()>()).await;
        assert!(matches!(never, Err(LedgerError::Late)), "{never:?}");
        tokio::time::advance(LONGEST_REST).await;
        let next = places.write(LIMIT, async { 7 }).await;
        assert!(matches!(next, Ok(7)), "{next:?}");
    }
}
