//! The present month's money, as the page of all spend shows it.

use load_analysis::dollars::Dollars;
use load_analysis::spend::Spend;

use super::money;
use crate::runs::spend::month::{MonthBody, MonthSums, Reservation};

/// A month.
pub(crate) struct MonthPanel {
    /// `2026-11-01 to 2026-11-30`.
    pub(crate) days: String,
    pub(crate) bar: Option<Bar>,
    /// Real dollars, then simulated ones.
    pub(crate) rows: [MonthRow; 2],
    /// The runs that wait or go on.
    pub(crate) reservations: Vec<ReservationRow>,
}

/// Real dollars spent, reserved and left beside each other, in percent of all three.
pub(crate) struct Bar {
    pub(crate) spent: String,
    pub(crate) reserved: String,
    /// Where the month is expected to end.
    pub(crate) end: String,
    /// The same in words.
    pub(crate) caption: String,
}

/// The dollars of one kind.
pub(crate) struct MonthRow {
    pub(crate) kind: &'static str,
    pub(crate) spent: String,
    pub(crate) reserved: String,
    pub(crate) left: String,
    pub(crate) end: String,
}

/// What a run may take.
pub(crate) struct ReservationRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) user: String,
    pub(crate) so_far: String,
    pub(crate) real: String,
    pub(crate) simulated: String,
}

/// The present month.
pub(crate) fn panel(month: &MonthBody) -> MonthPanel {
    MonthPanel {
        days: format!("{} to {}", month.from, month.to),
        bar: bar(&month.real),
        rows: [row(&month.real, ""), row(&month.simulated, "sim ")],
        reservations: month.reservations.iter().map(reservation).collect(),
    }
}

/// None in a month in which nothing may be spent.
fn bar(real: &MonthSums) -> Option<Bar> {
    let left = real.left.unwrap_or_default();
    let whole = real.spent + real.reserved + left;
    (!whole.is_zero()).then(|| Bar {
        spent: money::bar(real.spent, whole),
        reserved: money::bar(real.reserved, whole),
        end: money::bar(real.at_months_end, whole),
        caption: format!(
            "Real dollars of this month: {} spent, {} reserved by runs under way, {left} left. At \
             the pace of the days so far it ends at {}, the line.",
            real.spent, real.reserved, real.at_months_end
        ),
    })
}

fn row(sums: &MonthSums, sim: &str) -> MonthRow {
    let text = |amount: Dollars| format!("{sim}{amount}");
    MonthRow {
        kind: if sim.is_empty() { "real" } else { "simulated" },
        spent: text(sums.spent),
        reserved: text(sums.reserved),
        left: sums.left.map_or_else(|| "no limit".to_owned(), text),
        end: text(sums.at_months_end),
    }
}

fn reservation(run: &Reservation) -> ReservationRow {
    let simulated = run.simulated.map(|amount| format!("sim {amount}"));
    let so_far = run.spend_so_far.as_ref().map(Spend::in_words);
    let unknown = || "–".to_owned();
    ReservationRow {
        id: run.test_id.clone(),
        name: format!("#{} {}", run.number, run.test_name),
        status: run.status,
        user: run.started_by.clone(),
        so_far: so_far.unwrap_or_else(unknown),
        real: run.real.to_string(),
        simulated: simulated.unwrap_or_else(unknown),
    }
}
