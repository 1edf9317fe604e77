//! `perf schedules`: what starts by the clock, and what that costs.

use serde::Deserialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::service::Service;
use crate::table::{Column, table};

const COLUMNS: [Column; 5] = [
    Column::Left("schedule"),
    Column::Left("when"),
    Column::Left("next"),
    Column::Left("cost"),
    Column::Left("for"),
];

/// The part of a schedule that is shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schedule {
    name: String,
    cron: String,
    time_zone: String,
    paused: bool,
    owner: String,
    next: Vec<Time>,
    monthly_cost: MonthlyCost,
}

#[derive(Debug, Deserialize)]
struct Time {
    local: String,
}

#[derive(Debug, Deserialize)]
struct MonthlyCost {
    text: String,
}

/// The schedules by name.
///
/// # Errors
/// The service does not answer.
pub(crate) async fn schedules(service: &Service) -> Result<Answer, Failure> {
    let document: Value = service.schedules().await?;
    let found: Vec<Schedule> = serde_json::from_value(document.clone()).map_err(|error| {
        Failure::Broken(format!(
            "the schedules are ones that this version cannot read: {error}"
        ))
    })?;
    let rows: Vec<Vec<String>> = found.into_iter().map(row).collect();
    let text = if rows.is_empty() {
        "nothing starts by the clock".to_owned()
    } else {
        table(&COLUMNS, &rows)
    };
    Ok(Answer::new(&text, document))
}

fn row(schedule: Schedule) -> Vec<String> {
    let next = schedule.next.into_iter().next().map(|time| time.local);
    let next = match next {
        _ if schedule.paused => "paused".to_owned(),
        next => next.unwrap_or_else(|| "none".to_owned()),
    };
    vec![
        schedule.name,
        format!("{} {}", schedule.cron, schedule.time_zone),
        next,
        schedule.monthly_cost.text,
        schedule.owner,
    ]
}
