//! One upstream call for all who ask the same at the same time.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use instrumentation::request::scope_current;
use tokio::sync::watch;
use tracing::Instrument as _;

/// Calls that others can join. Beyond that each caller makes its own.
const MAX_FLIGHTS: usize = 4_096;

type UnderWay<K, V> = HashMap<K, Arc<watch::Sender<Option<V>>>>;

/// Calls under way, by what they ask for.
pub(super) struct Flights<K, V> {
    under_way: Arc<Mutex<UnderWay<K, V>>>,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Landed<V> {
    /// Of a call that began after it was asked for.
    Own(V),
    /// Of a call that was under way before.
    Joined(V),
    /// The call broke off without a result, which only a defect can cause.
    Lost,
}

/// Takes the call off the list when it ends, however it ends.
struct Listed<K: Eq + Hash, V> {
    key: K,
    sender: Arc<watch::Sender<Option<V>>>,
    under_way: Arc<Mutex<UnderWay<K, V>>>,
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self {
            under_way: Arc::default(),
        }
    }

    /// Joins the call for `key`, or makes it.
    ///
    /// The call runs in a task of its own: it goes on when the caller that began it leaves.
    pub(super) async fn run<F>(&self, key: K, call: impl FnOnce() -> F) -> Landed<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let sender = match self.join_or_list(&key) {
            Ok(joined) => return wait(joined).await.map_or(Landed::Lost, Landed::Joined),
            Err(sender) => sender,
        };
        let own = sender.subscribe();
        let listed = Listed {
            key,
            sender,
            under_way: Arc::clone(&self.under_way),
        };
        let call = call();
        let flight = async move {
            let value = call.await;
            let sender = Arc::clone(&listed.sender);
            // Off the list first: whoever comes now begins anew.
            drop(listed);
            sender.send_replace(Some(value));
        };
        tokio::spawn(scope_current(flight).in_current_span());
        wait(own).await.map_or(Landed::Lost, Landed::Own)
    }

    /// The call that is under way; else the sender of a new one, listed if there is room.
    fn join_or_list(
        &self,
        key: &K,
    ) -> Result<watch::Receiver<Option<V>>, Arc<watch::Sender<Option<V>>>> {
        let mut under_way = lock(&self.under_way);
        if let Some(sender) = under_way.get(key) {
            return Ok(sender.subscribe());
        }
        let sender = Arc::new(watch::Sender::new(None));
        if under_way.len() < MAX_FLIGHTS {
            under_way.insert(key.clone(), Arc::clone(&sender));
        }
        Err(sender)
    }
}

#[cfg(test)]
impl<K: Eq + Hash, V> Flights<K, V> {
    /// How many wait for this call.
    pub(super) fn waiting(&self, key: &K) -> usize {
        lock(&self.under_way)
            .get(key)
            .map_or(0, |sender| sender.receiver_count())
    }
}

impl<K: Eq + Hash, V> Drop for Listed<K, V> {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        // A call beyond the bound is not on the list, another one for the same key may be.
        if under_way
            .get(&self.key)
            .is_some_and(|listed| Arc::ptr_eq(listed, &self.sender))
        {
            under_way.remove(&self.key);
        }
    }
}

async fn wait<V: Clone>(mut result: watch::Receiver<Option<V>>) -> Option<V> {
    result.wait_for(Option::is_some).await.ok()?.clone()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// A call that is counted and waits at the gate.
    async fn held(calls: Arc<AtomicU32>, gate: Arc<Semaphore>) -> u32 {
        calls.fetch_add(1, Ordering::SeqCst);
        gate.acquire().await.unwrap().forget();
        7
    }

    #[tokio::test]
    async fn many_callers_share_one_call() {
        let flights = Arc::new(Flights::new());
        let (calls, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let ask = || {
            let (flights, calls, gate) = (flights.clone(), calls.clone(), gate.clone());
            async move { flights.run("key", || held(calls, gate)).await }
        };
        let callers: Vec<_> = (0..50).map(|_| tokio::spawn(ask())).collect();
        while gate.available_permits() == 0 && calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(1);
        let mut own = 0;
        for caller in callers {
            match caller.await.unwrap() {
                Landed::Own(7) => own += 1,
                other => assert_eq!(other, Landed::Joined(7)),
            }
        }
        assert_eq!((calls.load(Ordering::SeqCst), own), (1, 1));
    }

    #[tokio::test]
    async fn the_call_goes_on_without_the_caller_that_began_it() {
        let flights = Arc::new(Flights::new());
        let gate = Arc::new(Semaphore::new(0));
        let begin = {
            let (flights, gate) = (flights.clone(), gate.clone());
            async move { flights.run("key", || held(Arc::default(), gate)).await }
        };
        let first = tokio::spawn(begin);
        while lock(&flights.under_way).is_empty() {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        gate.add_permits(1);
        let second = flights
            .run("key", || async { panic!("a second call") })
            .await;
        assert_eq!(second, Landed::Joined(7));
    }

    #[tokio::test]
    async fn a_broken_call_leaves_nobody_waiting() {
        let flights: Flights<&str, u32> = Flights::new();
        assert_eq!(
            flights.run("key", || async { panic!("a defect") }).await,
            Landed::Lost
        );
        assert_eq!(flights.run("key", || async { 2 }).await, Landed::Own(2));
    }
}
