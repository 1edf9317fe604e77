//! When each token of one answer is due, counted from the call's arrival.
//! Due times are absolute, so a late timer never delays the tokens after it.

use std::{sync::Arc, time::Duration};

use crate::{faults::Fault, profile::Profile};

/// What a fault rule makes of a profile's delays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slowdown {
    factor: f64,
    first_token: Duration,
    gap: Duration,
}

pub(super) struct Pace {
    profile: Arc<Profile>,
    slowdown: Slowdown,
    generator: fastrand::Rng,
    last_due: Option<Duration>,
    /// Due times drawn ahead, for an answer that is not streamed.
    scheduled: Vec<Duration>,
}

impl Slowdown {
    pub(super) fn of(fault: Option<&Fault>) -> Self {
        match fault {
            Some(Fault::Slow {
                factor,
                first_token_ms,
                gap_ms,
            }) => Self {
                factor: *factor,
                first_token: Duration::from_millis(*first_token_ms),
                gap: Duration::from_millis(*gap_ms),
            },
            _ => Self {
                factor: 1.0,
                first_token: Duration::ZERO,
                gap: Duration::ZERO,
            },
        }
    }
}

impl Pace {
    pub(super) fn new(profile: Arc<Profile>, slowdown: Slowdown, generator: fastrand::Rng) -> Self {
        Self {
            profile,
            slowdown,
            generator,
            last_due: None,
            scheduled: Vec::new(),
        }
    }

    /// When the next token is due; zero when there is nothing to wait for.
    pub(super) fn next_due(&mut self) -> Duration {
        let due = match self.last_due {
            None => self.first_token(),
            Some(last) => last.saturating_add(self.gap()),
        };
        self.last_due = Some(due);
        due
    }

    /// Draws all due times of an answer of `length` tokens; gives the first and
    /// the last one.
    pub(super) fn schedule(&mut self, length: u64) -> (Duration, Duration) {
        let first = self.next_due();
        if self.profile.gap.is_none() && self.slowdown.gap.is_zero() {
            return (first, first);
        }
        self.scheduled.push(first);
        for _ in 1..length {
            let due = self.next_due();
            self.scheduled.push(due);
        }
        (first, self.last_due.unwrap_or(first))
    }

    fn first_token(&mut self) -> Duration {
        let drawn = self.profile.first_token.draw(&mut self.generator);
        stretched(drawn, self.slowdown.factor).saturating_add(self.slowdown.first_token)
    }

    fn gap(&mut self) -> Duration {
        let drawn = self.profile.gap.draw(&mut self.generator);
        stretched(drawn, self.slowdown.factor).saturating_add(self.slowdown.gap)
    }

    /// How many of the scheduled tokens were due within `elapsed`.
    pub(super) fn due_by(&self, elapsed: Duration) -> u64 {
        self.scheduled.partition_point(|due| *due <= elapsed) as u64
    }
}

/// The factors come from checked settings; a failed conversion could only mean
/// a delay too long to matter.
fn stretched(delay: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(delay.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::{Pace, Slowdown};
    use crate::{profile::Profile, seed::generator};

    fn pace(profile: Profile) -> Pace {
        Pace::new(Arc::new(profile), Slowdown::of(None), generator(11, 1))
    }

    #[test]
    fn a_stream_and_a_whole_answer_of_one_call_take_equally_long() {
        let (first, last) = pace(Profile::standard()).schedule(80);
        let mut streamed = pace(Profile::standard());
        let dues: Vec<Duration> = (0..80).map(|_| streamed.next_due()).collect();
        assert_eq!((first, last), (dues[0], dues[79]));
        assert!(dues.is_sorted() && first > Duration::ZERO);
    }

    #[test]
    fn tokens_due_by_a_moment_are_counted() {
        let mut pace = pace(Profile::standard());
        assert_eq!(pace.due_by(Duration::MAX), 0);
        let (first, last) = pace.schedule(80);
        assert_eq!(pace.due_by(Duration::ZERO), 0);
        assert_eq!(pace.due_by(first), 1);
        assert_eq!(pace.due_by(last), 80);
    }

    #[test]
    fn an_instant_answer_is_due_at_once() {
        assert_eq!(
            pace(Profile::instant()).schedule(80),
            (Duration::ZERO, Duration::ZERO)
        );
    }
}
