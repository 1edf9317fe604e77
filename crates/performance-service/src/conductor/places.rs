//! Places for forecasts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tenancy::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Forecasts at once: each has k6 read a script, which takes a processor for a moment.
const PLACES: usize = 2;

/// The places. A tenant has one of them, so that its script that hangs holds up nobody else's.
pub(super) struct Places {
    all: Semaphore,
    tenants: Mutex<HashMap<TenantId, Weak<Semaphore>>>,
}

/// A place that is taken until it is dropped.
pub(super) struct Place<'a> {
    _own: OwnedSemaphorePermit,
    _of_all: SemaphorePermit<'a>,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            all: Semaphore::new(PLACES),
            tenants: Mutex::default(),
        }
    }

    /// Awaits a place; `None` never comes, since nobody closes them.
    pub(super) async fn take(&self, tenant: &TenantId) -> Option<Place<'_>> {
        let own = self.of(tenant).acquire_owned().await.ok()?;
        let of_all = self.all.acquire().await.ok()?;
        Some(Place {
            _own: own,
            _of_all: of_all,
        })
    }

    fn of(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody has or waits for any more.
        tenants.retain(|_, place| place.strong_count() > 0);
        if let Some(place) = tenants.get(tenant).and_then(Weak::upgrade) {
            return place;
        }
        let place = Arc::new(Semaphore::new(1));
        tenants.insert(tenant.clone(), Arc::downgrade(&place));
        place
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_tenant_leaves_a_place_to_others() {
        let (ours, theirs) = (TenantId::development(), TenantId::parse("other").unwrap());
        let places = Places::new();
        let first = places.take(&ours).now_or_never();
        assert!(first.is_some());
        assert!(places.take(&ours).now_or_never().is_none(), "it has one");
        assert!(places.take(&theirs).now_or_never().is_some());
        drop(first);
        assert!(places.take(&ours).now_or_never().is_some());
        assert_eq!(places.tenants.lock().unwrap().len(), 1, "of those who ask");
    }
}
