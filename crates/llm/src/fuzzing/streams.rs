//! What holds of the bytes of every stream, whoever wrote them.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use fastrand::Rng;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use memchr::{memmem, memrchr};
use tenancy::TenantId;
use tokio::{runtime::Runtime, time::Instant};

use super::PRICES;
use crate::{
    CallContext, ChatEvent, ChatRequest, LatencySplit, LlmError, Message, OpenAiStyle, PriceQuery,
    ProviderName, Usage, answer::Exchange, bedrock, claude, ollama, openai, transport::ReplyHead,
};

/// A model whose every kind of token has a price.
const PRICED_MODEL: &str = "claude-sonnet-5-5";

/// Longest stream that is also cut at every byte; of longer ones that would be nearly all the work.
const EVERY_BYTE: usize = 512;

/// Bytes of a frame of Amazon's without headers and payload, and of its two lengths.
const FRAME_BYTES: usize = 16;
const LENGTHS_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 4;

/// The protocols that are read by a decoder of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoder {
    /// Anthropic's server-sent events.
    Claude,
    /// The server-sent events of `OpenAI`'s chat completions.
    Chat,
    /// The server-sent events of `OpenAI`'s responses.
    Responses,
    /// Ollama's JSON lines.
    Ollama,
    /// Amazon's binary frames.
    Bedrock,
}

/// The events of a stream without their latencies, then its error.
type Told = (Vec<ChatEvent>, Option<LlmError>);

thread_local! {
    static RUNTIME: Runtime = runtime();
}

#[expect(clippy::expect_used, reason = "without a runtime nothing is checked")]
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}

/// Everything that a stream of these chunks tells.
pub(crate) fn told(decoder: Decoder, chunks: Vec<Bytes>) -> Told {
    RUNTIME.with(|runtime| runtime.block_on(read(decoder, chunks)))
}

async fn read(decoder: Decoder, chunks: Vec<Bytes>) -> Told {
    let exchange = exchange();
    let asked = "asked".to_owned();
    let body = stream::iter(chunks.clone().into_iter().map(Ok));
    let mut events = match decoder {
        Decoder::Claude => claude::read_stream(body, exchange),
        Decoder::Chat => openai::read_stream(OpenAiStyle::Chat, body, asked, exchange),
        Decoder::Responses => openai::read_stream(OpenAiStyle::Responses, body, asked, exchange),
        Decoder::Ollama => ollama::read_stream(body, exchange),
        Decoder::Bedrock => match bedrock::read_stream(chunks, asked, exchange).await {
            Ok(events) => events,
            Err(error) => return (Vec::new(), Some(error)),
        },
    };
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(ChatEvent::Finished(mut response)) => {
                response.latency = LatencySplit::default();
                told.push(ChatEvent::Finished(response));
            }
            Ok(event) => told.push(event),
            Err(error) => return (told, Some(error)),
        }
    }
    (told, None)
}

fn exchange() -> Exchange {
    let head = ReplyHead {
        sent_at: Instant::now(),
        connect: None,
        request_id: Some("req".to_owned()),
    };
    let request = ChatRequest {
        model: None,
        system: None,
        messages: vec![Message::user("What?")],
        max_tokens: 10,
        temperature: None,
        context: CallContext::new(TenantId::development(), "test", None),
    };
    Exchange::new(head, &request)
}

/// However the bytes are cut, they tell the same; a stream begins once and ends once, cleanly only
/// with its terminator; its text is what was said; its counts are believable and have a price; no
/// beginning of it tells another story; and no flipped bit of a frame with a checksum is overlooked.
///
/// # Panics
/// When one of it does not hold.
pub(super) fn check(decoder: Decoder, bytes: &[u8]) {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let mut random = Rng::with_seed(hasher.finish());
    check_bytes(decoder, bytes, &mut random);
    if decoder == Decoder::Bedrock {
        // Nothing that is made up would get past the checksums.
        let repaired = with_right_checksums(bytes);
        if repaired != bytes {
            check_bytes(decoder, &repaired, &mut random);
        }
    }
}

fn check_bytes(decoder: Decoder, bytes: &[u8], random: &mut Rng) {
    let whole = told(decoder, vec![Bytes::copy_from_slice(bytes)]);
    check_story(decoder, bytes, &whole);
    if bytes.len() <= EVERY_BYTE {
        let every_byte = bytes.chunks(1).map(Bytes::copy_from_slice).collect();
        assert_eq!(told(decoder, every_byte), whole, "{decoder:?} byte by byte");
    }
    let pieces = pieces(bytes, random);
    assert_eq!(told(decoder, pieces), whole, "{decoder:?} in pieces");
    check_beginning(decoder, bytes, &whole, random);
    if decoder == Decoder::Bedrock && whole.1.is_none() {
        let mut flipped = bytes.to_vec();
        if let Some(byte) = random.choice(flipped.iter_mut()) {
            *byte ^= 1 << random.u8(0..8);
        }
        let told = told(decoder, vec![Bytes::from(flipped)]);
        assert!(told.1.is_some() || told == whole, "a flipped bit: {told:?}");
    }
}

fn check_story(decoder: Decoder, bytes: &[u8], (events, error): &Told) {
    let mut said = String::new();
    let mut finished = false;
    for (index, event) in events.iter().enumerate() {
        assert!(!finished, "{decoder:?} goes on behind its end: {events:?}");
        let begins = matches!(event, ChatEvent::Started { .. });
        assert_eq!(begins, index == 0, "{decoder:?} begins once, and first");
        match event {
            ChatEvent::Started { usage, .. } => {
                if let Some(usage) = usage {
                    check_usage(usage);
                }
            }
            ChatEvent::Delta(text) => said.push_str(text),
            ChatEvent::Finished(response) => {
                finished = true;
                assert_eq!(response.text, said, "{decoder:?}");
                check_usage(&response.usage);
            }
        }
    }
    assert_eq!(
        finished,
        error.is_none(),
        "{decoder:?}: {events:?}, {error:?}"
    );
    // A name may also be written with escapes.
    if finished && memmem::find(bytes, br"\u").is_none() {
        let terminated = |way: &[&str]| way.iter().all(|name| has(bytes, name));
        assert!(
            terminators(decoder).iter().any(|way| terminated(way)),
            "{decoder:?} ended without its terminator"
        );
    }
}

/// The words of a terminator, for each kind that a protocol has.
fn terminators(decoder: Decoder) -> &'static [&'static [&'static str]] {
    match decoder {
        Decoder::Claude => &[&["message_stop"]],
        Decoder::Chat => &[&["[DONE]"]],
        Decoder::Responses => &[&["response.completed"], &["response.incomplete"]],
        Decoder::Ollama => &[&["\"done\"", "true"]],
        Decoder::Bedrock => &[&["messageStop", "metadata"]],
    }
}

fn has(bytes: &[u8], name: &str) -> bool {
    memmem::find(bytes, name.as_bytes()).is_some()
}

fn check_usage(usage: &Usage) {
    let cached = usage.cache_read_tokens + usage.cache_write_tokens();
    assert!(cached <= usage.input_tokens, "{usage:?}");
    assert!(usage.reasoning_tokens <= usage.output_tokens, "{usage:?}");
    let query = PriceQuery {
        provider: ProviderName::Claude,
        model: PRICED_MODEL,
        at: Timestamp::UNIX_EPOCH,
        region_class: "",
        service_tier: "",
    };
    let cost = PRICES.cost_of(&query, usage);
    assert!(
        cost.is_some(),
        "{usage:?} costs more than an amount can hold"
    );
}

/// What is read of a beginning is read of the whole; what it ends with, the whole ends with.
fn check_beginning(decoder: Decoder, bytes: &[u8], whole: &Told, random: &mut Rng) {
    let (mut beginning, _) = bytes.split_at(random.usize(0..=bytes.len()));
    if decoder == Decoder::Ollama {
        // A last line needs no end, so half of one may be a document of its own.
        let lines = memrchr(b'\n', beginning).map_or(0, |end| end + 1);
        (beginning, _) = beginning.split_at(lines);
    }
    let told = told(decoder, vec![Bytes::copy_from_slice(beginning)]);
    check_story(decoder, beginning, &told);
    if told.1.is_none() {
        assert_eq!(&told, whole, "{decoder:?}");
    } else {
        assert!(
            whole.0.starts_with(&told.0),
            "{decoder:?} tells {:?}, its beginning {:?}",
            whole.0,
            told.0
        );
    }
}

fn pieces(bytes: &[u8], random: &mut Rng) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(random.usize(1..=rest.len()));
        pieces.push(Bytes::copy_from_slice(piece));
        rest = behind;
    }
    pieces
}

/// These frames, each with the checksums that it should have.
fn with_right_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut repaired = bytes.to_vec();
    let mut rest = repaired.as_mut_slice();
    while let Some(&length) = rest.first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if !(FRAME_BYTES..=rest.len()).contains(&length) {
            break;
        }
        let (frame, behind) = rest.split_at_mut(length);
        write_checksum(frame, LENGTHS_BYTES);
        write_checksum(frame, length - CHECKSUM_BYTES);
        rest = behind;
    }
    repaired
}

/// Writes the checksum of the first `covered` bytes behind them.
fn write_checksum(frame: &mut [u8], covered: usize) {
    let (covered, behind) = frame.split_at_mut(covered);
    if let Some(checksum) = behind.first_chunk_mut() {
        *checksum = crc32fast::hash(covered).to_be_bytes();
    }
}
