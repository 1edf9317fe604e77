//! Where comparisons take place: some at a time, each tenant's one after the other, and so many
//! waiting.

use std::time::Duration;

use service_defaults::problem::Problem;
use tenancy::TenantId;
use tokio::time::timeout;

use crate::conductor::blocking;
use crate::shared_places::{Place, SharedPlaces, Taken};

/// Comparisons at once: each takes a processor for up to some seconds, and holds the documents of up
/// to 260 runs, of some ten kilobytes each. A tenant has one of them.
const AT_ONCE: usize = 2;

/// Those that wait: most are done before who waits gives up, if each takes a second.
const WAITING: usize = 32;

/// Those of one tenant that wait: some people that look at pages.
const WAITING_OF_TENANT: usize = 8;

/// The longest that one waits: pages are given up sooner.
const PLACE_DEADLINE: Duration = Duration::from_secs(20);

/// When a place among those that wait is free again, most likely.
const RETRY: Duration = Duration::from_secs(5);

/// The places.
pub(crate) struct Comparisons {
    places: SharedPlaces<TenantId>,
    waiting: SharedPlaces<TenantId>,
}

impl Comparisons {
    pub(crate) fn new() -> Self {
        Self {
            places: SharedPlaces::new(AT_ONCE, 1),
            waiting: SharedPlaces::new(WAITING, WAITING_OF_TENANT),
        }
    }

    /// Waits for a place. Who compares has one before anything is read: what waits holds nothing.
    ///
    /// # Errors
    /// 429 when as many of the tenant wait as may, 503 when as many of all do, or it takes too long.
    pub(crate) async fn place(&self, tenant: &TenantId) -> Result<Place, Problem> {
        let waits = self.waiting.try_take(tenant);
        let _waits = waits.map_err(|taken| match taken {
            Taken::ByKey => {
                let detail = format!("{WAITING_OF_TENANT} comparisons of the tenant wait already");
                Problem::too_many_requests(detail, RETRY).with_kind("too-many-comparisons")
            }
            Taken::ByOthers => busy(),
        })?;
        let place = timeout(PLACE_DEADLINE, self.places.take(tenant)).await;
        place.ok().flatten().ok_or_else(busy)
    }
}

/// Compares on a thread of its own, so that requests and streams go on meanwhile: some hundred
/// measures of 30 v 30 runs take seconds. The place is held until it is done, also when nobody
/// waits for it any more.
///
/// # Errors
/// 500 when it panics.
pub(crate) async fn compare_at<T: Send + 'static>(
    place: Place,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let work = move || {
        let _place = place;
        work()
    };
    blocking(work).await
}

fn busy() -> Problem {
    Problem::unavailable("too many comparisons are under way", RETRY)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use http::StatusCode;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_counted_and_does_not_wait_for_ever() {
        let comparisons = Comparisons::new();
        let (ours, theirs) = (tenant("ours"), tenant("theirs"));
        let held = comparisons.place(&ours).await.unwrap();
        let waiting = join_all((0..WAITING_OF_TENANT).map(|_| comparisons.place(&ours)));
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        let refused = comparisons.place(&ours).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(comparisons.place(&theirs).await.is_ok(), "others go on");
        for place in waiting.await {
            let late = place.unwrap_err();
            assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
        drop(held);
        assert!(comparisons.place(&ours).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_wait_are_counted_together() {
        let comparisons = Comparisons::new();
        let tenants: Vec<_> = (0..=WAITING).map(|it| tenant(&format!("t{it}"))).collect();
        let held = join_all(tenants[..AT_ONCE].iter().map(|it| comparisons.place(it))).await;
        let waiting = join_all(tenants[..WAITING].iter().map(|it| comparisons.place(it)));
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        let refused = comparisons.place(&tenants[WAITING]).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(held);
        let placed = waiting.await.into_iter().filter(Result::is_ok).count();
        assert_eq!(placed, AT_ONCE, "the places of those that were done");
    }
}
