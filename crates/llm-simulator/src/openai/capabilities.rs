//! What some models refuse that others take.

use super::error::Error;
use crate::service_tier::ServiceTier;

/// Longest model name: the vendor's own have less than 60 characters.
const MAX_MODEL_NAME: usize = 256;
/// Lines of models that think before they answer: they take no sampling
/// parameters, and their limit on the answer has a name of its own.
const REASONING: [&str; 5] = ["o1", "o3", "o4", "gpt-5", "gpt-6"];
/// The model that takes tools only in the responses API, and always thinks.
const TOOLS_ONLY_IN_RESPONSES: &str = "gpt-6.1-sol";
/// What a request may ask for.
const SERVICE_TIERS: [(&str, ServiceTier); 5] = [
    ("auto", ServiceTier::Standard),
    ("default", ServiceTier::Standard),
    ("flex", ServiceTier::Flex),
    ("scale", ServiceTier::Scale),
    ("priority", ServiceTier::Priority),
];
/// The default of `temperature` and `top_p`.
const DEFAULT_SAMPLING: f64 = 1.0;

/// The model of a request.
pub(super) fn model(model: Option<&str>) -> Result<&str, Error> {
    match model {
        None => Err(Error::missing("model")),
        Some(model) if model.is_empty() || model.len() > MAX_MODEL_NAME => Err(Error::field(
            "model",
            "invalid_value",
            "Invalid 'model': a string of 1 to 256 characters is expected.",
        )),
        Some(model) => Ok(model),
    }
}

pub(super) fn reasons(model: &str) -> bool {
    REASONING.iter().any(|line| model.starts_with(line))
}

/// Temperature and nucleus.
pub(super) fn sampling(
    model: &str,
    temperature: Option<f64>,
    top_p: Option<f64>,
) -> Result<(), Error> {
    for (name, value, most) in [("temperature", temperature, 2.0), ("top_p", top_p, 1.0)] {
        let Some(value) = value else { continue };
        if !(0.0..=most).contains(&value) {
            let message = format!("Invalid '{name}': a decimal between 0 and {most} is expected.");
            return Err(Error::field(name, "decimal_out_of_range", message));
        }
        if reasons(model) && (value - DEFAULT_SAMPLING).abs() > f64::EPSILON {
            let message = format!(
                "Unsupported value: '{name}' does not support {value} with this model. \
                 Only the default (1) value is supported."
            );
            return Err(Error::field(name, "unsupported_value", message));
        }
    }
    Ok(())
}

/// How much a model is to think.
pub(super) fn effort(model: &str, param: &str, effort: Option<&str>) -> Result<(), Error> {
    let Some(effort) = effort else { return Ok(()) };
    let known = match effort {
        "none" | "minimal" => !model.starts_with(TOOLS_ONLY_IN_RESPONSES),
        "low" | "medium" | "high" | "xhigh" | "max" => true,
        _ => false,
    };
    if !reasons(model) {
        let message = format!("Unsupported parameter: '{param}' is not supported with this model.");
        return Err(Error::field(param, "unsupported_parameter", message));
    }
    if known {
        return Ok(());
    }
    let message =
        format!("Unsupported value: '{param}' does not support {effort:?} with this model.");
    Err(Error::field(param, "unsupported_value", message))
}

/// The class of service that a request asks for.
pub(super) fn service_tier(word: Option<&str>) -> Result<ServiceTier, Error> {
    ServiceTier::asked(word, &SERVICE_TIERS).ok_or_else(|| {
        let (asked, words) = (word.unwrap_or_default(), ServiceTier::list(&SERVICE_TIERS));
        let message = format!("Invalid value: {asked:?}. Supported values are: {words}.");
        Error::field("service_tier", "invalid_value", message)
    })
}

/// Tools in chat completions.
pub(super) fn chat_tools(model: &str, tools: usize) -> Result<(), Error> {
    if tools == 0 || !model.starts_with(TOOLS_ONLY_IN_RESPONSES) {
        return Ok(());
    }
    let message = "Unsupported parameter: 'tools' is not supported with this model in chat \
                   completions. Use the responses API instead.";
    Err(Error::field("tools", "unsupported_parameter", message))
}
