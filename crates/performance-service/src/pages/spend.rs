//! `/spend`: what the model calls of runs cost.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{Timestamp, tz::TimeZone};
use load_analysis::dollars::Dollars;
use performance_store::{Period, SpendGroup};
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::page;
use crate::app::App;
use crate::presentation::money::{self, SpendRow, StopRow};
use crate::problems;
use crate::runs::spend::{SpendQuery, of_period};
use crate::tenant_limits;

#[derive(Template)]
#[template(path = "spend.html")]
struct SpendPage {
    from: String,
    to: String,
    real: String,
    simulated: String,
    /// Real dollars at the end of the month at this month's pace; absent for other periods.
    at_months_end: Option<String>,
    /// What the run under way has spent so far.
    under_way: Option<String>,
    /// Of today, and what may be spent in a day.
    today: String,
    allowed_today: String,
    /// The share of it as the width of a bar, 0 to 100.
    used: String,
    tables: Vec<Table>,
    stops: Vec<StopRow>,
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
    let is_this_month = asked == Period::default();
    let period = if is_this_month {
        Period {
            from: Some(first_of_month(now)),
            to: None,
        }
    } else {
        asked
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
        .spent_since(&caller.tenant, tenant_limits::midnight(now))
        .await;
    let today = today.map_err(problems::from_store)?;
    let day = |moment: Option<Timestamp>| {
        let text = moment.map(|moment| moment.strftime("%Y-%m-%d").to_string());
        text.unwrap_or_default()
    };
    let under_way = app.conductor.spend_under_way(&caller.tenant);
    page(&SpendPage {
        at_months_end: is_this_month.then(|| at_months_end(whole.real, now).to_string()),
        under_way: under_way.map(|spend| spend.in_words()),
        from: day(period.from),
        to: day(period.to),
        real: whole.real.to_string(),
        simulated: format!("sim {}", whole.simulated),
        today: today.to_string(),
        allowed_today: app.daily_dollars.to_string(),
        used: money::bar(today, app.daily_dollars),
        tables,
        stops: whole.stopped.iter().map(money::stop_row).collect(),
    })
}

fn first_of_month(now: Timestamp) -> Timestamp {
    let first = now.to_zoned(TimeZone::UTC).first_of_month();
    let begin = first.and_then(|first| first.start_of_day());
    begin.map_or(now, |begin| begin.timestamp())
}

/// The dollars of the days so far, as many on each of the others.
fn at_months_end(spent: Dollars, now: Timestamp) -> Dollars {
    let now = now.to_zoned(TimeZone::UTC);
    let (passed, all) = (f64::from(now.day()), f64::from(now.days_in_month()));
    Dollars::estimated(spent.approximate_pico() / passed * all)
}
