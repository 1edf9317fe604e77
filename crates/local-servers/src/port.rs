//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::bail;

/// Below the kernel's range for outgoing connections (32768 and up), so that no
/// connection takes the port of a server which somebody has just killed and will
/// start again; above the ports that the stack of `make run-all` uses.
const RANGE: Range<u16> = 20_000..27_000;

/// Tries before giving up: with half of the range taken, the chance that all of
/// them miss is 1 in 2⁶⁴.
const ATTEMPTS: u32 = 64;

/// A loopback port that nobody listens on.
///
/// The port is chosen at random from a wide range, so that two processes
/// that ask at the same moment get different ones. Where the server can bind
/// port 0 itself, prefer that.
///
/// # Errors
/// When no free port was found.
pub fn free() -> anyhow::Result<u16> {
    for _ in 0..ATTEMPTS {
        let port = fastrand::u16(RANGE);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free loopback port in {RANGE:?} after {ATTEMPTS} tries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound() {
        let port = free().unwrap();
        assert!(RANGE.contains(&port));
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
