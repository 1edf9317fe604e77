//! What a supervisor is told to do, and what a service that finds it must know.

use std::io;
use std::path::Path;
use std::time::Duration;

use load_analysis::execution::ExecutionPlan;
use load_analysis::threshold::Threshold;
use serde::{Deserialize, Serialize};

use crate::container::Containers;
use crate::runner::Requirements;
use crate::sample::SampleFormat;
use crate::sandbox::{Limits, Sandbox};
use crate::trace::TraceContext;

/// Its file in the run's directory.
const FILE: &str = "order.json";

/// The k6 of one run and their bounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) generators: Vec<GeneratorOrder>,
    /// Where each k6 runs in a container instead of a process of ours.
    #[serde(default)]
    pub(crate) containers: Option<Containers>,
    /// The longest that all of it may take, from the start of the supervisor.
    pub(crate) deadline: Duration,
    /// What all k6 together may use.
    pub(crate) limits: Limits,
    /// What each k6 writes its samples as.
    #[serde(default)]
    pub(crate) samples: SampleFormat,
    /// The trace that the run is part of.
    #[serde(default)]
    pub(crate) trace: TraceContext,
    /// That of k6.
    #[serde(default)]
    pub(crate) version: String,
    total_duration: Duration,
    max_virtual_users: u32,
    /// Metric and expression of each.
    thresholds: Vec<(String, String)>,
    #[serde(default)]
    execution: Option<ExecutionPlan>,
}

/// One k6.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GeneratorOrder {
    pub(crate) sandbox: Sandbox,
    pub(crate) arguments: Vec<String>,
}

impl Order {
    pub(crate) fn new(requirements: &Requirements, deadline: Duration, limits: Limits) -> Self {
        let thresholds = requirements.thresholds.iter().map(|threshold| {
            let metric = threshold.selector.source.clone();
            (metric, threshold.expression.source.clone())
        });
        Self {
            generators: Vec::new(),
            containers: None,
            deadline,
            limits,
            samples: SampleFormat::default(),
            trace: TraceContext::default(),
            version: String::new(),
            total_duration: requirements.total_duration,
            max_virtual_users: requirements.max_virtual_users,
            thresholds: thresholds.collect(),
            execution: requirements.execution.clone(),
        }
    }

    pub(crate) fn read(directory: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(
            directory.join(FILE),
        )?)?)
    }

    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        std::fs::write(directory.join(FILE), serde_json::to_vec(self)?)
    }

    /// Where the k6 of a directory listens.
    pub(crate) fn port_of(&self, directory: &Path) -> Option<u16> {
        let mut generators = self.generators.iter();
        let generator = generators.find(|it| it.sandbox.directory == directory)?;
        generator.sandbox.bind.first().copied()
    }

    /// What k6 made of the script and the options before the start.
    pub(crate) fn requirements(&self) -> io::Result<Requirements> {
        let thresholds = self.thresholds.iter();
        let thresholds: Result<Vec<_>, _> = thresholds
            .map(|(metric, expression)| Threshold::parse(metric, expression))
            .collect();
        Ok(Requirements {
            total_duration: self.total_duration,
            max_virtual_users: self.max_virtual_users,
            thresholds: thresholds.map_err(io::Error::other)?,
            execution: self.execution.clone(),
        })
    }
}
