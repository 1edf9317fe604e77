//! The server-sent events of OpenAI's chat completions.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| llm::fuzzing::stream(
    llm::fuzzing::Decoder::Chat,
    bytes
));
