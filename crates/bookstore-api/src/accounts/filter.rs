//! Which attempts are meant, as query parameters or as a member of a body.

use llm::{LedgerFilter, Outcome, is_model_name};
use serde::Deserialize;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use utoipa::{IntoParams, ToSchema};

use super::{read_provider, read_time};

/// Longest text that a row can be looked for by; the ledger has none that is longer.
const MAX_TEXT: usize = 200;

/// Which attempts.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AttemptFilter {
    /// Only of this provider.
    pub(super) provider: Option<String>,
    /// Only of this model.
    pub(super) model: Option<String>,
    /// Only of this load test.
    pub(super) test_id: Option<String>,
    /// Only for this purpose, such as summary.
    pub(super) feature: Option<String>,
    /// Only of this variant of an experiment.
    pub(super) variant: Option<String>,
    /// Only with this outcome: succeeded, failed, partial or cancelled.
    pub(super) outcome: Option<String>,
    /// Only of this call.
    pub(super) call_id: Option<String>,
    /// Only of real (false) or of simulated providers (true).
    pub(super) simulated: Option<bool>,
    /// Only from this time on, or from the beginning of this day in UTC.
    pub(super) from: Option<String>,
    /// Only before this time, or before this day in UTC.
    pub(super) to: Option<String>,
}

impl AttemptFilter {
    /// The filter, for one tenant's attempts; `None` is an operator's view of all.
    pub(super) fn read(self, tenant: Option<TenantId>) -> Result<LedgerFilter, Problem> {
        let provider = self.provider.as_deref();
        let provider = provider
            .map(|text| read_provider("provider", text))
            .transpose()?;
        if self
            .model
            .as_deref()
            .is_some_and(|model| !is_model_name(model))
        {
            return Err(Problem::invalid_field("model", "must be a model's name"));
        }
        let outcome = self.outcome.map(|text| {
            text.parse::<Outcome>()
                .map_err(|error| Problem::invalid_field("outcome", error.to_string()))
        });
        let call_id = self.call_id.map(|text| {
            text.parse()
                .map_err(|_| Problem::invalid_field("callId", "must be a UUID"))
        });
        let from = self.from.map(|text| read_time("from", &text)).transpose()?;
        let to = self.to.map(|text| read_time("to", &text)).transpose()?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Problem::invalid_field("to", "must be after from"));
        }
        Ok(LedgerFilter {
            tenant,
            call_id: call_id.transpose()?,
            test_id: short("testId", self.test_id)?,
            feature: short("feature", self.feature)?,
            variant: short("variant", self.variant)?,
            provider,
            model: self.model,
            outcome: outcome.transpose()?,
            simulated: self.simulated,
            from,
            to,
        })
    }
}

fn short(field: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if text.len() > MAX_TEXT => {
            let reason = format!("must have at most {MAX_TEXT} bytes");
            Err(Problem::invalid_field(field, reason))
        }
        text => Ok(text),
    }
}
