//! What an answer means, and when a delivery is sent again.

use std::time::Duration;

use http::StatusCode;

/// How often a delivery is sent, the first time included: over some eight minutes at most.
pub(super) const MAX_ATTEMPTS: u32 = 6;

/// The longest wait before the second attempt; each further one is four times as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest wait, also when the receiver asks for more.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// What an answer means for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The receiver has it.
    Taken,
    /// It may work later.
    Later,
    /// It will not work.
    Never,
    /// Nothing sent there will.
    Gone,
}

/// The meaning of a status.
pub(super) fn meaning(status: StatusCode) -> Meaning {
    match status {
        StatusCode::GONE => Meaning::Gone,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Meaning::Later
        }
        status if status.is_success() => Meaning::Taken,
        status if status.is_server_error() => Meaning::Later,
        _ => Meaning::Never,
    }
}

/// How long to wait after so many attempts: anything up to a bound that grows, so that receivers
/// that fail together are not asked together; at least what the receiver asks for.
pub(super) fn wait(attempts: u32, asked: Option<Duration>) -> Duration {
    let bound = longest(attempts);
    let milliseconds = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    let wait = Duration::from_millis(fastrand::u64(0..=milliseconds));
    wait.max(asked.unwrap_or_default()).min(LONGEST_WAIT)
}

fn longest(attempts: u32) -> Duration {
    let factor = 4_u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_work_later_is_sent_again() {
        for (status, expected) in [
            (200, Meaning::Taken),
            (204, Meaning::Taken),
            (301, Meaning::Never),
            (307, Meaning::Never),
            (400, Meaning::Never),
            (404, Meaning::Never),
            (408, Meaning::Later),
            (410, Meaning::Gone),
            (429, Meaning::Later),
            (500, Meaning::Later),
            (503, Meaning::Later),
        ] {
            assert_eq!(
                meaning(StatusCode::from_u16(status).unwrap()),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn waits_grow_are_spread_and_end() {
        let bounds: Vec<u64> = (1..=6)
            .map(|attempts| longest(attempts).as_secs())
            .collect();
        assert_eq!(bounds, [2, 8, 32, 128, 300, 300]);
        let waits: Vec<Duration> = (0..200).map(|_| wait(3, None)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(32)));
        let early = waits
            .iter()
            .filter(|wait| **wait < Duration::from_secs(16))
            .count();
        assert!(
            (50..150).contains(&early),
            "{early} of 200 in the first half"
        );
        let asked = |seconds| wait(1, Some(Duration::from_secs(seconds)));
        assert!(asked(10) >= Duration::from_secs(10));
        assert_eq!(asked(86_400), LONGEST_WAIT);
    }
}
