//! A tenant that calls the API.

use anyhow::Context;
use http::Method;
use reqwest::{Client, RequestBuilder, Url};
use serde_json::{Value, json};
use test_support::http::client;

use crate::reply::Reply;

/// Where books live.
pub(crate) const BOOKS: &str = "/api/v1/books";

/// Where authors live.
pub(crate) const AUTHORS: &str = "/api/v1/authors";

/// A well-formed identifier that no book or author has.
pub(crate) const NO_ID: &str = "0123456789abcdef01234567";

/// Calls an API as one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    client: Client,
    base_url: String,
    tenant: String,
}

impl Caller {
    /// A tenant that nobody else is.
    pub(crate) fn new(base_url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: client()?,
            base_url: base_url.to_owned(),
            tenant: format!("tenant-{:016x}", fastrand::u64(..)),
        })
    }

    /// Another tenant of the same API.
    pub(crate) fn other_tenant(&self) -> anyhow::Result<Self> {
        Self::new(&self.base_url)
    }

    /// The same tenant at another process.
    pub(crate) fn at(&self, base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            ..self.clone()
        }
    }

    /// The name of the tenant.
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// A request of this tenant, to be filled and given to [`Caller::send`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare_request(method, path)
            .header("X-Tenant-Name", &self.tenant)
    }

    /// A request that names no tenant.
    pub(crate) fn bare_request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.base_url))
    }

    /// Sends a request and reads its whole reply.
    pub(crate) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Reply> {
        Reply::read(request.send().await?).await
    }

    /// Gets.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Gets with query parameters, which are encoded.
    pub(crate) async fn get_where(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<Reply> {
        let url = Url::parse_with_params(&format!("{}{path}", self.base_url), query)?;
        let request = self.client.get(url).header("X-Tenant-Name", &self.tenant);
        self.send(request).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send_json(Method::POST, path, body).await
    }

    /// Posts without a body.
    pub(crate) async fn post_nothing(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::POST, path)).await
    }

    /// Puts JSON.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send_json(Method::PUT, path, body).await
    }

    /// Patches with JSON.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send_json(Method::PATCH, path, body).await
    }

    /// Deletes.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Sends JSON with any method.
    pub(crate) async fn send_json(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Reply> {
        self.send(self.request(method, path).json(body)).await
    }

    /// Sends bytes that say they are JSON.
    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Vec<u8>>,
    ) -> anyhow::Result<Reply> {
        let request = self
            .request(method, path)
            .header("Content-Type", "application/json")
            .body(body.into());
        self.send(request).await
    }

    /// Creates an entity and gives it as the reply shows it.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let reply = self.post(path, body).await?;
        reply.expect(201)?.json()
    }

    /// Creates a book that has a title and an author only, and gives its address.
    pub(crate) async fn create_book(&self, title: &str) -> anyhow::Result<String> {
        let body = json!({"title": title, "author": "An Author"});
        address(BOOKS, &self.create(BOOKS, &body).await?)
    }

    /// The JSON at an address that must be there.
    pub(crate) async fn read(&self, path: &str) -> anyhow::Result<Value> {
        self.get(path).await?.expect(200)?.json()
    }
}

/// The address of an entity.
pub(crate) fn address(path: &str, entity: &Value) -> anyhow::Result<String> {
    let id = entity["id"].as_str().context("an entity has an id")?;
    Ok(format!("{path}/{id}"))
}
