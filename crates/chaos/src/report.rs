//! The result of an experiment: for people, and as a document.

use serde::Serialize;
use serde_json::{Value, json};

use crate::judgement::windows::{Window, before, figures, until_next, users};
use crate::judgement::{Evidence, Judged, Verdict, classes, percent};
use crate::plan::Plan;
use crate::probes::NAMES;
use crate::samples::{Figures, Sample};

/// What an experiment showed.
#[derive(Debug)]
pub struct Report {
    name: String,
    question: String,
    covers: Vec<String>,
    judged: Vec<Judged>,
    phases: Vec<Phase>,
    notes: Vec<String>,
    requests: u64,
    losses: Value,
    /// The load's run with its faults as bands over the charts, a page without scripts.
    page: Option<String>,
}

/// A part of the time, and what users saw in it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Phase {
    name: String,
    from: f64,
    to: f64,
    users: Figures,
    probes: Vec<(String, Figures)>,
}

impl Report {
    pub(crate) fn new(
        name: &str,
        plan: &Plan,
        evidence: &Evidence,
        judged: Vec<Judged>,
        page: Option<String>,
    ) -> Self {
        let mut windows = vec![(
            "before".to_owned(),
            before(&evidence.happened, evidence.seconds),
        )];
        let mut notes: Vec<String> = evidence.note.iter().cloned().collect();
        for one in &evidence.happened {
            if one.ended - one.began >= 1.0 {
                windows.push((one.name.clone(), Window::of_fault(one)));
            }
            windows.push((format!("after {}", one.name), until_next(one, evidence)));
            let named = |note: &String| format!("{}: {note}", one.name);
            notes.extend(one.notes.iter().map(named));
        }
        let phases = windows.into_iter();
        let phases = phases.map(|(name, window)| phase(name, &window, &evidence.samples));
        Self {
            name: name.to_owned(),
            question: plan.question.clone(),
            covers: plan.covers.clone(),
            judged,
            phases: phases.collect(),
            notes,
            requests: evidence.ended.requests,
            losses: json!(evidence.losses.as_ref().ok()),
            page,
        }
    }

    /// Of a plan that could not be carried out.
    #[must_use]
    pub fn broken(name: &str, plan: &Plan, why: &str) -> Self {
        Self {
            name: name.to_owned(),
            question: plan.question.clone(),
            covers: plan.covers.clone(),
            judged: vec![Judged {
                what: "the experiment".to_owned(),
                wanted: "carried out".to_owned(),
                actual: why.to_owned(),
                verdict: Verdict::Broken,
            }],
            phases: Vec::new(),
            notes: Vec::new(),
            requests: 0,
            losses: Value::Null,
            page: None,
        }
    }

    /// The worst of what was judged.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.judged.iter().map(|one| one.verdict);
        verdicts.max().unwrap_or(Verdict::Inconclusive)
    }

    /// The load's run as a page, if it put load on.
    #[must_use]
    pub fn page(&self) -> Option<&str> {
        self.page.as_deref()
    }

    /// One document.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "plan": self.name,
            "question": self.question,
            "covers": self.covers,
            "verdict": self.verdict(),
            "exitCode": self.verdict().exit_code(),
            "judged": self.judged,
            "phases": self.phases,
            "writes": self.losses,
            "requestsOfTheLoad": self.requests,
            "notes": self.notes,
        })
    }

    /// The same as Markdown, which reads well on a terminal too.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "## {}: {}\n\n{}",
            self.verdict().as_str(),
            self.name,
            self.question
        );
        if !self.covers.is_empty() {
            text.push_str(&format!(" ({})", self.covers.join(", ")));
        }
        text.push_str("\n\n| judged | wanted | came | |\n|---|---|---|---|\n");
        for one in &self.judged {
            let cells = [&one.what, &one.wanted, &one.actual].map(|text| cell(text));
            let word = match one.verdict {
                Verdict::Pass => "held".to_owned(),
                other => format!("**{}**", other.as_str()),
            };
            text.push_str(&format!("| {} | {word} |\n", cells.join(" | ")));
        }
        text.push_str(
            "\n| users | from, s | to, s | requests | right | p50, ms | p95, ms | answers |\n\
             |---|---:|---:|---:|---:|---:|---:|---|\n",
        );
        for phase in &self.phases {
            text.push_str(&phase.row());
        }
        for phase in &self.phases {
            text.push_str(&phase.complaints());
        }
        for note in &self.notes {
            text.push_str(&format!("\n* {}", cell(note)));
        }
        text.push_str(&format!(
            "\n* the load beside them made {} requests\n",
            self.requests
        ));
        text
    }
}

impl Phase {
    fn row(&self) -> String {
        let users = &self.users;
        let milliseconds = |value: Option<f64>| value.map_or("–".into(), |ms| format!("{ms:.0}"));
        format!(
            "| {} | {:.1} | {:.1} | {} | {} | {} | {} | {} |\n",
            cell(&self.name),
            self.from,
            self.to,
            users.requests,
            users.right.map_or("–".into(), percent),
            milliseconds(users.p50_ms),
            milliseconds(users.p95_ms),
            classes(users)
        )
    }

    /// The probes that got wrong answers.
    fn complaints(&self) -> String {
        let wrong = self.probes.iter();
        let wrong = wrong.filter(|(_, seen)| seen.right.is_some_and(|right| right < 1.0));
        let lines = wrong.map(|(name, seen)| {
            let right = seen.right.map_or_else(String::new, percent);
            format!(
                "\n* {}: {name}: right {right}; {}",
                self.name,
                classes(seen)
            )
        });
        lines.collect()
    }
}

fn phase(name: String, window: &Window, samples: &[Sample]) -> Phase {
    let of_probe = |probe: &&str| {
        let meant = |sample: &Sample| sample.probe == *probe;
        ((*probe).to_owned(), figures(samples, window, &meant))
    };
    Phase {
        name,
        from: window.time.start,
        to: window.time.end,
        users: figures(samples, window, &users),
        probes: NAMES.iter().map(of_probe).collect(),
    }
}

/// Text within a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
