//! One call from its arrival to its last token: numbered, delayed, broken when
//! a rule says so, and booked exactly once.

mod admission;
mod pace;
mod sent;
#[cfg(test)]
mod tests;

pub(crate) use admission::{Arrival, CallRequest, Refusal};
pub(crate) use sent::{LastSent, UNSEEN};

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    answer::Answer,
    credentials::Caller,
    engine::{Engine, Place},
    exchange::Exchange,
    faults::{Fault, Within},
    journal::{CallRecord, Outcome},
    load::Slot,
    prompt_cache::CacheUsage,
    rate_limit::RateState,
    service_tier::ServiceTier,
};
use pace::Pace;

/// A timer ends at the next whole millisecond, and a sleeping thread wakes at
/// the one after that: between none and two, so it is asked for the middle.
const TIMER_LATENESS: Duration = Duration::from_millis(1);
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

/// A call that was admitted.
pub(crate) struct Call {
    engine: Arc<Engine>,
    _place: Place,
    slot: Option<Slot>,
    record: CallRecord,
    exchange: Exchange,
    started: Instant,
    /// Time in the queue; what is due is counted from its end.
    queued: Duration,
    answer: Answer,
    pace: Pace,
    /// Tokens of reasoning before the answer.
    reasoning: u64,
    /// Tokens that the answer will have.
    length: u64,
    /// Tokens of the answer that were given.
    said: u64,
    /// Whether the caller's limit made it that short.
    limited: bool,
    fault: Option<Fault>,
    caller: Caller,
    /// What the caller had left once this call was let in.
    limits: Option<RateState>,
    first_token: Option<Duration>,
    sent: LastSent,
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

    /// The class of service that answers: the one that was asked for.
    pub(crate) fn service_tier(&self) -> ServiceTier {
        self.record.service_tier
    }

    /// Tokens of the whole prompt, cached ones included.
    pub(crate) fn input_tokens(&self) -> u64 {
        self.record.input_tokens
    }

    /// Of these, the tokens that the prompt cache had to do with.
    pub(crate) fn cache_usage(&self) -> CacheUsage {
        CacheUsage {
            read: self.record.cache_read_tokens,
            write_5m: self.record.cache_write_5m_tokens,
            write_1h: self.record.cache_write_1h_tokens,
        }
    }

    /// The others, which is what some vendors call input.
    pub(crate) fn uncached_tokens(&self) -> u64 {
        self.input_tokens() - self.cache_usage().read - self.cache_usage().written()
    }

    /// What the caller has left of its limits.
    pub(crate) fn limits(&self) -> Option<&RateState> {
        self.limits.as_ref()
    }

    /// Tokens generated so far, reasoning included.
    pub(crate) fn output_tokens(&self) -> u64 {
        self.record.output_tokens
    }

    /// Of these, the tokens of reasoning.
    pub(crate) fn reasoning_tokens(&self) -> u64 {
        self.record.reasoning_tokens
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
        if self.record.reasoning_tokens < self.reasoning {
            self.reason().await;
        }
        if self.said == self.length {
            return Step::Finished;
        }
        let due = self.next_due();
        self.wait_until(due).await;
        let elapsed = self.started.elapsed();
        if self.first_token.is_none() {
            self.first_token = Some(elapsed);
            self.record.first_token_due_ms = Some(milliseconds(self.queued + due));
            self.exchange.watch_first_token();
        }
        self.sent.note(elapsed, 1);
        self.said += 1;
        self.record.output_tokens += 1;
        let token = self.answer.next_token();
        if self.tears_character() {
            return Step::Token(TORN_TOKEN);
        }
        Step::Token(token)
    }

    /// Waits until the last token is due and gives the whole text.
    pub(crate) async fn whole(&mut self) -> String {
        let tokens = self.reasoning + self.length;
        if self.slot.is_some() {
            // How full the machine is changes meanwhile.
            for _ in 0..tokens {
                let due = self.next_due();
                self.wait_until(due).await;
            }
        } else {
            let last = self.pace.schedule(tokens);
            self.wait_until(last).await;
        }
        let first = self.queued + self.pace.due_of(self.reasoning);
        self.first_token = Some(first);
        self.record.first_token_due_ms = Some(milliseconds(first));
        self.record.reasoning_tokens = self.reasoning;
        self.record.output_tokens = tokens;
        self.said = self.length;
        let mut text: String = (0..self.length).map(|_| self.answer.next_token()).collect();
        match &self.fault {
            Some(Fault::Cut { within, .. }) => {
                if *within == Some(Within::Utf8) {
                    text.push_str(TORN_TOKEN);
                }
                self.book(Outcome::Broken);
            }
            Some(Fault::Silence { .. }) => self.book(Outcome::Broken),
            _ => {}
        }
        text
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
        self.record.cache_read_tokens = 0;
        self.record.cache_write_5m_tokens = 0;
        self.record.cache_write_1h_tokens = 0;
        self.book(Outcome::Refused);
        Refusal {
            request_id: self.record.request_id.clone(),
            status,
            retry_after: None,
            exceeded: None,
        }
    }

    /// What a fault makes of the place that the answer has reached.
    async fn interruption(&mut self) -> Option<Step> {
        let fault = self.fault.as_ref()?;
        let after = spoiled_after(fault)?.min(self.length);
        let said = self.said;
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
            if *within == torn && self.said == after_tokens + 1)
    }

    /// Generates the reasoning that comes before the answer.
    async fn reason(&mut self) {
        let last = self.pace.schedule(self.reasoning);
        self.wait_until(last).await;
        self.record.reasoning_tokens = self.reasoning;
        self.record.output_tokens = self.reasoning;
    }

    fn next_due(&mut self) -> Duration {
        let slowdown = self.slot.as_ref().map_or(1.0, Slot::slowdown);
        self.pace.next_due(slowdown)
    }

    /// Waits until this moment after the end of the queue.
    async fn wait_until(&self, due: Duration) {
        // Without a delay there is no timer: a timer costs up to a millisecond.
        if !due.is_zero() {
            let asked = due.saturating_sub(TIMER_LATENESS);
            tokio::time::sleep_until(self.started + self.queued + asked).await;
        }
    }

    fn book(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.booked, true) {
            return;
        }
        let elapsed = self.started.elapsed();
        let mut record = self.record.clone();
        record.outcome = outcome;
        record.duration_ms = milliseconds(elapsed);
        record.time_to_first_token_ms = self.first_token.map(milliseconds);
        record.first_token_sent_ms = self
            .exchange
            .first_token_sent()
            .map(|sent| milliseconds(sent - self.started));
        if matches!(outcome, Outcome::Cancelled | Outcome::Broken) {
            record.sent_last = self.sent.steps();
        }
        // Also of a whole stream: its client may leave while the end is on its way.
        if outcome != Outcome::Refused && (record.streamed || outcome != Outcome::Completed) {
            record.tokens_in_last_250_ms = self.unseen(elapsed);
        }
        if outcome != Outcome::Refused {
            let (dialect, tokens) = (record.dialect, record.output_tokens);
            self.engine.rate_limits.settle(dialect, self.caller, tokens);
        }
        self.engine.book(record);
    }

    /// Tokens that a client which has just left need not have seen.
    fn unseen(&self, elapsed: Duration) -> u64 {
        if self.record.streamed {
            return self.sent.within(UNSEEN, elapsed);
        }
        let generated = |at: Duration| self.pace.due_by(at.saturating_sub(self.queued));
        generated(elapsed) - generated(elapsed.saturating_sub(UNSEEN))
    }

    /// Books what was generated for a client that has left.
    fn count_unfinished(&mut self) {
        let generated = self
            .pace
            .due_by(self.started.elapsed().saturating_sub(self.queued));
        let has_reasoned = self.record.reasoning_tokens == self.reasoning;
        if self.record.streamed && has_reasoned {
            return;
        }
        self.record.reasoning_tokens = generated.min(self.reasoning);
        self.record.output_tokens = match self.record.streamed {
            true => self.record.reasoning_tokens,
            false => generated.min(self.reasoning + self.length),
        };
    }
}

impl Drop for Call {
    /// Whatever was not finished was left by its client.
    fn drop(&mut self) {
        if !self.booked {
            self.count_unfinished();
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

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
