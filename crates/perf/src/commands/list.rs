//! `perf list`.

use clap::Args;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::service::{Run, Service};
use crate::table::{Column, table};

const COLUMNS: [Column; 7] = [
    Column::Right("run"),
    Column::Left("test"),
    Column::Left("scenario"),
    Column::Left("target"),
    Column::Left("outcome"),
    Column::Left("started by"),
    Column::Left("started"),
];

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only runs of this test.
    #[arg(long, value_name = "NAME")]
    test: Option<String>,
    /// At most so many, up to 500.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// The newest runs, newest first.
///
/// # Errors
/// The service does not answer.
pub(crate) async fn list(service: &Service, arguments: &ListArguments) -> Result<Answer, Failure> {
    let test = arguments.test.as_deref();
    let runs = service.runs(test, arguments.limit).await?;
    let row = |run: &Run| {
        vec![
            format!("#{}", run.number),
            run.test_name.clone(),
            run.scenario.clone(),
            run.target.clone(),
            run.outcome().to_owned(),
            started_by(run),
            run.started_at.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    let text = if rows.is_empty() {
        "no runs".to_owned()
    } else {
        table(&COLUMNS, &rows)
    };
    Ok(Answer::new(&text, json!(runs)))
}

/// `ana`, or `schedule nightly, for ana`.
fn started_by(run: &Run) -> String {
    let text = |name| run.member(name).and_then(Value::as_str).unwrap_or_default();
    match (text("trigger"), text("startedBy")) {
        ("", user) => user.to_owned(),
        (trigger, user) => format!("{trigger}, for {user}"),
    }
}
