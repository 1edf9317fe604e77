//! What the call that is carried out makes of an object, until its record is kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use instrumentation::request::{RequestIdentity, current};
use performance_store::{AuditHash, ObjectHashes};
use serde::Serialize;

/// Calls whose records are not kept yet: as many as there are connections. Beyond them the oldest
/// is of a call whose record nobody keeps.
const MAX_NOTED: usize = 1_000;

/// By the call itself, since callers choose the ids of their requests.
static NOTED: Mutex<Vec<(Arc<RequestIdentity>, ObjectHashes)>> = Mutex::new(Vec::new());

/// Notes that the present call made an object.
pub(crate) fn made(after: &impl Serialize) {
    note(ObjectHashes {
        before: None,
        after: hash(after),
    });
}

/// Notes that the present call put an object in the place of another one.
pub(crate) fn changed(before: &impl Serialize, after: &impl Serialize) {
    note(ObjectHashes {
        before: hash(before),
        after: hash(after),
    });
}

/// Notes that the present call removed an object.
pub(crate) fn removed(before: &impl Serialize) {
    note(ObjectHashes {
        before: hash(before),
        after: None,
    });
}

/// What the present call noted; nothing is left of it.
pub(super) fn take() -> ObjectHashes {
    let Some(call) = current() else {
        return ObjectHashes::default();
    };
    let mut noted = noted();
    let found = noted.iter().position(|(of, _)| Arc::ptr_eq(of, &call));
    found.map(|place| noted.remove(place).1).unwrap_or_default()
}

/// A call that changes several objects, which none does, is told of its last one.
fn note(hashes: ObjectHashes) {
    // What no call asked for, such as a scheduled start, has a record of its own making.
    let Some(call) = current() else { return };
    let mut noted = noted();
    noted.retain(|(of, _)| !Arc::ptr_eq(of, &call));
    if noted.len() >= MAX_NOTED {
        noted.remove(0);
    }
    noted.push((call, hashes));
}

/// SHA-256 of the object as JSON.
pub(crate) fn hash(object: &impl Serialize) -> Option<AuditHash> {
    let json = serde_json::to_vec(object).inspect_err(|error| {
        tracing::error!("an object of the audit log has no hash: {error}");
    });
    Some(AuditHash::of(&json.ok()?))
}

fn noted() -> MutexGuard<'static, Vec<(Arc<RequestIdentity>, ObjectHashes)>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}
