//! A plan in a sixth of its time: shows that it works, not what the system holds.

use super::Plan;

/// What a small plan leaves of each time: faults of 30 s become 5 s.
const SMALL: f64 = 1.0 / 6.0;

/// The same of a preset, whose users shrink as well.
const SMALL_PRESET: f64 = SMALL / 2.0;

/// The shortest time that still shows something, in seconds.
const LEAST_SECONDS: f64 = 3.0;

/// Kills of a small plan.
const SMALL_TIMES: u32 = 5;

/// The shortest time for recovery that a small plan asks for, in seconds.
const LEAST_RECOVERY_SECONDS: f64 = 5.0;

/// What a small plan keeps after each fault beside the time for recovery, in seconds.
const TAIL_SECONDS: f64 = 1.5;

impl Plan {
    /// The same in a sixth of the time, with at most five kills, for a test of the plan itself.
    #[must_use]
    pub fn small(mut self) -> Self {
        let full = self.seconds;
        let shrunk = |seconds: f64| {
            if seconds > 0.0 {
                (seconds * SMALL).max(LEAST_SECONDS.min(seconds))
            } else {
                0.0
            }
        };
        // What follows a fault keeps its distance, whatever the fault was shrunk to.
        let least = self.recovery.within.min(LEAST_RECOVERY_SECONDS);
        let within = (self.recovery.within * SMALL).max(least);
        self.recovery.within = self.recovery.within_small.unwrap_or(within);
        let mut moved = 0.0;
        let mut before = 0.0;
        let mut most = LEAST_SECONDS;
        for fault in &mut self.faults {
            let gap = (fault.at - before).clamp(0.0, most);
            // The one after it begins when all must be well again.
            most = self.recovery.within + TAIL_SECONDS;
            before = fault.ends();
            fault.at = moved + gap;
            // Fewer kills need less time.
            let kept = fault.lasts * fault.action.shrink(SMALL_TIMES);
            fault.lasts = shrunk(fault.lasts).min(kept);
            moved = fault.ends();
        }
        self.seconds = moved + (self.seconds - before).min(self.recovery.within + TAIL_SECONDS);
        if self.load.preset.is_none() {
            let share = self.seconds / full;
            let least = self.load.least_requests;
            self.load.least_requests = least.map(|least| shrunk_count(least, share));
        } else {
            self.load.scale = Some(self.load.scale.unwrap_or(1.0) * SMALL_PRESET);
            self.seconds = self.seconds.max(full * SMALL_PRESET);
        }
        self
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "smaller than a count, and above 0; a cast ends at the bounds"
)]
fn shrunk_count(count: u32, share: f64) -> u32 {
    (f64::from(count) * share) as u32
}
