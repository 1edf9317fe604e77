//! The runs of a comparison over each other, each from the same point of its life on.

use load_analysis::aggregate::SecondBucket;
use performance_store::LongReader;
use service_defaults::problem::Problem;

use super::{letter, runs_of};
use crate::app::App;
use crate::comparing::Measured;
use crate::presentation::overlay::{self, Overlaid, Overlay};
use crate::problems;
use crate::runs::compare::Groups;
use crate::timeline::Timeline;

/// Steps of the longest run, for the eye and for the table.
const FINE: u32 = 300;
const COARSE: u32 = 20;

/// What the picture is made of.
const METRICS: [&str; 2] = ["http_reqs", "http_req_duration"];

/// Where the time axis begins in each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// With the judged phase; with the load in a run that has none.
    Steady,
    /// With the load.
    Start,
}

impl Align {
    pub(super) fn read(text: Option<&str>) -> Result<Self, Problem> {
        match text {
            None | Some("" | "steady") => Ok(Self::Steady),
            Some("start") => Ok(Self::Start),
            Some(_) => Err(Problem::invalid_field("align", "must be steady or start")),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Start => "start",
        }
    }

    /// The second of a run at which the axis begins.
    fn second(self, measured: &Measured) -> u32 {
        let begin = measured.results.phases.as_ref().map_or(0, |phases| {
            let judged = phases.judged().filter(|_| self == Self::Steady);
            phases.offset + judged.map_or(0, |phase| phase.from)
        });
        u32::try_from(begin).unwrap_or(0)
    }
}

/// Draws the runs of a comparison.
pub(super) async fn overlay(
    app: &App,
    groups: &Groups,
    align: Align,
) -> Result<Option<Overlay>, Problem> {
    let mut longest = 0;
    for one in runs_of(groups) {
        let seconds = app.store.span_seconds(&one.run.address()).await;
        let seconds = u32::try_from(seconds.map_err(problems::from_store)?).unwrap_or(u32::MAX);
        longest = longest.max(seconds.saturating_sub(align.second(one)));
    }
    let steps = [FINE, COARSE].map(|most| longest.div_ceil(most).max(1));
    let mut overlaid = Vec::new();
    for (index, one) in runs_of(groups).enumerate() {
        let from = align.second(one);
        let empty = steps.map(|step| Timeline::new(step, from..u32::MAX));
        let add = |timelines: &mut [Timeline; 2], bucket: SecondBucket| {
            for timeline in timelines {
                timeline.add(&bucket);
            }
        };
        let run = one.run.address();
        let folded = app
            .store
            .fold_seconds((&run, LongReader::Shared), &METRICS, empty, add);
        let [fine, coarse] = folded.await.map_err(problems::from_store)?;
        overlaid.push(Overlaid {
            letter: letter(index),
            from,
            fine: fine.finish(),
            coarse: coarse.finish(),
        });
    }
    Ok(overlay::draw(&overlaid, steps[0], steps[1]))
}
