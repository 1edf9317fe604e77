//! For the decoder of each protocol: any cut of a stream's bytes gives the same result, whatever the
//! bytes are, and never a panic.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message as AmazonMessage};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    ChatEvent,
    fuzzing::{Decoder, told},
};

const DECODERS: [Decoder; 5] = [
    Decoder::Claude,
    Decoder::Chat,
    Decoder::Responses,
    Decoder::Ollama,
    Decoder::Bedrock,
];

/// What is done to a stream's bytes.
#[derive(Debug, Clone)]
enum Damage {
    None,
    End(usize),
    Flip(usize, u8),
    Insert(usize, Vec<u8>),
}

/// A whole stream with these texts.
fn stream_of(decoder: Decoder, texts: &[String]) -> Vec<u8> {
    match decoder {
        Decoder::Claude => {
            let delta = |text: &String| json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}});
            let start = json!({"type": "message_start", "message": {"id": "m", "model": "x",
                "usage": {"input_tokens": 5, "output_tokens": 1}}});
            let stop = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 9}});
            let end = json!({"type": "message_stop"});
            events(start, texts.iter().map(delta), [stop, end])
        }
        Decoder::Chat => {
            let chunk = |text: &str, reason: Value| {
                json!({"id": "c", "model": "x", "usage": null,
                    "choices": [{"delta": {"content": text}, "finish_reason": reason}]})
            };
            let deltas = texts.iter().map(|text| chunk(text, Value::Null));
            let usage = json!({"choices": [],
                "usage": {"prompt_tokens": 5, "completion_tokens": 9}});
            let mut stream = events(
                chunk("", Value::Null),
                deltas,
                [chunk("", json!("stop")), usage],
            );
            stream.extend_from_slice(b"data: [DONE]\n\n");
            stream
        }
        Decoder::Responses => {
            let delta =
                |text: &String| json!({"type": "response.output_text.delta", "delta": text});
            let response = json!({"id": "r", "model": "x", "status": "completed",
                "usage": {"input_tokens": 5, "output_tokens": 9}});
            let created = json!({"type": "response.created", "response": response});
            let completed = json!({"type": "response.completed", "response": response});
            events(created, texts.iter().map(delta), [completed])
        }
        Decoder::Ollama => {
            let line = |text: &str, done: bool| {
                let line = json!({"model": "x", "message": {"content": text}, "done": done,
                    "prompt_eval_count": 5, "eval_count": 9});
                format!("{line}\n")
            };
            let lines: String = texts.iter().map(|text| line(text, false)).collect();
            (lines + &line("", true)).into_bytes()
        }
        Decoder::Bedrock => {
            let usage = json!({"usage": {"inputTokens": 5, "outputTokens": 9, "totalTokens": 14},
                "metrics": {"latencyMs": 1}});
            let mut stream = amazon_frame("messageStart", &json!({"role": "assistant"}));
            for text in texts {
                let delta = json!({"contentBlockIndex": 0, "delta": {"text": text}});
                stream.extend(amazon_frame("contentBlockDelta", &delta));
            }
            stream.extend(amazon_frame(
                "messageStop",
                &json!({"stopReason": "end_turn"}),
            ));
            stream.extend(amazon_frame("metadata", &usage));
            stream
        }
    }
}

fn events<const N: usize>(
    start: Value,
    deltas: impl Iterator<Item = Value>,
    ends: [Value; N],
) -> Vec<u8> {
    let all = std::iter::once(start).chain(deltas).chain(ends);
    let events: String = all
        .map(|event| format!("event: x\r\ndata: {event}\r\n\r\n"))
        .collect();
    events.into_bytes()
}

fn amazon_frame(kind: &str, payload: &Value) -> Vec<u8> {
    let header = |name: &'static str, value: &str| {
        Header::new(name, HeaderValue::String(value.to_owned().into()))
    };
    let message = AmazonMessage::new(payload.to_string())
        .add_header(header(":event-type", kind))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", "event"));
    let mut frame = Vec::new();
    write_message_to(&message, &mut frame).expect("a frame");
    frame
}

fn damage() -> impl Strategy<Value = Damage> {
    let noise = prop::collection::vec(any::<u8>(), 1..20);
    prop_oneof![
        Just(Damage::None),
        any::<usize>().prop_map(Damage::End),
        (any::<usize>(), 1..=u8::MAX).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (any::<usize>(), noise).prop_map(|(at, noise)| Damage::Insert(at, noise)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    let length = bytes.len();
    match damage {
        Damage::None => {}
        Damage::End(at) => bytes.truncate(at % length),
        Damage::Flip(at, bits) => {
            if let Some(byte) = bytes.get_mut(at % length) {
                *byte ^= bits;
            }
        }
        Damage::Insert(at, noise) => {
            let at = at % length;
            bytes.splice(at..at, noise.iter().copied());
        }
    }
    bytes
}

fn cut(bytes: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| Bytes::copy_from_slice(&bytes[pair[0]..pair[1]]))
        .collect()
}

proptest! {
    #[test]
    fn any_cut_of_any_stream_tells_the_same(
        texts in prop::collection::vec("[a-z \"\\\\ü€𝄞\n]{1,8}", 0..5),
        damage in damage(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        for decoder in DECODERS {
            let bytes = damaged(stream_of(decoder, &texts), &damage);
            let whole = told(decoder, vec![Bytes::copy_from_slice(&bytes)]);
            let pieces = told(decoder, cut(&bytes, &cuts));
            prop_assert_eq!(&whole, &pieces, "{:?}", decoder);
            if matches!(damage, Damage::None) {
                let (events, error) = whole;
                prop_assert_eq!(error, None, "{:?}", decoder);
                let Some(ChatEvent::Finished(response)) = events.last() else {
                    return Err(TestCaseError::fail(format!("{decoder:?} did not finish")));
                };
                prop_assert_eq!(&response.text, &texts.concat());
                prop_assert_eq!(response.usage.input_tokens, 5);
                prop_assert_eq!(response.usage.output_tokens, 9);
            }
        }
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        text in "(data: |event: |\\{|\\}|\"|\n|:|,|[a-z0-9])*",
    ) {
        for decoder in DECODERS {
            for bytes in [bytes.clone(), text.clone().into_bytes()] {
                let (events, error) = told(decoder, vec![Bytes::from(bytes)]);
                prop_assert!(error.is_some(), "{:?}: {:?}", decoder, events);
            }
        }
    }
}

#[test]
fn a_stream_of_byte_after_byte_tells_the_same() {
    let texts = ["Hé".to_owned(), " you".to_owned()];
    for decoder in DECODERS {
        let bytes = stream_of(decoder, &texts);
        let whole = told(decoder, vec![Bytes::copy_from_slice(&bytes)]);
        let cuts: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(told(decoder, cut(&bytes, &cuts)), whole, "{decoder:?}");
        assert_eq!(whole.1, None, "{decoder:?}");
    }
}
