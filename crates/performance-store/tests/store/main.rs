//! The store as the service uses it, on a real file.

mod audit;
mod baselines;
mod bounds;
mod seconds;
mod spend;
mod state_machine;
mod tenant_bounds;
mod test_store;
