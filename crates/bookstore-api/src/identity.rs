//! Makes identifiers that sort by age within a process and never meet between processes.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Seconds, five random bytes of the process, a counter: the layout of a `MongoDB` `ObjectId`
/// (<https://www.mongodb.com/docs/manual/reference/bson-types/#objectid>), so that identifiers
/// of both stores and of old clients look alike.
pub(crate) struct Identities {
    process: [u8; 5],
    counter: AtomicU32,
}

impl Identities {
    pub(crate) fn new() -> Self {
        let mut random = fastrand::Rng::new();
        let mut process = [0; 5];
        random.fill(&mut process);
        Self {
            process,
            counter: AtomicU32::new(random.u32(0..1 << 24)),
        }
    }

    /// Twelve bytes that no other call returns.
    pub(crate) fn next(&self) -> [u8; 12] {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 12];
        // The lowest 32 bits of the seconds, as the layout has them, and 24 of the counter.
        bytes[..4].copy_from_slice(&seconds.to_be_bytes()[4..]);
        bytes[4..9].copy_from_slice(&self.process);
        bytes[9..].copy_from_slice(&count.to_be_bytes()[1..]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_differ() {
        let identities = Identities::new();
        let made: HashSet<_> = (0..10_000).map(|_| identities.next()).collect();
        assert_eq!(made.len(), 10_000);
    }
}
