//! How Bedrock is asked for a class of service, and says which one it was.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::{call::Call, service_tier::ServiceTier};

/// Where invoke has it; converse has it in its documents.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-amzn-bedrock-service-tier");

/// What a request may ask for.
const WORDS: [(&str, ServiceTier); 4] = [
    ("default", ServiceTier::Standard),
    ("flex", ServiceTier::Flex),
    ("priority", ServiceTier::Priority),
    ("reserved", ServiceTier::Reserved),
];

/// As converse asks for it.
#[derive(Debug, Deserialize)]
pub(super) struct AskedTier {
    #[serde(rename = "type")]
    kind: String,
}

/// As converse says it.
#[derive(Serialize)]
pub(super) struct GivenTier {
    #[serde(rename = "type")]
    kind: &'static str,
}

impl GivenTier {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            kind: call.service_tier().word(),
        }
    }
}

/// What a request to converse asks for.
pub(super) fn in_body(asked: Option<&AskedTier>) -> Result<ServiceTier, Error> {
    read(asked.map(|asked| asked.kind.as_str()))
}

/// What a request to invoke asks for.
pub(super) fn in_header(headers: &HeaderMap) -> Result<ServiceTier, Error> {
    let word = headers.get(HEADER);
    read(word.map(|word| word.to_str().unwrap_or_default()))
}

/// As invoke says it.
pub(super) fn header(call: &Call) -> HeaderValue {
    HeaderValue::from_static(call.service_tier().word())
}

fn read(word: Option<&str>) -> Result<ServiceTier, Error> {
    ServiceTier::asked(word, &WORDS).ok_or_else(|| {
        let words = ServiceTier::list(&WORDS);
        Error::invalid(format!(
            "serviceTier.type: Member must satisfy enum value set: [{words}]"
        ))
    })
}
