//! What the process is started with.

use std::net::SocketAddr;

use service_defaults::environment::Environment;

/// Everything that the process reads from its environment.
#[derive(Debug, Clone, Copy)]
pub struct ProcessConfig {
    /// Where the proxy listens.
    pub address: SocketAddr,
    /// Where the bytes go.
    pub upstream: SocketAddr,
    /// Where the controls are; loopback.
    pub control: SocketAddr,
}

impl ProcessConfig {
    /// Reads `FAULT_PROXY_*`.
    pub fn read(environment: &mut Environment) -> Self {
        let config = Self {
            address: environment.parsed(
                "FAULT_PROXY_ADDR",
                "127.0.0.1:7021",
                "Address that is proxied; port 0 takes a free one, shown by GET /proxy",
            ),
            upstream: environment.parsed(
                "FAULT_PROXY_UPSTREAM",
                "127.0.0.1:7010",
                "Where the bytes go",
            ),
            control: environment.parsed(
                "FAULT_PROXY_CONTROL_ADDR",
                "127.0.0.1:7020",
                "Address of the controls, loopback only",
            ),
        };
        let loopback_only = [
            ("FAULT_PROXY_ADDR", config.address),
            ("FAULT_PROXY_CONTROL_ADDR", config.control),
        ];
        for (name, address) in loopback_only {
            if !address.ip().is_loopback() {
                environment.reject(name, "must be a loopback address");
            }
        }
        config
    }
}
