//! What lists read of runs and tests without reading their documents.

use std::collections::BTreeMap;

use jiff::Timestamp;
use load_analysis::baseline::{Baseline, RunFigures};
use load_analysis::dollars::Dollars;
use load_analysis::spend::{Amount, ModelSpend, ReachedCap, Spend};
use load_analysis::verdict::{Level, Verdict};
use performance_store::{
    BaselineName, BaselineVersion, LatestSeries, NotedStep, Outcome, Run, RunStatus, SeriesPoint,
    Shape, StepNote, TestName,
};
use tenancy::TenantId;

use crate::test_store::{TestStore, event};

const MEASURE: &str = "http_req_duration p(95)";

/// A run that ended with this verdict, figure and sums.
async fn ended(
    test: &TestStore,
    level: Level,
    figure: f64,
    spend: Option<Spend>,
) -> anyhow::Result<Run> {
    let run = test.running().await?;
    let outcome = Outcome {
        status: RunStatus::Completed,
        error: None,
        verdict: Some(Verdict {
            level,
            exit_code: level.exit_code(),
            reasons: Vec::new(),
        }),
        results: None,
        figures: BTreeMap::from([(MEASURE.to_owned(), figure)]),
        spend,
    };
    let (address, position) = (run.address(), run.position());
    let told = vec![event("end")];
    let (run, _) = test.store.finish(&address, position, outcome, told).await?;
    Ok(run)
}

fn spend(simulated: bool, pico_usd: i128) -> Spend {
    Spend::of_models(vec![ModelSpend {
        model: "opus".to_owned(),
        simulated,
        amount: Amount {
            cost: Dollars::of_pico(pico_usd),
            ..Amount::default()
        },
    }])
}

#[tokio::test]
async fn a_test_tells_for_how_many_runs_it_has_not_passed() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let summary = async || {
        let tests = test.store.tests(&test.tenant, MEASURE).await?;
        anyhow::Ok(tests.into_iter().next())
    };
    assert!(summary().await?.is_none());
    ended(&test, Level::Fail, 1.0, None).await?;
    let failing = summary().await?.unwrap();
    assert_eq!((failing.passed, failing.runs_since), (None, 1));
    let good = ended(&test, Level::Warning, 2.0, None).await?;
    for level in [Level::Critical, Level::Invalid] {
        ended(&test, level, 3.0, None).await?;
    }
    let failing = summary().await?.unwrap();
    let passed = failing.passed.unwrap();
    assert_eq!((passed.run, passed.number), (good.id, good.number));
    assert_eq!((failing.runs_since, failing.runs), (2, 4));
    assert_eq!(failing.figures, [1.0, 2.0, 3.0, 3.0]);
    Ok(())
}

/// Whoever cancels a run knows of it; the money that stops one is news.
#[tokio::test]
async fn a_run_that_was_cancelled_decides_nothing_about_its_test() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let cancelled = async |spend: Option<Spend>| {
        let run = test.running().await?;
        let outcome = Outcome {
            status: RunStatus::Cancelled,
            error: None,
            verdict: None,
            results: None,
            figures: BTreeMap::new(),
            spend,
        };
        let (address, position) = (run.address(), run.position());
        let told = vec![event("end")];
        let (run, _) = test.store.finish(&address, position, outcome, told).await?;
        anyhow::Ok(run)
    };
    let decisive = async || {
        let tests = test.store.tests(&test.tenant, MEASURE).await?;
        let first = tests.into_iter().next();
        anyhow::Ok(first.and_then(|first| first.decisive).map(|run| run.id))
    };
    cancelled(None).await?;
    assert_eq!(decisive().await?, None);
    let failed = ended(&test, Level::Fail, 1.0, None).await?;
    cancelled(Some(spend(true, 5))).await?;
    assert_eq!(decisive().await?, Some(failed.id));
    let mut stopped = spend(true, 5);
    stopped.reached = Some(ReachedCap {
        simulated: true,
        allowed: Dollars::of_pico(5),
        overshoot: Dollars::ZERO,
        stopped: true,
    });
    let stopped = cancelled(Some(stopped)).await?;
    assert_eq!(decisive().await?, Some(stopped.id));
    Ok(())
}

#[tokio::test]
async fn costs_and_figures_are_told_by_run() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let free = ended(&test, Level::Pass, 10.0, None).await?;
    let real = ended(&test, Level::Pass, 20.0, Some(spend(false, 7))).await?;
    let simulated = ended(&test, Level::Pass, 30.0, Some(spend(true, 9))).await?;
    let ids = vec![free.id, real.id, simulated.id];
    let costs = test.store.costs(&test.tenant, ids.clone()).await?;
    let sums = |spend: &Spend| (spend.real.cost.pico(), spend.simulated.cost.pico());
    let sums = costs.iter().map(|(run, spend)| (*run, sums(spend)));
    let expected = BTreeMap::from([(real.id, (7, 0)), (simulated.id, (0, 9))]);
    assert_eq!(sums.collect::<BTreeMap<_, _>>(), expected);
    let figures = test
        .store
        .figures(&test.tenant, ids.clone(), MEASURE)
        .await?;
    assert_eq!(
        figures.into_values().collect::<Vec<_>>(),
        [10.0, 20.0, 30.0]
    );
    let other = TenantId::parse("other")?;
    assert!(test.store.costs(&other, ids.clone()).await?.is_empty());
    assert!(test.store.figures(&other, ids, MEASURE).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn one_measure_of_the_baseline_in_force_is_read() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let name = BaselineName {
        tenant: test.tenant.clone(),
        test: "smoke".to_owned(),
        environment: "local".to_owned(),
        scenario: "Smoke".to_owned(),
    };
    let mut expected = Vec::new();
    for version in 1..=2 {
        let mut runs = Vec::new();
        expected.clear();
        for number in 0..5_u8 {
            let figure = f64::from(version * 10 + number);
            let run = ended(&test, Level::Pass, figure, None).await?;
            expected.push((run.id, figure));
            let figures = BTreeMap::from([(MEASURE.to_owned(), figure)]);
            runs.push(RunFigures {
                run: run.id.to_string(),
                figures,
            });
        }
        let version = BaselineVersion {
            name: name.clone(),
            version: version.into(),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "ana".to_owned(),
            replacement: None,
            baseline: Baseline::establish(runs)?,
        };
        test.store.put_baseline(version).await?;
    }
    let none = BaselineName {
        test: "none".to_owned(),
        ..name.clone()
    };
    let names = vec![none, name.clone()];
    let found = test.store.baseline_figures(names.clone(), MEASURE).await?;
    let [found] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((&found.name, &found.figures), (&name, &expected));
    let found = test.store.baseline_figures(names, "checks rate").await?;
    assert_eq!(found[0].figures, []);
    Ok(())
}

#[tokio::test]
async fn what_is_said_of_a_step_stays_with_its_run() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let name = TestName {
        tenant: test.tenant.clone(),
        name: "smoke".to_owned(),
        environment: None,
        scenario: None,
    };
    let run = ended(&test, Level::Pass, 1.0, None).await?;
    let note = |text: &str| StepNote {
        text: text.to_owned(),
        author: "ana".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    let address = run.address();
    let put = async |note| test.store.put_step_note(&address, MEASURE, note).await;
    assert_eq!(put(Some(note("new disk"))).await?, None);
    let before = put(Some(note("another disk"))).await?;
    assert_eq!(before, Some(note("new disk")));
    let noted = NotedStep {
        run: run.id,
        number: run.number,
        measure: MEASURE.to_owned(),
        note: note("another disk"),
    };
    assert_eq!(test.store.noted_steps(&name, None).await?, [noted]);
    let notes = test.store.step_notes(&name, MEASURE).await?;
    assert_eq!(notes, BTreeMap::from([(run.id, note("another disk"))]));
    assert!(
        test.store
            .step_notes(&name, "checks rate")
            .await?
            .is_empty()
    );
    assert_eq!(put(None).await?, Some(note("another disk")));
    assert_eq!(put(None).await?, None);
    assert!(test.store.step_notes(&name, MEASURE).await?.is_empty());
    let shape = Shape {
        environment: "local".to_owned(),
        scenario: "Smoke".to_owned(),
    };
    assert_eq!(test.store.shapes(&name).await?, [shape]);
    Ok(())
}

#[tokio::test]
async fn the_latest_series_is_of_what_counts() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let mut runs = Vec::new();
    for (level, figure) in [
        (Level::Pass, 1.0),
        (Level::Invalid, 9.0),
        (Level::Fail, 2.0),
    ] {
        runs.push(ended(&test, level, figure, None).await?);
    }
    let note = StepNote {
        text: "a new index".to_owned(),
        author: "ana".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    for (run, measure) in [(&runs[0], "checks rate"), (&runs[2], MEASURE)] {
        let (address, note) = (run.address(), Some(note.clone()));
        test.store.put_step_note(&address, measure, note).await?;
    }
    let names = vec!["none".to_owned(), "smoke".to_owned()];
    let found = test
        .store
        .latest_series(&test.tenant, names, MEASURE)
        .await?;
    let point = |run: &Run, value, is_explained| SeriesPoint {
        run: run.id,
        number: run.number,
        value,
        is_explained,
    };
    let expected = LatestSeries {
        test: "smoke".to_owned(),
        shape: Shape {
            environment: "local".to_owned(),
            scenario: "Smoke".to_owned(),
        },
        points: vec![point(&runs[0], 1.0, false), point(&runs[2], 2.0, true)],
    };
    assert_eq!(found, [expected]);
    Ok(())
}
