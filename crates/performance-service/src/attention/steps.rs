//! Tests whose figures changed for good, and nobody said why.

use performance_store::{RunAddress, SeriesPoint, StoreError, TestSummary};
use service_defaults::problem::Problem;
use tenancy::TenantId;

use super::Matter;
use crate::app::App;
use crate::presentation::interval_bar::percent;
use crate::problems;
use crate::runs::body::RunBody;
use crate::runs::trends::{USUAL_MEASURE, page_of};

/// The last step of each test in the usual measure, where it is not explained: levels before it are
/// history.
pub(super) async fn unexplained(
    app: &App,
    tenant: &TenantId,
    tests: &[TestSummary],
) -> Result<Vec<Matter>, Problem> {
    let names = tests.iter().map(|test| test.name.clone()).collect();
    let all = app.store.latest_series(tenant, names, USUAL_MEASURE).await;
    let mut matters = Vec::new();
    for series in all.map_err(problems::from_store)? {
        let figures = series.points.iter().map(|point| point.value).collect();
        let steps = app.steps.of(figures).await?;
        let Some(step) = steps.last() else { continue };
        let first = series.points.get(step.index);
        let Some(first) = first.filter(|point| !point.is_explained) else {
            continue;
        };
        matters.push(Matter {
            says: format!(
                "changed its p95 by {} ({} to {}) from {} on, and nobody has said why",
                percent(step.effect),
                percent(step.interval.low),
                percent(step.interval.high),
                called(app, tenant, first).await?,
            ),
            page: page_of(&series.test),
            subject: series.test,
            level: None,
        });
    }
    Ok(matters)
}

/// `#1026 (a1b2c3d)`, as far as somebody said which build the run measured.
async fn called(app: &App, tenant: &TenantId, point: &SeriesPoint) -> Result<String, Problem> {
    let address = RunAddress {
        tenant: tenant.clone(),
        id: point.run,
    };
    let revision = match app.store.get(&address).await {
        Ok(run) => RunBody::new(&run, None).revision,
        // It was removed in this moment.
        Err(StoreError::NotFound) => None,
        Err(error) => return Err(problems::from_store(error)),
    };
    let number = point.number;
    Ok(match revision {
        Some(revision) => format!("#{number} ({revision})"),
        None => format!("#{number}"),
    })
}
