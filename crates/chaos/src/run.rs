//! One experiment from its begin to its end.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::time::sleep_until;

use crate::api::Api;
use crate::faults::{Happened, Saboteur};
use crate::judgement::{Evidence, judge};
use crate::ledger::{Ledger, Losses};
use crate::load::{Ended, Load};
use crate::metrics::MetricsPage;
use crate::plan::{LOAD, Plan};
use crate::probes::Probes;
use crate::report::Report;
use crate::samples::Samples;
use crate::stack::{Stack, wait_until_ready};

/// How long users ask before a load that is to break something, in seconds.
const QUIET: f64 = 6.0;

/// How much longer they ask after it than all may take to be well, in seconds.
const TAIL: f64 = 2.0;

/// Where things are on this machine.
#[derive(Debug, Clone)]
pub struct Places {
    /// The directory with our own programs.
    pub binaries: PathBuf,
    /// The directory with the scripts of k6.
    pub scripts: PathBuf,
}

/// Carries out a plan. `say` is told what happens meanwhile. Dropping the future ends everything
/// that it started.
///
/// # Errors
/// The stack does not start, or a fault cannot be caused or mended: there is nothing to judge
/// ([`Report::broken`]).
pub async fn run(
    name: &str,
    plan: &Plan,
    places: &Places,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    say(&format!("{name}: starting the stack"));
    let stack = Stack::start(&plan.stack, places).await?;
    let report = experiment(name, plan, &stack, say).await;
    stack.stop().await;
    report
}

/// What happened, and how the load ended.
struct Course {
    happened: Vec<Happened>,
    pages: Vec<MetricsPage>,
    ended: Ended,
    /// When users ceased to ask.
    seconds: f64,
    load: Load,
}

async fn experiment(
    name: &str,
    plan: &Plan,
    stack: &Stack,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    let scene = Scene {
        name,
        plan,
        stack,
        api: Api::new(&stack.api_url())?,
        ledger: Arc::new(Ledger::create(stack.directory())?),
        say,
    };
    let (samples, course) = if plan.load.preset.is_some() {
        scene.break_by_load().await?
    } else {
        scene.break_under_load().await?
    };
    let evidence = Evidence {
        samples: samples.all(),
        losses: scene.losses().await.map_err(|error| format!("{error:#}")),
        note: course.load.note.clone(),
        ended: course.ended,
        happened: course.happened,
        pages: course.pages,
        seconds: course.seconds,
    };
    // A run that never put load on has no picture.
    let page = course.load.report().await.ok();
    let judged = judge(plan, &evidence);
    Ok(Report::new(name, plan, &evidence, judged, page))
}

/// A plan, and where it is carried out.
struct Scene<'a> {
    name: &'a str,
    plan: &'a Plan,
    stack: &'a Stack,
    api: Api,
    ledger: Arc<Ledger>,
    say: &'a (dyn Fn(&str) + Sync),
}

impl Scene<'_> {
    /// Faults while the load is on.
    async fn break_under_load(&self) -> anyhow::Result<(Samples, Course)> {
        let load = self.load().await?;
        let samples = Samples::new();
        let probes = self.probes(&samples).await?;
        (self.say)(&format!("{}: load is on, users ask", self.name));
        let saboteur = Saboteur {
            stack: self.stack,
            api: &self.api,
            load: &load,
            samples: &samples,
            say: self.say,
        };
        let (happened, pages) = saboteur.carry_out(self.plan).await?;
        let seconds = samples.now();
        probes.stop().await;
        let ended = load.ended().await?;
        let course = Course {
            happened,
            pages,
            ended,
            seconds,
            load,
        };
        Ok((samples, course))
    }

    /// The load itself is the fault: users ask before it, and until all must be well after it.
    async fn break_by_load(&self) -> anyhow::Result<(Samples, Course)> {
        let samples = Samples::new();
        let probes = self.probes(&samples).await?;
        (self.say)(&format!("{}: users ask", self.name));
        sleep_until(samples.moment(QUIET)).await;
        let mut pages = Vec::new();
        pages.extend(MetricsPage::read(&self.api, samples.now()).await);
        let mut one = Happened::new(LOAD);
        one.began = samples.now();
        let load = self.load().await?;
        (self.say)(&format!("{}: load is on", self.name));
        let ended = load.ended().await?;
        one.ended = samples.now();
        (self.say)(&format!("{}: load is over", self.name));
        pages.extend(MetricsPage::read(&self.api, samples.now()).await);
        sleep_until(samples.moment(one.ended + self.plan.recovery.within + TAIL)).await;
        let seconds = samples.now();
        probes.stop().await;
        let course = Course {
            happened: vec![one],
            pages,
            ended,
            seconds,
            load,
        };
        Ok((samples, course))
    }

    async fn load(&self) -> anyhow::Result<Load> {
        let service = self.stack.performance_url();
        let load = Load::start(&service, self.name, &self.plan.load, self.plan.seconds).await;
        load.context("the load")
    }

    async fn probes(&self, samples: &Samples) -> anyhow::Result<Probes> {
        let share = self.plan.load.probes.unwrap_or(1.0);
        Probes::start(&self.api, samples, &self.ledger, share).await
    }

    /// The store held against the ledger.
    async fn losses(&self) -> anyhow::Result<Losses> {
        wait_until_ready(&self.api).await?;
        self.ledger.compare(&self.api.all_books().await?)
    }
}
