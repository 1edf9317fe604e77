//! Callers with tokens, and the comparison of a whole service with its table of roles.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, ensure};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::http;

/// Where a service describes itself.
const DOCUMENT: &str = "/swagger/v1/swagger.json";

/// The tenant of all tokens but [`STRANGER`].
pub const TENANT: &str = "acme";

/// Reads.
pub const VIEWER: &str = "token-canary-of-vera";
/// Starts runs.
pub const ENGINEER: &str = "token-canary-of-emil";
/// Another one.
pub const COLLEAGUE: &str = "token-canary-of-cora";
/// Does everything.
pub const ADMIN: &str = "token-canary-of-ada";
/// An administrator of another tenant.
pub const STRANGER: &str = "token-canary-of-sam";

/// Token, tenant, user, role.
const CAST: [(&str, &str, &str, &str); 5] = [
    (VIEWER, TENANT, "vera", "viewer"),
    (ENGINEER, TENANT, "emil", "engineer"),
    (COLLEAGUE, TENANT, "cora", "engineer"),
    (ADMIN, TENANT, "ada", "admin"),
    (STRANGER, "other", "sam", "admin"),
];

/// The file of tokens that a service is started with; gone when it is dropped.
pub struct TokensFile(NamedTempFile);

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Least {
    /// Not even a token.
    Nobody,
    /// The role viewer.
    Viewer,
    /// The role engineer.
    Engineer,
    /// The role admin.
    Admin,
}

impl TokensFile {
    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write() -> anyhow::Result<Self> {
        let file = NamedTempFile::new()?;
        let mut text = String::new();
        for (token, tenant, user, role) in CAST {
            let hash = Sha256::digest(token);
            let hash: String = hash.iter().fold(String::new(), |mut hash, byte| {
                let _infallible = write!(hash, "{byte:02x}");
                hash
            });
            let entry = format!("[[token]]\nsha256 = {hash:?}\ntenant = {tenant:?}\n");
            text += &format!("{entry}user = {user:?}\nrole = {role:?}\n\n");
        }
        std::fs::write(file.path(), text)?;
        Ok(Self(file))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Calls each route of a service without a token and with one of each role, and compares who is
/// refused with the table: method, path, what it asks for. The table must name exactly the
/// operations that the service describes.
///
/// # Errors
/// The first difference.
pub async fn compare(base_url: &str, table: &[(&str, &str, Least)]) -> anyhow::Result<()> {
    let client = http::client()?;
    let described = described(&client, base_url).await?;
    let listed: BTreeSet<_> = table
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let difference: Vec<_> = described.symmetric_difference(&listed).collect();
    ensure!(difference.is_empty(), "only in one of both: {difference:?}");
    for (method, path, least) in table {
        let method: Method = method.parse()?;
        let url = format!("{base_url}{}", filled(path));
        let expect = async |token: Option<&str>, status: Option<StatusCode>| {
            let mut request = client.request(method.clone(), &url);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let response = request.send().await?;
            let found = refusal(&response);
            ensure!(
                found == status,
                "{method} {path} with {token:?}: {} where {status:?} is due",
                response.status()
            );
            let asks = response.headers().contains_key("www-authenticate");
            ensure!(asks || status != Some(StatusCode::UNAUTHORIZED));
            anyhow::Ok(())
        };
        let open = *least == Least::Nobody;
        let unauthorized = (!open).then_some(StatusCode::UNAUTHORIZED);
        expect(None, unauthorized).await?;
        expect(Some("token-of-nobody"), unauthorized).await?;
        for (token, role) in [
            (VIEWER, Least::Viewer),
            (ENGINEER, Least::Engineer),
            (ADMIN, Least::Admin),
        ] {
            let forbidden = (role < *least).then_some(StatusCode::FORBIDDEN);
            expect(Some(token), forbidden).await?;
        }
    }
    Ok(())
}

/// Why the gate refused a request. The error lab gives the same statuses without a problem.
fn refusal(response: &Response) -> Option<StatusCode> {
    let status = response.status();
    let content_type = response.headers().get("content-type");
    let problem = content_type.is_some_and(|value| value == "application/problem+json");
    let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    (problem && refused).then_some(status)
}

/// A path with something in the place of each name: what belongs to the tenant, or is not there.
fn filled(path: &str) -> String {
    path.replace("{tenant}", TENANT)
        .replace("{code}", "404")
        .replace("{id}", "0123456789abcdef01234567")
        .replace("{name}", "none")
        .replace("{scenario}", "none")
}

async fn described(client: &Client, base_url: &str) -> anyhow::Result<BTreeSet<String>> {
    let url = format!("{base_url}{DOCUMENT}");
    let document: Value = client.get(url).send().await?.json().await?;
    let paths = document["paths"].as_object().context("paths")?;
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flat_map(|all| all.keys());
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    Ok(operations.collect())
}
