//! What must hold of everything that strangers write to us: each stream decoder, `Retry-After`,
//! price lists, lines of calls. A check panics on what breaks it.
//!
//! The fuzz targets in `fuzz` call these checks with bytes that they make up; the tests call them
//! with the seeds that the fuzz targets begin from. Not compiled otherwise.

mod call_lines;
mod price_catalogue;
mod retry_after;
mod streams;

use std::sync::LazyLock;

use crate::PriceCatalogue;

pub use streams::Decoder;
#[cfg(test)]
pub(crate) use streams::told;

/// A check, under the name of its fuzz target.
pub type Target = (&'static str, fn(&[u8]));

/// All checks.
pub const TARGETS: [Target; 8] = [
    ("claude_stream", |bytes| stream(Decoder::Claude, bytes)),
    ("openai_chat_stream", |bytes| stream(Decoder::Chat, bytes)),
    ("openai_responses_stream", |bytes| {
        stream(Decoder::Responses, bytes);
    }),
    ("ollama_stream", |bytes| stream(Decoder::Ollama, bytes)),
    ("bedrock_stream", |bytes| stream(Decoder::Bedrock, bytes)),
    ("retry_after", retry_after),
    ("price_catalogue", price_catalogue),
    ("call_lines", call_lines),
];

static PRICES: LazyLock<PriceCatalogue> = LazyLock::new(built_in);

#[expect(
    clippy::expect_used,
    reason = "a test makes sure that the list is right"
)]
fn built_in() -> PriceCatalogue {
    PriceCatalogue::built_in().expect("a built-in price list")
}

/// The body of a streamed answer: see the panics of its source.
pub fn stream(decoder: Decoder, bytes: &[u8]) {
    streams::check(decoder, bytes);
}

/// The value of a `Retry-After` on the first line, of a `retry-after-ms` on a second one.
pub fn retry_after(bytes: &[u8]) {
    retry_after::check(bytes);
}

/// A price list.
pub fn price_catalogue(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        price_catalogue::check(text);
    }
}

/// JSON lines of calls.
pub fn call_lines(bytes: &[u8]) {
    call_lines::check(bytes);
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_seed_keeps_the_rules_of_its_target() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        for (name, check) in TARGETS {
            let files = fs::read_dir(seeds.join(name)).expect(name);
            let mut checked = 0;
            for file in files {
                let path = file.expect(name).path();
                check(&fs::read(&path).expect("a seed"));
                checked += 1;
            }
            assert!(checked > 1, "{name} has {checked} seeds");
        }
    }
}
