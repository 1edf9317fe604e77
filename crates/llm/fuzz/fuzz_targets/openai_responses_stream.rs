//! The server-sent events of OpenAI's responses.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| llm::fuzzing::stream(
    llm::fuzzing::Decoder::Responses,
    bytes
));
