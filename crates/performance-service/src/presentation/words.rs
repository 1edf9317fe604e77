//! Times, durations and verdicts as people read them.

use jiff::Timestamp;
use load_analysis::verdict::Verdict;
use performance_store::{Run, RunStatus};

use super::numbers::{run_time, whole};

/// A verdict for the eye: symbol and word.
pub(crate) struct Badge {
    pub(crate) level: &'static str,
    pub(crate) reason: String,
}

/// The judgement of a run, once there is one.
pub(crate) fn badge(verdict: Option<&Verdict>) -> Option<Badge> {
    let verdict = verdict?;
    Some(Badge {
        level: verdict.level.as_str(),
        reason: verdict.reasons.first().cloned().unwrap_or_default(),
    })
}

/// `2026-11-21 16:12:08 UTC`: a clock without its zone says nothing.
pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The same for an instant as the API writes it.
pub(crate) fn clock_of(instant: &str) -> String {
    let read: Result<Timestamp, _> = instant.parse();
    read.map_or_else(|_| instant.to_owned(), clock)
}

/// A reason that stands alone: with a capital letter.
pub(crate) fn sentence(reason: &str) -> String {
    let mut rest = reason.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

/// `one run`, `3 runs`.
pub(crate) fn runs(count: u64) -> String {
    match count {
        1 => "one run".to_owned(),
        many => format!("{} runs", whole(many)),
    }
}

/// How long a run has taken, or takes so far.
pub(crate) fn duration(run: &Run) -> Option<String> {
    let begin = run.started_at?;
    let end = run.completed_at.unwrap_or_else(Timestamp::now);
    let seconds = end.duration_since(begin).as_secs();
    Some(run_time(u32::try_from(seconds).unwrap_or(0)))
}

/// Who started a run, and what asked for it on that user's behalf: `ana`, or `schedule nightly, for
/// ana`. Empty in runs of before that was kept.
pub(crate) fn started_by(run: &Run) -> String {
    let what = match run.triggered_by.split_once(' ') {
        Some(("capacity", _)) => "a capacity search".to_owned(),
        _ if matches!(run.triggered_by.as_str(), "gate" | "webhook") => {
            format!("a {}", run.triggered_by)
        }
        _ => run.triggered_by.clone(),
    };
    match (what.as_str(), run.started_by.as_str()) {
        ("", user) => user.to_owned(),
        (what, "") => what.to_owned(),
        (what, user) => format!("{what}, for {user}"),
    }
}

/// What a run that is not judged yet is doing.
pub(crate) const fn state(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "queued: waits for its turn",
        RunStatus::Starting => "starting: k6 checks the script",
        RunStatus::Running => "running: load is on",
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_capital_letter() {
        let measured = sentence("no second has been measured yet.");
        assert_eq!(measured, "No second has been measured yet.");
        assert_eq!(sentence(""), "");
    }
}
