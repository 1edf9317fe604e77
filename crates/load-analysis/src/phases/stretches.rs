//! What the executors of a run do together, stretch by stretch.

use super::PhaseKind;
use super::executor::{Executor, LoadModel, Piece};
use crate::notation::number;

/// Phases of one run. A suite has about ten stages; what a script with hundreds has beyond this is
/// one ramp.
pub const MAX_PHASES: usize = 50;

/// Levels this close are the same: stages are written with at most three decimals.
const SAME_LEVEL: f64 = 1e-6;

/// Times this close are the same: k6 counts in milliseconds.
const SAME_TIME: f64 = 1e-3;

/// A stretch of time in which no executor begins, ends or changes its stage.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) kind: PhaseKind,
    begin: f64,
    pub(super) end: f64,
    /// Users and arrivals per second, at its begin and its end.
    pub(super) levels: [(f64, f64); 2],
}

/// The stretches between all begins and ends of stages, until the end of the load.
pub(super) fn stretches(executors: &[Executor], end: f64) -> Vec<Stretch> {
    let pieces: Vec<(LoadModel, Piece)> = executors
        .iter()
        .flat_map(|executor| executor.pieces().map(|piece| (executor.model, piece)))
        .collect();
    let bounds = pieces.iter().flat_map(|(_, it)| [it.begin, it.end]);
    let mut times: Vec<f64> = bounds.chain([0.0, end]).filter(|at| *at <= end).collect();
    times.sort_by(f64::total_cmp);
    times.dedup_by(|a, b| (*a - *b).abs() < SAME_TIME);
    let planned_end = executors.iter().map(Executor::end).fold(0.0, f64::max);
    let mut stretches: Vec<Stretch> = Vec::new();
    for pair in times.windows(2) {
        let is_over = !executors.is_empty() && pair[0] + SAME_TIME >= planned_end;
        let idle = if is_over {
            PhaseKind::Ending
        } else {
            PhaseKind::Idle
        };
        push(&mut stretches, stretch(&pieces, [pair[0], pair[1]], idle));
    }
    stretches
}

/// What the executors do between two times; `idle` is what it is called when they do nothing.
fn stretch(pieces: &[(LoadModel, Piece)], [begin, end]: [f64; 2], idle: PhaseKind) -> Stretch {
    let middle = f64::midpoint(begin, end);
    let mut levels = [(0.0, 0.0); 2];
    let (mut any, mut changes) = (false, false);
    for (model, piece) in pieces {
        if !(piece.begin <= middle && middle < piece.end) {
            continue;
        }
        let place = &mut levels[usize::from(*model == LoadModel::Arrivals)];
        place.0 += piece.level_at(begin);
        place.1 += piece.level_at(end);
        changes |= (piece.from - piece.to).abs() > SAME_LEVEL;
        any = true;
    }
    let kind = match (any, changes) {
        (false, _) => idle,
        (true, false) => PhaseKind::Steady,
        (true, true) if total(levels, true) < total(levels, false) => PhaseKind::RampDown,
        (true, true) => PhaseKind::RampUp,
    };
    Stretch {
        kind,
        begin,
        end,
        levels,
    }
}

fn total(levels: [(f64, f64); 2], at_end: bool) -> f64 {
    let of = |(from, to): (f64, f64)| if at_end { to } else { from };
    levels.into_iter().map(of).sum()
}

/// Adds a stretch to the phase before it where it goes on with it.
fn push(stretches: &mut Vec<Stretch>, next: Stretch) {
    if let Some(last) = stretches.last_mut()
        && last.kind == next.kind
        && (next.kind != PhaseKind::Steady || same(last.levels, next.levels))
    {
        last.end = next.end;
        for (level, more) in last.levels.iter_mut().zip(next.levels) {
            level.1 = more.1;
        }
        return;
    }
    stretches.push(next);
}

fn same(a: [(f64, f64); 2], b: [(f64, f64); 2]) -> bool {
    let near = |(a, b): (&(f64, f64), &(f64, f64))| (a.1 - b.0).abs() < SAME_LEVEL;
    a.iter().zip(&b).all(near)
}

/// Makes what comes before `until` a warm-up.
pub(super) fn cut_warm_up(stretches: &mut Vec<Stretch>, until: f64) {
    let warm_up = until - stretches.first().map_or(until, |first| first.begin);
    if warm_up <= 0.0 || until <= 0.0 {
        return;
    }
    let mut levels = None;
    stretches.retain_mut(|stretch| {
        if stretch.begin >= until {
            return true;
        }
        levels = Some(stretch.levels);
        stretch.begin = until;
        stretch.end > until
    });
    stretches.insert(
        0,
        Stretch {
            kind: PhaseKind::WarmUp,
            begin: 0.0,
            end: until,
            levels: levels.unwrap_or_default(),
        },
    );
}

/// Keeps the number of phases within its bound.
pub(super) fn bound(stretches: &mut Vec<Stretch>) {
    if stretches.len() <= MAX_PHASES {
        return;
    }
    let rest = stretches.split_off(MAX_PHASES - 1);
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        stretches.push(Stretch {
            kind: PhaseKind::RampUp,
            end: last.end,
            ..first.clone()
        });
    }
}

/// The steady stretch with the highest level, the longest of those.
pub(super) fn highest(stretches: &[Stretch]) -> Option<usize> {
    let steady = stretches.iter().enumerate();
    let steady =
        steady.filter(|(_, it)| it.kind == PhaseKind::Steady && total(it.levels, true) > 0.0);
    let rank = |it: &Stretch| (total(it.levels, true), it.end - it.begin);
    let best = steady.max_by(|(_, a), (_, b)| {
        let ((level, length), (other, others)) = (rank(a), rank(b));
        level.total_cmp(&other).then(length.total_cmp(&others))
    });
    best.map(|(index, _)| index)
}

/// `10 users`, `0 to 50/s`, `2 users and 5/s`.
pub(super) fn words(levels: [(f64, f64); 2]) -> String {
    let [users, arrivals] = levels;
    let level = |(from, to): (f64, f64), unit: &str| {
        if from.max(to) <= SAME_LEVEL {
            return None;
        }
        let to_text = number(to);
        Some(if (from - to).abs() < SAME_LEVEL {
            format!("{to_text}{unit}")
        } else {
            format!("{} to {to_text}{unit}", number(from))
        })
    };
    let user = if (users.1 - 1.0).abs() < SAME_LEVEL {
        " user"
    } else {
        " users"
    };
    let parts: Vec<String> = [level(users, user), level(arrivals, "/s")]
        .into_iter()
        .flatten()
        .collect();
    parts.join(" and ")
}
