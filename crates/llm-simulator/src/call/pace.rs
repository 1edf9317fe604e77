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
    prefill: Duration,
    /// What was drawn, unless all tokens are due at the same moment. As long as
    /// the answer at most.
    dues: Vec<Duration>,
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
            prefill: Duration::ZERO,
            dues: Vec::new(),
        }
    }

    /// Lets the first token come later, as a prompt must be read first.
    pub(super) fn read_prompt(&mut self, tokens: u64) {
        if let Some(rate) = self.profile.text().prefill_tokens_per_second {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a request of 4 MiB has fewer tokens than a double is exact for"
            )]
            let seconds = tokens as f64 / rate;
            self.prefill = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        }
    }

    /// When the next token is due, gaps being so many times longer; zero when
    /// there is nothing to wait for.
    pub(super) fn next_due(&mut self, slowdown: f64) -> Duration {
        let due = match self.last_due {
            None => self.first_token(),
            Some(last) => last.saturating_add(self.gap(slowdown)),
        };
        self.last_due = Some(due);
        if !self.has_no_gaps() {
            self.dues.push(due);
        }
        due
    }

    /// Draws when `count` tokens are due on an idle machine; gives the last moment.
    pub(super) fn schedule(&mut self, count: u64) -> Duration {
        let mut last = Duration::ZERO;
        let needed = if self.has_no_gaps() {
            count.min(1)
        } else {
            count
        };
        for _ in 0..needed {
            last = self.next_due(1.0);
        }
        last
    }

    /// When the token of this index was due, or the last one before it.
    pub(super) fn due_of(&self, index: u64) -> Duration {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let due = self.dues.get(index).copied();
        due.or(self.last_due).unwrap_or_default()
    }

    fn has_no_gaps(&self) -> bool {
        self.profile.gap.is_none() && self.slowdown.gap.is_zero()
    }

    fn first_token(&mut self) -> Duration {
        let drawn = self.profile.first_token.draw(&mut self.generator);
        stretched(drawn.saturating_add(self.prefill), self.slowdown.factor)
            .saturating_add(self.slowdown.first_token)
    }

    fn gap(&mut self, slowdown: f64) -> Duration {
        let drawn = self.profile.gap.draw(&mut self.generator);
        stretched(drawn, self.slowdown.factor * slowdown).saturating_add(self.slowdown.gap)
    }

    /// How many of the tokens drawn so far were due within `elapsed`.
    pub(super) fn due_by(&self, elapsed: Duration) -> u64 {
        self.dues.partition_point(|due| *due <= elapsed) as u64
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

    fn first_and_last(pace: &mut Pace) -> (Duration, Duration) {
        let last = pace.schedule(80);
        (pace.due_of(0), last)
    }

    #[test]
    fn a_stream_and_a_whole_answer_of_one_call_take_equally_long() {
        let (first, last) = first_and_last(&mut pace(Profile::standard()));
        let mut streamed = pace(Profile::standard());
        let dues: Vec<Duration> = (0..80).map(|_| streamed.next_due(1.0)).collect();
        assert_eq!((first, last), (dues[0], dues[79]));
        assert!(dues.is_sorted() && first > Duration::ZERO);
    }

    #[test]
    fn tokens_due_by_a_moment_are_counted() {
        let mut pace = pace(Profile::standard());
        assert_eq!(pace.due_by(Duration::MAX), 0);
        let (first, last) = first_and_last(&mut pace);
        assert_eq!(pace.due_by(Duration::ZERO), 0);
        assert_eq!(pace.due_by(first), 1);
        assert_eq!(pace.due_by(last), 80);
    }

    #[test]
    fn an_instant_answer_is_due_at_once() {
        let mut pace = pace(Profile::instant());
        assert_eq!(first_and_last(&mut pace), (Duration::ZERO, Duration::ZERO));
        assert!(pace.dues.is_empty());
    }

    #[test]
    fn a_long_prompt_delays_the_first_token_and_load_the_others() {
        let first = |tokens| {
            let mut pace = pace(Profile::by_name("local-7b-cpu").unwrap());
            pace.read_prompt(tokens);
            pace.next_due(1.0)
        };
        assert_eq!(first(600) - first(0), Duration::from_secs(10));
        let gap = |slowdown| {
            let mut pace = pace(Profile::standard());
            let first = pace.next_due(slowdown);
            pace.next_due(slowdown) - first
        };
        let ratio = gap(3.0).as_secs_f64() / gap(1.0).as_secs_f64();
        assert!((2.999..3.001).contains(&ratio), "{ratio}");
    }
}
