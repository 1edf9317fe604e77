//! The layer that lets requests in, or refuses them.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pin_project_lite::pin_project;
use tenancy::Principal;
use tower::{Layer, Service};

use super::{
    Authentication, Journal, Need, Permission, Sessions,
    journal::{Pending, is_change},
    permissions::{Permissions, Ruling},
};
use crate::{problem::Problem, same_origin::Door};

/// Lets requests in by the table of permissions; clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Parts>);

struct Parts {
    authentication: Authentication,
    permissions: Permissions,
    door: Door,
    sessions: Option<BrowserSessions>,
    journal: Option<Arc<dyn Journal>>,
}

struct BrowserSessions {
    sessions: Arc<Sessions>,
    /// Where a browser is sent that has none.
    login: HeaderValue,
}

/// What becomes of a request.
enum Verdict {
    /// The route is for everybody, or there is none and the router says so.
    Open,
    /// This principal may.
    Admitted(Principal),
    /// Nobody may, or not this one.
    Refused(Response, Option<Principal>),
}

impl Gate {
    /// A gate before routes with these permissions, in a service that is called by the names of
    /// `door`. A browser on this machine could be made to send calls that need no credential, so
    /// the door stands before all of them but health and metrics.
    #[must_use]
    pub fn new(authentication: Authentication, permissions: &[Permission], door: Door) -> Self {
        Self(Arc::new(Parts {
            authentication,
            permissions: Permissions::new(permissions),
            door,
            sessions: None,
            journal: None,
        }))
    }

    /// The same for browsers as well, which are sent to `login` to open a session.
    #[must_use]
    pub fn with_sessions(self, sessions: Arc<Sessions>, login: &'static str) -> Self {
        self.changed(|parts| {
            let login = HeaderValue::from_static(login);
            parts.sessions = Some(BrowserSessions { sessions, login });
        })
    }

    /// The same with a journal of what changes something.
    #[must_use]
    pub fn with_journal(self, journal: Arc<dyn Journal>) -> Self {
        self.changed(|parts| parts.journal = Some(journal))
    }

    /// Gates are changed while they are built, when there is one of them.
    fn changed(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        if let Some(parts) = Arc::get_mut(&mut self.0) {
            change(parts);
        }
        self
    }

    fn judge(&self, request: &Request) -> (Ruling, Verdict) {
        let Some(route) = request.extensions().get::<MatchedPath>() else {
            return (Ruling::OtherMethod, Verdict::Open);
        };
        let ruling = self.0.permissions.of(request.method(), route.as_str());
        if ruling == Ruling::Asks(Need::Probe) {
            return (ruling, Verdict::Open);
        }
        if let Some(refusal) = self.0.door.refusal(request) {
            return (ruling, Verdict::Refused(refusal.into_response(), None));
        }
        let verdict = match ruling {
            Ruling::Asks(Need::Nothing | Need::Probe) | Ruling::OtherMethod => Verdict::Open,
            Ruling::Undeclared => {
                tracing::error!(
                    route = route.as_str(),
                    "nobody declared who may use a route"
                );
                Verdict::Refused(undeclared().into_response(), None)
            }
            Ruling::Asks(Need::Role(role)) => match self.principal(request) {
                Err(refusal) => Verdict::Refused(*refusal, None),
                Ok(principal) if principal.role < role => {
                    let has = principal.role.as_str();
                    let detail = format!("this needs the role {}, yours is {has}", role.as_str());
                    let refusal = Problem::forbidden(detail).with_kind("role-needed");
                    Verdict::Refused(refusal.into_response(), Some(principal))
                }
                Ok(principal) => Verdict::Admitted(principal),
            },
        };
        (ruling, verdict)
    }

    fn principal(&self, request: &Request) -> Result<Principal, Box<Response>> {
        let browser = self.0.sessions.as_ref();
        let sessions = browser.map(|browser| &*browser.sessions);
        let principal = self.0.authentication.principal(request.headers(), sessions);
        let principal = principal.map_err(|problem| {
            let unknown = problem.status() == StatusCode::UNAUTHORIZED;
            Box::new(match browser.filter(|_| unknown && shows_pages(request)) {
                Some(browser) => to(browser.login.clone()),
                None => problem.into_response(),
            })
        })?;
        instrumentation::request::record_tenant(principal.tenant.shared());
        Ok(principal)
    }
}

/// A request whose sender looks at pages, and not with a token.
fn shows_pages(request: &Request) -> bool {
    let accepts = |headers: &HeaderMap| {
        let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
        Some(accept.contains("text/html"))
    };
    let headers = request.headers();
    *request.method() == Method::GET
        && !headers.contains_key(header::AUTHORIZATION)
        && accepts(headers) == Some(true)
}

fn to(address: HeaderValue) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

fn undeclared() -> Problem {
    Problem::forbidden("nobody may: this route asks for no role").with_kind("role-undeclared")
}

/// See [`Gate`].
#[derive(Clone)]
pub struct Gated<S> {
    gate: Gate,
    inner: S,
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        let gate = self.clone();
        Gated { gate, inner }
    }
}

pin_project! {
    /// The future of [`Gated`].
    pub struct Passage<F> {
        #[pin]
        state: PassageState<F>,
    }
}

pin_project! {
    #[project = PassageProjection]
    enum PassageState<F> {
        Refused { response: Option<Response> },
        Awaited { #[pin] answer: F },
        // Either of them, with a record of it.
        Recorded { answer: BoxFuture<'static, Result<Response, Infallible>> },
    }
}

impl<S> Service<Request> for Gated<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Passage<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let (ruling, verdict) = self.gate.judge(&request);
        let journal = self.gate.0.journal.as_ref();
        let journal = journal.filter(|_| ruling != Ruling::OtherMethod);
        let journal = journal.filter(|_| is_change(request.method())).cloned();
        let principal = match &verdict {
            Verdict::Open => None,
            Verdict::Admitted(principal) => Some(principal.clone()),
            Verdict::Refused(_, principal) => principal.clone(),
        };
        let pending = journal.map(|journal| Pending::new(journal, &request, principal));
        let state = match verdict {
            Verdict::Refused(response, _) => PassageState::Refused {
                response: Some(response),
            },
            Verdict::Admitted(principal) => {
                request.extensions_mut().insert(principal);
                PassageState::Awaited {
                    answer: self.inner.call(request),
                }
            }
            Verdict::Open => PassageState::Awaited {
                answer: self.inner.call(request),
            },
        };
        let passage = Passage { state };
        let Some(pending) = pending else {
            return passage;
        };
        let answer = Box::pin(async move {
            let response = passage.await?;
            if let Some(kept) = pending.answered(&response) {
                // What went wrong with it is in the log.
                drop(kept.await);
            }
            Ok(response)
        });
        Passage {
            state: PassageState::Recorded { answer },
        }
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Passage<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().state.project() {
            PassageProjection::Refused { response } => {
                let response = response.take();
                Poll::Ready(Ok(
                    response.unwrap_or_else(|| Problem::internal().into_response())
                ))
            }
            PassageProjection::Awaited { answer } => answer.poll(context),
            PassageProjection::Recorded { answer } => answer.as_mut().poll(context),
        }
    }
}
