//! The journal and the bill, for all calls or for some.

use std::sync::Arc;

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service_defaults::{extract::ValidQuery, problem::Problem};

use crate::{
    accounts::Lines,
    dialect::Dialect,
    engine::Engine,
    invoice::Invoice,
    journal::{CallFilter, CallRecord, JOURNAL_CALLS},
};

/// Calls in one reply unless more are asked for.
const DEFAULT_CALLS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CallsQuery {
    limit: Option<usize>,
    offset: Option<usize>,
    from: Option<String>,
    to: Option<String>,
    test_id: Option<String>,
    dialect: Option<Dialect>,
    model: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Calls {
    calls: Vec<CallRecord>,
}

/// The bill, and the date of its prices.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatedInvoice {
    /// The unit of every amount.
    unit: &'static str,
    prices_as_of: String,
    #[serde(flatten)]
    invoice: Invoice,
}

pub(super) async fn last(
    State(engine): State<Arc<Engine>>,
    ValidQuery(query): ValidQuery<CallsQuery>,
) -> Result<Json<Calls>, Problem> {
    if query.offset.is_some() {
        let reason = "the last calls are shown, from none but the end";
        return Err(Problem::invalid_field("offset", reason));
    }
    let limit = query.limit()?;
    Ok(Json(Calls {
        calls: engine.last_calls(&query.filter()?, limit),
    }))
}

pub(super) async fn invoice(
    State(engine): State<Arc<Engine>>,
    ValidQuery(query): ValidQuery<CallsQuery>,
) -> Result<Json<DatedInvoice>, Problem> {
    let lines = Lines {
        offset: query.offset.unwrap_or(0),
        limit: query.limit()?,
    };
    Ok(Json(DatedInvoice {
        unit: "pico-USD",
        prices_as_of: engine.prices_as_of().to_owned(),
        invoice: engine.invoice(&query.filter()?, &lines),
    }))
}

impl CallsQuery {
    fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_CALLS);
        if (1..=JOURNAL_CALLS).contains(&limit) {
            return Ok(limit);
        }
        let reason = format!("must be between 1 and {JOURNAL_CALLS}");
        Err(Problem::invalid_field("limit", reason))
    }

    fn filter(self) -> Result<CallFilter, Problem> {
        Ok(CallFilter {
            from: instant("from", self.from.as_deref())?,
            to: instant("to", self.to.as_deref())?,
            test_id: self.test_id,
            dialect: self.dialect,
            model: self.model,
        })
    }
}

fn instant(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    let at = text.parse().map_err(|_| {
        let reason = "must be an instant, as in 2026-11-20T12:00:00Z";
        Problem::invalid_field(field, reason)
    })?;
    Ok(Some(at))
}
