//! `/spend`: what the model calls of runs cost.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use load_analysis::dollars::Dollars;
use performance_store::{Period, SpendGroup};
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::page;
use crate::app::App;
use crate::presentation::money::{self, SpendRow, StopRow};
use crate::presentation::month::{self, MonthPanel};
use crate::problems;
use crate::runs::spend::{SpendQuery, month as present_month, of_period};
use crate::tenant_limits;

#[derive(Template)]
#[template(path = "spend.html")]
struct SpendPage {
    from: String,
    to: String,
    real: String,
    simulated: String,
    /// Absent for other periods.
    month: Option<MonthPanel>,
    today: Today,
    tables: Vec<Table>,
    stops: Vec<StopRow>,
}

/// Real dollars of today, and what may be spent in a day.
struct Today {
    spent: String,
    allowed: String,
    /// The share of it as the width of a bar, 0 to 100.
    used: String,
}

struct Table {
    heading: &'static str,
    head: &'static str,
    rows: Vec<SpendRow>,
}

/// The page of what runs cost: this month, unless another period is asked for.
pub(super) async fn spend(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<SpendQuery>,
) -> Result<Response, Problem> {
    let (asked, now) = (query.period()?, app.store.clock().now());
    let (period, month) = if asked == Period::default() {
        let month = present_month::of_tenant(&app, &caller.tenant).await?;
        (present_month::period(now), Some(month::panel(&month)))
    } else {
        (asked, None)
    };
    let mut tables = Vec::new();
    let mut whole = None;
    for (group, heading, head) in [
        (SpendGroup::Test, "By test", "Test"),
        (SpendGroup::Model, "By model", "Model"),
        (SpendGroup::User, "By person", "Started by"),
        (SpendGroup::Day, "By day", "Day (UTC)"),
    ] {
        let found = of_period(&app, &caller.tenant, period, group).await?;
        let rows = found.groups.iter().map(money::spend_row).collect();
        tables.push(Table {
            heading,
            head,
            rows,
        });
        whole.get_or_insert(found);
    }
    let whole = whole.ok_or_else(Problem::internal)?;
    let today = app
        .store
        .spent_since(&caller.tenant, tenant_limits::midnight(now));
    let today = today.await.map_err(problems::from_store)?;
    page(&SpendPage {
        from: day(period.from),
        to: day(period.to),
        real: whole.real.to_string(),
        simulated: format!("sim {}", whole.simulated),
        month,
        today: of_today(today, app.daily_dollars),
        tables,
        stops: whole.stopped.iter().map(money::stop_row).collect(),
    })
}

fn of_today(spent: Dollars, allowed: Dollars) -> Today {
    Today {
        spent: spent.to_string(),
        allowed: allowed.to_string(),
        used: money::bar(spent, allowed),
    }
}

fn day(moment: Option<Timestamp>) -> String {
    let text = moment.map(|moment| moment.strftime("%Y-%m-%d").to_string());
    text.unwrap_or_default()
}
