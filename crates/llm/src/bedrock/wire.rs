//! Requests, answers and events in the SDK's types.

use async_stream::try_stream;
use aws_sdk_bedrockruntime::{
    operation::converse,
    primitives::event_stream::EventReceiver,
    types::{
        CacheTtl, ContentBlock, ContentBlockDelta, ConversationRole, ConverseOutput,
        ConverseStreamOutput, InferenceConfiguration, Message, ServiceTier as BedrockTier,
        StopReason, SystemContentBlock, TokenUsage, error::ConverseStreamOutputError,
    },
};
use aws_smithy_types::error::operation::BuildError;
use futures_util::Stream;

use crate::{
    ChatRequest, LlmError, MessageRole, ServiceTier,
    answer::{Ending, Frame, FrameDecoder, ReportedUsage, Start, WholeAnswer},
    bedrock::error,
    capabilities::Capabilities,
    usage::Count,
};

/// What the SDK writes where an answer gives no reason.
const NO_REASON: &str = "no value was set";

pub(super) fn system(request: &ChatRequest) -> Option<Vec<SystemContentBlock>> {
    let system = request.system.clone()?;
    Some(vec![SystemContentBlock::Text(system)])
}

pub(super) fn messages(request: &ChatRequest) -> Result<Vec<Message>, LlmError> {
    let messages = request.messages.iter().map(|message| {
        Message::builder()
            .role(match message.role {
                MessageRole::User => ConversationRole::User,
                MessageRole::Assistant => ConversationRole::Assistant,
            })
            .content(ContentBlock::Text(message.content.clone()))
            .build()
    });
    let messages = messages.collect::<Result<_, _>>();
    messages.map_err(|error| unwritable(&error))
}

pub(super) fn inference(request: &ChatRequest, model: &str) -> InferenceConfiguration {
    let takes_temperature = Capabilities::of(model).temperature;
    InferenceConfiguration::builder()
        .max_tokens(i32::try_from(request.max_tokens).unwrap_or(i32::MAX))
        .set_temperature(request.temperature.filter(|_| takes_temperature))
        .build()
}

/// The class of service to be asked for, by the vendor's own word.
pub(super) fn asked_tier(word: Option<&str>) -> Result<Option<BedrockTier>, LlmError> {
    let Some(word) = word else { return Ok(None) };
    let tier = BedrockTier::builder().r#type(word.into()).build();
    tier.map(Some).map_err(|error| unwritable(&error))
}

fn unwritable(error: &BuildError) -> LlmError {
    LlmError::Malformed {
        message: format!("the request cannot be written: {error}"),
    }
}

/// A whole answer. Bedrock never says which model it was: it is the one that was asked.
pub(super) fn answer(
    output: converse::ConverseOutput,
    model: &str,
) -> Result<WholeAnswer, LlmError> {
    let service_tier = given_tier(output.service_tier());
    let Some(ConverseOutput::Message(message)) = output.output else {
        return Err(LlmError::Malformed {
            message: "the answer has no message".to_owned(),
        });
    };
    let texts = message.content.into_iter().filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text),
        _ => None,
    });
    Ok(WholeAnswer {
        model: model.to_owned(),
        response_id: None,
        text: texts.collect(),
        ending: Ending {
            finish_reason: reason(&output.stop_reason),
            usage: reported(output.usage.as_ref()),
            service_tier,
        },
    })
}

/// The events of a stream, to its end or its first error.
pub(super) fn events(
    mut receiver: EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>,
) -> impl Stream<Item = Result<ConverseStreamOutput, LlmError>> + Send {
    try_stream! {
        loop {
            let event = receiver.recv().await;
            match event.map_err(|error| error::of_stream(&error))? {
                Some(event) => yield event,
                None => return,
            }
        }
    }
}

/// Reads the events of one streamed answer.
pub(super) struct EventDecoder {
    model: String,
    stopped: bool,
    finish_reason: Option<String>,
}

impl EventDecoder {
    pub(super) fn new(model: String) -> Self {
        Self {
            model,
            stopped: false,
            finish_reason: None,
        }
    }
}

impl FrameDecoder<ConverseStreamOutput> for EventDecoder {
    /// The counts come behind the end of the message, and are the terminator.
    fn decode(&mut self, frame: ConverseStreamOutput) -> Result<Frame, LlmError> {
        let mut read = Frame::default();
        match frame {
            ConverseStreamOutput::MessageStart(_) => {
                read.start = Some(Start {
                    model: self.model.clone(),
                    response_id: None,
                    usage: None,
                    service_tier: None,
                });
            }
            ConverseStreamOutput::ContentBlockDelta(event) => {
                if let Some(ContentBlockDelta::Text(text)) = event.delta {
                    read.text = text;
                }
            }
            ConverseStreamOutput::MessageStop(event) => {
                self.stopped = true;
                self.finish_reason = reason(&event.stop_reason);
            }
            ConverseStreamOutput::Metadata(event) if self.stopped => {
                read.end = Some(Ending {
                    finish_reason: self.finish_reason.take(),
                    usage: reported(event.usage.as_ref()),
                    service_tier: given_tier(event.service_tier()),
                });
            }
            _ => {}
        }
        Ok(read)
    }
}

fn given_tier(tier: Option<&BedrockTier>) -> Option<ServiceTier> {
    ServiceTier::reported(tier.map(|tier| tier.r#type().as_str()))
}

fn reason(reason: &StopReason) -> Option<String> {
    let reason = reason.as_str();
    (reason != NO_REASON).then(|| reason.to_owned())
}

/// OpenTelemetry's input tokens include the cached ones, Bedrock's do not. The SDK reads a missing
/// count as 0: of the input, which is never empty, that means missing; of the output, that is left
/// to the text.
fn reported(usage: Option<&TokenUsage>) -> ReportedUsage {
    let Some(usage) = usage else {
        return ReportedUsage::default();
    };
    let part = |tokens: Option<i32>| tokens.map(Count::of).unwrap_or_default();
    let (input, output) = (
        Count::of(usage.input_tokens),
        Count::of(usage.output_tokens),
    );
    let cache_read = part(usage.cache_read_input_tokens);
    let written = part(usage.cache_write_input_tokens);
    let for_an_hour = usage.cache_details().iter();
    let for_an_hour = for_an_hour.filter(|detail| detail.ttl == CacheTtl::OneHour);
    let for_an_hour: Vec<Count> = for_an_hour
        .map(|detail| Count::of(detail.input_tokens))
        .collect();
    let hour = Count::of(for_an_hour.iter().map(|count| count.or_zero()).sum::<u64>());
    let mut all = for_an_hour
        .iter()
        .chain([&input, &output, &cache_read, &written, &hour]);
    let doubtful = all.any(|count| count.doubtful);
    let (cache_read, write_1h) = (cache_read.or_zero(), hour.or_zero());
    // What no lifetime claims is of the default one, five minutes.
    let write_5m = written.or_zero().saturating_sub(write_1h);
    let cached = cache_read + write_5m + write_1h;
    let input = input.believed.map(|uncached| uncached + cached);
    ReportedUsage {
        input: input.filter(|tokens| *tokens > 0),
        output: output.believed.filter(|tokens| *tokens > 0),
        cache_read,
        cache_write_5m: write_5m,
        cache_write_1h: write_1h,
        reasoning: 0,
        doubtful,
    }
}
