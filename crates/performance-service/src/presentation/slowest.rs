//! The slowest requests of a run as a table.

use load_analysis::results::Results;
use load_analysis::slowest::{MAX_SLOWEST, ModelCall, SlowRequest};

use super::numbers::{number, run_time, whole};
use crate::outside_pages::OutsidePages;
use crate::picture::Picture;
use crate::timeline::count;

/// Pico-dollars of a micro-dollar.
const PICO_PER_MICRO: f64 = 1e6;

/// The slowest requests of what is looked at.
#[derive(Default)]
pub(crate) struct SlowestTable {
    pub(crate) rows: Vec<SlowRow>,
    /// Why there are no rows, or fewer than the run keeps; empty when it shows all of them.
    pub(crate) note: String,
    /// Whether any of them called a model.
    pub(crate) has_models: bool,
}

/// One of them; durations in milliseconds.
pub(crate) struct SlowRow {
    pub(crate) at: String,
    pub(crate) endpoint: String,
    pub(crate) status: String,
    pub(crate) duration: String,
    pub(crate) queue: String,
    pub(crate) ttft: String,
    /// Read and written.
    pub(crate) tokens: String,
    pub(crate) cost: String,
    /// Its id; `None` when nobody kept one.
    pub(crate) trace: Option<String>,
    /// The trace's page, where there is one.
    pub(crate) trace_page: Option<String>,
}

/// Those of a run that ended in the window, and in the box if there is one.
pub(crate) fn table(
    results: Option<&Results>,
    picture: &Picture,
    pages: &OutsidePages,
) -> SlowestTable {
    let Some((results, origin)) = results.zip(picture.origin) else {
        return SlowestTable::default();
    };
    let kept = results.slowest.len();
    let rows: Vec<SlowRow> = results
        .slowest
        .iter()
        .filter_map(|request| {
            let second = request.ended_at.div_euclid(1_000_000) - origin;
            let second = u32::try_from(second).ok()?;
            let is_shown = picture.window.contains(&second)
                && picture.selected.as_ref().is_none_or(|selected| {
                    let selection = &selected.selection;
                    selection.seconds.contains(&second)
                        && selection.milliseconds.contains(&request.duration)
                });
            is_shown.then(|| row(request, second, pages))
        })
        .collect();
    let note = match (kept, rows.len()) {
        (0, _) => "No single request is kept of this run.".to_owned(),
        (_, 0) => format!("None of the {kept} slowest requests of the run is in this part."),
        (kept, shown) if shown < kept => {
            format!("{shown} of the {kept} slowest requests of the run are in this part.")
        }
        (MAX_SLOWEST, _) => format!("The {MAX_SLOWEST} slowest requests of the run."),
        _ => String::new(),
    };
    let has_models = results
        .slowest
        .iter()
        .any(|it| it.model != ModelCall::default());
    SlowestTable {
        rows,
        note,
        has_models,
    }
}

fn row(request: &SlowRequest, second: u32, pages: &OutsidePages) -> SlowRow {
    let milliseconds = |value: Option<f64>| value.map_or_else(dash, number);
    let ModelCall {
        queue,
        ttft,
        input_tokens,
        output_tokens,
        ..
    } = request.model;
    let tokens = |count: Option<u64>| count.map_or_else(dash, whole);
    SlowRow {
        at: run_time(second),
        endpoint: request.name.clone(),
        status: match request.status.as_str() {
            "0" | "" => "no answer".to_owned(),
            status => status.to_owned(),
        },
        duration: number(request.duration),
        queue: milliseconds(queue),
        ttft: milliseconds(ttft),
        tokens: match (input_tokens, output_tokens) {
            (None, None) => dash(),
            (input, output) => format!("{} / {}", tokens(input), tokens(output)),
        },
        cost: cost(&request.model),
        trace: request.trace_id.clone(),
        trace_page: request.trace_id.as_ref().and_then(|id| pages.trace(id)),
    }
}

/// In micro-dollars, with `sim` where no money was paid.
fn cost(model: &ModelCall) -> String {
    let micro = |pico: u64| number(count(pico) / PICO_PER_MICRO);
    match (model.real_pico_usd, model.simulated_pico_usd) {
        (Some(real), _) => micro(real),
        (None, Some(simulated)) => format!("sim {}", micro(simulated)),
        (None, None) => dash(),
    }
}

fn dash() -> String {
    "–".to_owned()
}
