//! What people say of a step: why a figure changed for good.

use performance_store::{RunAddress, StepNote};
use serde::Serialize;
use service_defaults::problem::Problem;
use tenancy::Principal;
use utoipa::ToSchema;

use crate::app::App;
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

/// What somebody wants to say of a measure from a run on; an empty text takes back what was said.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// The first run of the new level.
    pub(crate) run: String,
    pub(crate) measure: String,
    pub(crate) text: String,
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

/// Keeps an explanation in the place of the one before.
///
/// # Errors
/// 400 for a text that is too long or for a measure that the run does not have, 404 for an unknown
/// run.
pub(crate) async fn explain(
    app: &App,
    caller: &Principal,
    explanation: Explanation,
) -> Result<(), Problem> {
    let address = RunAddress {
        tenant: caller.tenant.clone(),
        id: explanation
            .run
            .parse()
            .map_err(|_| problems::no_such_run())?,
    };
    let text = explanation.text.trim().to_owned();
    if text.chars().count() > MAX_NOTE_LENGTH || text.chars().any(char::is_control) {
        let reason = format!("must be one line of at most {MAX_NOTE_LENGTH} characters");
        return Err(Problem::invalid_field("text", reason));
    }
    let measures = app.store.measures(&address).await;
    let measures = measures.map_err(problems::from_store)?;
    if !measures.contains(&explanation.measure) {
        return Err(Problem::invalid_field("measure", "is none of the run's"));
    }
    let note = (!text.is_empty()).then(|| StepNote {
        text,
        author: caller.user.to_string(),
        at: app.store.clock().stored_now(),
    });
    let put = app
        .store
        .put_step_note(&address, &explanation.measure, note);
    put.await.map_err(problems::from_change)
}
