//! Attribute names of model calls.
//!
//! Source: open-telemetry/semantic-conventions-genai, status Development, as of 2026-11-20, in the
//! spelling that instrumentations emit without the experimental opt-in. `bookstore.gen_ai.*` is
//! ours: the conventions have no cost yet.

/// Kind of operation: `chat`.
pub const OPERATION_NAME: &str = "gen_ai.operation.name";
/// Who serves the model: `anthropic`, `openai`, `ollama`, `aws.bedrock`, `lmstudio`.
pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The model asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// The model that answered.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// `input` or `output`.
pub const TOKEN_TYPE: &str = "gen_ai.token.type";
/// The class of a failure; empty when there is none.
pub const ERROR_TYPE: &str = "error.type";
