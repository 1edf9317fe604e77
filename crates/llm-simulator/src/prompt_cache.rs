//! The vendors' prompt caches: beginnings of prompts that came before cost less
//! time and less money, for as long as they are kept.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    credentials::Caller,
    dialect::Dialect,
    prompt::{CacheTime, Caching, Prompt},
};

/// Shorter beginnings are not kept, as with the vendors' larger models.
const MIN_TOKENS: u64 = 1024;
/// What is cached without being asked is reported in steps of this many tokens.
const AUTOMATIC_STEP: u64 = 128;
/// How long it is kept after its last use.
const AUTOMATIC_TIME: Duration = Duration::from_mins(5);
/// Beginnings kept at a time, about 50 bytes each. Whoever needs more begins anew.
const MAX_ENTRIES: usize = 50_000;

/// Tokens of a prompt that a cache had to do with; parts of the whole prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CacheUsage {
    /// Read from the cache.
    pub(crate) read: u64,
    /// Written for five minutes, or for as long as the vendor decides.
    pub(crate) write_5m: u64,
    /// Written for an hour.
    pub(crate) write_1h: u64,
}

impl CacheUsage {
    /// Written for any time.
    pub(crate) fn written(self) -> u64 {
        self.write_5m + self.write_1h
    }
}

/// Whose cache it is: vendors keep those of callers and models apart.
#[derive(Hash)]
pub(crate) struct Owner<'a> {
    pub(crate) caller: Caller,
    pub(crate) dialect: Dialect,
    pub(crate) model: &'a str,
}

/// The beginnings of prompts that are kept.
#[derive(Default)]
pub(crate) struct PromptCache {
    entries: Mutex<HashMap<u64, Instant>>,
}

/// The beginning of a prompt up to the end of one of its pieces.
struct Beginning {
    digest: u64,
    tokens: u64,
    keep: Option<CacheTime>,
}

impl PromptCache {
    /// Looks a prompt up and keeps what is to be kept of it.
    pub(crate) fn look_up(&self, owner: &Owner<'_>, prompt: &Prompt) -> CacheUsage {
        if prompt.caching == Caching::Off {
            return CacheUsage::default();
        }
        let beginnings = beginnings(owner, prompt);
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let known = beginnings.iter().rposition(|beginning| {
            let expiry = entries.get(&beginning.digest);
            expiry.is_some_and(|expiry| *expiry > now)
        });
        for beginning in &beginnings {
            if let Some(time) = beginning.keep {
                make_room(&mut entries, now);
                entries.insert(beginning.digest, now + duration(prompt.caching, time));
            }
        }
        drop(entries);
        let read = known.and_then(|place| beginnings.get(place));
        usage(
            prompt.caching,
            &beginnings,
            read.map_or(0, |found| found.tokens),
        )
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clear();
    }
}

/// Those that are long enough to be kept, the shortest first.
fn beginnings(owner: &Owner<'_>, prompt: &Prompt) -> Vec<Beginning> {
    let mut hasher = DefaultHasher::new();
    owner.hash(&mut hasher);
    let mut tokens = 0;
    let beginning = |segment: &crate::prompt::Segment| {
        segment.fingerprint.hash(&mut hasher);
        tokens += segment.tokens;
        let keep = match prompt.caching {
            Caching::Off => None,
            Caching::Breakpoints => segment.cache,
            Caching::AutomaticPrefix => Some(CacheTime::FiveMinutes),
        };
        Beginning {
            digest: hasher.finish(),
            tokens,
            keep,
        }
    };
    let all: Vec<Beginning> = prompt.segments.iter().map(beginning).collect();
    all.into_iter()
        .filter(|beginning| beginning.tokens >= MIN_TOKENS)
        .collect()
}

/// What lies between the part that was known and each end that is kept.
fn usage(caching: Caching, beginnings: &[Beginning], found: u64) -> CacheUsage {
    let up_to = |time: CacheTime| {
        let kept = beginnings
            .iter()
            .rfind(|beginning| beginning.keep == Some(time));
        kept.map_or(0, |beginning| beginning.tokens)
    };
    let (mut read, mut hour, mut minutes) = (
        found,
        up_to(CacheTime::OneHour),
        up_to(CacheTime::FiveMinutes),
    );
    if caching == Caching::AutomaticPrefix {
        read -= read % AUTOMATIC_STEP;
        minutes -= minutes % AUTOMATIC_STEP;
        hour = 0;
    }
    let write_1h = hour.saturating_sub(read);
    CacheUsage {
        read,
        write_1h,
        write_5m: minutes.saturating_sub(read + write_1h),
    }
}

fn duration(caching: Caching, time: CacheTime) -> Duration {
    match (caching, time) {
        (Caching::Off | Caching::AutomaticPrefix, _) => AUTOMATIC_TIME,
        (Caching::Breakpoints, CacheTime::FiveMinutes) => Duration::from_mins(5),
        (Caching::Breakpoints, CacheTime::OneHour) => Duration::from_hours(1),
    }
}

fn make_room(entries: &mut HashMap<u64, Instant>, now: Instant) {
    if entries.len() < MAX_ENTRIES {
        return;
    }
    entries.retain(|_, expiry| *expiry > now);
    if entries.len() >= MAX_ENTRIES {
        entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CacheUsage, MAX_ENTRIES, Owner, PromptCache};
    use crate::{
        credentials::Caller,
        dialect::Dialect,
        prompt::{CacheTime, Caching, Prompt},
    };

    const ANNA: &str = "anna";

    /// Pieces with their tokens, some of them marked.
    fn prompt(caching: Caching, pieces: &[(&str, u64, Option<CacheTime>)]) -> Prompt {
        let mut prompt = Prompt::new(caching);
        for (role, tokens, cache) in pieces {
            prompt.opaque(role, *tokens);
            if let Some(cache) = cache {
                prompt.mark(*cache);
            }
        }
        prompt
    }

    fn look_up(cache: &PromptCache, key: &str, prompt: &Prompt) -> CacheUsage {
        let owner = Owner {
            caller: Caller::of(key),
            dialect: Dialect::Anthropic,
            model: "m",
        };
        cache.look_up(&owner, prompt)
    }

    fn usage(read: u64, write_5m: u64, write_1h: u64) -> CacheUsage {
        CacheUsage {
            read,
            write_5m,
            write_1h,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn marked_beginnings_are_written_read_and_forgotten() {
        let cache = PromptCache::default();
        let (hour, minutes) = (Some(CacheTime::OneHour), Some(CacheTime::FiveMinutes));
        let first = prompt(
            Caching::Breakpoints,
            &[
                ("system", 2000, hour),
                ("user", 1000, minutes),
                ("user", 9, None),
            ],
        );
        assert_eq!(look_up(&cache, ANNA, &first), usage(0, 1000, 2000));
        assert_eq!(look_up(&cache, ANNA, &first), usage(3000, 0, 0));
        assert_eq!(look_up(&cache, "other", &first), usage(0, 1000, 2000));
        let longer = prompt(
            Caching::Breakpoints,
            &[
                ("system", 2000, None),
                ("user", 1000, None),
                ("more", 500, minutes),
            ],
        );
        assert_eq!(look_up(&cache, ANNA, &longer), usage(3000, 500, 0));
        tokio::time::advance(Duration::from_secs(301)).await;
        assert_eq!(look_up(&cache, ANNA, &first), usage(2000, 1000, 0));
        tokio::time::advance(Duration::from_secs(3601)).await;
        assert_eq!(look_up(&cache, ANNA, &first), usage(0, 1000, 2000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_use_keeps_a_beginning_for_longer() {
        let cache = PromptCache::default();
        let asked = prompt(
            Caching::Breakpoints,
            &[("s", 1024, Some(CacheTime::FiveMinutes))],
        );
        assert_eq!(look_up(&cache, ANNA, &asked), usage(0, 1024, 0));
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(200)).await;
            assert_eq!(look_up(&cache, ANNA, &asked), usage(1024, 0, 0));
        }
    }

    #[test]
    fn what_comes_again_is_found_without_being_asked_in_steps() {
        let cache = PromptCache::default();
        let first = prompt(
            Caching::AutomaticPrefix,
            &[("system", 1100, None), ("user", 90, None)],
        );
        assert_eq!(look_up(&cache, ANNA, &first), usage(0, 1152, 0));
        assert_eq!(look_up(&cache, ANNA, &first), usage(1152, 0, 0));
        let other = prompt(
            Caching::AutomaticPrefix,
            &[("system", 1100, None), ("else", 90, None)],
        );
        assert_eq!(look_up(&cache, ANNA, &other), usage(1024, 128, 0));
    }

    #[test]
    fn short_and_unmarked_prompts_are_not_cached() {
        let cache = PromptCache::default();
        for asked in [
            prompt(
                Caching::Breakpoints,
                &[("s", 1023, Some(CacheTime::OneHour))],
            ),
            prompt(Caching::Breakpoints, &[("s", 5000, None)]),
            prompt(Caching::AutomaticPrefix, &[("s", 1023, None)]),
            prompt(Caching::Off, &[("s", 5000, Some(CacheTime::OneHour))]),
        ] {
            for _ in 0..2 {
                assert_eq!(look_up(&cache, ANNA, &asked), CacheUsage::default());
            }
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = PromptCache::default();
        for number in 0..=MAX_ENTRIES as u64 {
            let asked = prompt(Caching::AutomaticPrefix, &[("s", 1024 + number, None)]);
            look_up(&cache, ANNA, &asked);
        }
        assert!(cache.entries.lock().unwrap().len() <= MAX_ENTRIES);
    }
}
