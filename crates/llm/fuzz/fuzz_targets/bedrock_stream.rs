//! Amazon's binary frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| llm::fuzzing::stream(
    llm::fuzzing::Decoder::Bedrock,
    bytes
));
