//! Who may use which route.

use service_defaults::access::{Need, Permission, delete, get, post};
use tenancy::Role;

const OPEN: Need = Need::Nothing;
const VIEWER: Need = Need::Role(Role::Viewer);
const ENGINEER: Need = Need::Role(Role::Engineer);
const ADMIN: Need = Need::Role(Role::Admin);

/// Every route; one that is not here is refused.
pub(crate) const PERMISSIONS: &[Permission] = &[
    post("/api/v1/performancetest/start", ENGINEER),
    // It has k6 read a script.
    post("/api/v1/performancetest/forecast", ENGINEER),
    get("/api/v1/performancetest/spend", VIEWER),
    post("/api/v1/performancetest/quick-start/{scenario}", ENGINEER),
    post("/quick-setup", ENGINEER),
    get("/api/v1/performancetest/tests", VIEWER),
    get("/api/v1/performancetest/running", VIEWER),
    get("/api/v1/performancetest/scenarios", VIEWER),
    // It deletes.
    post("/api/v1/performancetest/cleanup", ADMIN),
    get("/api/v1/performancetest/compare", VIEWER),
    get("/api/v1/performancetest/trends", VIEWER),
    get("/api/v1/performancetest/{id}", VIEWER),
    delete("/api/v1/performancetest/{id}", ADMIN),
    // Somebody else's is for administrators.
    post("/api/v1/performancetest/{id}/cancel", ENGINEER),
    get("/api/v1/performancetest/{id}/results", VIEWER),
    get("/api/v1/performancetest/{id}/timeline", VIEWER),
    get("/api/v1/performancetest/{id}/logs", VIEWER),
    get("/api/v1/performancetest/{id}/export", VIEWER),
    get("/api/v1/performancetest/baselines", VIEWER),
    // By hand it is for administrators.
    post("/api/v1/performancetest/baselines", ENGINEER),
    get("/api/v1/performancetest/baselines/versions", VIEWER),
    post("/api/v1/performancetest/generate", ENGINEER),
    get("/api/v1/performancetest/audit", ADMIN),
    get("/api/v1/performancetest/audit/verify", ADMIN),
    get("/performance-hub", VIEWER),
    get("/", VIEWER),
    get("/audit", ADMIN),
    get("/baselines", VIEWER),
    post("/baselines", ENGINEER),
    get("/compare", VIEWER),
    get("/tests/{name}", VIEWER),
    get("/runs", VIEWER),
    get("/spend", VIEWER),
    get("/runs/{id}", VIEWER),
    post("/runs/{id}/cancel", ENGINEER),
    post("/runs/quick-start/{scenario}", ENGINEER),
    get("/login", OPEN),
    post("/login", OPEN),
    post("/logout", OPEN),
    get("/assets/style.css", OPEN),
    get("/assets/live.js", OPEN),
    get("/assets/icon.svg", OPEN),
    get("/swagger", OPEN),
    get("/swagger/", OPEN),
    get("/swagger/{*rest}", OPEN),
    get("/swagger/v1/swagger.json", OPEN),
];
