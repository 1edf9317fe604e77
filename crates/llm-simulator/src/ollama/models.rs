//! What Ollama says about its models. Lists only: calls for other models are
//! answered too, as this is a simulator.

use axum::{extract::Request, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    error::Error,
    wire::{self, Line, Shape},
};

/// The version that the simulated server claims.
const VERSION: &str = "0.13.0";
/// Names with their sizes: bytes and parameters.
const MODELS: [(&str, u64, &str); 2] = [
    ("llama3.2:latest", 2_019_393_189, "3.2B"),
    ("llama3.2:1b", 1_321_098_329, "1.2B"),
];
/// When the files were made, for want of files.
const MODIFIED_AT: &str = "2026-01-01T00:00:00Z";

#[derive(Deserialize)]
struct ShowRequest {
    #[serde(default)]
    model: String,
    /// What older clients call it.
    #[serde(default)]
    name: String,
}

#[derive(Serialize)]
struct Details {
    parent_model: &'static str,
    format: &'static str,
    family: &'static str,
    families: [&'static str; 1],
    parameter_size: &'static str,
    quantization_level: &'static str,
}

pub(super) async fn version() -> Response {
    wire::reply(&json!({ "version": VERSION }))
}

pub(super) async fn tags() -> Response {
    let models: Vec<_> = MODELS.into_iter().map(describe).collect();
    wire::reply(&json!({ "models": models }))
}

/// Every listed model counts as loaded.
pub(super) async fn running() -> Response {
    let in_five_minutes = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(5);
    let expires_at = in_five_minutes.to_string();
    let models: Vec<_> = MODELS
        .into_iter()
        .map(|model| {
            let mut described = describe(model);
            described["expires_at"] = json!(expires_at);
            described["size_vram"] = json!(model.1);
            described
        })
        .collect();
    wire::reply(&json!({ "models": models }))
}

pub(super) async fn show(request: Request) -> Result<Response, Error> {
    let request: ShowRequest = super::read(request).await?;
    let asked = if request.model.is_empty() {
        request.name
    } else {
        request.model
    };
    if asked.is_empty() {
        return Err(Error::invalid("model is required"));
    }
    let full_name = if asked.contains(':') {
        asked.clone()
    } else {
        format!("{asked}:latest")
    };
    let Some(model) = MODELS.into_iter().find(|model| model.0 == full_name) else {
        return Err(Error::unknown_model(&asked));
    };
    Ok(wire::reply(&json!({
        "modelfile": format!("FROM {}", model.0),
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": details(model.2),
        "model_info": { "general.architecture": "llama" },
        "capabilities": ["completion"],
        "modified_at": MODIFIED_AT,
    })))
}

/// The reply to a request without a prompt.
pub(super) fn loaded(model: &str, shape: Shape) -> Response {
    wire::reply(&Line::loaded(model, shape))
}

fn describe((name, size, parameters): (&'static str, u64, &'static str)) -> serde_json::Value {
    json!({
        "name": name,
        "model": name,
        "modified_at": MODIFIED_AT,
        "size": size,
        "digest": digest(name),
        "details": details(parameters),
    })
}

fn details(parameter_size: &'static str) -> Details {
    Details {
        parent_model: "",
        format: "gguf",
        family: "llama",
        families: ["llama"],
        parameter_size,
        quantization_level: "Q4_K_M",
    }
}

/// 64 hexadecimal digits that stay the same for a name.
fn digest(name: &str) -> String {
    let seed = name
        .bytes()
        .fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
    let mut generator = fastrand::Rng::with_seed(seed);
    (0..4)
        .map(|_| format!("{:016x}", generator.u64(..)))
        .collect()
}
