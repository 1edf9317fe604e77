//! The series that the page of a test shows first, in little: enough to look for steps in it.

use load_analysis::verdict::Level;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::MAX_HISTORY;
use crate::run::RunId;
use crate::test_summaries::{MAX_LISTED_TESTS, Shape};

/// One measure of a test, over the runs against the target and of the scenario of its latest one.
#[derive(Debug, Clone, PartialEq)]
pub struct LatestSeries {
    /// The name of the test.
    pub test: String,
    /// What the runs ran against and as.
    pub shape: Shape,
    /// The runs that count, oldest first, among the latest [`MAX_HISTORY`].
    pub points: Vec<SeriesPoint>,
}

/// A run's figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesPoint {
    /// The run.
    pub run: RunId,
    /// Its number.
    pub number: u64,
    /// The figure, in k6's unit.
    pub value: f64,
    /// Whether somebody said why it changed from this run on.
    pub is_explained: bool,
}

impl RunStore {
    /// The latest series of some tests, without those that have no completed run.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn latest_series(
        &self,
        tenant: &TenantId,
        tests: Vec<String>,
        measure: &str,
    ) -> Result<Vec<LatestSeries>, StoreError> {
        let (tenant, measure) = (tenant.clone(), measure.to_owned());
        self.read(Operation("find", "figures"), move |connection| {
            let mut found = Vec::new();
            for test in tests.into_iter().take(MAX_LISTED_TESTS as usize) {
                let Some(shape) = latest_shape(connection, &tenant, &test)? else {
                    continue;
                };
                let points = points(connection, (&tenant, &test, &shape), &measure)?;
                found.push(LatestSeries {
                    test,
                    shape,
                    points,
                });
            }
            Ok(found)
        })
        .await
    }
}

fn latest_shape(
    connection: &Connection,
    tenant: &TenantId,
    test: &str,
) -> Result<Option<Shape>, StoreError> {
    let sql = "SELECT environment, scenario FROM runs
         WHERE tenant = ?1 AND test_name = ?2 AND status = 'Completed'
         ORDER BY number DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let shape = statement.query_row(params![tenant.as_str(), test], |row| {
        Ok(Shape {
            environment: row.get(0)?,
            scenario: row.get(1)?,
        })
    });
    Ok(shape.optional()?)
}

fn points(
    connection: &Connection,
    (tenant, test, shape): (&TenantId, &str, &Shape),
    measure: &str,
) -> Result<Vec<SeriesPoint>, StoreError> {
    let sql = "SELECT id, number, value, verdict ->> 'level' AS level,
                EXISTS (SELECT 1 FROM step_notes AS note
                        WHERE note.run = row_id AND note.measure = ?3) AS is_explained
         FROM runs JOIN figures ON figures.run = row_id
         WHERE tenant = ?1 AND test_name = ?2 AND status = 'Completed' AND figures.measure = ?3
           AND environment = ?4 AND scenario = ?5
         ORDER BY number DESC LIMIT ?6";
    let mut statement = connection.prepare_cached(sql)?;
    let Shape {
        environment,
        scenario,
    } = shape;
    let tenant = tenant.as_str();
    let parameters = params![tenant, test, measure, environment, scenario, MAX_HISTORY];
    let mut rows = statement.query(parameters)?;
    let mut points = Vec::new();
    while let Some(row) = rows.next()? {
        let level: Option<String> = row.get("level")?;
        if level.is_some_and(|level| level != Level::Invalid.as_str()) {
            points.push(point(row)?);
        }
    }
    points.reverse();
    Ok(points)
}

fn point(row: &Row<'_>) -> Result<SeriesPoint, StoreError> {
    Ok(SeriesPoint {
        run: RunId::stored(&row.get::<_, String>("id")?)?,
        number: row.get("number")?,
        value: row.get("value")?,
        is_explained: row.get("is_explained")?,
    })
}
