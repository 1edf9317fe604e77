//! The present month in UTC: what is spent, what runs under way may still take, what is left.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};
use load_analysis::dollars::Dollars;
use load_analysis::forecast::Forecast;
use load_analysis::spend::{Cap, Spend};
use performance_store::{MAX_LISTED_RUNS, Period, Run, RunFilter, SpendGroup};
use serde::Serialize;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use utoipa::ToSchema;

use super::of_period;
use crate::app::App;
use crate::problems;
use crate::runs::request::StartBody;
use crate::tenant_limits;

/// The present month. Its allowance is that of each day; what was not spent of a day is gone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MonthBody {
    /// Its first day, such as `2026-11-01`, in UTC.
    pub(crate) from: String,
    /// Its last day.
    pub(crate) to: String,
    /// What somebody pays.
    pub(crate) real: MonthSums,
    /// What simulated calls would cost; nothing limits them.
    pub(crate) simulated: MonthSums,
    /// The runs that wait or go on, in their turn.
    pub(crate) reservations: Vec<Reservation>,
}

/// The dollars of one kind.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MonthSums {
    /// What the runs that ended have cost.
    #[schema(value_type = Object)]
    pub(crate) spent: Dollars,
    /// What those that wait or go on may take.
    #[schema(value_type = Object)]
    pub(crate) reserved: Dollars,
    /// What may be spent on top until the month's end: the rest of today, and each day to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) left: Option<Dollars>,
    /// What is spent and reserved, and for each day to come the mean of the days so far, today
    /// among them.
    #[schema(value_type = Object)]
    pub(crate) at_months_end: Dollars,
}

/// What one run may take: its cap, or the upper end of its forecast if that is less.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reservation {
    /// Its id.
    pub(crate) test_id: String,
    /// Its number.
    pub(crate) number: u64,
    /// The name of its test.
    pub(crate) test_name: String,
    /// `Queued`, `Starting` or `Running`.
    pub(crate) status: &'static str,
    /// Who started it.
    pub(crate) started_by: String,
    /// Real dollars.
    #[schema(value_type = Object)]
    pub(crate) real: Dollars,
    /// Simulated dollars; absent where neither cap nor forecast says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) simulated: Option<Dollars>,
    /// What it has spent so far, which is part of what is reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) spend_so_far: Option<Spend>,
}

/// The days of a month, as one of them sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Days {
    first: Date,
    last: Date,
    /// Those that have begun.
    so_far: i8,
    to_come: i8,
}

/// The present month, from the beginning of its first day to the end of its last one.
pub(crate) fn period(now: Timestamp) -> Period {
    Days::of(&now.to_zoned(TimeZone::UTC)).period()
}

/// What is spent and reserved in the present month, and what is left of its allowance.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn of_tenant(app: &App, tenant: &TenantId) -> Result<MonthBody, Problem> {
    let now = app.store.clock().now();
    let days = Days::of(&now.to_zoned(TimeZone::UTC));
    let spent = of_period(app, tenant, days.period(), SpendGroup::Test).await?;
    let today = app.store.spent_since(tenant, tenant_limits::midnight(now));
    let today = today.await.map_err(problems::from_store)?;
    let reservations = reservations(app, tenant).await?;
    let sum = |of: fn(&Reservation) -> Dollars| {
        let amounts = reservations.iter().map(of);
        amounts.fold(Dollars::ZERO, |sum, amount| sum + amount)
    };
    let reserved = (
        sum(|run| run.real),
        sum(|run| run.simulated.unwrap_or_default()),
    );
    let real = days.sums(spent.real, reserved.0);
    Ok(MonthBody {
        from: days.first.to_string(),
        to: days.last.to_string(),
        real: MonthSums {
            left: Some(days.left(app.daily_dollars, today, reserved.0)),
            ..real
        },
        simulated: days.sums(spent.simulated, reserved.1),
        reservations,
    })
}

async fn reservations(app: &App, tenant: &TenantId) -> Result<Vec<Reservation>, Problem> {
    let store = &app.store;
    let runs = store.list(tenant, RunFilter::Unfinished, MAX_LISTED_RUNS);
    let mut reservations = Vec::new();
    for run in runs.await.map_err(problems::from_store)? {
        let forecast = store.forecast(&run.address()).await;
        let forecast = forecast.map_err(problems::from_store)?;
        let forecast = forecast.and_then(|json| serde_json::from_str(&json).ok());
        let cap = cap(app, &run);
        let so_far = app.conductor.spend_so_far(&run.address());
        reservations.push(reservation(&run, cap, forecast.as_ref(), so_far));
    }
    Ok(reservations)
}

/// What a run may spend, by its request; it was checked when it was made.
fn cap(app: &App, run: &Run) -> Cap {
    let request: StartBody = serde_json::from_str(&run.request).unwrap_or_default();
    let budget = app.conductor.planner().money.budget(&request);
    budget.map(|budget| budget.cap).unwrap_or_default()
}

fn reservation(
    run: &Run,
    cap: Cap,
    forecast: Option<&Forecast>,
    so_far: Option<Spend>,
) -> Reservation {
    let least = |cap: Option<Dollars>, high: Option<Dollars>| match (cap, high) {
        (Some(cap), Some(high)) => Some(cap.min(high)),
        (one, other) => one.or(other),
    };
    let high = |range: Option<&load_analysis::forecast::Range<Dollars>>| range.map(|it| it.high);
    let real = least(
        cap.real,
        high(forecast.and_then(|it| it.real.range.as_ref())),
    );
    let simulated = least(
        cap.simulated,
        high(forecast.and_then(|it| it.simulated.range.as_ref())),
    );
    let spent = so_far.as_ref();
    // A forecast may be wrong.
    let at_least = |of: fn(&Spend) -> Dollars| spent.map(of).unwrap_or_default();
    Reservation {
        test_id: run.id.to_string(),
        number: run.number,
        test_name: run.test_name.clone(),
        status: run.status.as_str(),
        started_by: run.started_by.clone(),
        real: real
            .unwrap_or_default()
            .max(at_least(|spend| spend.real.cost)),
        simulated: simulated.map(|amount| amount.max(at_least(|spend| spend.simulated.cost))),
        spend_so_far: so_far,
    }
}

impl Days {
    fn of(now: &Zoned) -> Self {
        let (first, last) = (now.date().first_of_month(), now.date().last_of_month());
        Self {
            first,
            last,
            so_far: now.day(),
            to_come: last.day() - now.day(),
        }
    }

    /// From the beginning of the first day to the end of the last one.
    fn period(self) -> Period {
        let begin = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
        let behind = self.last.checked_add(1.day()).ok();
        Period {
            from: begin(self.first),
            to: behind.and_then(begin),
        }
    }

    fn sums(self, spent: Dollars, reserved: Dollars) -> MonthSums {
        let mean = spent.approximate_pico() / f64::from(self.so_far);
        MonthSums {
            spent,
            reserved,
            left: None,
            at_months_end: spent + reserved + Dollars::estimated(mean * f64::from(self.to_come)),
        }
    }

    fn left(self, daily: Dollars, spent_today: Dollars, reserved: Dollars) -> Dollars {
        let to_come = i128::from(self.to_come);
        let whole_days = Dollars::of_pico(daily.pico().saturating_mul(to_come));
        (daily.saturating_sub(spent_today) + whole_days).saturating_sub(reserved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(text: &str) -> Dollars {
        text.parse().unwrap()
    }

    fn days(now: &str) -> Days {
        let now: Timestamp = now.parse().unwrap();
        Days::of(&now.to_zoned(TimeZone::UTC))
    }

    #[test]
    fn a_month_has_its_own_days() {
        let tenth = days("2026-11-10T23:59:59Z");
        assert_eq!((tenth.so_far, tenth.to_come), (10, 20));
        let period = tenth.period();
        assert_eq!(period.from, "2026-11-01T00:00:00Z".parse().ok());
        assert_eq!(period.to, "2026-12-01T00:00:00Z".parse().ok());
        let last = days("2028-02-29T00:00:00Z");
        assert_eq!((last.so_far, last.to_come), (29, 0));
    }

    #[test]
    fn the_days_to_come_are_like_those_so_far() {
        let tenth = days("2026-11-10T12:00:00Z");
        // $20 in ten days are $2 a day, twenty times.
        let sums = tenth.sums(dollars("20"), dollars("1"));
        assert_eq!(sums.at_months_end, dollars("61"));
        let last = days("2026-11-30T12:00:00Z");
        let sums = last.sums(dollars("20"), Dollars::ZERO);
        assert_eq!(sums.at_months_end, dollars("20"));
    }

    #[test]
    fn what_is_left_is_the_rest_of_today_and_the_days_to_come() {
        let tenth = days("2026-11-10T12:00:00Z");
        let left = tenth.left(dollars("5"), dollars("2"), dollars("1"));
        assert_eq!(left, dollars("102"));
        // Today may be spent twice over by runs that went on when it was used up.
        let left = tenth.left(dollars("5"), dollars("9"), Dollars::ZERO);
        assert_eq!(left, dollars("100"));
        let left = tenth.left(Dollars::ZERO, Dollars::ZERO, dollars("1"));
        assert_eq!(left, Dollars::ZERO);
    }
}
