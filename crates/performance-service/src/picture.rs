//! A run, or a window of it, as people look at it: steps for the eye and for a table, the figures
//! of the load, and each endpoint by itself. Percentiles are merged from the stored histograms.

mod baseline;
mod figures;
pub(crate) mod heatmap;
mod selection;

use std::collections::BTreeMap;
use std::ops::Range;

use load_analysis::aggregate::SecondBucket;
use load_analysis::metric::MetricKind;
use load_analysis::phases::{AskedCourse, PhaseKind};
use load_analysis::results::Results;
use load_analysis::series::{SeriesKey, SeriesValue};
use performance_store::{LongReader, RunAddress, RunStore, StoreError};

use self::baseline::KeptDurations;
pub(crate) use self::baseline::{BaselineDurations, durations_of};
pub(crate) use self::figures::{Endpoint, LoadFigures};
pub(crate) use self::heatmap::Heatmap;
pub(crate) use self::selection::{Selected, Selection};
use crate::app::App;
use crate::faults;
use crate::presentation::chart::{self, FaultSpan, Frame, Phase};
use crate::recently_made::RecentlyMade;
use crate::timeline::{METRICS, Overview, Timeline};

/// Points of the picture; a longer run gets longer steps. All lines of a run of models take up to
/// 60 kB then, of a page's 100.
pub(crate) const MAX_POINTS: u32 = 400;

/// Rows of the table behind the picture, on a page and in a report.
pub(crate) const PAGE_ROWS: u32 = 60;
pub(crate) const REPORT_ROWS: u32 = 20;

/// Pictures that are kept: each has some hundred kilobytes.
const MOST_KEPT: usize = 16;

/// Pictures and parts of them that were made before. Of a run that goes on it is the one of its
/// newest second, which all who watch it ask for.
pub(crate) struct Pictures {
    /// By run, the bytes of its seconds, and the view.
    kept: RecentlyMade<(RunAddress, u64, View), Picture>,
    durations: KeptDurations,
}

/// How somebody looks at a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct View {
    /// Between these seconds, or from its begin and to its end.
    pub(crate) window: (Option<u32>, Option<u32>),
    /// Rows of the table.
    pub(crate) most_rows: u32,
    /// A box of the map of requests.
    pub(crate) selection: Option<Selection>,
}

/// What is looked at of a run.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    /// How long the whole run was, in seconds.
    pub(crate) seconds: u32,
    /// The seconds that are looked at.
    pub(crate) window: Range<u32>,
    /// For the eye.
    pub(crate) fine: Overview,
    /// For the table.
    pub(crate) coarse: Overview,
    /// The load in the window.
    pub(crate) load: LoadFigures,
    /// What setup and teardown did in it.
    pub(crate) aside: LoadFigures,
    /// The load by endpoint, the busiest first.
    pub(crate) endpoints: Vec<Endpoint>,
    /// The first and the last second of the whole run in which something of its load ended.
    pub(crate) load_seconds: Option<(u32, u32)>,
    /// When requests of the load ended and how long they took.
    pub(crate) heatmap: Heatmap,
    pub(crate) selected: Option<Selected>,
    /// Its first second, since the Unix epoch.
    pub(crate) origin: Option<i64>,
    /// What somebody broke meanwhile.
    pub(crate) faults: Vec<FaultSpan>,
}

struct Fold {
    timelines: [Timeline; 2],
    window: Range<u32>,
    origin: Option<i64>,
    load: LoadFigures,
    aside: LoadFigures,
    endpoints: BTreeMap<String, LoadFigures>,
    load_seconds: Option<(u32, u32)>,
    heatmap: Heatmap,
    selected: Option<Selected>,
}

impl Pictures {
    pub(crate) fn new() -> Self {
        Self {
            kept: RecentlyMade::new(MOST_KEPT),
            durations: baseline::kept(),
        }
    }
}

/// Looks at a run, as far as nobody has done so before.
pub(crate) async fn of_run(app: &App, run: &RunAddress, view: View) -> Result<Picture, StoreError> {
    let store = &app.store;
    let bytes = store.second_bytes(run).await?;
    let key = (run.clone(), bytes, view.clone());
    let looked = app.pictures.kept.get(key, Box::pin(look(store, run, view)));
    let mut picture = Box::pin(looked).await?;
    picture.faults = fault_spans(store, run, (picture.origin, picture.seconds)).await?;
    Ok(picture)
}

/// Looks at a run in one pass.
async fn look(store: &RunStore, run: &RunAddress, view: View) -> Result<Picture, StoreError> {
    let (from, to) = view.window;
    let seconds = u32::try_from(store.span_seconds(run).await?).unwrap_or(u32::MAX);
    let end = to.map_or(seconds, |to| to.min(seconds));
    let window = from.unwrap_or(0).min(end)..end;
    let width = window.end - window.start;
    let steps = [MAX_POINTS, view.most_rows].map(|most| width.div_ceil(most).max(1));
    let empty = Fold {
        timelines: steps.map(|step| Timeline::new(step, window.clone())),
        window: window.clone(),
        origin: None,
        load: LoadFigures::default(),
        aside: LoadFigures::default(),
        endpoints: BTreeMap::new(),
        load_seconds: None,
        heatmap: Heatmap::new(&window),
        selected: view.selection.map(|it| Selected::new(it.within(&window))),
    };
    let fold = |fold: &mut Fold, bucket: SecondBucket| fold.add(&bucket);
    let folded = store
        .fold_seconds((run, LongReader::Shared), METRICS, empty, fold)
        .await?;
    let [fine_step, coarse_step] = steps;
    let [fine, coarse] = folded.timelines.map(Timeline::finish);
    let endpoints = folded.endpoints.into_iter();
    let mut endpoints: Vec<Endpoint> = endpoints
        .filter(|(_, figures)| figures.requests > 0)
        .map(|(name, figures)| Endpoint { name, figures })
        .collect();
    endpoints.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.figures.requests));
    Ok(Picture {
        seconds,
        window,
        fine: Overview {
            step: fine_step,
            points: fine,
        },
        coarse: Overview {
            step: coarse_step,
            points: coarse,
        },
        load: folded.load,
        aside: folded.aside,
        endpoints,
        load_seconds: folded.load_seconds,
        heatmap: folded.heatmap,
        selected: folded.selected,
        origin: folded.origin,
        faults: Vec::new(),
    })
}

/// The faults of a run with this first second and so many of them.
async fn fault_spans(
    store: &RunStore,
    run: &RunAddress,
    (origin, seconds): (Option<i64>, u32),
) -> Result<Vec<FaultSpan>, StoreError> {
    let Some(origin) = origin else {
        return Ok(Vec::new());
    };
    let numbered = (1..).zip(faults::of_run(store, run).await?);
    let span = |(number, fault): (usize, faults::Fault)| {
        Some(FaultSpan {
            number,
            seconds: fault.seconds(origin, seconds)?,
            name: fault.name,
            detail: fault.detail,
        })
    };
    Ok(numbered.filter_map(span).collect())
}

impl Picture {
    /// The parts of the whole run: those of its plan where it is judged, else what the samples
    /// tell.
    fn phases(&self, results: Option<&Results>) -> Vec<Phase> {
        let Some((first, last)) = self.load_seconds else {
            return Vec::new();
        };
        let phase = |name, seconds: Range<u32>, is_judged| Phase {
            name,
            seconds,
            is_judged,
        };
        let planned = results.and_then(|results| results.phases.as_ref());
        let (first, load, end) = match planned {
            Some(planned) => {
                let at = |second: i64| u32::try_from(second + planned.offset).unwrap_or(0);
                let parts = planned.phases.iter();
                let parts = parts.map(|part| {
                    phase(
                        phase_name(part.kind),
                        at(part.from)..at(part.to),
                        part.judged,
                    )
                });
                let last = planned.phases.last().map_or(0, |part| part.to);
                (at(0), parts.collect(), at(last))
            }
            None => (first, vec![phase("load", first..last + 1, true)], last + 1),
        };
        let setup = std::iter::once(phase("setup", 0..first, false));
        let all = setup.chain(load);
        let all = all.chain(std::iter::once(phase("teardown", end..self.seconds, false)));
        all.filter(|phase| !phase.seconds.is_empty()).collect()
    }

    /// What was asked for, in seconds of the run.
    fn asked(results: Option<&Results>) -> Option<AskedCourse> {
        let phases = results?.phases.as_ref()?;
        let mut asked = phases.asked.clone()?;
        let offset = f64::from(u32::try_from(phases.offset).ok()?);
        for corner in &mut asked.corners {
            corner.at += offset;
        }
        Some(asked)
    }

    /// What it is drawn with.
    pub(crate) fn frame(&self, results: Option<&Results>) -> Frame {
        Frame {
            phases: self.phases(results),
            marks: results.map(chart::marks).unwrap_or_default(),
            asked: Self::asked(results),
            faults: self.faults.clone(),
        }
    }

    /// Whether it is a part of the run only.
    pub(crate) const fn is_part(&self) -> bool {
        self.window.start > 0 || self.window.end < self.seconds
    }

    /// How many seconds of load are looked at; of a whole run that is over it is known exactly.
    pub(crate) fn load_length(&self, results: Option<&Results>) -> f64 {
        if let Some(results) = results.filter(|_| !self.is_part()) {
            return results.coverage.load_seconds;
        }
        let (first, last) = self.load_seconds.unwrap_or((0, 0));
        let from = first.max(self.window.start);
        let to = (last + 1).min(self.window.end);
        f64::from(to.saturating_sub(from))
    }
}

const fn phase_name(kind: PhaseKind) -> &'static str {
    match kind {
        PhaseKind::WarmUp => "warm-up",
        PhaseKind::RampUp => "ramp up",
        PhaseKind::Steady => "steady",
        PhaseKind::RampDown => "ramp down",
        PhaseKind::Ending => "ending",
        PhaseKind::Idle => "idle",
    }
}

impl Fold {
    fn add(&mut self, bucket: &SecondBucket) {
        for timeline in &mut self.timelines {
            timeline.add(bucket);
        }
        let origin = *self.origin.get_or_insert(bucket.second);
        let second = u32::try_from(bucket.second - origin).unwrap_or(0);
        let inside = self.window.contains(&second);
        for (key, value) in &bucket.series {
            let kind = value.kind();
            if kind == MetricKind::Gauge {
                continue;
            }
            if key.tags.is_load(kind) {
                let (first, _) = self.load_seconds.unwrap_or((second, second));
                self.load_seconds = Some((first, second));
            }
            if !inside {
                continue;
            }
            if !key.tags.is_load(kind) {
                self.aside.add(key, value);
                continue;
            }
            self.load.add(key, value);
            self.map(second, key, value);
            let name = if key.tags.other {
                "others"
            } else {
                key.tags.name.as_str()
            };
            if !name.is_empty() {
                let endpoint = self.endpoints.entry(name.to_owned()).or_default();
                endpoint.add(key, value);
            }
        }
    }

    fn map(&mut self, second: u32, key: &SeriesKey, value: &SeriesValue) {
        if let ("http_req_duration", SeriesValue::Trend(durations)) = (key.metric.as_ref(), value) {
            self.heatmap.add(second, durations);
            if let Some(selected) = &mut self.selected {
                selected.add(second, &key.tags, durations);
            }
        }
    }
}
