//! A replayed answer on the books: numbered, metered and charged like a simulated one, from what
//! its recording says.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::usage::RecordedUsage;
use crate::{
    call::{Arrival, LastSent, UNSEEN, milliseconds},
    credentials::Caller,
    dialect::Dialect,
    engine::Engine,
    journal::{CallRecord, Operation, Outcome},
};

/// What is known of an answer that is about to be replayed.
pub(super) struct Recorded {
    pub(super) status: u16,
    pub(super) streamed: bool,
    /// `None` if the recording does not say.
    pub(super) usage: Option<RecordedUsage>,
    /// Frames of the body.
    pub(super) frames: usize,
    /// To its last byte.
    pub(super) lasts: Duration,
}

/// An answer that is being replayed. Dropped before its end, its client has left.
pub(super) struct ReplayedCall {
    engine: Arc<Engine>,
    record: CallRecord,
    started: Instant,
    recorded: Recorded,
    /// Frames that were sent.
    sent_frames: usize,
    sent: LastSent,
    booked: bool,
}

/// The protocol and the operation of a route; `None` for one that calls no model.
pub(super) fn operation(route: &str) -> Option<(Dialect, Operation)> {
    Some(match route {
        "/v1/messages" => (Dialect::Anthropic, Operation::Chat),
        "/v1/chat/completions" | "/v1/responses" => (Dialect::OpenAi, Operation::Chat),
        "/lmstudio/v1/chat/completions" | "/lmstudio/v1/responses" => {
            (Dialect::LmStudio, Operation::Chat)
        }
        "/api/chat" => (Dialect::Ollama, Operation::Chat),
        "/api/generate" => (Dialect::Ollama, Operation::TextCompletion),
        _ if route.starts_with("/model/{model}/") => (Dialect::Bedrock, Operation::Chat),
        _ => return None,
    })
}

impl ReplayedCall {
    /// Books a refusal at once, and anything else when it ends.
    pub(super) fn begin(
        arrival: Arrival,
        model: String,
        caller: Caller,
        recorded: Recorded,
    ) -> Self {
        let (engine, mut record, started) = arrival.into_parts();
        record.model = model;
        record.caller = caller.fingerprint();
        record.streamed = recorded.streamed;
        record.status = recorded.status;
        record.replayed = true;
        let is_refusal = recorded.status >= 400;
        let mut call = Self {
            engine,
            record,
            started,
            recorded,
            sent_frames: 0,
            sent: LastSent::default(),
            booked: false,
        };
        if is_refusal {
            call.book(Outcome::Refused);
        } else {
            call.record.unmetered = call.recorded.usage.is_none();
            call.write(0);
        }
        call
    }

    /// Notes that a frame is sent: the answer's tokens are spread over its frames.
    pub(super) fn note_frame(&mut self) {
        self.sent_frames += 1;
        let said = self.said(self.sent_frames as u64, self.recorded.frames as u64);
        let new = said - self.record.output_tokens;
        if new > 0 && !self.booked {
            self.sent.note(self.started.elapsed(), new);
            self.write(said);
        }
    }

    /// Books the answer, which may have broken off when it was recorded. To be called before its
    /// last bytes are handed over, so that whoever has read them finds them in the accounts.
    pub(super) fn end(&mut self, whole: bool) {
        self.book(match whole {
            true => Outcome::Completed,
            false => Outcome::Broken,
        });
    }

    /// As many of the answer's tokens as this part of it has.
    fn said(&self, part: u64, whole: u64) -> u64 {
        let output = self.recorded.usage.map_or(0, |usage| usage.output);
        let said = u128::from(output) * u128::from(part.min(whole)) / u128::from(whole.max(1));
        u64::try_from(said).unwrap_or(output)
    }

    /// Tokens that a document's provider had made by then.
    fn made_by(&self, elapsed: Duration) -> u64 {
        let whole = nanoseconds(self.recorded.lasts);
        self.said(nanoseconds(elapsed), whole)
    }

    fn write(&mut self, said: u64) {
        if let Some(usage) = &self.recorded.usage {
            usage.write(said, &mut self.record);
        }
    }

    fn book(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.booked, true) {
            return;
        }
        let elapsed = self.started.elapsed();
        self.record.outcome = outcome;
        self.record.duration_ms = milliseconds(elapsed);
        if matches!(outcome, Outcome::Cancelled | Outcome::Broken) {
            self.record.sent_last = self.sent.steps();
        }
        if self.record.streamed {
            self.record.tokens_in_last_250_ms = self.sent.within(UNSEEN, elapsed);
        } else if outcome == Outcome::Cancelled {
            let before = self.made_by(elapsed.saturating_sub(UNSEEN));
            self.record.tokens_in_last_250_ms = self.record.output_tokens - before;
        }
        self.engine.book(self.record.clone());
    }
}

impl Drop for ReplayedCall {
    fn drop(&mut self) {
        if self.booked {
            return;
        }
        if !self.record.streamed {
            self.write(self.made_by(self.started.elapsed()));
        }
        self.book(Outcome::Cancelled);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
