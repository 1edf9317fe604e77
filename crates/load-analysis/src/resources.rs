//! What a target used and waited for during a run, on the run's own time axis. Who reads it from
//! where is not known here.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The resources of a run as they were seen. Without any series, `note` says why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// Whether anything was seen.
    pub available: bool,
    /// Where it comes from, or why there is nothing.
    pub note: String,
    /// Seconds between two points.
    pub step: u32,
    /// Seconds before a point that rates are made over.
    pub window: u32,
    /// One series per signal and part.
    pub series: Vec<ResourceSeries>,
}

/// One signal of one part of the target over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSeries {
    /// What it is.
    pub signal: Signal,
    /// Which part: a store, a cache, a provider; empty for the process as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// Seconds since the first sample of the run, and the value.
    pub points: Vec<(f64, f64)>,
}

/// What can be seen of a target.
///
/// The signals that end in `Busy` are seconds spent in a part per second of time: the mean number
/// of requests that are in it (Little, Oper. Res. 9 (1961) 383). Their shares say where requests
/// spend their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signal {
    /// Processors in use.
    Cpu,
    /// Share of the runtime's workers that are busy, 0 to 1.
    WorkersBusy,
    /// Tasks that wait for a worker.
    TasksWaiting,
    /// Resident memory, bytes.
    Memory,
    /// Threads of the process.
    Threads,
    /// Open file descriptors.
    Descriptors,
    /// Requests being served.
    RequestsBusy,
    /// Calls to a store under way.
    StoreBusy,
    /// 95th percentile of the calls to a store, seconds.
    StoreP95,
    /// Calls that wait for a connection to a store.
    PoolBusy,
    /// Share of look-ups that a level of a cache answered, 0 to 1.
    CacheHits,
    /// Attempts at a model's provider under way.
    ModelBusy,
    /// 95th percentile of the time to a model's first chunk, seconds.
    ModelFirstChunkP95,
    /// Calls that wait for a place at a provider.
    ModelQueueBusy,
    /// Calls that wait before they try again.
    ModelBackoffBusy,
    /// Attempts per second that were not made: circuit open, no place.
    ModelRefusals,
    /// The worst circuit of a provider: 0 closed, 1 half open, 2 open.
    Circuit,
}

impl Signal {
    /// The signal as a heading, with the unit in which people read it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cpu => "Processors in use",
            Self::WorkersBusy => "Busy workers, share",
            Self::TasksWaiting => "Tasks that wait for a worker",
            Self::Memory => "Memory, MiB",
            Self::Threads => "Threads",
            Self::Descriptors => "Open file descriptors",
            Self::RequestsBusy => "Requests being served",
            Self::StoreBusy => "Calls in a store",
            Self::StoreP95 => "p95 of calls to a store, s",
            Self::PoolBusy => "Calls that wait for a connection",
            Self::CacheHits => "Cache hits, share",
            Self::ModelBusy => "Calls at a model",
            Self::ModelFirstChunkP95 => "p95 to a model's first chunk, s",
            Self::ModelQueueBusy => "Calls that wait for a place at a model",
            Self::ModelBackoffBusy => "Calls that wait for another try",
            Self::ModelRefusals => "Attempts refused by itself, per s",
            Self::Circuit => "Circuit: 0 closed, 1 half open, 2 open",
        }
    }
}

impl Resources {
    /// Nothing, and why.
    #[must_use]
    pub fn none(note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..Self::default()
        }
    }

    /// The series of a signal.
    pub fn of(&self, signal: Signal) -> impl Iterator<Item = &ResourceSeries> {
        self.series.iter().filter(move |it| it.signal == signal)
    }
}

impl ResourceSeries {
    /// The mean of the points within some seconds; `None` without one.
    #[must_use]
    pub fn mean(&self, within: &Range<f64>) -> Option<f64> {
        let values: Vec<f64> = self.within(within).map(|(_, value)| value).collect();
        let count = crate::number::from_size(values.len());
        (count > 0.0).then(|| values.iter().sum::<f64>() / count)
    }

    /// The points within some seconds.
    pub fn within(&self, within: &Range<f64>) -> impl Iterator<Item = (f64, f64)> {
        let within = within.clone();
        self.points
            .iter()
            .copied()
            .filter(move |(t, value)| within.contains(t) && value.is_finite())
    }
}
