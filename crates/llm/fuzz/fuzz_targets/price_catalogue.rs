//! A price list.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| llm::fuzzing::price_catalogue(bytes));
