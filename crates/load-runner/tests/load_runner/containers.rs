//! Real k6 in containers of a real engine, which the tests start: that takes root.
//! `deploy/scripts/test-containers.sh` runs them.

pub(crate) mod engine;
mod faults;
mod rights;

use crate::conformance::conforms;

conforms!(one_container_v1, crate::containers::engine::open, V1, 1);
conforms!(one_container_v2, crate::containers::engine::open, V2, 1);
conforms!(two_containers_v2, crate::containers::engine::open, V2, 2);
