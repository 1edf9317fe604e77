//! The timer of the wait for a request's head.
//!
//! hyper asks for a timer before each head and drops it when the head is there, which under load is
//! at once. Here what is registered with the runtime outlives the waits of a connection, and is only
//! set anew when it fires too early, which happens once in the longest time of a wait.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};

/// What the runtime knows of.
type Registered = Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>;

/// The timer of one connection, all of whose waits take equally long at most.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadTimer(Registered);

struct HeadWait {
    deadline: tokio::time::Instant,
    registered: Registered,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadWait {
            deadline: deadline.into(),
            registered: Arc::clone(&self.0),
        })
    }
}

impl Future for HeadWait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let sleep =
            registered.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline)));
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(self.deadline);
        }
    }
}

impl Sleep for HeadWait {}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn each_wait_ends_at_its_own_deadline() {
        let timer = HeadTimer::default();
        let mut dropped = timer.sleep(WAIT);
        assert!(futures_util::poll!(dropped.as_mut()).is_pending());
        drop(dropped);
        let begun = Instant::now();
        timer.sleep(WAIT).await;
        timer.sleep(WAIT).await;
        assert!(begun.elapsed() >= 2 * WAIT, "{:?}", begun.elapsed());
    }
}
