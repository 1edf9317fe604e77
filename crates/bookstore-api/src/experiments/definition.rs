//! What an experiment is.

use std::collections::HashSet;

use llm::{Llm, is_model_name};
use serde::{Deserialize, Serialize};
use service_defaults::problem::FieldError;
use utoipa::ToSchema;

use crate::summaries::{FEATURE, PromptSet};

/// Most variants: each needs data of its own.
const MAX_VARIANTS: usize = 8;

/// Longest name of an experiment or a variant.
const MAX_NAME: usize = 40;

/// Largest weight: a variant may have a thousandth of the traffic.
const MAX_WEIGHT: u32 = 1_000;

/// An experiment as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Experiment {
    pub(crate) name: String,
    pub(crate) feature: String,
    pub(crate) sticky_by: StickyBy,
    pub(crate) decide_by: Measure,
    /// The first one is what the others are compared with.
    pub(crate) variants: Vec<Variant>,
    /// Milliseconds since 1970.
    pub(crate) started_at: i64,
    /// `None` while it runs.
    pub(crate) stopped_at: Option<i64>,
}

/// What stays with its variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum StickyBy {
    /// Each book.
    Book,
    /// Each user: `X-User-Id`, else the tenant.
    User,
}

/// What decides which variant is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Measure {
    /// The share of answers that passed the checks.
    Checks,
    /// The share of good ratings: up, 4 and 5.
    Feedback,
    /// The share of calls that failed.
    Errors,
    /// The time to the first token.
    TimeToFirstToken,
    /// The time of the whole answer.
    Latency,
    /// The dollars of a call.
    Cost,
}

/// One way to make the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) provider: String,
    pub(crate) model: String,
    /// Name and version.
    pub(crate) prompt: String,
    /// Its part of the sum of all weights is its part of the traffic.
    pub(crate) weight: u32,
}

/// What variants may be made of.
pub(crate) struct Known<'a> {
    pub(crate) llm: &'a Llm,
    pub(crate) prompts: &'a PromptSet,
    /// Name and version.
    pub(crate) default_prompt: String,
}

/// An experiment to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Proposal {
    /// 1 to 40 of a-z, 0-9 and -; unique among the tenant's.
    name: String,
    /// summary, which is the default.
    feature: Option<String>,
    /// book, which is the default, or user.
    sticky_by: Option<StickyBy>,
    /// checks, which is the default, feedback, errors, timeToFirstToken, latency or cost.
    decide_by: Option<Measure>,
    /// 2 to 8, each with another provider, model or prompt; the others are compared with the first.
    variants: Vec<ProposedVariant>,
}

/// A variant of an experiment to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProposedVariant {
    name: String,
    /// Without it the default provider.
    provider: Option<String>,
    /// Without it the provider's configured model.
    model: Option<String>,
    /// Name and version; without it the default prompt.
    prompt: Option<String>,
    /// 1 to 1000, without it 1.
    weight: Option<u32>,
}

impl Experiment {
    /// How its variant stands in rows, spans and replies.
    pub(crate) fn label(&self, variant: &Variant) -> String {
        format!("{}/{}", self.name, variant.name)
    }

    pub(crate) const fn is_running(&self) -> bool {
        self.stopped_at.is_none()
    }
}

impl Proposal {
    /// The experiment, begun at a time in milliseconds since 1970.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub(crate) fn check(self, known: &Known<'_>, at: i64) -> Result<Experiment, Vec<FieldError>> {
        let mut errors = Vec::new();
        let feature = self.feature.unwrap_or_else(|| FEATURE.to_owned());
        if feature != FEATURE {
            errors.push(FieldError::new("feature", format!("must be {FEATURE}")));
        }
        check_name("name", &self.name, &mut errors);
        if !(2..=MAX_VARIANTS).contains(&self.variants.len()) {
            let reason = format!("must be 2 to {MAX_VARIANTS}");
            return Err(vec![FieldError::new("variants", reason)]);
        }
        let (mut names, mut ways) = (HashSet::new(), HashSet::new());
        let mut variants = Vec::new();
        for (index, proposed) in self.variants.into_iter().enumerate() {
            let field = |name: &str| format!("variants[{index}].{name}");
            let variant = proposed.check(&field, known, &mut errors);
            if !names.insert(variant.name.clone()) {
                errors.push(FieldError::new(field("name"), "is another variant's too"));
            }
            let Variant {
                provider,
                model,
                prompt,
                ..
            } = variant.clone();
            if !ways.insert((provider, model, prompt)) {
                let reason = "has the provider, model and prompt of another variant";
                errors.push(FieldError::new(format!("variants[{index}]"), reason));
            }
            variants.push(variant);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Experiment {
            name: self.name,
            feature,
            sticky_by: self.sticky_by.unwrap_or(StickyBy::Book),
            decide_by: self.decide_by.unwrap_or(Measure::Checks),
            variants,
            started_at: at,
            stopped_at: None,
        })
    }
}

impl ProposedVariant {
    fn check(
        self,
        field: &dyn Fn(&str) -> String,
        known: &Known<'_>,
        errors: &mut Vec<FieldError>,
    ) -> Variant {
        check_name(&field("name"), &self.name, errors);
        let weight = self.weight.unwrap_or(1);
        if !(1..=MAX_WEIGHT).contains(&weight) {
            let reason = format!("must be 1 to {MAX_WEIGHT}");
            errors.push(FieldError::new(field("weight"), reason));
        }
        if self
            .model
            .as_deref()
            .is_some_and(|model| !is_model_name(model))
        {
            errors.push(FieldError::new(field("model"), "must be a model's name"));
        }
        let default_provider = || known.llm.default_provider().as_str().to_owned();
        let provider = self.provider.unwrap_or_else(default_provider);
        let configured = match known.llm.select(Some(&provider)) {
            Ok(provider) => provider.model().to_owned(),
            Err(error) => {
                errors.push(FieldError::new(field("provider"), error.to_string()));
                String::new()
            }
        };
        let prompt = self.prompt.unwrap_or_else(|| known.default_prompt.clone());
        if known.prompts.get(&prompt).is_none() {
            let labels = known.prompts.labels().collect::<Vec<_>>().join(", ");
            let reason = format!("must be one of {labels}");
            errors.push(FieldError::new(field("prompt"), reason));
        }
        Variant {
            name: self.name,
            provider,
            model: self.model.unwrap_or(configured),
            prompt,
            weight,
        }
    }
}

fn check_name(field: &str, name: &str, errors: &mut Vec<FieldError>) {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(plain) {
        let reason = format!("must be 1 to {MAX_NAME} of a-z, 0-9 and -");
        errors.push(FieldError::new(field, reason));
    }
}
