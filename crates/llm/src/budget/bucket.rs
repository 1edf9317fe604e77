//! A bucket that refills evenly: how many of something may pass in a minute.

use std::time::Duration;

use jiff::Timestamp;

use super::{BudgetRefusal, Claim, LimitKind};

/// Parts of one: with them a millisecond refills a whole number at any rate per minute.
const PARTS: i64 = 60_000;

/// Counts down from its limit, and refills by the limit in each minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    level: i64,
    at_ms: i64,
}

impl Bucket {
    pub(super) fn full(limit: u64, at: Timestamp) -> Self {
        Self {
            level: parts(limit),
            at_ms: at.as_millisecond(),
        }
    }

    /// Refills for the time that has passed.
    pub(super) fn refill(&mut self, limit: u64, at: Timestamp) {
        let now = at.as_millisecond();
        // A clock that went back refills nothing.
        let passed = now.saturating_sub(self.at_ms).max(0);
        let gained = passed.saturating_mul(whole(limit));
        self.level = self.level.saturating_add(gained).min(parts(limit));
        self.at_ms = self.at_ms.max(now);
    }

    /// How long until `wanted` may pass; zero when it may now. More than the limit may pass when
    /// the bucket is full.
    pub(super) fn wait(&self, limit: u64, wanted: u64) -> Duration {
        let missing = parts(wanted).min(parts(limit)) - self.level;
        let per_ms = whole(limit).max(1);
        let wait = u64::try_from(missing)
            .unwrap_or(0)
            .div_ceil(per_ms.unsigned_abs());
        Duration::from_millis(wait)
    }

    /// Takes out, also more than is there; less than nothing puts back.
    pub(super) fn take(&mut self, amount: i64) {
        self.level = self.level.saturating_sub(amount.saturating_mul(PARTS));
    }

    /// Whole ones that are left.
    pub(super) fn left(&self) -> i64 {
        self.level.div_euclid(PARTS)
    }
}

fn whole(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn parts(amount: u64) -> i64 {
    whole(amount).saturating_mul(PARTS)
}

/// The rates of one provider.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
}

impl Buckets {
    /// Why a claim may not pass now, by the limits that it comes with.
    pub(super) fn refusal(&mut self, claim: &Claim) -> Option<BudgetRefusal> {
        let rate = &claim.rate;
        for (limit, allowed, wanted, bucket) in [
            (
                LimitKind::Requests,
                rate.requests_per_minute,
                1,
                &mut self.requests,
            ),
            (
                LimitKind::Tokens,
                rate.tokens_per_minute,
                claim.tokens,
                &mut self.tokens,
            ),
        ] {
            let Some(allowed) = allowed else {
                *bucket = None;
                continue;
            };
            let bucket = bucket.get_or_insert_with(|| Bucket::full(allowed, claim.at));
            bucket.refill(allowed, claim.at);
            let retry_after = bucket.wait(allowed, wanted);
            if !retry_after.is_zero() {
                return Some(BudgetRefusal::Reached {
                    limit,
                    allowed: i64::try_from(allowed).unwrap_or(i64::MAX),
                    left: bucket.left(),
                    asked: i64::try_from(wanted).unwrap_or(i64::MAX),
                    retry_after,
                });
            }
        }
        None
    }

    /// Takes what a claim estimates.
    pub(super) fn take(&mut self, requests: i64, tokens: u64) {
        if let Some(bucket) = &mut self.requests {
            bucket.take(requests);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.take(i64::try_from(tokens).unwrap_or(i64::MAX));
        }
    }

    /// Takes what was used instead of what was estimated.
    pub(super) fn correct(&mut self, estimated: u64, used: u64) {
        let whole = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        if let Some(bucket) = &mut self.tokens {
            bucket.take(whole(used).saturating_sub(whole(estimated)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_evenly_and_never_above_its_limit() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let mut bucket = Bucket::full(60, at(0));
        assert_eq!(bucket.wait(60, 60), Duration::ZERO);
        bucket.take(60);
        assert_eq!(
            (bucket.left(), bucket.wait(60, 1)),
            (0, Duration::from_secs(1))
        );
        bucket.refill(60, at(1_500));
        assert_eq!(
            (bucket.left(), bucket.wait(60, 2)),
            (1, Duration::from_millis(500))
        );
        bucket.refill(60, at(1_000));
        assert_eq!(bucket.left(), 1, "time does not run back");
        bucket.refill(60, at(10_000_000));
        assert_eq!(bucket.left(), 60);
        // More than the limit waits for a full bucket, and leaves a debt.
        assert_eq!(bucket.wait(60, 90), Duration::ZERO);
        bucket.take(90);
        assert_eq!(
            (bucket.left(), bucket.wait(60, 90)),
            (-30, Duration::from_secs(90))
        );
        bucket.take(-30);
        assert_eq!(bucket.left(), 0);
    }
}
