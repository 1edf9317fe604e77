//! An entity's entries in Redis.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use deadpool_redis::redis::{
    self, ExistenceCheck, RedisResult, SetExpiry, SetOptions, ToRedisArgs,
    aio::MultiplexedConnection,
};
use domain::Version;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    body::CachedBody,
    budget::Budget,
    jitter,
    key::Key,
    metrics::Command,
    redis::{Answer, Failure, Live, Redis},
    scripts::{EPOCH, PUT_IF_NEWER},
    value::{self, Stored},
};
use crate::Entity;

/// How long a tombstone refuses older values: longer than any request may take.
const TOMBSTONE_TTL: Duration = Duration::from_secs(30);

/// Age of a read from the store from which its result is no longer stored: well below the life of
/// the tombstone that a write in the meantime has left.
const MAX_FILL_AGE: Duration = Duration::from_secs(20);

/// How long one process fetches for all. Others wait for at most 100 ms in all, so a longer
/// lease would help nobody.
const LEASE: Duration = Duration::from_millis(150);

/// How often those who wait look whether the value is there.
const LEASE_POLL: Duration = Duration::from_millis(10);

/// What lies in Redis.
pub(super) enum Found {
    /// The entity.
    Value(CachedBody),
    /// A mark that a write is or was under way.
    Tombstone,
    /// Nothing.
    Nothing,
    /// Redis could not be asked.
    Unknown,
}

/// The right to store what a read from the store brings: it ends when the epoch is raised.
pub(super) struct Claim {
    live: Live,
    began: Instant,
}

#[cfg(test)]
impl Claim {
    pub(super) fn epoch(&self) -> u64 {
        self.live.epoch
    }
}

/// The second level; without an address there is none.
#[derive(Clone)]
pub(super) struct Level2 {
    redis: Option<Arc<Redis>>,
    ttl: Duration,
}

/// Whether Redis knows of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It refuses what is older from here on.
    Yes,
    /// It failed, or is passed by.
    No,
    /// It was not asked: no time was left for it.
    Unasked,
}

/// Outcome of the script.
enum Put {
    /// This value or something newer lies there.
    Settled,
    /// Nothing was done: the epoch is this one now.
    Moved(u64),
}

impl Level2 {
    pub(super) fn new(redis: Option<Arc<Redis>>, ttl: Duration) -> Self {
        Self { redis, ttl }
    }

    pub(super) fn is_configured(&self) -> bool {
        self.redis.is_some()
    }

    /// A claim from this moment on, when Redis takes part. It must be made before the store is
    /// read: then a write that Redis could not be told of has raised the epoch in between.
    pub(super) fn claim(&self) -> Option<Claim> {
        let live = self.redis.as_ref()?.live()?;
        Some(Claim {
            live,
            began: Instant::now(),
        })
    }

    /// What lies under the key.
    pub(super) async fn get<E: Entity>(
        &self,
        key: &Key<E>,
        claim: Option<&mut Claim>,
        budget: &mut Budget,
    ) -> Found {
        let (Some(redis), Some(claim)) = (&self.redis, claim) else {
            return Found::Unknown;
        };
        let name = key.in_redis(claim.live.epoch);
        let get = async |connection: &mut MultiplexedConnection| {
            redis::cmd("GET")
                .arg(&name)
                .query_async::<Option<Vec<u8>>>(connection)
                .await
        };
        match redis.run(Command::Get, &mut claim.live, budget, get).await {
            Some(Ok(Some(bytes))) => match value::parse(&key.tenant, bytes) {
                Some(Stored::Value(body)) => Found::Value(body),
                Some(Stored::Tombstone) => Found::Tombstone,
                None => Found::Nothing,
            },
            // An error for this key, such as a wrong type, is as good as nothing.
            Some(Ok(None) | Err(Failure::Refused(_))) => Found::Nothing,
            Some(Err(Failure::Late | Failure::Lost)) | None => Found::Unknown,
        }
    }

    /// Waits while another process fetches the entity. `None`: fetch it yourself.
    pub(super) async fn wait_for_others<E: Entity>(
        &self,
        key: &Key<E>,
        claim: &mut Claim,
        budget: &mut Budget,
    ) -> Option<CachedBody> {
        let redis = self.redis.as_ref()?;
        let lease = format!("{}:lease", key.in_redis(claim.live.epoch));
        let options = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::PX(milliseconds(LEASE)));
        let take = async |connection: &mut MultiplexedConnection| {
            let mut set = redis::cmd("SET");
            set.arg(&lease).arg(1);
            options.write_redis_args(&mut set);
            set.query_async::<Option<String>>(connection).await
        };
        if redis.run(Command::Set, &mut claim.live, budget, take).await != Some(Ok(None)) {
            return None;
        }
        let mut look = interval(LEASE_POLL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.tick().await;
        while budget.left() > LEASE_POLL {
            let began = Instant::now();
            look.tick().await;
            budget.waited(began.elapsed());
            match self.get(key, Some(&mut *claim), budget).await {
                Found::Value(body) => return Some(body),
                Found::Nothing => {}
                Found::Tombstone | Found::Unknown => return None,
            }
        }
        None
    }

    /// Stores what a read brought, if the claim still holds and nothing newer is there.
    pub(super) async fn fill<E: Entity>(&self, key: &Key<E>, mut claim: Claim, body: &CachedBody) {
        let Some(redis) = &self.redis else { return };
        if claim.began.elapsed() > MAX_FILL_AGE {
            return;
        }
        let value = value::value(&key.tenant, body);
        let put = Value {
            version: body.version,
            value,
            ttl: jitter(self.ttl),
        };
        let mut budget = Budget::start();
        let outcome = put.send(redis, key, &mut claim.live, &mut budget).await;
        // Nobody waits for this, and nothing depends on it; but what others raised is known now.
        if let Some(Ok(Put::Moved(epoch))) = outcome {
            redis.adopt(epoch);
        }
    }

    /// Nothing older than `minimum` may be stored from here on.
    pub(super) async fn announce<E: Entity>(
        &self,
        key: &Key<E>,
        minimum: Version,
        budget: &mut Budget,
    ) -> Told {
        let value = value::tombstone(&key.tenant, minimum);
        self.tell(
            key,
            Value {
                version: minimum,
                value,
                ttl: TOMBSTONE_TTL,
            },
            budget,
        )
        .await
    }

    /// After a write: stores what was written.
    pub(super) async fn publish<E: Entity>(
        &self,
        key: &Key<E>,
        body: &CachedBody,
        budget: &mut Budget,
    ) -> Told {
        let value = value::value(&key.tenant, body);
        self.tell(
            key,
            Value {
                version: body.version,
                value,
                ttl: jitter(self.ttl),
            },
            budget,
        )
        .await
    }

    /// Notes that Redis knows nothing of a write.
    pub(super) fn distrust(&self) {
        if let Some(redis) = &self.redis {
            redis.distrust();
        }
    }

    async fn tell<E: Entity>(&self, key: &Key<E>, value: Value, budget: &mut Budget) -> Told {
        let Some(redis) = &self.redis else {
            return Told::Yes;
        };
        let Some(mut live) = redis.live() else {
            return Told::No;
        };
        let mut unasked = Told::Unasked;
        loop {
            match value.send(redis, key, &mut live, budget).await {
                None => return unasked,
                Some(Ok(Put::Settled)) => return Told::Yes,
                // Others have raised the epoch: what counts is what is told in the present one.
                Some(Ok(Put::Moved(epoch))) => match redis.adopt(epoch) {
                    Some(present) => (live, unasked) = (present, Told::No),
                    None => return Told::No,
                },
                Some(Err(_)) => return Told::No,
            }
        }
    }
}

/// What is to lie in Redis unless something newer does.
struct Value {
    version: Version,
    value: Vec<u8>,
    ttl: Duration,
}

impl Value {
    async fn send<E: Entity>(
        &self,
        redis: &Redis,
        key: &Key<E>,
        live: &mut Live,
        budget: &mut Budget,
    ) -> Answer<Put> {
        let epoch = live.epoch;
        let name = key.in_redis(epoch);
        let put = async |connection: &mut MultiplexedConnection| -> RedisResult<u64> {
            PUT_IF_NEWER
                .key(&name)
                .key(EPOCH)
                .arg(epoch)
                .arg(value::comparable(self.version))
                .arg(&self.value)
                .arg(milliseconds(self.ttl))
                .invoke_async(connection)
                .await
        };
        let outcome = redis.run(Command::Put, live, budget, put).await?;
        Some(outcome.map(|outcome| match outcome {
            0 | 1 => Put::Settled,
            epoch => Put::Moved(epoch),
        }))
    }
}

/// Immutable bytes under a name of their own, outside of any epoch.
impl Level2 {
    pub(super) async fn get_bytes(&self, name: &str) -> Answer<Option<Bytes>> {
        let redis = self.redis.as_ref()?;
        let get = async |connection: &mut MultiplexedConnection| {
            let mut get = redis::cmd("GET");
            let found = get.arg(name).query_async::<Option<Vec<u8>>>(connection);
            Ok(found.await?.map(Bytes::from))
        };
        let (mut live, mut budget) = (redis.live()?, Budget::start());
        redis.run(Command::Get, &mut live, &mut budget, get).await
    }

    pub(super) async fn put_bytes(&self, name: &str, bytes: &Bytes) {
        let Some(redis) = &self.redis else { return };
        let Some(mut live) = redis.live() else { return };
        let expiry = milliseconds(jitter(self.ttl));
        let set = async |connection: &mut MultiplexedConnection| {
            let mut set = redis::cmd("SET");
            set.arg(name).arg(bytes.as_ref()).arg("PX").arg(expiry);
            set.query_async::<()>(connection).await
        };
        // Redis keeps a copy if it can; the caller has the bytes.
        let _outcome = redis
            .run(Command::Set, &mut live, &mut Budget::start(), set)
            .await;
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
