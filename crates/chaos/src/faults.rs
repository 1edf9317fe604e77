//! Causes a plan's faults, one after the other, and tells the run of each.

mod readers;

use std::time::Duration;

use fault_proxy::Behaviour;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use self::readers::Crowd;
use crate::api::Api;
use crate::load::Load;
use crate::metrics::MetricsPage;
use crate::plan::{Action, FaultPlan, Part, Plan};
use crate::samples::Samples;
use crate::stack::Stack;

/// From a start to the next kill: anything from its first requests to a stretch of work.
const BETWEEN_KILLS_MS: std::ops::Range<u64> = 200..1_500;

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
    /// The API never came back: there is nothing left to break.
    #[serde(skip)]
    pub(crate) is_last: bool,
    /// What else is worth to know.
    pub(crate) notes: Vec<String>,
}

impl Happened {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            began: 0.0,
            ended: 0.0,
            wrong: Vec::new(),
            is_last: false,
            notes: Vec::new(),
        }
    }

    fn never_came_back(&mut self, why: &anyhow::Error) {
        self.wrong.push(format!("the API never came back: {why:#}"));
        self.is_last = true;
    }
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
    /// A fault cannot be caused or mended: nothing that follows would mean what it says. An API
    /// that does not come back is none of these, but what the plan was to find out.
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
            let is_last = one.is_last;
            happened.push(one);
            if is_last {
                return Ok((happened, pages));
            }
        }
        sleep_until(self.samples.moment(plan.seconds + late)).await;
        pages.extend(MetricsPage::read(self.api, self.samples.now()).await);
        Ok((happened, pages))
    }

    async fn cause(&self, fault: &FaultPlan) -> anyhow::Result<Happened> {
        let mut one = Happened::new(&fault.name);
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
            Action::Leave { per_second } => readers::leave(self.api, *per_second, until).await,
            Action::Crowd {
                readers,
                times,
                store_ms,
            } => {
                let crowd = Crowd {
                    stack: self.stack,
                    api: self.api,
                    readers: *readers,
                };
                one.wrong.extend(crowd.come(*times, *store_ms).await?);
                Ok(())
            }
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
            Action::KillOften { .. } | Action::Leave { .. } | Action::Crowd { .. } => Ok(()),
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
            Action::KillOften { .. } | Action::Leave { .. } | Action::Crowd { .. } => Ok(()),
        }
    }

    async fn start_again(&self, part: Part, one: &mut Happened) -> anyhow::Result<()> {
        match self.stack.start_again(part).await {
            Ok(took) => {
                let took = took.as_secs_f64();
                one.notes.push(format!("ready {took:.2} s after its start"));
            }
            Err(error) if part == Part::Api => one.never_came_back(&error),
            Err(error) => return Err(error),
        }
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
            match self.stack.start_again(part).await {
                Ok(took) => slowest = slowest.max(took.as_secs_f64()),
                Err(error) if part == Part::Api => {
                    one.never_came_back(&error);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
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
}
