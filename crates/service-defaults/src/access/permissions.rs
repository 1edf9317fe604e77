//! What each route asks of its caller.

use std::collections::HashMap;

use http::Method;
use tenancy::Role;

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing, whatever name the service is called by: health and metrics.
    Probe,
    /// Nothing: descriptions of the service, its login.
    Nothing,
    /// This role or more.
    Role(Role),
}

/// A route and what it asks for.
#[derive(Debug, Clone)]
pub struct Permission {
    /// Its method; GET is meant for HEAD as well.
    pub method: Method,
    /// Its path as the router has it, with names in braces.
    pub path: &'static str,
    /// What it asks for.
    pub need: Need,
}

/// The routes that come with the defaults.
const OPERATIONS: [Permission; 5] = [
    get("/metrics", Need::Probe),
    get("/health", Need::Probe),
    get("/health/live", Need::Probe),
    get("/health/ready", Need::Probe),
    get("/health/startup", Need::Probe),
];

/// Reading at a path.
#[must_use]
pub const fn get(path: &'static str, need: Need) -> Permission {
    of(Method::GET, path, need)
}

/// Doing something at a path.
#[must_use]
pub const fn post(path: &'static str, need: Need) -> Permission {
    of(Method::POST, path, need)
}

/// Replacing what is at a path.
#[must_use]
pub const fn put(path: &'static str, need: Need) -> Permission {
    of(Method::PUT, path, need)
}

/// Changing what is at a path.
#[must_use]
pub const fn patch(path: &'static str, need: Need) -> Permission {
    of(Method::PATCH, path, need)
}

/// Removing what is at a path.
#[must_use]
pub const fn delete(path: &'static str, need: Need) -> Permission {
    of(Method::DELETE, path, need)
}

const fn of(method: Method, path: &'static str, need: Need) -> Permission {
    Permission { method, path, need }
}

/// What the table says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// What the route asks for.
    Asks(Need),
    /// The path has other methods only: the router says which.
    OtherMethod,
    /// Nobody declared the route: nobody may.
    Undeclared,
}

/// The table, as the gate reads it.
#[derive(Debug)]
pub(super) struct Permissions(HashMap<&'static str, Vec<(Method, Need)>>);

impl Permissions {
    /// The rows of a service, and those of the routes that come with the defaults.
    pub(super) fn new(rows: &[Permission]) -> Self {
        let mut by_path: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows.iter().chain(&OPERATIONS) {
            let needs = by_path.entry(row.path).or_default();
            needs.push((row.method.clone(), row.need));
        }
        Self(by_path)
    }

    pub(super) fn of(&self, method: &Method, path: &str) -> Ruling {
        let Some(needs) = self.0.get(path) else {
            return Ruling::Undeclared;
        };
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let found = needs.iter().find(|(declared, _)| declared == method);
        found.map_or(Ruling::OtherMethod, |(_, need)| Ruling::Asks(*need))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_declared_is_not_allowed() {
        let permissions = Permissions::new(&[get("/a/{id}", Need::Role(Role::Viewer))]);
        let of = |method: Method, path| permissions.of(&method, path);
        let viewer = Ruling::Asks(Need::Role(Role::Viewer));
        assert_eq!(of(Method::GET, "/a/{id}"), viewer);
        assert_eq!(of(Method::HEAD, "/a/{id}"), viewer);
        assert_eq!(of(Method::DELETE, "/a/{id}"), Ruling::OtherMethod);
        assert_eq!(of(Method::GET, "/b"), Ruling::Undeclared);
        assert_eq!(of(Method::GET, "/health"), Ruling::Asks(Need::Probe));
    }
}
