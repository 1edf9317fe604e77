//! Who may use which route.

use service_defaults::access::{Need, Permission, delete, get, post, put};
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
    get("/api/v1/performancetest/{id}/resources", VIEWER),
    get("/api/v1/performancetest/{id}/logs", VIEWER),
    get("/api/v1/performancetest/{id}/export", VIEWER),
    get("/api/v1/performancetest/baselines", VIEWER),
    // By hand it is for administrators.
    post("/api/v1/performancetest/baselines", ENGINEER),
    get("/api/v1/performancetest/baselines/versions", VIEWER),
    get("/api/v1/performancetest/capacity", VIEWER),
    post("/api/v1/performancetest/capacity", ENGINEER),
    get("/api/v1/performancetest/capacity/{id}", VIEWER),
    // Somebody else's is for administrators.
    post("/api/v1/performancetest/capacity/{id}/cancel", ENGINEER),
    get("/api/v1/performancetest/capacity/{id}/report", VIEWER),
    post("/api/v1/performancetest/generate", ENGINEER),
    get("/api/v1/performancetest/schedules", VIEWER),
    post("/api/v1/performancetest/schedules", ENGINEER),
    get("/api/v1/performancetest/schedules/{name}", VIEWER),
    // Somebody else's is for administrators.
    put("/api/v1/performancetest/schedules/{name}", ENGINEER),
    delete("/api/v1/performancetest/schedules/{name}", ENGINEER),
    post("/api/v1/performancetest/schedules/{name}/pause", ENGINEER),
    post("/api/v1/performancetest/schedules/{name}/resume", ENGINEER),
    post("/api/v1/performancetest/schedules/{name}/run", ENGINEER),
    get("/api/v1/performancetest/scripts", VIEWER),
    delete("/api/v1/performancetest/scripts/{name}", ADMIN),
    get("/api/performance/tests", VIEWER),
    get("/api/performance/tests/{id}", VIEWER),
    post("/api/performance/tests/execute", ENGINEER),
    // Somebody else's is for administrators.
    put("/api/performance/tests/{id}/config", ENGINEER),
    delete("/api/performance/tests/{id}", ENGINEER),
    get("/api/v1/performancetest/webhooks", VIEWER),
    // What is told of runs leaves this machine.
    post("/api/v1/performancetest/webhooks", ADMIN),
    delete("/api/v1/performancetest/webhooks/{name}", ADMIN),
    post("/api/v1/performancetest/webhooks/{name}/test", ADMIN),
    get("/api/v1/performancetest/webhooks/{name}/deliveries", VIEWER),
    get("/api/v1/performancetest/audit", ADMIN),
    get("/api/v1/performancetest/audit/verify", ADMIN),
    get("/performance-hub", VIEWER),
    get("/", VIEWER),
    get("/audit", ADMIN),
    get("/baselines", VIEWER),
    post("/baselines", ENGINEER),
    get("/schedules", VIEWER),
    post("/schedules", ENGINEER),
    post("/schedules/{name}/{action}", ENGINEER),
    get("/webhooks", VIEWER),
    post("/webhooks", ADMIN),
    post("/webhooks/{name}/{action}", ADMIN),
    get("/capacity", VIEWER),
    post("/capacity", ENGINEER),
    get("/capacity/{id}", VIEWER),
    post("/capacity/{id}/cancel", ENGINEER),
    get("/compare", VIEWER),
    get("/tests/{name}", VIEWER),
    get("/runs", VIEWER),
    get("/spend", VIEWER),
    get("/runs/{id}", VIEWER),
    post("/runs/{id}/cancel", ENGINEER),
    get("/new", VIEWER),
    post("/new", ENGINEER),
    get("/settings", VIEWER),
    get("/login", OPEN),
    post("/login", OPEN),
    post("/logout", OPEN),
    get("/assets/style.css", OPEN),
    get("/assets/live.js", OPEN),
    get("/assets/chart.js", OPEN),
    get("/assets/heatmap.js", OPEN),
    get("/assets/icon.svg", OPEN),
    get("/swagger", OPEN),
    get("/swagger/", OPEN),
    get("/swagger/{*rest}", OPEN),
    get("/swagger/v1/swagger.json", OPEN),
];
