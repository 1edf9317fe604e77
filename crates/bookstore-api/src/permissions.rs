//! Who may use which route.

use service_defaults::access::{Need, Permission, delete, get, patch, post, put};
use tenancy::Role;

const OPEN: Need = Need::Nothing;
const VIEWER: Need = Need::Role(Role::Viewer);
const ENGINEER: Need = Need::Role(Role::Engineer);
const ADMIN: Need = Need::Role(Role::Admin);

/// Every route; one that is not here is refused.
pub(crate) const PERMISSIONS: &[Permission] = &[
    get("/api/v1/books", VIEWER),
    post("/api/v1/books", ENGINEER),
    post("/api/v1/books/bulk", ENGINEER),
    get("/api/v1/books/search", VIEWER),
    get("/api/v1/books/llm-providers", VIEWER),
    get("/api/v1/books/{id}", VIEWER),
    put("/api/v1/books/{id}", ENGINEER),
    patch("/api/v1/books/{id}", ENGINEER),
    delete("/api/v1/books/{id}", ADMIN),
    // It costs money.
    post("/api/v1/books/{id}/generate-summary", ENGINEER),
    post("/api/v1/books/{id}/summary/feedback", ENGINEER),
    get("/api/v1/authors", VIEWER),
    post("/api/v1/authors", ENGINEER),
    post("/api/v1/authors/bulk", ENGINEER),
    get("/api/v1/authors/{id}", VIEWER),
    put("/api/v1/authors/{id}", ENGINEER),
    patch("/api/v1/authors/{id}", ENGINEER),
    delete("/api/v1/authors/{id}", ADMIN),
    post("/seed-data", ENGINEER),
    get("/api/v1/errortest/random", VIEWER),
    get("/api/v1/errortest/{code}", VIEWER),
    get("/api/v1/llm/ledger", VIEWER),
    // By tenant, administrators see all of them.
    get("/api/v1/llm/costs", VIEWER),
    // It computes and changes nothing.
    post("/api/v1/llm/recost", VIEWER),
    get("/api/v1/llm/budgets", ADMIN),
    // Another tenant's is for administrators.
    get("/api/v1/llm/budgets/{tenant}", VIEWER),
    put("/api/v1/llm/budgets/{tenant}", ADMIN),
    get("/api/v1/llm/experiments", VIEWER),
    post("/api/v1/llm/experiments", ENGINEER),
    get("/api/v1/llm/experiments/{name}", VIEWER),
    post("/api/v1/llm/experiments/{name}/stop", ENGINEER),
    get("/swagger", OPEN),
    get("/swagger/", OPEN),
    get("/swagger/{*rest}", OPEN),
    get("/swagger/v1/swagger.json", OPEN),
];
