//! Sessions of browsers, which cannot send a token with each page: a cookie that no script reads
//! and no other site's page sends stands for the token that opened it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use tenancy::Principal;
use tokio::time::Instant;
use uuid::Uuid;

use super::headers;

/// How long a session lasts: a working day.
pub const LIFETIME: Duration = Duration::from_hours(12);

/// Sessions at once; when there are more, the oldest ends.
const MAX_SESSIONS: usize = 1_000;

/// The sessions of one process. They end with it, so that a token which was taken out of the file
/// before a restart has none.
#[derive(Debug)]
pub struct Sessions {
    cookie: &'static str,
    /// By the hash of their ids: a look at the memory gives no cookie, and a look-up by hash tells
    /// nothing by its time.
    open: Mutex<HashMap<[u8; 32], Session>>,
}

#[derive(Debug)]
struct Session {
    principal: Principal,
    until: Instant,
}

impl Sessions {
    /// None so far; `cookie` is the name of their cookie.
    #[must_use]
    pub fn new(cookie: &'static str) -> Self {
        let open = Mutex::default();
        Self { cookie, open }
    }

    /// Opens a session and gives its `Set-Cookie`; `None` when it would be no header, which does
    /// not happen.
    #[must_use]
    pub fn open(&self, principal: &Principal) -> Option<HeaderValue> {
        // Two random UUIDs: 244 bits of the system's generator.
        let id = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let until = Instant::now() + LIFETIME;
        let mut open = self.lock();
        open.retain(|_, session| session.until > Instant::now());
        if open.len() >= MAX_SESSIONS {
            let oldest = open.iter().min_by_key(|(_, session)| session.until);
            let oldest = oldest.map(|(key, _)| *key);
            oldest.and_then(|key| open.remove(&key));
        }
        let principal = principal.clone();
        open.insert(key(&id), Session { principal, until });
        drop(open);
        self.header(&id, LIFETIME)
    }

    /// Ends the session of a request and gives the `Set-Cookie` that forgets it.
    #[must_use]
    pub fn close(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if let Some(id) = headers::cookie(headers, self.cookie) {
            self.lock().remove(&key(id));
        }
        self.header("", Duration::ZERO)
    }

    /// Whose session a request belongs to.
    #[must_use]
    pub fn principal(&self, headers: &HeaderMap) -> Option<Principal> {
        let key = key(headers::cookie(headers, self.cookie)?);
        let open = self.lock();
        let session = open.get(&key)?;
        (session.until > Instant::now()).then(|| session.principal.clone())
    }

    fn header(&self, id: &str, age: Duration) -> Option<HeaderValue> {
        let (name, seconds) = (self.cookie, age.as_secs());
        let text = format!("{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict");
        HeaderValue::try_from(text).ok()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;
    use tenancy::{Role, TenantId};

    use super::*;

    fn headers(set_cookie: &HeaderValue) -> HeaderMap {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
        let pair = format!("other=1; {pair}");
        [(COOKIE, pair.parse().unwrap())].into_iter().collect()
    }

    fn ana() -> Principal {
        Principal {
            tenant: TenantId::development(),
            user: "ana".into(),
            role: Role::Viewer,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_lasts_for_its_time() {
        let sessions = Sessions::new("session");
        let cookie = headers(&sessions.open(&ana()).unwrap());
        assert_eq!(sessions.principal(&cookie), Some(ana()));
        tokio::time::advance(LIFETIME).await;
        assert_eq!(sessions.principal(&cookie), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_session_and_a_guessed_one_are_nobodys() {
        let sessions = Sessions::new("session");
        let set = sessions.open(&ana()).unwrap();
        assert!(set.to_str().unwrap().ends_with("HttpOnly; SameSite=Strict"));
        let cookie = headers(&set);
        let forgotten = headers(&sessions.close(&cookie).unwrap());
        assert_eq!(sessions.principal(&cookie), None);
        assert_eq!(sessions.principal(&forgotten), None);
        assert_eq!(sessions.principal(&HeaderMap::new()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_ends_when_there_are_too_many() {
        let sessions = Sessions::new("session");
        let first = headers(&sessions.open(&ana()).unwrap());
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = headers(&sessions.open(&ana()).unwrap());
        for _ in 0..MAX_SESSIONS - 1 {
            drop(sessions.open(&ana()));
        }
        assert_eq!(sessions.principal(&first), None);
        assert_eq!(sessions.principal(&second), Some(ana()));
    }
}
