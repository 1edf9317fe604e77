//! The traces behind late exemplars, which are looked up.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::request::TraceIdText;

/// Traces that are remembered: enough for a ratio in half percents.
const MAX: usize = 200;

/// How long a trace may be on its way: it waits half a second for company, three for a collector,
/// and is written then.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// At most forty traces a second are all taken. Of more, those are that come when there is room
/// again: whatever the load, every few seconds some arrive, and are looked up while it goes on.
#[derive(Default)]
pub(super) struct Recent(Mutex<Traces>);

#[derive(Default)]
struct Traces {
    on_their_way: VecDeque<(TraceIdText, Instant)>,
    /// The latest at the end.
    arrived: VecDeque<TraceIdText>,
}

impl Recent {
    /// Remembers a trace if there is room, once.
    pub(super) fn add(&self, trace_id: TraceIdText) {
        let now = Instant::now();
        let mut traces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if traces.on_their_way.len() >= MAX {
            traces.arrive(now);
        }
        let room = traces.on_their_way.len() < MAX;
        if room && !traces.has(trace_id) {
            traces.on_their_way.push_back((trace_id, now));
        }
    }

    /// Those that are no longer on their way.
    pub(super) fn arrived(&self) -> Vec<TraceIdText> {
        let mut traces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        traces.arrive(Instant::now());
        traces.arrived.iter().copied().collect()
    }
}

impl Traces {
    fn has(&self, trace_id: TraceIdText) -> bool {
        let mut on_their_way = self.on_their_way.iter().map(|(id, _)| id);
        on_their_way.any(|id| *id == trace_id) || self.arrived.contains(&trace_id)
    }

    fn arrive(&mut self, now: Instant) {
        while let Some((trace_id, left)) = self.on_their_way.front()
            && now.duration_since(*left) >= ON_ITS_WAY
        {
            if self.arrived.len() >= MAX {
                self.arrived.pop_front();
            }
            self.arrived.push_back(*trace_id);
            self.on_their_way.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_trace_is_remembered_once_however_requests_interleave() {
        let recent = Recent::default();
        for number in [1, 2, 1, 2, 3] {
            recent.add(TraceIdText::new(number));
        }
        assert!(recent.arrived().is_empty());
        advance(ON_ITS_WAY).await;
        let ids = [1, 2, 3].map(TraceIdText::new);
        assert_eq!(recent.arrived(), ids);
        recent.add(TraceIdText::new(2));
        advance(ON_ITS_WAY).await;
        assert_eq!(recent.arrived(), ids);
    }

    #[tokio::test(start_paused = true)]
    async fn some_arrive_while_the_load_goes_on() {
        for each_second in [10_u64, 1_000] {
            let recent = Recent::default();
            let mut latest = 0;
            for number in 1..=u128::from(60 * each_second) {
                recent.add(TraceIdText::new(number));
                advance(Duration::from_micros(1_000_000 / each_second)).await;
                let arrived = recent.arrived();
                assert!(arrived.len() <= MAX);
                let is_early = number <= u128::from(6 * each_second);
                assert!(
                    is_early || !arrived.is_empty(),
                    "none of {each_second}/s after {number}"
                );
                latest = number;
            }
            // They are of the last seconds, not of the first ones.
            let of_late = TraceIdText::new(latest - u128::from(30 * each_second));
            let arrived = recent.arrived();
            assert!(arrived.last().unwrap().as_str() > of_late.as_str());
            assert!(arrived.len() >= MAX / 2, "{}", arrived.len());
        }
    }
}
