//! The store as the service uses it, on a real file.

mod adoption;
mod audit;
mod baselines;
mod bounds;
mod clock;
mod configurations;
mod idempotency;
mod neighbours;
mod resources;
mod retention;
mod schedules;
mod searches;
mod seconds;
mod spend;
mod state_machine;
mod summaries;
mod tenant_bounds;
mod test_store;
mod webhooks;
