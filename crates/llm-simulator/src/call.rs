//! One call from its arrival to its last token: numbered, delayed, broken when
//! a rule says so, and booked exactly once.

mod admission;
mod pace;
#[cfg(test)]
mod tests;

pub(crate) use admission::{Arrival, CallRequest, Refusal};

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    answer::Answer,
    engine::{Engine, Place},
    exchange::Exchange,
    faults::{Fault, Within},
    meter::{CallRecord, Outcome},
};
use pace::Pace;

/// How long a silent call stays open before it is cut: longer than any client
/// waits, and short enough that forgotten connections do not pile up.
const SILENCE: Duration = Duration::from_mins(10);

/// The token in which a character is torn: its last one has two bytes.
const TORN_TOKEN: &str = " café";

/// What comes next in an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// One more token.
    Token(&'static str),
    /// The answer is whole.
    Finished,
    /// The connection is to be broken here.
    Cut,
    /// The dialect's own error is to be sent here.
    Error,
}

/// A whole answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Whole {
    /// To be sent.
    Text(String),
    /// The connection is to be broken in the middle of this text.
    Cut(String),
}

/// A call that was admitted.
pub(crate) struct Call {
    engine: Arc<Engine>,
    _place: Place,
    record: CallRecord,
    exchange: Exchange,
    started: Instant,
    answer: Answer,
    pace: Pace,
    /// Tokens that the answer will have.
    length: u64,
    /// Whether the caller's limit made it that short.
    limited: bool,
    fault: Option<Fault>,
    first_token: Option<Duration>,
    response_id: String,
    booked: bool,
}

impl Call {
    pub(crate) fn request_id(&self) -> &str {
        &self.record.request_id
    }

    /// 24 letters and digits, drawn from the call's seed.
    pub(crate) fn response_id(&self) -> &str {
        &self.response_id
    }

    pub(crate) fn model(&self) -> &str {
        &self.record.model
    }

    pub(crate) fn input_tokens(&self) -> u64 {
        self.record.input_tokens
    }

    /// Tokens generated so far.
    pub(crate) fn output_tokens(&self) -> u64 {
        self.record.output_tokens
    }

    /// Whether the answer ends because of the caller's limit.
    pub(crate) fn was_limited(&self) -> bool {
        self.limited
    }

    /// Time since arrival, and the part of it before the first token.
    pub(crate) fn elapsed(&self) -> (Duration, Duration) {
        let total = self.started.elapsed();
        (total, self.first_token.unwrap_or(total))
    }

    /// Waits until the next token is due and gives it.
    pub(crate) async fn next(&mut self) -> Step {
        if let Some(step) = self.interruption().await {
            self.book(Outcome::Broken);
            return step;
        }
        if self.output_tokens() == self.length {
            return Step::Finished;
        }
        let due = self.pace.next_due();
        self.wait_until(due).await;
        if self.first_token.is_none() {
            self.first_token = Some(self.started.elapsed());
            self.exchange.watch_first_token();
        }
        self.record.output_tokens += 1;
        let token = self.answer.next_token();
        if self.tears_character() {
            return Step::Token(TORN_TOKEN);
        }
        Step::Token(token)
    }

    /// Waits until the last token is due and gives the whole text.
    pub(crate) async fn whole(&mut self) -> Whole {
        let (first, last) = self.pace.schedule(self.length);
        self.wait_until(last).await;
        self.first_token = Some(first);
        self.record.output_tokens = self.length;
        let mut text: String = (0..self.length).map(|_| self.answer.next_token()).collect();
        match &self.fault {
            Some(Fault::Cut { within: None, .. }) => {
                self.book(Outcome::Broken);
                return Whole::Cut(text);
            }
            Some(Fault::Cut { within, .. }) => {
                if *within == Some(Within::Utf8) {
                    text.push_str(TORN_TOKEN);
                }
                self.book(Outcome::Broken);
            }
            Some(Fault::Silence { .. }) => self.book(Outcome::Broken),
            _ => {}
        }
        Whole::Text(text)
    }

    /// Books the call as completed. To be called before the last bytes are
    /// handed over, so that whoever has read them finds them in the accounts.
    pub(crate) fn finish(&mut self) {
        self.book(Outcome::Completed);
    }

    /// Books an error reply; nothing was generated.
    fn refuse(&mut self, status: u16) -> Refusal {
        self.record.status = status;
        self.record.input_tokens = 0;
        self.book(Outcome::Refused);
        Refusal {
            request_id: self.record.request_id.clone(),
            status,
            retry_after: None,
        }
    }

    /// What a fault makes of the place that the answer has reached.
    async fn interruption(&mut self) -> Option<Step> {
        let fault = self.fault.as_ref()?;
        let after = spoiled_after(fault)?.min(self.length);
        let said = self.output_tokens();
        match fault {
            // What was to be torn is gone already: the reply had nothing to tear.
            Fault::Cut {
                within: Some(_), ..
            } if said > after || (said == after && said == self.length) => Some(Step::Cut),
            _ if said != after => None,
            Fault::Cut { within: None, .. } => Some(Step::Cut),
            Fault::StreamError { .. } => Some(Step::Error),
            Fault::Silence { .. } => {
                silence().await;
                Some(Step::Cut)
            }
            _ => {
                self.exchange.spoil_next_frame();
                None
            }
        }
    }

    /// Whether the token that was just made is to be torn apart.
    fn tears_character(&self) -> bool {
        let torn = Some(Within::Utf8);
        matches!(&self.fault, Some(Fault::Cut { within, after_tokens })
            if *within == torn && self.output_tokens() == after_tokens + 1)
    }

    async fn wait_until(&self, due: Duration) {
        // Without a delay there is no timer: a timer costs up to a millisecond.
        if !due.is_zero() {
            tokio::time::sleep_until(self.started + due).await;
        }
    }

    fn book(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.booked, true) {
            return;
        }
        let mut record = self.record.clone();
        record.outcome = outcome;
        record.duration_ms = milliseconds(self.started.elapsed());
        record.time_to_first_token_ms = self.first_token.map(milliseconds);
        record.first_token_sent_ms = self
            .exchange
            .first_token_sent()
            .map(|sent| milliseconds(sent - self.started));
        self.engine.book(record);
    }
}

impl Drop for Call {
    /// Whatever was not finished was left by its client.
    fn drop(&mut self) {
        if !self.booked {
            let elapsed = self.started.elapsed();
            if !self.record.streamed {
                self.record.output_tokens = self.pace.due_by(elapsed).min(self.length);
            }
            // The layer around the dialects ends a reply that it has torn.
            let is_torn = self.exchange.is_due()
                && matches!(
                    self.fault,
                    Some(Fault::Cut {
                        within: Some(_),
                        ..
                    })
                );
            self.book(match is_torn {
                true => Outcome::Broken,
                false => Outcome::Cancelled,
            });
        }
    }
}

/// After how many tokens a fault spoils a stream; `None` for those that do not.
fn spoiled_after(fault: &Fault) -> Option<u64> {
    match fault {
        Fault::Cut { after_tokens, .. }
        | Fault::StreamError { after_tokens }
        | Fault::WrongCrc { after_tokens }
        | Fault::Garbage { after_tokens }
        | Fault::HugeLine { after_tokens, .. } => Some(*after_tokens),
        Fault::Silence { after_tokens, .. } => *after_tokens,
        Fault::Status { .. }
        | Fault::Slow { .. }
        | Fault::Html {}
        | Fault::WrongContentType { .. }
        | Fault::Usage { .. }
        | Fault::Reset { .. }
        | Fault::Refused {} => None,
    }
}

/// Stays silent for as long as a silent call may.
pub(crate) async fn silence() {
    tokio::time::sleep_until(Instant::now() + SILENCE).await;
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
