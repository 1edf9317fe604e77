//! Causes a plan's faults, one after the other, and tells the run of each.

use std::time::Duration;

use fault_proxy::Behaviour;
use futures_util::StreamExt as _;
use reqwest::RequestBuilder;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::api::Api;
use crate::load::Load;
use crate::metrics::MetricsPage;
use crate::plan::{Action, FaultPlan, Part, Plan};
use crate::samples::Samples;
use crate::stack::Stack;

/// From a start to the next kill: anything from its first requests to a stretch of work.
const BETWEEN_KILLS_MS: std::ops::Range<u64> = 200..1_500;

/// How long a reader stays who leaves before the end.
const STAYS: Duration = Duration::from_millis(120);

/// A fault as it came.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Happened {
    /// What it is called.
    pub(crate) name: String,
    /// In seconds from the first second of load.
    pub(crate) began: f64,
    /// The same.
    pub(crate) ended: f64,
    /// What went otherwise than it must.
    pub(crate) wrong: Vec<String>,
    /// What else is worth to know.
    pub(crate) notes: Vec<String>,
}

/// What faults are caused with.
pub(crate) struct Saboteur<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) api: &'a Api,
    pub(crate) load: &'a Load,
    pub(crate) samples: &'a Samples,
    pub(crate) say: &'a (dyn Fn(&str) + Sync),
}

impl Saboteur<'_> {
    /// All faults of a plan, and the API's metrics at the begin and the end of each.
    ///
    /// # Errors
    /// A fault cannot be caused or mended: nothing that follows would mean what it says.
    pub(crate) async fn carry_out(
        &self,
        plan: &Plan,
    ) -> anyhow::Result<(Vec<Happened>, Vec<MetricsPage>)> {
        let mut happened = Vec::with_capacity(plan.faults.len());
        let mut pages = Vec::new();
        // What takes longer than planned, or less, moves the rest.
        let mut late = 0.0;
        pages.extend(MetricsPage::read(self.api, self.samples.now()).await);
        for fault in &plan.faults {
            sleep_until(self.samples.moment(fault.at + late)).await;
            pages.extend(MetricsPage::read(self.api, self.samples.now()).await);
            let one = self.cause(fault).await?;
            late = one.ended - fault.ends();
            pages.extend(MetricsPage::read(self.api, self.samples.now()).await);
            happened.push(one);
        }
        sleep_until(self.samples.moment(plan.seconds + late)).await;
        pages.extend(MetricsPage::read(self.api, self.samples.now()).await);
        Ok((happened, pages))
    }

    async fn cause(&self, fault: &FaultPlan) -> anyhow::Result<Happened> {
        let mut one = Happened {
            name: fault.name.clone(),
            began: 0.0,
            ended: 0.0,
            wrong: Vec::new(),
            notes: Vec::new(),
        };
        let instant = fault.lasts <= 0.0;
        self.tell(&mut one, if instant { "instant" } else { "begin" })
            .await;
        one.began = self.samples.now();
        (self.say)(&format!("t+{:.0} s: {} begins", one.began, one.name));
        let until = self.samples.moment(one.began + fault.lasts);
        self.act(&fault.action, until, &mut one).await?;
        one.ended = self.samples.now();
        if !instant {
            self.tell(&mut one, "end").await;
            (self.say)(&format!("t+{:.0} s: {} is over", one.ended, one.name));
        }
        Ok(one)
    }

    /// A run that is over takes no more marks, which is worth a note and no failure.
    async fn tell(&self, one: &mut Happened, moment: &str) {
        let told = self.load.tell(moment, &one.name, "").await;
        if let Err(error) = told {
            one.notes.push(format!("not noted in the run: {error}"));
        }
    }

    /// Begins a fault, waits, and mends it; some take their own time.
    async fn act(&self, action: &Action, until: Instant, one: &mut Happened) -> anyhow::Result<()> {
        match action {
            Action::KillOften {
                process,
                times,
                ready_within,
            } => self.kill_often(*process, *times, *ready_within, one).await,
            Action::Leave { per_second } => self.leave(*per_second, until).await,
            _ => {
                self.begin(action, one).await?;
                sleep_until(until).await;
                self.mend(action, one).await
            }
        }
    }

    async fn begin(&self, action: &Action, one: &mut Happened) -> anyhow::Result<()> {
        let stack = self.stack;
        match action {
            Action::Proxy { before, behaviour } => stack.set(*before, *behaviour),
            Action::Kill { process } => stack.kill(*process),
            Action::Freeze { process } => stack.freeze(*process, true),
            Action::Terminate { process } => {
                if let Err(error) = stack.terminate(*process).await {
                    one.wrong.push(format!("{error:#}"));
                    stack.kill(*process)?;
                }
                Ok(())
            }
            Action::Simulator { rules } => stack.set_rules(rules).await,
            Action::Redis { commands, .. } => stack.command_redis(commands).await,
            Action::Clock { seconds, .. } => {
                stack.set_clock(*seconds).await?;
                self.load.ask_for_another().await
            }
            Action::ForgetName {} => stack.set_name_known(false),
            Action::Tls { handshakes } => stack.set_handshakes(handshakes),
            Action::FillDisk {} => stack.disk()?.fill(),
            Action::KillOften { .. } | Action::Leave { .. } => Ok(()),
        }
    }

    async fn mend(&self, action: &Action, one: &mut Happened) -> anyhow::Result<()> {
        let stack = self.stack;
        match action {
            Action::Proxy { before, .. } => stack.set(*before, Behaviour::default()),
            Action::Kill { process } | Action::Terminate { process } => {
                self.start_again(*process, one).await
            }
            Action::Freeze { process } => stack.freeze(*process, false),
            Action::Simulator { .. } => stack.set_rules(&[]).await,
            Action::Redis { undo, .. } => stack.command_redis(undo).await,
            Action::Clock { .. } => stack.set_clock(0).await,
            Action::ForgetName {} => stack.set_name_known(true),
            Action::Tls { .. } => stack.set_handshakes(&[]),
            Action::FillDisk {} => stack.disk()?.make_room(),
            Action::KillOften { .. } | Action::Leave { .. } => Ok(()),
        }
    }

    async fn start_again(&self, part: Part, one: &mut Happened) -> anyhow::Result<()> {
        let took = self.stack.start_again(part).await?;
        one.notes
            .push(format!("ready {:.2} s after its start", took.as_secs_f64()));
        Ok(())
    }

    async fn kill_often(
        &self,
        part: Part,
        times: u32,
        ready_within: f64,
        one: &mut Happened,
    ) -> anyhow::Result<()> {
        let mut slowest = 0.0_f64;
        for _ in 0..times {
            let pause = Duration::from_millis(fastrand::u64(BETWEEN_KILLS_MS));
            sleep_until(Instant::now() + pause).await;
            self.stack.kill(part)?;
            let took = self.stack.start_again(part).await?;
            slowest = slowest.max(took.as_secs_f64());
        }
        one.notes.push(format!(
            "{times} kills; the slowest start took {slowest:.2} s"
        ));
        if slowest > ready_within {
            one.wrong.push(format!(
                "a start took {slowest:.2} s, {ready_within} s are allowed"
            ));
        }
        Ok(())
    }

    /// Readers of streams who go away in their middle, each a task of its own.
    async fn leave(&self, per_second: u32, until: Instant) -> anyhow::Result<()> {
        let book = self.api.create("left").await?;
        let mut clock = interval(Duration::from_secs(1) / per_second.max(1));
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut readers = JoinSet::new();
        while Instant::now() < until {
            clock.tick().await;
            while readers.try_join_next().is_some() {}
            let request = self.api.summary(&book, true);
            // Who leaves drops the connection.
            readers.spawn(timeout(STAYS, read_to_the_end(request)));
        }
        readers.shutdown().await;
        Ok(())
    }
}

async fn read_to_the_end(request: RequestBuilder) {
    let Ok(reply) = request.send().await else {
        return;
    };
    let mut body = reply.bytes_stream();
    while body.next().await.is_some() {}
}
