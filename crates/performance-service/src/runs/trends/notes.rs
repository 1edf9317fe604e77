//! What people say of a step: why a figure changed for good.

use performance_store::{RunAddress, StepNote};
use serde::Serialize;
use service_defaults::problem::Problem;
use tenancy::Principal;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::changes;
use crate::problems;

/// The longest note, in characters: a sentence or two and an address.
const MAX_NOTE_LENGTH: usize = 500;

/// Why a figure changed, as somebody says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct NoteBody {
    /// What was said.
    pub(crate) text: String,
    /// By whom.
    pub(crate) author: String,
    /// When.
    pub(crate) at: String,
}

impl From<&StepNote> for NoteBody {
    fn from(note: &StepNote) -> Self {
        Self {
            text: note.text.clone(),
            author: note.author.clone(),
            at: note.at.to_string(),
        }
    }
}

/// Keeps what is said of a measure from a run on, in the place of what was said before; an empty
/// text takes that back. Gives what was said before and what is now.
///
/// # Errors
/// 400 for a text that is too long or for a measure that the run does not have, 404 for an unknown
/// run.
pub(crate) async fn explain(
    app: &App,
    caller: &Principal,
    run: &RunAddress,
    (measure, text): (&str, &str),
) -> Result<(Option<NoteBody>, Option<NoteBody>), Problem> {
    let text = text.trim().to_owned();
    if text.chars().count() > MAX_NOTE_LENGTH || text.chars().any(char::is_control) {
        let reason = format!("must be one line of at most {MAX_NOTE_LENGTH} characters");
        return Err(Problem::invalid_field("text", reason));
    }
    let measures = app.store.measures(run).await;
    let measures = measures.map_err(problems::from_store)?;
    if !measures.iter().any(|known| known == measure) {
        return Err(Problem::invalid_field("measure", "is none of the run's"));
    }
    let note = (!text.is_empty()).then(|| StepNote {
        text,
        author: caller.user.to_string(),
        at: app.store.clock().stored_now(),
    });
    let put = app.store.put_step_note(run, measure, note.clone()).await;
    let before = put.map_err(problems::from_change)?;
    let before = before.as_ref().map(NoteBody::from);
    let after = note.as_ref().map(NoteBody::from);
    match (&before, &after) {
        (None, None) => {}
        (None, Some(after)) => changes::made(after),
        (Some(before), Some(after)) => changes::changed(before, after),
        (Some(before), None) => changes::removed(before),
    }
    Ok((before, after))
}
