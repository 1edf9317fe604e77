//! From a request's arrival to a call that may answer, or to its refusal.

use std::{sync::Arc, time::Duration};

use http::{Extensions, HeaderValue, StatusCode};
use tokio::time::Instant;

use super::{
    Call, LastSent, milliseconds,
    pace::{Pace, Slowdown},
    silence,
};
use crate::{
    answer::Answer,
    credentials::Caller,
    dialect::{Dialect, ID_LENGTH},
    engine::{Engine, Place, Settings},
    exchange::Exchange,
    faults::{Candidate, Fault},
    journal::{CallRecord, Operation, Outcome},
    load::Slot,
    profile::{Profile, TokenRange},
    prompt::Prompt,
    rate_limit::Exceeded,
    seed,
    service_tier::ServiceTier,
    wire::WireFault,
};

/// What a client reads when a silent call was held to the end.
const GATEWAY_TIMEOUT: u16 = 504;
const OK: u16 = 200;
const TOO_MANY_REQUESTS: u16 = 429;

/// What a dialect read out of a request.
pub(crate) struct CallRequest {
    pub(crate) model: String,
    pub(crate) streamed: bool,
    pub(crate) caller: Caller,
    pub(crate) prompt: Prompt,
    /// The caller's limit on the answer, if it gave one.
    pub(crate) max_tokens: Option<u64>,
    pub(crate) service_tier: ServiceTier,
}

/// A call that gets an error reply.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) request_id: String,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    /// The limit that refused it, and the others.
    pub(crate) exceeded: Option<Box<Exceeded>>,
}

impl Refusal {
    /// The status of the reply and its `Retry-After`.
    pub(crate) fn head(&self) -> (StatusCode, Option<HeaderValue>) {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after.as_deref();
        (
            status,
            retry_after.and_then(|text| HeaderValue::try_from(text).ok()),
        )
    }

    /// A refusal for a limit's sake.
    fn exceeding(self, exceeded: Box<Exceeded>) -> Self {
        let seconds = exceeded.retry_after.as_nanos().div_ceil(1_000_000_000);
        Self {
            retry_after: Some(seconds.to_string()),
            exceeded: Some(exceeded),
            ..self
        }
    }
}

/// A request that arrived and is not understood yet.
pub(crate) struct Arrival {
    engine: Arc<Engine>,
    settings: Settings,
    generator: fastrand::Rng,
    record: CallRecord,
    exchange: Exchange,
    started: Instant,
}

impl Arrival {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        dialect: Dialect,
        operation: Operation,
        request: &Extensions,
    ) -> Self {
        let exchange = Exchange::of(request);
        let settings = engine.settings();
        let number = engine.next_number();
        let mut generator = seed::generator(settings.seed, number);
        let record = CallRecord {
            number,
            request_id: dialect.request_id(&mut generator),
            dialect,
            operation,
            model: String::new(),
            service_tier: ServiceTier::default(),
            caller: String::new(),
            test_id: exchange.test_id().map(str::to_owned),
            streamed: false,
            outcome: Outcome::Refused,
            status: 200,
            fault: None,
            input_tokens: 0,
            cache_read_tokens: 0,
            cache_write_5m_tokens: 0,
            cache_write_1h_tokens: 0,
            output_tokens: 0,
            reasoning_tokens: 0,
            arrived_at: jiff::Timestamp::now(),
            queued_ms: 0.0,
            first_token_due_ms: None,
            time_to_first_token_ms: None,
            first_token_sent_ms: None,
            duration_ms: 0.0,
            sent_last: Vec::new(),
            tokens_in_last_250_ms: 0,
            replayed: false,
            unmetered: false,
            charge: None,
        };
        Self {
            engine: Arc::clone(engine),
            settings,
            generator,
            record,
            exchange,
            started: Instant::now(),
        }
    }

    /// The books, the line that is to go into them, and the moment of arrival.
    pub(crate) fn into_parts(self) -> (Arc<Engine>, CallRecord, Instant) {
        (self.engine, self.record, self.started)
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
            exceeded: None,
        }
    }

    /// Lets the call in, after the faults that come before an answer.
    pub(crate) async fn admit(mut self, request: CallRequest) -> Result<Call, Refusal> {
        let dialect = self.record.dialect;
        self.record.model.clone_from(&request.model);
        self.record.caller = request.caller.fingerprint();
        self.record.streamed = request.streamed;
        self.record.service_tier = request.service_tier;
        if let Some(status) = self.exchange.refusal() {
            return Err(self.refuse(status.as_u16()));
        }
        let tokens = request.prompt.tokens();
        let limits = match self
            .engine
            .rate_limits
            .take(dialect, request.caller, tokens)
        {
            Ok(limits) => limits,
            Err(exceeded) => return Err(self.refuse(TOO_MANY_REQUESTS).exceeding(exceeded)),
        };
        let fault = self.decide(&request);
        self.record.fault = fault.as_ref().map(Fault::name);
        let Some(place) = self.engine.place() else {
            return Err(self.refuse(dialect.overloaded_status()));
        };
        if let Some(order) = fault.as_ref().and_then(wire_fault) {
            self.exchange.order(order);
        }
        match &fault {
            Some(Fault::Status {
                code, retry_after, ..
            }) => {
                let refusal = self.refuse(*code);
                return Err(Refusal {
                    retry_after: retry_after.clone(),
                    ..refusal
                });
            }
            Some(Fault::StreamError { .. }) if !request.streamed => {
                return Err(self.refuse(dialect.overloaded_status()));
            }
            Some(Fault::Html {}) => return Err(self.break_off()),
            Some(Fault::Reset { .. }) => {
                self.exchange.reset();
                return Err(self.break_off());
            }
            _ => {}
        }
        let mut call = self.begin(&request, place, fault).await?;
        call.limits = limits;
        Ok(call)
    }

    /// Begins the answer once the machine has room for it.
    async fn begin(
        self,
        request: &CallRequest,
        place: Place,
        fault: Option<Fault>,
    ) -> Result<Call, Refusal> {
        let is_silent = is_silent_from_the_start(fault.as_ref(), request.streamed);
        let overloaded = self.record.dialect.overloaded_status();
        let assigned = self.settings.profiles.of(&request.model).clone();
        let mut call = self.into_call(request, place, fault, &assigned.profile);
        if let Some(slots) = &assigned.slots {
            match slots.enter().await {
                Some(slot) => call.take(slot),
                None => return Err(call.refuse(overloaded)),
            }
        }
        call.read(request);
        if is_silent {
            silence().await;
            return Err(call.refuse(GATEWAY_TIMEOUT));
        }
        Ok(call)
    }

    fn decide(&mut self, request: &CallRequest) -> Option<Fault> {
        let candidate = Candidate {
            dialect: self.record.dialect,
            model: &request.model,
            streamed: request.streamed,
            headers: self.exchange.headers(),
        };
        // Each use has its own generator: a new rule leaves answers as they were.
        let mut fault_draws = self.generator.fork();
        self.settings.faults.decide(&candidate, &mut fault_draws)
    }

    /// Books a call that gets no reply of its dialect; the layer around it
    /// replaces the one that is made of this refusal.
    fn break_off(mut self) -> Refusal {
        self.record.outcome = Outcome::Broken;
        self.refuse(OK)
    }

    fn into_call(
        mut self,
        request: &CallRequest,
        place: Place,
        fault: Option<Fault>,
        profile: &Arc<Profile>,
    ) -> Call {
        let mut draw = |range: TokenRange| self.generator.u64(range.min..=range.max);
        let wanted = draw(profile.text().output_tokens);
        let reasoning = profile.text().reasoning_tokens.map_or(0, &mut draw);
        let limit = request.max_tokens.unwrap_or(u64::MAX);
        let reasoning = reasoning.min(limit);
        let length = wanted.min(limit - reasoning);
        Call {
            engine: self.engine,
            _place: place,
            slot: None,
            started: self.started,
            queued: Duration::ZERO,
            exchange: self.exchange,
            answer: Answer::new(self.generator.fork()),
            pace: Pace::new(
                Arc::clone(profile),
                Slowdown::of(fault.as_ref()),
                self.generator.fork(),
            ),
            reasoning,
            length,
            said: 0,
            limited: length < wanted,
            fault,
            first_token: None,
            sent: LastSent::default(),
            caller: request.caller,
            limits: None,
            response_id: seed::identifier(&mut self.generator, "", ID_LENGTH),
            booked: false,
            record: self.record,
        }
    }
}

impl Call {
    /// Begins to count what is due, now that the machine has room.
    fn take(&mut self, slot: Slot) {
        self.slot = Some(slot);
        self.queued = self.started.elapsed();
        self.record.queued_ms = milliseconds(self.queued);
    }

    /// Reads the prompt, as far as the cache does not have it.
    fn read(&mut self, request: &CallRequest) {
        let tokens = request.prompt.tokens();
        let cached = self.engine.look_up_prompt(request, self.record.dialect);
        self.record.input_tokens = tokens;
        self.record.cache_read_tokens = cached.read;
        self.record.cache_write_5m_tokens = cached.write_5m;
        self.record.cache_write_1h_tokens = cached.write_1h;
        self.pace.read_prompt(tokens - cached.read);
    }
}

/// Whether not even the head of the reply is sent.
fn is_silent_from_the_start(fault: Option<&Fault>, streamed: bool) -> bool {
    match fault {
        Some(Fault::Silence {
            after_tokens,
            after_head: false,
        }) => after_tokens.is_none() || !streamed,
        _ => false,
    }
}

/// What the layer around the dialects has to do for this fault.
fn wire_fault(fault: &Fault) -> Option<WireFault> {
    let order = match fault {
        Fault::Status {
            retry_after_ms: Some(text),
            ..
        } => WireFault::RetryAfterMs(text.clone()),
        Fault::Cut { within, .. } => WireFault::Cut(*within),
        Fault::Silence {
            after_head: true, ..
        } => WireFault::Silent,
        Fault::WrongCrc { .. } => WireFault::WrongCrc,
        Fault::Garbage { .. } => WireFault::Garbage,
        Fault::HugeLine { bytes, .. } => WireFault::HugeLine(*bytes),
        Fault::Html {} => WireFault::Html,
        Fault::WrongContentType { content_type } => WireFault::ContentType(content_type.clone()),
        Fault::Usage { reported } => WireFault::Usage(*reported),
        Fault::Status { .. }
        | Fault::Slow { .. }
        | Fault::Silence { .. }
        | Fault::StreamError { .. }
        | Fault::Reset { .. }
        | Fault::Refused {} => return None,
    };
    Some(order)
}
