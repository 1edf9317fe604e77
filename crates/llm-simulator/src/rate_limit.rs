//! Rate limits, as the vendors keep them: each caller has buckets that empty
//! with its calls and tokens and fill up steadily. There are none unless asked for.

mod bucket;
mod limits;
#[cfg(test)]
mod tests;

pub(crate) use bucket::Reading;
pub use limits::{RateLimits, RateLimitsError};

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{credentials::Caller, dialect::Dialect};
use bucket::Bucket;

/// Callers with buckets of their own. What comes after them shares one set, as
/// callers choose their keys.
const MAX_CALLERS: usize = 4096;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    Requests,
    InputTokens,
    OutputTokens,
}

/// A caller's buckets at one moment; none where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateState {
    pub(crate) requests: Option<Reading>,
    pub(crate) input_tokens: Option<Reading>,
    pub(crate) output_tokens: Option<Reading>,
}

/// A call that is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) state: RateState,
    pub(crate) dimension: Dimension,
    /// When the same call would be let in.
    pub(crate) retry_after: Duration,
}

/// The limits in force and what is used of them.
pub(crate) struct RateLimiter {
    start: RateLimits,
    usage: Mutex<Usage>,
}

struct Usage {
    limits: RateLimits,
    callers: HashMap<(Dialect, Caller), Buckets>,
}

/// What one caller has used.
#[derive(Clone, Copy)]
struct Buckets {
    requests: Bucket,
    input_tokens: Bucket,
    output_tokens: Bucket,
}

impl RateLimiter {
    pub(crate) fn new(start: RateLimits) -> Self {
        Self {
            start,
            usage: Mutex::new(Usage {
                limits: start,
                callers: HashMap::new(),
            }),
        }
    }

    pub(crate) fn limits(&self) -> RateLimits {
        self.usage().limits
    }

    /// Other limits from now on, with full buckets.
    pub(crate) fn set(&self, limits: RateLimits) {
        let mut usage = self.usage();
        usage.limits = limits;
        usage.callers.clear();
    }

    /// Back to the limits at start, with full buckets.
    pub(crate) fn reset(&self) {
        self.set(self.start);
    }

    /// Takes a call and its prompt from the caller's buckets; nothing if one of
    /// them has too little. None where nothing is limited.
    pub(crate) fn take(
        &self,
        dialect: Dialect,
        caller: Caller,
        input_tokens: u64,
    ) -> Result<Option<RateState>, Box<Exceeded>> {
        let mut usage = self.usage();
        let limits = usage.limits;
        if limits == RateLimits::default() || !is_limited(dialect) {
            return Ok(None);
        }
        let now = Instant::now();
        let buckets = usage.buckets(dialect, caller, now);
        let wants = [
            (
                Dimension::Requests,
                buckets.requests,
                limits.requests_per_minute,
                1,
            ),
            (
                Dimension::InputTokens,
                buckets.input_tokens,
                limits.input_tokens_per_minute,
                input_tokens,
            ),
            // What the answer will need is not known yet; one token must be left.
            (
                Dimension::OutputTokens,
                buckets.output_tokens,
                limits.output_tokens_per_minute,
                1,
            ),
        ];
        let longest = wants
            .into_iter()
            .filter_map(|(dimension, bucket, limit, wanted)| {
                let wait = bucket.wait(limit?, wanted, now)?;
                Some((wait, dimension))
            })
            .max_by_key(|(wait, _)| *wait);
        if let Some((retry_after, dimension)) = longest {
            return Err(Box::new(Exceeded {
                state: buckets.state(&limits, now),
                dimension,
                retry_after,
            }));
        }
        buckets.requests.charge(limits.requests_per_minute, 1, now);
        buckets
            .input_tokens
            .charge(limits.input_tokens_per_minute, input_tokens, now);
        Ok(Some(buckets.state(&limits, now)))
    }

    /// Takes what an answer had from the bucket, which may then owe some.
    pub(crate) fn settle(&self, dialect: Dialect, caller: Caller, output_tokens: u64) {
        let mut usage = self.usage();
        let limit = usage.limits.output_tokens_per_minute;
        if limit.is_some() && is_limited(dialect) {
            let now = Instant::now();
            let buckets = usage.buckets(dialect, caller, now);
            buckets.output_tokens.charge(limit, output_tokens, now);
        }
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Usage {
    fn buckets(&mut self, dialect: Dialect, caller: Caller, now: Instant) -> &mut Buckets {
        let mut key = (dialect, caller);
        if self.callers.len() >= MAX_CALLERS && !self.callers.contains_key(&key) {
            self.callers.retain(|_, buckets| !buckets.are_full(now));
            if self.callers.len() >= MAX_CALLERS {
                key = (dialect, Caller::anonymous());
            }
        }
        self.callers.entry(key).or_insert(Buckets {
            requests: Bucket::full(now),
            input_tokens: Bucket::full(now),
            output_tokens: Bucket::full(now),
        })
    }
}

impl Buckets {
    fn are_full(&self, now: Instant) -> bool {
        [self.requests, self.input_tokens, self.output_tokens]
            .iter()
            .all(|bucket| bucket.is_full(now))
    }

    fn state(&self, limits: &RateLimits, now: Instant) -> RateState {
        let read = |bucket: Bucket, limit: Option<u64>| Some(bucket.read(limit?, now));
        RateState {
            requests: read(self.requests, limits.requests_per_minute),
            input_tokens: read(self.input_tokens, limits.input_tokens_per_minute),
            output_tokens: read(self.output_tokens, limits.output_tokens_per_minute),
        }
    }
}

/// A server on one's own machine limits nobody.
fn is_limited(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Anthropic | Dialect::OpenAi | Dialect::Bedrock => true,
        Dialect::Ollama | Dialect::LmStudio => false,
    }
}
