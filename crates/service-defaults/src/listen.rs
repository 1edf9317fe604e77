//! Where a process without credentials may listen.

use std::net::SocketAddr;

use crate::environment::Environment;

/// The names of the two settings, and the default address.
#[derive(Debug, Clone, Copy)]
pub struct ListenSettings {
    /// Name of the address.
    pub address: &'static str,
    /// The default address.
    pub default: &'static str,
    /// Name of the permission to listen beyond loopback.
    pub allow_remote: &'static str,
}

/// Reads the address. Without credentials everybody who reaches the port is the operator, so
/// beyond loopback it takes an explicit word.
pub fn read_address(environment: &mut Environment, settings: ListenSettings) -> SocketAddr {
    let address: SocketAddr =
        environment.parsed(settings.address, settings.default, "Address to listen on");
    let allowed = environment.choice(
        settings.allow_remote,
        "no",
        &["no", "yes"],
        "yes lets the service listen beyond loopback, as in a container's own network",
    );
    if !address.ip().is_loopback() && allowed == "no" {
        environment.reject(
            settings.address,
            format!(
                "{address} is not loopback; {}=yes allows it",
                settings.allow_remote
            ),
        );
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_loopback_takes_a_word() {
        let settings = ListenSettings {
            address: "ADDR",
            default: "127.0.0.1:1",
            allow_remote: "REMOTE",
        };
        for (pairs, errors) in [
            (vec![], 0),
            (vec![("ADDR", "[::1]:1")], 0),
            (vec![("ADDR", "0.0.0.0:1")], 1),
            (vec![("ADDR", "0.0.0.0:1"), ("REMOTE", "yes")], 0),
        ] {
            let pairs = pairs
                .into_iter()
                .map(|(n, v): (&str, &str)| (n.to_owned(), v.to_owned()));
            let mut environment = Environment::of_pairs(pairs);
            read_address(&mut environment, settings);
            assert_eq!(environment.errors().len(), errors);
        }
    }
}
