//! A finished run as one file: for people, for spreadsheets, for pipelines. Every format tells
//! the one judgement that is stored with the run.

mod comma_separated;
mod html;
mod junit;
mod k6_summary;
mod markdown;

use load_analysis::resources::Resources;
use load_analysis::results::Results;
use load_analysis::targets::TargetLine;
use load_analysis::verdict::Level;
use performance_store::Run;
use serde::Serialize;

use crate::faults::Fault;
use crate::picture::Picture;
use crate::runs::body::RunBody;
use crate::runs::compare::ComparisonBody;
use crate::timeline::TimelinePoint;

/// Grows when a member of the JSON report changes its meaning.
const SCHEMA_VERSION: u32 = 1;

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Run, results, verdict and seconds, numbers as they are stored.
    Json,
    /// The seconds as a table.
    Csv,
    /// The data that k6 hands to `handleSummary`.
    K6Summary,
    /// One page without scripts.
    Html,
    /// A comment for a pull request.
    Markdown,
    /// A test suite for a pipeline.
    JUnit,
}

/// What reports are made of.
pub(crate) struct Report {
    pub(crate) run: Run,
    /// As stored.
    pub(crate) results_json: Option<String>,
    pub(crate) results: Option<Results>,
    /// What was expected, as stored.
    pub(crate) forecast: Option<String>,
    /// What the target used.
    pub(crate) resources: Resources,
    /// Each second.
    pub(crate) seconds: Vec<TimelinePoint>,
    /// The same for the eye.
    pub(crate) picture: Picture,
    /// What somebody broke meanwhile.
    pub(crate) faults: Vec<Fault>,
    pub(crate) compared: Compared,
    /// Where the run's page is.
    pub(crate) address: String,
}

/// A run beside the baseline in force.
#[derive(Debug)]
pub(crate) enum Compared {
    /// Nobody asked, or the run does not count.
    NotAsked,
    /// What is in the way.
    Missing(String),
    Against(Box<ComparisonBody>),
}

impl Format {
    pub(crate) const ALL: [Self; 6] = [
        Self::Json,
        Self::Csv,
        Self::K6Summary,
        Self::Html,
        Self::Markdown,
        Self::JUnit,
    ];

    /// The name in a query.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::K6Summary => "k6-summary",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::JUnit => "junit",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == text)
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::K6Summary => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::JUnit => "application/xml; charset=utf-8",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Json => ".json",
            Self::Csv => ".csv",
            Self::K6Summary => ".k6.json",
            Self::Html => ".html",
            Self::Markdown => ".md",
            Self::JUnit => ".xml",
        }
    }
}

impl Report {
    /// Writes the report.
    ///
    /// # Errors
    /// A template or a document that cannot be written, which is a mistake of ours.
    pub(crate) fn render(&self, format: Format) -> Result<String, Box<dyn std::error::Error>> {
        Ok(match format {
            Format::Json => self.json()?,
            Format::Csv => comma_separated::render(&self.seconds),
            Format::K6Summary => k6_summary::render(self)?,
            Format::Html => html::render(self)?,
            Format::Markdown => markdown::render(self)?,
            Format::JUnit => junit::render(self)?,
        })
    }

    /// A name such as `ai-load-1042-FAIL.html`, in which no character needs quotes.
    pub(crate) fn file_name(&self, format: Format) -> String {
        let plain = |character: char| match character {
            character if character.is_ascii_alphanumeric() => character.to_ascii_lowercase(),
            _ => '-',
        };
        let name: String = self.run.test_name.chars().map(plain).take(80).collect();
        let name = name.trim_matches('-');
        format!(
            "{name}-{}-{}{}",
            self.run.number,
            self.level(),
            format.ending()
        )
    }

    /// The verdict's word, or the state of a run that has none.
    fn level(&self) -> &'static str {
        let verdict = self.run.verdict.as_ref();
        verdict.map_or(self.run.status.as_str(), |verdict| verdict.level.as_str())
    }

    fn exit_code(&self) -> u8 {
        let verdict = self.run.verdict.as_ref();
        verdict.map_or(Level::Invalid.exit_code(), |verdict| verdict.exit_code)
    }

    fn is_valid(&self) -> bool {
        let verdict = self.run.verdict.as_ref();
        verdict.is_some_and(|verdict| verdict.level != Level::Invalid)
    }

    fn reasons(&self) -> &[String] {
        let verdict = self.run.verdict.as_ref();
        verdict.map_or(&[], |verdict| &verdict.reasons)
    }

    fn thresholds(&self) -> Vec<TargetLine> {
        let lines = self.results.as_ref().map(TargetLine::of_thresholds);
        lines.unwrap_or_default()
    }

    /// Limits, then thresholds: everything that the verdict rests on.
    fn judged(&self) -> Vec<TargetLine> {
        self.results
            .as_ref()
            .map(TargetLine::all)
            .unwrap_or_default()
    }

    fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            schema_version: u32,
            run: RunBody,
            timeline: &'a [TimelinePoint],
            resources: &'a Resources,
        }
        serde_json::to_string(&Document {
            schema_version: SCHEMA_VERSION,
            run: RunBody {
                faults: self.faults.clone(),
                ..RunBody::new(&self.run, self.results_json.clone())
                    .with_forecast(self.forecast.clone())
            },
            timeline: &self.seconds,
            resources: &self.resources,
        })
    }
}
