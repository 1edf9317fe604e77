//! What a target used during a run, kept with it, and what follows from that.

use std::ops::Range;

use load_analysis::findings::{Findings, LoadPoint, Observed, TargetBaseline, find};
use load_analysis::phases::Phases;
use load_analysis::resources::Resources;
use performance_store::{Run, RunAddress, RunId};

use super::Shared;
use super::ending::Measured;
use crate::observation::RunTime;
use crate::timeline::{self, TimelinePoint};
use crate::{baselines, comparing};

/// Points that findings are made from; a longer run has longer steps.
const MOST_POINTS: i64 = 600;

/// Runs of the baseline whose resources are read: the end of a run waits for them, and the latest
/// ones are nearest to it.
const MOST_BASELINE_RUNS: usize = 5;

impl Shared {
    /// The seconds of a run, as far as they are stored.
    pub(super) async fn time_of(&self, run: &Run) -> Option<RunTime> {
        let ends = self.store.first_and_last_second(&run.address()).await;
        let (first, last) = ends.ok().flatten()?;
        Some(RunTime { first, last })
    }

    /// Reads what the target used, and keeps it.
    pub(super) async fn resources(
        &self,
        run: &Run,
        measured: &Measured,
        time: RunTime,
    ) -> Resources {
        let base_url = &measured.criteria.base_url;
        let resources = self.observation.resources(base_url, time).await;
        let document = serde_json::to_string(&resources).unwrap_or_default();
        let address = run.address();
        let kept = self.store.keep_resources(&address, run.fence, document);
        if let Err(error) = kept.await {
            tracing::warn!(test.id = %run.id, "the resources of the target are not kept: {error}");
        }
        resources
    }

    /// What follows from the load, its phases and the resources.
    pub(super) async fn findings(
        &self,
        run: &Run,
        time: RunTime,
        phases: Option<&Phases>,
        resources: &Resources,
    ) -> Findings {
        let length = time.last - time.first + 1;
        let step = u32::try_from((length + MOST_POINTS - 1) / MOST_POINTS).unwrap_or(u32::MAX);
        let points = timeline::of_run(&self.store, &run.address(), step, 0).await;
        let load: Vec<LoadPoint> = points.unwrap_or_default().iter().map(load_point).collect();
        let baseline = if resources.available {
            self.target_baseline(run).await
        } else {
            None
        };
        find(&Observed {
            resources,
            load: &load,
            judged: judged(phases).unwrap_or(0.0..seconds(length)),
            baseline: baseline.as_ref(),
        })
    }

    /// What the target used in the runs that this one is held against; `None` where there are none,
    /// or they cannot be read: findings are worth no failure.
    async fn target_baseline(&self, run: &Run) -> Option<TargetBaseline> {
        let name = baselines::name_of(run);
        let version = self.store.baseline(&name).await.ok()??;
        let ids = version.runs().into_iter().rev();
        let ids: Vec<RunId> = ids.take(MOST_BASELINE_RUNS).collect();
        let stored = self.store.with_results(&run.tenant, ids).await.ok()?;
        let mut baseline = TargetBaseline::default();
        for one in comparing::measured(stored) {
            if let Some(resources) = self.kept_resources(&one.run.address()).await {
                let judged = judged(one.results.phases.as_ref());
                baseline.add(&resources, &judged.unwrap_or(0.0..f64::MAX));
            }
        }
        Some(baseline)
    }

    async fn kept_resources(&self, run: &RunAddress) -> Option<Resources> {
        let document = self.store.resources(run).await.ok()??;
        serde_json::from_str(&document).ok()
    }
}

/// The judged time of a run, in seconds since its first sample.
fn judged(phases: Option<&Phases>) -> Option<Range<f64>> {
    let phases = phases?;
    let judged = phases.judged()?;
    Some(seconds(judged.from + phases.offset)..seconds(judged.to + phases.offset))
}

fn load_point(point: &TimelinePoint) -> LoadPoint {
    LoadPoint {
        t: f64::from(point.t),
        requests_per_second: point.requests_per_second,
        p95: point.p95,
        users: point.virtual_users,
    }
}

fn seconds(whole: i64) -> f64 {
    f64::from(i32::try_from(whole).unwrap_or(i32::MAX))
}
