//! One attempt, from its reservation in the ledger to its settlement.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use metrics::Histogram;
use tokio::time::Instant;
use tracing::{Span, record_all};
use uuid::Uuid;

use super::{Books, series::Settled, span};
use crate::{
    CallContext, ChatEvent, ChatRequest, ChatResponse, Cost, CostParts, LatencySplit, LedgerRow,
    LlmError, Outcome, PriceCatalogue, PriceQuery, ServiceTier, Usage, UsageSoFar, ledger::Slot,
    price::region_class, transport::Departure,
};

/// An attempt under way. Dropped before it is settled, it was cancelled.
pub(super) struct Attempt {
    books: Arc<Books>,
    context: CallContext,
    span: Span,
    trace_id: Option<String>,
    slot: Option<Slot>,
    /// The prices in force when it began.
    prices: Arc<PriceCatalogue>,
    requested_model: String,
    streamed: bool,
    at: Timestamp,
    begun: Instant,
    progress: Progress,
}

/// What a stream has given so far.
struct Progress {
    model: Option<String>,
    service_tier: Option<ServiceTier>,
    usage: UsageSoFar,
    /// Whether the request has left.
    departure: Arc<Departure>,
    /// Whether the provider has begun to answer.
    opened: bool,
    first_chunk_at: Option<Instant>,
    last_chunk_at: Option<Instant>,
    /// Of the model that answers; looked up once, for there are many chunks.
    gaps: Option<Histogram>,
}

/// How an attempt came out.
pub(super) struct Conclusion<'a> {
    pub(super) outcome: Outcome,
    pub(super) error_type: &'static str,
    pub(super) model: &'a str,
    pub(super) service_tier: ServiceTier,
    pub(super) usage: Usage,
    pub(super) time_to_first_chunk: Option<Duration>,
    /// As the provider's client measured it; `None` for what is known here.
    latency: Option<LatencySplit>,
}

impl Attempt {
    /// Reserves the ledger row and opens the span.
    ///
    /// # Errors
    /// [`LlmError::Overloaded`] when the ledger cannot take another row.
    pub(super) fn begin(
        books: &Arc<Books>,
        request: &ChatRequest,
        streamed: bool,
    ) -> Result<Self, LlmError> {
        let slot = books.ledger.reserve()?;
        let requested_model = request.model.as_ref().unwrap_or(&books.default_model);
        books.series.begin();
        let prices = books.prices.current();
        Ok(Self {
            span: span::open(books, request, requested_model, &prices, streamed),
            trace_id: instrumentation::request::current()
                .map(|identity| identity.trace_id.as_str().to_owned()),
            books: Arc::clone(books),
            context: request.context.clone(),
            slot: Some(slot),
            prices,
            requested_model: requested_model.clone(),
            streamed,
            at: Timestamp::now(),
            begun: Instant::now(),
            progress: Progress {
                model: None,
                service_tier: None,
                usage: UsageSoFar::new(request),
                departure: Arc::default(),
                opened: false,
                first_chunk_at: None,
                last_chunk_at: None,
                gaps: None,
            },
        })
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Where the transport says that the request has left.
    pub(super) fn departure(&self) -> Arc<Departure> {
        Arc::clone(&self.progress.departure)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.slot.is_none()
    }

    /// The provider has accepted the request, and streams.
    pub(super) fn open(&mut self) {
        self.progress.opened = true;
    }

    /// Takes note of a stream's event; the last one settles the attempt.
    pub(super) fn observe(&mut self, event: &mut ChatEvent) {
        self.progress.usage.observe(event);
        match event {
            ChatEvent::Started {
                model,
                service_tier,
                latency,
                ..
            } => {
                latency.queue = self.context.queued;
                let asked = &self.books.service_tier;
                let tier = service_tier.get_or_insert_with(|| asked.clone());
                self.progress.service_tier = Some(tier.clone());
                self.progress.gaps = Some(self.books.series.gaps(&self.requested_model, model));
                self.progress.model = Some(model.clone());
            }
            ChatEvent::Delta(_) => self.observe_chunk(),
            ChatEvent::Finished(response) => self.succeed(response),
        }
    }

    fn observe_chunk(&mut self) {
        let now = Instant::now();
        let last = self.progress.last_chunk_at.replace(now);
        match (last, &self.progress.gaps) {
            (None, _) => self.progress.first_chunk_at = Some(now),
            (Some(last), Some(gaps)) => gaps.record((now - last).as_secs_f64()),
            // Text without a start, which no provider's client passes on.
            (Some(_), None) => {}
        }
    }

    /// Books a whole answer and writes its price into it.
    pub(super) fn succeed(&mut self, response: &mut ChatResponse) {
        response.latency.queue = self.context.queued;
        let model = response.model.clone();
        let service_tier = response.service_tier.take();
        let service_tier = service_tier.unwrap_or_else(|| self.tier_so_far());
        response.service_tier = Some(service_tier.clone());
        let cost = self.settle(&Conclusion {
            outcome: Outcome::Succeeded,
            error_type: "",
            model: &model,
            service_tier,
            usage: response.usage,
            time_to_first_chunk: self.time_to_first_chunk(),
            latency: Some(response.latency),
        });
        response.cost = cost;
        response.simulated = self.books.simulated;
        response.call_id = Some(self.context.call_id);
        if let Some(content) = &self.books.content {
            content.answered(&self.span, response);
        }
        let overhead = self.begun.elapsed().saturating_sub(response.latency.total);
        self.books.series.overhead(overhead);
        let span = std::mem::replace(&mut self.span, Span::none());
        record_all!(
            span,
            "gen_ai.response.id" = response.response_id.as_deref(),
            "bookstore.gen_ai.overhead_ms" = span::milliseconds(overhead),
        );
        if let Some(reason) = &response.finish_reason {
            instrumentation::record_texts(&span, "gen_ai.response.finish_reasons", &[reason]);
        }
    }

    /// Books a failed attempt with what was read until then.
    pub(super) fn fail(&mut self, error: &LlmError) {
        let outcome = if self.progress.first_chunk_at.is_some() {
            Outcome::Partial
        } else {
            Outcome::Failed
        };
        self.span
            .record("otel.status_description", error.to_string());
        let was_sent = self.progress.opened
            || (self.progress.departure.may_have_left() && error.leaves_provider_at_work());
        self.settle_unfinished(outcome, error.error_type(), was_sent);
        self.span = Span::none();
    }

    /// `was_sent`: the provider has the request, and did not refuse it.
    fn settle_unfinished(&mut self, outcome: Outcome, error_type: &'static str, was_sent: bool) {
        let usage = match was_sent {
            true => self.progress.usage.usage_once_sent(),
            false => Usage::default(),
        };
        let model = self.progress.model.clone();
        let model = model.unwrap_or_else(|| self.requested_model.clone());
        self.settle(&Conclusion {
            outcome,
            error_type,
            model: &model,
            service_tier: self.tier_so_far(),
            usage,
            time_to_first_chunk: self.time_to_first_chunk(),
            latency: None,
        });
    }

    /// As far as the provider has said; else the one that it was asked for.
    fn tier_so_far(&self) -> ServiceTier {
        let reported = self.progress.service_tier.as_ref();
        reported.unwrap_or(&self.books.service_tier).clone()
    }

    fn settle(&mut self, conclusion: &Conclusion<'_>) -> Option<Cost> {
        let slot = self.slot.take()?;
        let books = &self.books;
        let query = PriceQuery {
            provider: books.provider,
            model: conclusion.model,
            at: self.at,
            region_class: "",
            service_tier: conclusion.service_tier.as_str(),
        };
        let cost = self.prices.cost_of(&query, &conclusion.usage);
        if let Some(bill) = &self.context.bill {
            let tokens = conclusion.usage.input_tokens + conclusion.usage.output_tokens;
            bill.settle(cost.as_ref().map(|cost| cost.total), tokens);
        }
        let now = Instant::now();
        books.series.settle(&Settled {
            context: &self.context,
            requested_model: &self.requested_model,
            response_model: conclusion.model,
            outcome: conclusion.outcome,
            error_type: conclusion.error_type,
            usage: &conclusion.usage,
            cost: cost.as_ref(),
            duration: now - self.begun,
            time_to_first_chunk: conclusion.time_to_first_chunk,
        });
        span::conclude(&self.span, conclusion, cost.as_ref());
        slot.write(LedgerRow {
            id: Uuid::now_v7(),
            call_id: self.context.call_id,
            attempt: self.context.attempt,
            at: self.at,
            tenant: self.context.tenant.clone(),
            test_id: self.context.test_id.clone(),
            feature: self.context.feature.into(),
            variant: self.context.variant.clone(),
            prompt_version: self.context.prompt_version.clone(),
            provider: books.provider,
            model: conclusion.model.to_owned(),
            region_class: region_class(books.provider, conclusion.model).to_owned(),
            service_tier: conclusion.service_tier.to_string(),
            outcome: conclusion.outcome,
            error_type: (!conclusion.error_type.is_empty()).then(|| conclusion.error_type.into()),
            streamed: self.streamed,
            usage: conclusion.usage,
            price_version: Arc::clone(self.prices.version()),
            cost: cost.as_ref().map(|cost| cost.total),
            cost_parts: cost.as_ref().map(CostParts::from),
            simulated: books.simulated,
            trace_id: self.trace_id.take(),
            latency: conclusion.latency.unwrap_or_else(|| self.latency(now)),
        });
        cost
    }

    fn time_to_first_chunk(&self) -> Option<Duration> {
        Some(self.progress.first_chunk_at? - self.begun)
    }

    /// Where the time of an attempt went that did not succeed.
    fn latency(&self, now: Instant) -> LatencySplit {
        let first = self.progress.first_chunk_at;
        LatencySplit {
            queue: self.context.queued,
            time_to_first_token: first.map(|first| first - self.begun),
            decode: first
                .zip(self.progress.last_chunk_at)
                .map(|(first, last)| last - first),
            total: now - self.begun,
            ..LatencySplit::default()
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.is_settled() {
            let bill = self.context.bill.as_ref();
            let was_sent = self.progress.opened || self.progress.departure.may_have_left();
            if bill.is_some_and(|bill| bill.is_cut_off()) {
                self.settle_unfinished(Outcome::Partial, "budget", was_sent);
            } else {
                self.settle_unfinished(Outcome::Cancelled, "cancelled", was_sent);
            }
        }
    }
}
