//! Where principals come from.

use std::path::Path;

use http::HeaderMap;
use tenancy::{Principal, Role, TenantId};

use super::{Sessions, Tokens, headers};
use crate::{environment::Environment, problem::Problem};

/// Whom development mode takes for the sender, unless `X-User-Id` names somebody.
pub const DEVELOPMENT_USER: &str = "development";

/// The names of the settings.
#[derive(Debug, Clone, Copy)]
pub struct AccessSettings {
    /// Name of the mode.
    pub mode: &'static str,
    /// Name of the file of tokens.
    pub tokens_file: &'static str,
}

/// Who a request's sender is.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// Whoever reaches the port is the one administrator; the tenant comes from `X-Tenant-Name`.
    Development(Principal),
    /// Whoever sends a token of the list.
    Tokens(Tokens),
}

impl Authentication {
    /// Reads the mode and its file. Where development mode may listen is the business of
    /// [`read_address`](crate::listen::read_address).
    pub fn read(environment: &mut Environment, settings: AccessSettings) -> Self {
        let mode = environment.choice(
            settings.mode,
            "development",
            &["development", "tokens"],
            "development: whoever reaches the port is the administrator; tokens: Bearer tokens",
        );
        let file = environment.optional_text(
            settings.tokens_file,
            "File of the hashes of tokens, TOML, with the tenant, user and role of each",
        );
        match (mode, file) {
            ("tokens", Some(file)) => match Tokens::load(Path::new(&file)) {
                Ok(tokens) => return Self::Tokens(tokens),
                Err(error) => environment.reject(settings.tokens_file, format!("{file}: {error}")),
            },
            ("tokens", None) => environment.reject(
                settings.tokens_file,
                format!("is needed with {}=tokens", settings.mode),
            ),
            (_, Some(_)) => environment.reject(
                settings.tokens_file,
                format!("has no effect without {}=tokens", settings.mode),
            ),
            (_, None) => {}
        }
        Self::development()
    }

    /// The mode that asks nobody.
    #[must_use]
    pub fn development() -> Self {
        Self::Development(Principal {
            tenant: TenantId::development(),
            user: DEVELOPMENT_USER.into(),
            role: Role::Admin,
        })
    }

    /// The sender of a request with these headers; a session counts where no token is sent.
    ///
    /// # Errors
    /// 401 without a known token, 403 when a header names another tenant or user than it, 400 for
    /// headers that name none.
    pub fn principal(
        &self,
        headers: &HeaderMap,
        sessions: Option<&Sessions>,
    ) -> Result<Principal, Problem> {
        match self {
            Self::Development(admin) => {
                let tenant = headers::tenant(headers)?;
                let user = headers::user(headers)?.map(Into::into);
                Ok(Principal {
                    tenant: tenant.unwrap_or_else(|| admin.tenant.clone()),
                    user: user.unwrap_or_else(|| admin.user.clone()),
                    role: admin.role,
                })
            }
            Self::Tokens(tokens) => {
                let principal = match headers::bearer(headers)? {
                    Some(token) => tokens.principal(token).cloned(),
                    None => sessions.and_then(|sessions| sessions.principal(headers)),
                };
                let principal = principal.ok_or_else(headers::unauthorized)?;
                agree(&principal, headers)?;
                Ok(principal)
            }
        }
    }
}

/// What the headers say of the sender must be what the token says.
fn agree(principal: &Principal, headers: &HeaderMap) -> Result<(), Problem> {
    let other = |what| Problem::forbidden(format!("{what} is not that of the token"));
    if headers::tenant(headers)?.is_some_and(|tenant| tenant != principal.tenant) {
        return Err(other("X-Tenant-Name").with_kind("other-tenant"));
    }
    if headers::user(headers)?.is_some_and(|user| *user != *principal.user) {
        return Err(other("X-User-Id").with_kind("other-user"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, StatusCode};
    use sha2::{Digest, Sha256};

    use super::*;

    fn ask(authentication: &Authentication, headers: &[(&str, &str)]) -> Result<Principal, u16> {
        let pair = |(name, value): &(&str, &str)| {
            let name: HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            map.append(name, value);
        }
        let principal = authentication.principal(&map, None);
        principal.map_err(|problem| problem.status().as_u16())
    }

    fn tokens() -> Authentication {
        let hash: [u8; 32] = Sha256::digest("canary").into();
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let rest = "tenant = 'acme'\nuser = 'ana'\nrole = 'engineer'";
        let file = format!("[[token]]\nsha256 = '{hash}'\n{rest}");
        Authentication::Tokens(Tokens::parse(&file).unwrap())
    }

    #[test]
    fn a_token_says_who_asks() {
        let bearer = ("authorization", "bEaReR canary");
        let ana = ask(&tokens(), &[bearer]).unwrap();
        assert_eq!((ana.tenant.as_str(), &*ana.user), ("acme", "ana"));
        for (headers, status) in [
            (vec![bearer, ("x-tenant-name", "acme")], None),
            (vec![bearer, ("x-user-id", "ana")], None),
            (vec![bearer, ("x-tenant-name", "other")], Some(403)),
            (vec![bearer, ("x-user-id", "bob")], Some(403)),
            (vec![bearer, ("x-tenant-name", "a:b")], Some(400)),
            (vec![bearer, bearer], Some(401)),
            (vec![], Some(401)),
            (vec![("x-tenant-name", "acme")], Some(401)),
            (vec![("authorization", "Bearer")], Some(401)),
            (vec![("authorization", "Bearer ")], Some(401)),
            (vec![("authorization", "Bearer canary2")], Some(401)),
            (vec![("authorization", "Basic canary")], Some(401)),
            (vec![("authorization", "canary")], Some(401)),
        ] {
            assert_eq!(ask(&tokens(), &headers).err(), status, "{headers:?}");
        }
    }

    #[test]
    fn in_development_headers_say_who_asks() {
        let development = Authentication::development();
        let admin = ask(&development, &[]).unwrap();
        assert_eq!(
            (admin.tenant.as_str(), admin.role),
            ("default", Role::Admin)
        );
        let named = [("x-tenant-name", "acme"), ("x-user-id", "ana")];
        let named = ask(&development, &named).unwrap();
        assert_eq!((named.tenant.as_str(), &*named.user), ("acme", "ana"));
        for headers in [
            vec![("x-tenant-name", "a:b")],
            vec![("x-tenant-name", "a"), ("x-tenant-name", "a")],
            vec![("x-user-id", "a b")],
        ] {
            let status = StatusCode::BAD_REQUEST.as_u16();
            assert_eq!(ask(&development, &headers), Err(status));
        }
    }

    #[test]
    fn modes_need_their_file_and_no_other() {
        let settings = AccessSettings {
            mode: "MODE",
            tokens_file: "FILE",
        };
        for pairs in [
            vec![("MODE", "tokens")],
            vec![("MODE", "tokens"), ("FILE", "/nowhere/tokens.toml")],
            vec![("FILE", "/nowhere/tokens.toml")],
            vec![("MODE", "none")],
        ] {
            let pairs = pairs.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
            let mut environment = Environment::of_pairs(pairs);
            Authentication::read(&mut environment, settings);
            assert_eq!(environment.errors().len(), 1, "{:?}", environment.errors());
        }
    }
}
