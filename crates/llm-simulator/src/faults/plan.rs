//! The rules in force, with what each has seen.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::HeaderMap;
use tokio::time::Instant;

use super::{Fault, FaultRule, FaultRules, HeaderCondition, ResetAt, Window};
use crate::dialect::Dialect;

/// What rules can ask about a call.
pub(crate) struct Candidate<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) model: &'a str,
    pub(crate) streamed: bool,
    /// Present when [`FaultPlan::looks_at_headers`].
    pub(crate) headers: Option<&'a HeaderMap>,
}

/// Whether the simulator is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusing {
    /// It is.
    Never,
    /// It is, up to this moment.
    From(Instant),
    /// It is not, up to this moment.
    Until(Instant),
}

/// The rules in force.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    rules: Vec<Armed>,
    since: Instant,
}

#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    seen: AtomicU64,
    hit: AtomicU64,
}

impl FaultPlan {
    pub(crate) fn new(rules: FaultRules) -> Self {
        let arm = |rule| Armed {
            rule,
            seen: AtomicU64::new(0),
            hit: AtomicU64::new(0),
        };
        Self {
            rules: rules.into_inner().into_iter().map(arm).collect(),
            since: Instant::now(),
        }
    }

    /// Each rule with the number of calls that it has hit.
    pub(crate) fn hits(&self) -> impl Iterator<Item = (&FaultRule, u64)> {
        let hits = |armed: &Armed| armed.hit.load(Ordering::Relaxed);
        self.rules
            .iter()
            .map(move |armed| (&armed.rule, hits(armed)))
    }

    /// Whether a rule asks for a header, so that headers must be kept.
    pub(crate) fn looks_at_headers(&self) -> bool {
        self.rules.iter().any(|armed| armed.rule.header.is_some())
    }

    /// The fault of this call, if one is due. Every rule counts the calls that
    /// it looks at, also when an earlier rule decides.
    pub(crate) fn decide(
        &self,
        candidate: &Candidate<'_>,
        generator: &mut fastrand::Rng,
    ) -> Option<Fault> {
        let since = self.since.elapsed();
        self.first_hit(generator, |rule| rule.looks_at(candidate, since))
    }

    /// Whether a connection that was just made is to be reset.
    pub(crate) fn resets_connection(&self, generator: &mut fastrand::Rng) -> bool {
        let since = self.since.elapsed();
        let at_accept = Fault::Reset {
            at: ResetAt::Accept,
        };
        self.first_hit(generator, |rule| {
            rule.fault == at_accept && rule.is_within_window(since)
        })
        .is_some()
    }

    /// Whether connections are refused now, or from when on.
    pub(crate) fn refusing(&self) -> Refusing {
        let now = Instant::now();
        let windows = self
            .rules
            .iter()
            .filter(|armed| armed.rule.fault == Fault::Refused {})
            .filter_map(|armed| armed.rule.window);
        let mut next = Refusing::Never;
        for Window { from_ms, to_ms } in windows {
            let begin = self.since + Duration::from_millis(from_ms);
            let end = self.since + Duration::from_millis(to_ms.unwrap_or(from_ms));
            if begin <= now && now < end {
                return Refusing::Until(end);
            }
            let is_sooner = !matches!(next, Refusing::From(other) if other <= begin);
            if now < begin && is_sooner {
                next = Refusing::From(begin);
            }
        }
        next
    }

    fn first_hit(
        &self,
        generator: &mut fastrand::Rng,
        looks_at: impl Fn(&FaultRule) -> bool,
    ) -> Option<Fault> {
        let mut decided = None;
        for armed in &self.rules {
            let hits = looks_at(&armed.rule) && armed.hits(generator);
            if hits && decided.is_none() && armed.may_hit() {
                decided = Some(armed.rule.fault.clone());
            }
        }
        decided
    }
}

impl FaultRule {
    fn looks_at(&self, candidate: &Candidate<'_>, since: Duration) -> bool {
        self.dialect.is_none_or(|only| only == candidate.dialect)
            && self.streamed.is_none_or(|only| only == candidate.streamed)
            && self
                .model
                .as_deref()
                .is_none_or(|only| only == candidate.model)
            && self
                .fault
                .can_happen_to(candidate.dialect, candidate.streamed)
            && self.is_within_window(since)
            && self
                .header
                .as_ref()
                .is_none_or(|header| header.holds_for(candidate.headers))
    }

    fn is_within_window(&self, since: Duration) -> bool {
        let since = since.as_millis();
        self.window.is_none_or(|window| {
            u128::from(window.from_ms) <= since
                && window.to_ms.is_none_or(|end| since < u128::from(end))
        })
    }
}

impl HeaderCondition {
    fn holds_for(&self, headers: Option<&HeaderMap>) -> bool {
        let Some(headers) = headers else {
            return false;
        };
        let wanted = self.contains.as_deref().unwrap_or("").as_bytes();
        headers.get_all(&self.name).iter().any(|value| {
            wanted.is_empty()
                || value
                    .as_bytes()
                    .windows(wanted.len())
                    .any(|part| part == wanted)
        })
    }
}

impl Armed {
    fn hits(&self, generator: &mut fastrand::Rng) -> bool {
        let place = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        self.rule.nth.is_none_or(|nth| nth == place)
            && self
                .rule
                .probability
                .is_none_or(|probability| generator.f64() < probability)
    }

    fn may_hit(&self) -> bool {
        let limit = self.rule.times.unwrap_or(u64::MAX);
        self.hit
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |hit| {
                (hit < limit).then_some(hit + 1)
            })
            .is_ok()
    }
}
