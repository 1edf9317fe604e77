//! A machine with room for so many answers at once: the fuller it is, the slower
//! they all are; when it is full, callers wait in a queue, and when that is full
//! too, they are refused.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// More answers than a simulator lets in at all would never be reached.
const MAX_SLOTS: u32 = 4096;
/// The slow-down of a machine that no longer answers.
const MAX_SLOWDOWN: f64 = 100.0;

/// How a machine behaves under load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Answers at once: 1 to 4,096.
    pub slots: u32,
    /// Callers that wait for a slot: 0 to 4,096.
    pub queue: u32,
    /// How many times longer the gaps between tokens are when every slot is
    /// taken, 1 to 100; in between it grows evenly.
    pub slowdown: f64,
}

/// The slots of one machine.
#[derive(Debug)]
pub(crate) struct Slots {
    load: Load,
    free: Arc<Semaphore>,
    waiting: AtomicU32,
}

/// A slot that is taken; free again on drop.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    _permit: OwnedSemaphorePermit,
}

/// A place in the queue; left on drop.
struct Waiting<'a>(&'a AtomicU32);

impl Load {
    /// Says what is wrong.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=MAX_SLOTS).contains(&self.slots) || self.queue > MAX_SLOTS {
            return Err(format!(
                "needs 1 to {MAX_SLOTS} slots and a queue of at most {MAX_SLOTS}"
            ));
        }
        if !(1.0..=MAX_SLOWDOWN).contains(&self.slowdown) {
            return Err(format!("needs a slowdown between 1 and {MAX_SLOWDOWN}"));
        }
        Ok(())
    }
}

impl Slots {
    pub(crate) fn new(load: Load) -> Self {
        Self {
            load,
            free: Arc::new(Semaphore::new(load.slots as usize)),
            waiting: AtomicU32::new(0),
        }
    }

    /// A slot, in the order in which callers came; `None` when the queue is full.
    pub(crate) async fn enter(self: &Arc<Self>) -> Option<Slot> {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = self.wait()?;
                Arc::clone(&self.free).acquire_owned().await.ok()?
            }
        };
        Some(Slot {
            slots: Arc::clone(self),
            _permit: permit,
        })
    }

    fn wait(&self) -> Option<Waiting<'_>> {
        let place = Waiting(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        (before < self.load.queue).then_some(place)
    }

    fn running(&self) -> u32 {
        let free = u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX);
        self.load.slots.saturating_sub(free)
    }
}

impl Slot {
    /// How many times longer gaps are now than on an idle machine.
    pub(crate) fn slowdown(&self) -> f64 {
        let others = self.slots.running().saturating_sub(1);
        let most = self.slots.load.slots.saturating_sub(1).max(1);
        1.0 + (self.slots.load.slowdown - 1.0) * f64::from(others) / f64::from(most)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::{Load, Slots};

    const LOAD: Load = Load {
        slots: 3,
        queue: 1,
        slowdown: 2.0,
    };

    #[test]
    fn a_full_machine_is_slow_lets_wait_and_then_refuses() {
        let slots = Arc::new(Slots::new(LOAD));
        let enter = || slots.enter().now_or_never().unwrap().unwrap();
        let first = enter();
        assert!((first.slowdown() - 1.0).abs() < 1e-9);
        let second = enter();
        assert!((first.slowdown() - 1.5).abs() < 1e-9);
        let _third = enter();
        assert!((first.slowdown() - 2.0).abs() < 1e-9);

        let mut waiting = Box::pin(slots.enter());
        assert!(waiting.as_mut().now_or_never().is_none(), "did not wait");
        assert!(
            slots.enter().now_or_never().unwrap().is_none(),
            "was let in"
        );
        drop(second);
        assert!(waiting.now_or_never().unwrap().is_some());
    }

    #[test]
    fn who_leaves_the_queue_leaves_its_place() {
        let slots = Arc::new(Slots::new(LOAD));
        let _held: Vec<_> = (0..3)
            .map(|_| slots.enter().now_or_never().unwrap())
            .collect();
        for _ in 0..5 {
            assert!(slots.enter().now_or_never().is_none(), "did not wait");
        }
    }

    #[test]
    fn impossible_machines_are_refused() {
        assert!(LOAD.check().is_ok());
        for wrong in [
            Load { slots: 0, ..LOAD },
            Load {
                queue: 4097,
                ..LOAD
            },
            Load {
                slowdown: 0.9,
                ..LOAD
            },
            Load {
                slowdown: f64::NAN,
                ..LOAD
            },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
