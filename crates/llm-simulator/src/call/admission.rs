//! From a request's arrival to a call that may answer, or to its refusal.

use std::sync::Arc;

use http::Extensions;
use tokio::time::Instant;

use super::{Call, milliseconds, pace::Pace, silence};
use crate::{
    answer::Answer,
    credentials::Caller,
    dialect::{Dialect, ID_LENGTH},
    engine::{Engine, Place, Settings},
    faults::Fault,
    meter::{CallRecord, Operation, Outcome},
    prompt::Prompt,
    seed,
};

/// What a client reads when a silent call was held to the end.
const GATEWAY_TIMEOUT: u16 = 504;

/// What a dialect read out of a request.
pub(crate) struct CallRequest {
    pub(crate) model: String,
    pub(crate) streamed: bool,
    #[expect(dead_code, reason = "the rate limits and the journal look at it")]
    pub(crate) caller: Caller,
    pub(crate) prompt: Prompt,
    /// The caller's limit on the answer, if it gave one.
    pub(crate) max_tokens: Option<u64>,
}

/// A call that gets an error reply.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) request_id: String,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
}

/// A request that arrived and is not understood yet.
pub(crate) struct Arrival {
    engine: Arc<Engine>,
    settings: Settings,
    generator: fastrand::Rng,
    record: CallRecord,
    started: Instant,
}

impl Arrival {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        dialect: Dialect,
        operation: Operation,
        _extensions: &Extensions,
    ) -> Self {
        let settings = engine.settings();
        let number = engine.next_number();
        let mut generator = seed::generator(settings.seed, number);
        let record = CallRecord {
            number,
            request_id: dialect.request_id(&mut generator),
            dialect,
            operation,
            model: String::new(),
            streamed: false,
            outcome: Outcome::Refused,
            status: 200,
            fault: None,
            input_tokens: 0,
            output_tokens: 0,
            arrived_at: jiff::Timestamp::now(),
            time_to_first_token_ms: None,
            duration_ms: 0.0,
        };
        Self {
            engine: Arc::clone(engine),
            settings,
            generator,
            record,
            started: Instant::now(),
        }
    }

    /// Books an error reply and gives what the reply needs.
    pub(crate) fn refuse(mut self, status: u16) -> Refusal {
        self.record.status = status;
        self.record.duration_ms = milliseconds(self.started.elapsed());
        let request_id = self.record.request_id.clone();
        self.engine.book(self.record);
        Refusal {
            request_id,
            status,
            retry_after: None,
        }
    }

    /// Lets the call in, after the faults that come before an answer.
    pub(crate) async fn admit(mut self, request: CallRequest) -> Result<Call, Refusal> {
        let dialect = self.record.dialect;
        self.record.model.clone_from(&request.model);
        self.record.streamed = request.streamed;
        // Each use has its own generator: a new rule leaves answers as they were.
        let mut fault_draws = self.generator.fork();
        let fault = self
            .settings
            .faults
            .decide(dialect, &request.model, &mut fault_draws);
        self.record.fault = fault.as_ref().map(Fault::name);
        let Some(place) = self.engine.place() else {
            return Err(self.refuse(dialect.overloaded_status()));
        };
        match &fault {
            Some(Fault::Status { code, retry_after }) => {
                let refusal = self.refuse(*code);
                return Err(Refusal {
                    retry_after: retry_after.clone(),
                    ..refusal
                });
            }
            Some(Fault::StreamError { .. }) if !request.streamed => {
                return Err(self.refuse(dialect.overloaded_status()));
            }
            _ => {}
        }
        let is_silent = match &fault {
            Some(Fault::Silence { after_tokens }) => after_tokens.is_none() || !request.streamed,
            _ => false,
        };
        let mut call = self.into_call(&request, place, fault);
        if is_silent {
            silence().await;
            return Err(call.refuse(GATEWAY_TIMEOUT));
        }
        Ok(call)
    }

    fn into_call(mut self, request: &CallRequest, place: Place, fault: Option<Fault>) -> Call {
        let wanted = self.settings.profile.text().output_tokens;
        let drawn = self.generator.u64(wanted.min..=wanted.max);
        let length = request.max_tokens.map_or(drawn, |limit| drawn.min(limit));
        self.record.input_tokens = request.prompt.tokens();
        Call {
            engine: self.engine,
            _place: place,
            started: self.started,
            answer: Answer::new(self.generator.fork()),
            pace: Pace::new(self.settings.profile, self.generator.fork()),
            length,
            limited: length < drawn,
            fault,
            first_token: None,
            response_id: seed::identifier(&mut self.generator, "", ID_LENGTH),
            booked: false,
            record: self.record,
        }
    }
}
