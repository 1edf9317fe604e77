//! One request's view of its summary, piece by piece.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use llm::{
    ChatEvent, ChatResponse, Cost, CostShare, Fallback, LlmError, OpeningLatency, PriceQuery,
    ProviderName, ServiceTier, SharedStream, Usage, UsageSoFar,
};
use money::PicoUsd;

use super::{
    Interruption, KeptSummary, Question, Subject, Summaries, SummaryError, trimmed::Trimmed,
};

/// A summary as it comes. Dropping it leaves the model's answer, which ends when nobody is left.
pub(crate) struct SummaryStream {
    began: Instant,
    first_text: Option<Duration>,
    source: Source,
}

enum Source {
    /// It was there already.
    Kept(Box<KeptSummary>),
    /// A model makes it.
    Model(Box<Following>),
}

/// A model's answer, followed.
struct Following {
    shared: SharedStream<Question, Interruption>,
    reader: Reader,
    usage: UsageSoFar,
    /// At which the answer's tokens are paid; known once it has begun.
    service_tier: ServiceTier,
    trimmed: Trimmed,
    fallback: Option<Fallback>,
}

/// What a request knows of the answer that it follows.
pub(super) struct Reader {
    pub(super) subject: Arc<Subject>,
    pub(super) provider: ProviderName,
    pub(super) service: Arc<Summaries>,
}

/// A piece of a summary: a start, texts, perhaps a new start, and then the whole; only the whole when it was there
/// already.
pub(crate) enum Piece {
    /// A model has begun.
    Started {
        /// The model that answers.
        model: String,
        /// Its provider.
        provider: ProviderName,
        /// In whose place; after texts, another provider begins anew, and those are void.
        fallback: Option<Fallback>,
        /// Queueing and connecting.
        latency: OpeningLatency,
    },
    /// The next part of the text, never empty.
    Text(String),
    /// The end.
    Whole(Box<Summary>),
}

/// A summary and what this request had to do for it.
pub(crate) struct Summary {
    pub(crate) kept: KeptSummary,
    /// The model's answer; `None` when no model was asked for this request.
    pub(crate) answer: Option<Answer>,
    /// From the request to the first text of a model's answer, also of one that became void.
    pub(crate) first_text: Option<Duration>,
    /// From the request to the end.
    pub(crate) total: Duration,
}

/// A model's answer, and this request's part of its cost.
pub(crate) struct Answer {
    pub(crate) response: ChatResponse,
    pub(crate) share: CostShare,
}

impl SummaryStream {
    pub(super) fn of_kept(kept: KeptSummary, began: Instant) -> Self {
        let source = Source::Kept(Box::new(kept));
        Self::new(began, source)
    }

    pub(super) fn of_model(
        shared: SharedStream<Question, Interruption>,
        reader: Reader,
        usage: UsageSoFar,
        began: Instant,
    ) -> Self {
        let following = Following {
            shared,
            reader,
            usage,
            service_tier: ServiceTier::STANDARD,
            trimmed: Trimmed::default(),
            fallback: None,
        };
        let source = Source::Model(Box::new(following));
        Self::new(began, source)
    }

    const fn new(began: Instant, source: Source) -> Self {
        Self {
            began,
            first_text: None,
            source,
        }
    }

    /// Whether it was there before the request came.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self.source, Source::Kept(_))
    }

    /// Whether it is made for another request that came first.
    pub(crate) fn is_joined(&self) -> bool {
        match &self.source {
            Source::Kept(_) => false,
            Source::Model(following) => following.shared.is_joined(),
        }
    }

    /// The next piece; not to be called after [`Piece::Whole`] or an error. A call that is given up
    /// loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Piece, SummaryError> {
        let mut piece = match &mut self.source {
            Source::Kept(kept) => Piece::whole((**kept).clone(), None, self.began),
            Source::Model(following) => following.next(self.began).await?,
        };
        match &mut piece {
            Piece::Started { .. } => {}
            Piece::Text(_) => {
                self.first_text.get_or_insert(self.began.elapsed());
            }
            Piece::Whole(summary) => summary.first_text = self.first_text,
        }
        Ok(piece)
    }

    /// The whole summary.
    pub(crate) async fn whole(mut self) -> Result<Summary, SummaryError> {
        loop {
            match self.next().await? {
                Piece::Started { .. } | Piece::Text(_) => {}
                Piece::Whole(summary) => return Ok(*summary),
            }
        }
    }

    /// Since the request began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The tokens of the answer so far, and this request's part of what they cost: an estimate,
    /// like the tokens, until the whole is there.
    pub(crate) fn usage_so_far(&self) -> (Usage, Option<Cost>) {
        match &self.source {
            Source::Kept(_) => (Usage::default(), None),
            Source::Model(following) => following.usage_so_far(),
        }
    }
}

impl Piece {
    fn whole(kept: KeptSummary, answer: Option<Answer>, began: Instant) -> Self {
        Self::Whole(Box::new(Summary {
            kept,
            answer,
            first_text: None,
            total: began.elapsed(),
        }))
    }
}

impl Following {
    async fn next(&mut self, began: Instant) -> Result<Piece, SummaryError> {
        let cut_off = self.reader.service.parts.cut_off.clone();
        loop {
            let event = cut_off.run_until_cancelled(self.shared.next()).await;
            let event = match event.ok_or(SummaryError::ShuttingDown)? {
                Some(Ok(event)) => event,
                Some(Err(Interruption::Made(kept))) => {
                    return Ok(Piece::whole(kept.saved(), None, began));
                }
                Some(Err(Interruption::Model(error))) => return Err(self.failed(error)),
                Some(Err(Interruption::Rejected(fault))) => {
                    let provider = self.provider();
                    return Err(SummaryError::Rejected { provider, fault });
                }
                None => return Err(self.failed(over())),
            };
            self.usage.observe(&event);
            match event {
                ChatEvent::Started {
                    model,
                    service_tier,
                    fallback,
                    latency,
                    ..
                } => {
                    self.service_tier = service_tier.unwrap_or(ServiceTier::STANDARD);
                    return Ok(self.started(model, fallback, latency));
                }
                ChatEvent::Delta(text) => {
                    if let Some(text) = self.trimmed.push(&text) {
                        return Ok(Piece::Text(text));
                    }
                }
                ChatEvent::Finished(response) => {
                    let (kept, answer) = self.finished(*response)?;
                    return Ok(Piece::whole(kept, Some(answer), began));
                }
            }
        }
    }

    fn finished(&self, response: ChatResponse) -> Result<(KeptSummary, Answer), SummaryError> {
        let share = self.shared.share().ok_or_else(|| self.failed(over()))?;
        let kept = self.subject().made(&response);
        Ok((kept, Answer { response, share }))
    }

    fn started(
        &mut self,
        model: String,
        fallback: Option<Fallback>,
        latency: OpeningLatency,
    ) -> Piece {
        self.fallback = fallback;
        self.trimmed = Trimmed::default();
        Piece::Started {
            model,
            provider: self.provider(),
            fallback,
            latency,
        }
    }

    /// Who answers.
    fn provider(&self) -> ProviderName {
        self.fallback
            .map_or(self.reader.provider, |fallback| fallback.provider)
    }

    /// The subject under the key of who answers.
    fn subject(&self) -> Arc<Subject> {
        let subject = Arc::clone(&self.reader.subject);
        subject.answered(self.fallback, &self.reader.service.parts.llm)
    }

    fn failed(&self, error: LlmError) -> SummaryError {
        if self.reader.subject.names_model && error.is_unknown_model() {
            return SummaryError::UnknownModel(self.reader.provider);
        }
        SummaryError::Model {
            provider: self.reader.provider,
            error,
        }
    }

    fn usage_so_far(&self) -> (Usage, Option<Cost>) {
        let usage = self.usage.usage();
        let prices = self.reader.service.parts.prices.current();
        let subject = self.subject();
        let query = PriceQuery {
            provider: self.provider(),
            model: &subject.key.model,
            at: Timestamp::now(),
            region_class: "",
            service_tier: self.service_tier.as_str(),
        };
        let cost = prices.cost_of(&query, &usage);
        let callers = i64::try_from(self.shared.callers()).unwrap_or(i64::MAX);
        let cost = cost.map(|cost| Cost {
            total: PicoUsd::new(cost.total.get() / callers.max(1)),
            ..cost
        });
        (usage, cost)
    }
}

/// A stream that was read beyond its end.
fn over() -> LlmError {
    LlmError::Interrupted {
        message: "the answer is over".to_owned(),
    }
}
