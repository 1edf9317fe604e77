//! When the last tokens of an answer went out: what a client cannot have seen
//! when it leaves is among them.

use std::{collections::VecDeque, time::Duration};

use crate::journal::SentTokens;

/// Tokens within so many milliseconds are counted together.
const STEP_MS: u64 = 10;
/// How far back tokens are remembered; about a hundred steps for each stream.
const KEPT_MS: u64 = 1_000;

/// What a client that leaves may not have seen yet.
pub(crate) const UNSEEN: Duration = Duration::from_millis(250);

/// The tokens of the last second, in steps of ten milliseconds.
#[derive(Default)]
pub(crate) struct LastSent(VecDeque<SentTokens>);

impl LastSent {
    pub(crate) fn note(&mut self, at: Duration, tokens: u64) {
        let now = milliseconds(at);
        let step = now - now % STEP_MS;
        match self.0.back_mut() {
            Some(last) if last.at_ms == step => last.tokens += tokens,
            _ => self.0.push_back(SentTokens {
                at_ms: step,
                tokens,
            }),
        }
        while self
            .0
            .front()
            .is_some_and(|first| first.at_ms + KEPT_MS < step)
        {
            self.0.pop_front();
        }
    }

    /// Tokens of the time `before` the moment `end`, rounded up to whole steps.
    pub(crate) fn within(&self, before: Duration, end: Duration) -> u64 {
        let begin = milliseconds(end.saturating_sub(before));
        let begin = begin - begin % STEP_MS;
        let late = self.0.iter().filter(|sent| sent.at_ms >= begin);
        late.map(|sent| sent.tokens).sum()
    }

    pub(crate) fn steps(&self) -> Vec<SentTokens> {
        self.0.iter().copied().collect()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LastSent, SentTokens};

    #[test]
    fn the_last_second_is_kept_in_steps() {
        let mut sent = LastSent::default();
        for at in [0, 5, 700, 1299, 1301, 1302] {
            sent.note(Duration::from_millis(at), 1);
        }
        let step = |at_ms, tokens| SentTokens { at_ms, tokens };
        assert_eq!(sent.steps(), [step(700, 1), step(1290, 1), step(1300, 2)]);
        let within = |ms| sent.within(Duration::from_millis(ms), Duration::from_millis(1400));
        assert_eq!((within(250), within(95), within(50)), (3, 2, 0));
    }
}
