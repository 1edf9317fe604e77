//! Evidence of experiments that never were.

use super::Evidence;
use crate::faults::Happened;
use crate::ledger::Losses;
use crate::load::Ended;
use crate::samples::{Answer, Sample};

pub(crate) fn fault(name: &str, began: f64, ended: f64) -> Happened {
    Happened {
        began,
        ended,
        ..Happened::new(name)
    }
}

/// An answer after a tenth of a second.
pub(crate) fn sample(at: f64, right: bool) -> Sample {
    Sample {
        probe: "list",
        at,
        took_ms: 100.0,
        answer: if right {
            Answer::Status(200)
        } else {
            Answer::Nothing
        },
        right,
    }
}

/// A run that was as it was asked for.
pub(crate) fn ended() -> Ended {
    Ended {
        verdict: Some("PASS".to_owned()),
        reasons: Vec::new(),
        error: None,
        requests: 1_000,
        least_requests: 100,
        doubts: Vec::new(),
        by_us: false,
        history: Vec::new(),
        lasted: 20.0,
    }
}

/// Two faults, from 5 to 8 s and from 15 to 16 s, in 25 s.
pub(crate) fn evidence(samples: Vec<Sample>) -> Evidence {
    Evidence {
        samples,
        ended: ended(),
        happened: vec![fault("one", 5.0, 8.0), fault("two", 15.0, 16.0)],
        pages: Vec::new(),
        losses: Ok(Losses::default()),
        seconds: 25.0,
        note: None,
    }
}
