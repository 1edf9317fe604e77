//! The races that the protocol is there for, each forced by a gate in the store.

mod rig;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{Book, BookId, Version};

use self::rig::{Process, Rig, book};
use super::{Key, Level, RedisState, budget, level1};
use crate::{StorageError, Store as _};

/// What a process finds that has read nothing yet, once the others have told Redis, or raised the
/// epoch.
async fn seen_by(witness: &Process, (rig, others): (&Rig, &[&Process]), id: BookId) -> Option<u64> {
    for process in others.iter().chain([&witness]) {
        process.uses_redis().await;
    }
    rig.read(witness, id).await.unwrap()
}

#[tokio::test]
async fn a_late_fill_does_not_bring_back_the_old_version() {
    let rig = Rig::start().await;
    let [one, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    one.store.hold_read.store(true, Ordering::SeqCst);
    let late = rig.read(&one, first.id);
    one.store.someone_waits().await;
    rig.replace(&one, &first).await.unwrap();
    one.store.open_gate();
    // It began before the write was acknowledged: either version is right for it.
    late.await.unwrap();
    assert_eq!(rig.read(&one, first.id).await.unwrap(), Some(2));
    assert_eq!(seen_by(&witness, (&rig, &[&one]), first.id).await, Some(2));
}

#[tokio::test]
async fn a_late_fill_of_another_process_is_refused_by_redis() {
    let rig = Rig::start().await;
    let [one, two, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    let late = rig.claim_to_fill(&two, &first);
    rig.replace(&one, &first).await.unwrap();
    late.fill().await;
    assert_eq!(
        seen_by(&witness, (&rig, &[&one, &two]), first.id).await,
        Some(2)
    );
}

#[tokio::test]
async fn who_joins_an_older_read_still_sees_the_acknowledged_write() {
    let rig = Rig::start().await;
    let one = rig.process().await;
    let first = rig.insert(&one).await;
    one.store.hold_read.store(true, Ordering::SeqCst);
    let late = rig.read(&one, first.id);
    one.store.someone_waits().await;
    // The write ends while Redis holds only its mark, so that the next reader goes to the store.
    let second = Book {
        version: first.version.next(),
        ..first.clone()
    };
    let key = Key::<Book>::new(&rig.tenant, first.id);
    one.books.inner.announce(&key, second.version).await;
    one.store
        .replace(&rig.tenant, &second, first.version)
        .await
        .unwrap();
    let joined = rig.read(&one, first.id);
    while one.store.reads.load(Ordering::SeqCst) < 1 || one.books.inner.flights.waiting(&key) < 2 {
        tokio::task::yield_now().await;
    }
    one.store.open_gate();
    assert_eq!(late.await.unwrap(), Some(1));
    assert_eq!(joined.await.unwrap(), Some(2));
}

#[tokio::test]
async fn a_deleted_book_stays_deleted() {
    let rig = Rig::start().await;
    let [one, two, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    let mut late = Vec::new();
    for process in [&one, &two] {
        process.store.hold_read.store(true, Ordering::SeqCst);
        late.push(rig.read(process, first.id));
        process.store.someone_waits().await;
    }
    one.books
        .delete(&rig.tenant, &first.id, None)
        .await
        .unwrap();
    for (process, late) in [&one, &two].into_iter().zip(late) {
        process.store.open_gate();
        late.await.unwrap();
    }
    assert_eq!(rig.read(&one, first.id).await.unwrap(), None);
    assert_eq!(
        seen_by(&witness, (&rig, &[&one, &two]), first.id).await,
        None
    );
}

#[tokio::test]
async fn a_remembered_absence_ends_with_the_creation() {
    let rig = Rig::start().await;
    let one = rig.process().await;
    let book = book();
    one.store.hold_read.store(true, Ordering::SeqCst);
    let late = rig.read(&one, book.id);
    one.store.someone_waits().await;
    one.books.insert(&rig.tenant, &book).await.unwrap();
    one.store.open_gate();
    assert_eq!(late.await.unwrap(), None);
    assert_eq!(rig.read(&one, book.id).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_write_that_redis_missed_raises_the_epoch() {
    let rig = Rig::start().await;
    let [one, two, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    lies_in_redis(&rig, &one, first.id).await;
    let before = rig.raw(&["GET", "v1:epoch"]).await;
    rig.redis.freeze().unwrap();
    rig.replace(&one, &first).await.unwrap();
    assert_eq!(one.connection.state(), RedisState::Unavailable);
    assert_eq!(rig.read(&one, first.id).await.unwrap(), Some(2));
    rig.redis.thaw().unwrap();
    // Once the writer's process is back, nobody reads version 1 any more.
    one.uses_redis().await;
    assert_ne!(rig.raw(&["GET", "v1:epoch"]).await, before);
    two.connection.maintain_once().await;
    assert_eq!(rig.read(&two, first.id).await.unwrap(), Some(2));
    assert_eq!(
        seen_by(&witness, (&rig, &[&one, &two]), first.id).await,
        Some(2)
    );
}

#[tokio::test]
async fn a_process_that_starts_believes_nothing_from_before() {
    let rig = Rig::start().await;
    let one = rig.process().await;
    let first = rig.insert(&one).await;
    lies_in_redis(&rig, &one, first.id).await;
    // Redis is out of reach, and the only process that knows what it missed ends.
    one.books.inner.level2.distrust();
    rig.replace(&one, &first).await.unwrap();
    drop(one);
    let next = rig.process().await;
    assert_eq!(rig.read(&next, first.id).await.unwrap(), Some(2));
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "it is the time itself that must pass"
)]
async fn a_slow_store_does_not_cost_the_cache() {
    let rig = Rig::start().await;
    let [one, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    let before = rig.raw(&["GET", "v1:epoch"]).await;
    one.store.hold_change.store(true, Ordering::SeqCst);
    let write = rig.replace(&one, &first);
    one.store.someone_waits().await;
    // The store takes longer than anything may wait for Redis; that is no fault of Redis.
    tokio::time::sleep(budget::TOTAL).await;
    one.store.open_gate();
    write.await.unwrap();
    assert_eq!(one.connection.state(), RedisState::Healthy);
    assert_eq!(rig.raw(&["GET", "v1:epoch"]).await, before);
    let found = witness.books.get(&rig.tenant, &first.id).await.unwrap();
    let found = found.map(|found| (found.version.get(), found.level));
    assert_eq!(found, Some((2, Level::L2)));
}

#[tokio::test]
async fn a_deletion_is_told_in_the_epoch_that_others_raised() {
    let rig = Rig::start().await;
    let [one, two, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    one.store.hold_change.store(true, Ordering::SeqCst);
    let (books, tenant, id) = (one.books.clone(), rig.tenant.clone(), first.id);
    let deletion = tokio::spawn(async move { books.delete(&tenant, &id, None).await });
    one.store.someone_waits().await;
    two.books.inner.level2.distrust();
    two.uses_redis().await;
    // Read before the deletion, under the new epoch, in which nothing is marked.
    let late = rig.claim_to_fill(&two, &first);
    one.store.open_gate();
    deletion.await.unwrap().unwrap();
    late.fill().await;
    assert_eq!(
        seen_by(&witness, (&rig, &[&one, &two]), first.id).await,
        None
    );
}

#[tokio::test]
async fn a_value_that_redis_missed_raises_the_epoch_too() {
    let rig = Rig::start().await;
    let [one, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    one.store.hold_change.store(true, Ordering::SeqCst);
    let write = rig.replace(&one, &first);
    // The mark is in Redis; before the value can follow, Redis stops answering.
    one.store.someone_waits().await;
    rig.redis.freeze().unwrap();
    one.store.open_gate();
    write.await.unwrap();
    assert_eq!(one.connection.state(), RedisState::Unavailable);
    assert_eq!(rig.read(&one, first.id).await.unwrap(), Some(2));
    rig.redis.thaw().unwrap();
    assert_eq!(seen_by(&witness, (&rig, &[&one]), first.id).await, Some(2));
}

#[tokio::test]
async fn a_fill_from_before_the_epoch_was_raised_is_refused() {
    let rig = Rig::start().await;
    let [one, two, witness] = rig.processes().await;
    let first = rig.insert(&one).await;
    let late = rig.claim_to_fill(&two, &first);
    // The writer cannot reach Redis, which has neither its mark nor its value; then it can.
    one.books.inner.level2.distrust();
    rig.replace(&one, &first).await.unwrap();
    one.uses_redis().await;
    two.connection.maintain_once().await;
    late.fill().await;
    assert_eq!(
        seen_by(&witness, (&rig, &[&one, &two]), first.id).await,
        Some(2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_never_go_back_behind_an_acknowledged_write() {
    const WRITES: usize = 60;
    let mut rig = Rig::start().await;
    // Every read goes to Redis or the store.
    rig.limits.level1_ttl = Duration::ZERO;
    let rig = Arc::new(rig);
    let [one, two, witness] = rig.processes().await;
    let processes = Arc::new([one, two]);
    let first = rig.insert(&processes[0]).await;
    let acknowledged = Arc::new([AtomicU64::new(1), AtomicU64::new(1)]);
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..8)
        .map(|number: usize| {
            let (rig, processes) = (Arc::clone(&rig), Arc::clone(&processes));
            let (acknowledged, over) = (Arc::clone(&acknowledged), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    let least = acknowledged[number % 2].load(Ordering::SeqCst);
                    let seen = rig
                        .read(&processes[number % 2], first.id)
                        .await
                        .unwrap()
                        .unwrap();
                    assert!(
                        seen >= least,
                        "version {seen} after {least} was acknowledged"
                    );
                }
            })
        })
        .collect();
    let maintenance = tokio::spawn(maintained(Arc::clone(&processes), Arc::clone(&over)));
    let mut last = first;
    for number in 0..WRITES {
        last = rig.replace(&processes[number % 2], &last).await.unwrap();
        acknowledged[number % 2].store(last.version.get(), Ordering::SeqCst);
    }
    over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    maintenance.await.unwrap();
    assert_eq!(
        seen_by(&witness, (&rig, &[&processes[0], &processes[1]]), last.id).await,
        Some(last.version.get())
    );
}

/// What the background task of a real process does, at a quicker pace.
async fn maintained(processes: Arc<[Process; 2]>, over: Arc<AtomicBool>) {
    let mut round = tokio::time::interval(Duration::from_millis(20));
    while !over.load(Ordering::SeqCst) {
        round.tick().await;
        for process in processes.iter() {
            process.connection.maintain_once().await;
        }
    }
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    const EACH: usize = 20;
    let rig = Rig::start().await;
    let [one, two] = rig.processes().await;
    let first = rig.insert(&one).await;
    let changes: Vec<_> = (0..2 * EACH)
        .map(|number| {
            let process = if number % 2 == 0 { &one } else { &two };
            let (books, tenant, id) = (process.books.clone(), rig.tenant.clone(), first.id);
            let next = |book: &Book| {
                Ok(Book {
                    version: book.version.next(),
                    ..book.clone()
                })
            };
            tokio::spawn(async move { books.change(&tenant, &id, next).await })
        })
        .collect();
    let mut versions = Vec::new();
    for change in changes {
        versions.push(change.await.unwrap().unwrap().version.get());
    }
    versions.sort_unstable();
    assert!(versions.into_iter().eq(2..=2 * EACH as u64 + 1));
}

#[tokio::test]
async fn one_process_fetches_for_all() {
    let rig = Rig::start().await;
    let [one, two] = rig.processes().await;
    let first = rig.insert(&one).await;
    let readers: Vec<_> = (0..100)
        .map(|n| rig.read(if n % 2 == 0 { &one } else { &two }, first.id))
        .collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), Some(1));
    }
    let fetched = one.store.reads.load(Ordering::SeqCst) + two.store.reads.load(Ordering::SeqCst);
    assert!(
        (1..=2).contains(&fetched),
        "{fetched} reads by two processes"
    );
}

#[tokio::test]
async fn the_first_level_stands_in_while_the_store_is_down() {
    let mut rig = Rig::start().await;
    rig.limits.level1_ttl = Duration::ZERO;
    rig.limits.level2_ttl = Duration::from_millis(1);
    let one = rig.process().await;
    let first = rig.insert(&one).await;
    rig.read(&one, first.id).await.unwrap();
    let key = Key::<Book>::new(&rig.tenant, first.id);
    let stale = match one.books.inner.level1.look_up(&key) {
        level1::Found::Stale(body) => body,
        _ => panic!("the entry should be past its time"),
    };
    let outage = Err(StorageError::Timeout { write: false });
    let served = one
        .books
        .inner
        .instead(outage, Some(Arc::clone(&stale)))
        .unwrap()
        .unwrap();
    assert_eq!(
        (served.version, served.level),
        (Version::FIRST, Level::Stale)
    );
    let refused = one
        .books
        .inner
        .instead(Err(StorageError::Corrupt("x".into())), Some(stale));
    assert!(refused.is_err());
}

/// Reads the book, and waits until it has been put into Redis.
async fn lies_in_redis(rig: &Rig, process: &Process, id: BookId) {
    rig.read(process, id).await.unwrap();
    let name = name_in_redis(rig, process, id);
    while rig.raw(&["EXISTS", &name]).await == int(0) {
        tokio::task::yield_now().await;
    }
}

fn int(number: i64) -> deadpool_redis::redis::Value {
    deadpool_redis::redis::Value::Int(number)
}

fn name_in_redis(rig: &Rig, process: &Process, id: BookId) -> String {
    let claim = process.books.inner.level2.claim().unwrap();
    Key::<Book>::new(&rig.tenant, id).in_redis(claim.epoch())
}
