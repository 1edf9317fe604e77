//! How many calls a store has at once, and how long others wait.

use std::sync::Arc;

use instrumentation::catalogue::{
    DB_CLIENT_CONNECTION_COUNT, DB_CLIENT_CONNECTION_PENDING_REQUESTS,
    DB_CLIENT_CONNECTION_WAIT_TIME,
};
use metrics::{Gauge, Histogram};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::limit::{Change, Limit};
use crate::StorageError;

/// Places for calls to one store, shared by its collections.
#[derive(Clone)]
pub(crate) struct Places {
    pub(super) system: &'static str,
    turns: Arc<Semaphore>,
    waiting: Gauge,
    wait_time: Histogram,
    /// `None` for a queue, whose places are no connections.
    connections: Option<Connections>,
}

/// How many connections are at work, and how many are not.
#[derive(Clone)]
struct Connections {
    used: Gauge,
    idle: Gauge,
    limit: Arc<Limit>,
}

/// A call that waits for its place until this is dropped, also when its caller leaves.
struct Waiting<'a> {
    places: &'a Places,
    asked: Instant,
}

impl Places {
    /// At most `count` connections to `system`, each for one call at a time; fewer after calls
    /// that outlasted their time.
    pub(crate) fn connections(system: &'static str, count: u32) -> Self {
        let gauge = |state| {
            DB_CLIENT_CONNECTION_COUNT.gauge(&[("db.system.name", system), ("state", state)])
        };
        let (used, idle) = (gauge("used"), gauge("idle"));
        used.increment(0.0);
        idle.increment(f64::from(count));
        let limit = Arc::new(Limit::new(count));
        Self {
            connections: Some(Connections { used, idle, limit }),
            ..Self::queue(system, usize::try_from(count).unwrap_or(usize::MAX))
        }
    }

    /// A queue of `length` calls to `system`, which serves them as it can.
    pub(crate) fn queue(system: &'static str, length: usize) -> Self {
        let labels = [("db.system.name", system)];
        Self {
            system,
            turns: Arc::new(Semaphore::new(length)),
            waiting: DB_CLIENT_CONNECTION_PENDING_REQUESTS.gauge(&labels),
            wait_time: DB_CLIENT_CONNECTION_WAIT_TIME.histogram(&labels),
            connections: None,
        }
    }

    /// Waits until then for a place of a call that has time until `deadline`.
    pub(crate) async fn turn(
        &self,
        until: Instant,
        deadline: Instant,
    ) -> Result<Turn, StorageError> {
        let turn = |permit| Turn::new(permit, deadline, self.connections.clone());
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn(permit));
        }
        let waiting = Waiting::new(self);
        let permit = timeout_at(until, Arc::clone(&self.turns).acquire_owned()).await;
        drop(waiting);
        match permit {
            Ok(Ok(permit)) => Ok(turn(permit)),
            Ok(Err(_)) => Err(StorageError::Unavailable("the store is shut down".into())),
            Err(_) => Err(StorageError::Overloaded),
        }
    }
}

impl<'a> Waiting<'a> {
    fn new(places: &'a Places) -> Self {
        places.waiting.increment(1.0);
        Self {
            places,
            asked: Instant::now(),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.places.waiting.decrement(1.0);
        self.places.wait_time.record(self.asked.elapsed());
    }
}

/// A place that is taken until this is dropped.
pub(crate) struct Turn {
    /// Always there until then.
    permit: Option<OwnedSemaphorePermit>,
    deadline: Instant,
    connections: Option<Connections>,
}

impl Turn {
    fn new(
        permit: OwnedSemaphorePermit,
        deadline: Instant,
        connections: Option<Connections>,
    ) -> Self {
        if let Some(connections) = &connections {
            connections.idle.decrement(1.0);
            connections.used.increment(1.0);
        }
        Self {
            permit: Some(permit),
            deadline,
            connections,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (Some(connections), Some(permit)) = (&self.connections, self.permit.take()) else {
            return;
        };
        connections.used.decrement(1.0);
        match connections.limit.note(Instant::now() <= self.deadline) {
            Change::Less => permit.forget(),
            Change::Same => connections.idle.increment(1.0),
            Change::More => {
                permit.semaphore().add_permits(1);
                connections.idle.increment(2.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::time::timeout;

    use super::*;

    const PATIENT: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn places_are_counted_until_they_are_given_back() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let text = recorder.handle();
        let connections = || Places::connections("x", 1);
        let places = metrics::with_local_recorder(&recorder, connections);
        let are = |pending: u8, used: u8, idle: u8| {
            let text = text.render();
            for (series, value) in [
                ("pending_requests{db_system_name=\"x\"}", pending),
                ("count{db_system_name=\"x\",state=\"used\"}", used),
                ("count{db_system_name=\"x\",state=\"idle\"}", idle),
            ] {
                let line = format!("db_client_connection_{series} {value}\n");
                assert!(text.contains(&line), "{line}{text}");
            }
        };
        let soon = Instant::now() + PATIENT;
        let turn = places.turn(soon, soon).await.unwrap();
        let mut waiting = Box::pin(places.turn(soon, soon));
        assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
        are(1, 1, 0);
        drop(waiting);
        are(0, 1, 0);
        drop(turn);
        are(0, 0, 1);
    }

    #[tokio::test]
    async fn places_in_a_queue_are_no_connections() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let queue = || Places::queue("x", 10);
        let places = metrics::with_local_recorder(&recorder, queue);
        let now = Instant::now();
        let turn = places.turn(now, now).await.unwrap();
        let text = recorder.handle().render();
        assert!(!text.contains("db_client_connection_count"), "{text}");
        drop(turn);
    }

    /// Takes places until there are none, at most ten.
    async fn take_all(places: &Places, deadline: Instant) -> Vec<Turn> {
        let mut taken = Vec::new();
        while let Ok(turn) = places.turn(Instant::now(), deadline).await {
            taken.push(turn);
            assert!(taken.len() <= 10);
        }
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn late_calls_take_places_along_and_answers_bring_them_back() {
        let places = Places::connections("x", 8);
        let free = async || take_all(&places, Instant::now()).await.len();
        assert_eq!(free().await, 8);
        let late = take_all(&places, Instant::now() + PATIENT).await;
        tokio::time::advance(2 * PATIENT).await;
        drop(late);
        // Each place that is tried here is an answer too: six of the sixteen at first.
        assert_eq!(free().await, 6, "a few always stay");
        for (answers, wanted) in [(3, 6), (1, 7), (16, 8), (100, 8)] {
            for _ in 0..answers {
                let now = Instant::now();
                drop(places.turn(now, now).await.unwrap());
            }
            assert_eq!(free().await, wanted, "after {answers} more");
        }
    }
}
