//! Free loopback ports.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

/// Below the kernel's range for outgoing connections (32768 and up), so that no
/// connection takes the port of a server which somebody has just killed and will
/// start again; above the ports that the stack of `make run-all` uses.
const RANGE: Range<u16> = 20_000..27_000;

/// Ports of a block.
const BLOCK: u16 = 100;

const BLOCKS: u16 = (RANGE.end - RANGE.start) / BLOCK;

static PORTS: Mutex<Ports> = Mutex::new(Ports {
    held: Vec::new(),
    rest: 0..0,
});

/// What this process may hand out. Who listens on the first port of a block has the block until
/// its process ends, so that no two processes hand out the same port, however long their servers
/// take to bind it.
struct Ports {
    held: Vec<TcpListener>,
    rest: Range<u16>,
}

/// A loopback port that nobody listens on, and that nobody else who asks here gets while this
/// process lives. Where the server can bind port 0 itself, prefer that.
///
/// # Errors
/// When no free port was found.
pub fn free() -> anyhow::Result<u16> {
    let mut ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(port) = ports.rest.find(|port| listen(*port).is_ok()) {
            return Ok(port);
        }
        ports.take_block()?;
    }
}

impl Ports {
    fn take_block(&mut self) -> anyhow::Result<()> {
        // Not those that the process before has just used.
        let first = fastrand::u16(..BLOCKS);
        let begins = (first..BLOCKS).chain(0..first);
        let (begin, holder) = begins
            .map(|block| RANGE.start + block * BLOCK)
            .find_map(|begin| Some((begin, listen(begin).ok()?)))
            .with_context(|| format!("no {BLOCK} loopback ports are free in {RANGE:?}"))?;
        self.held.push(holder);
        self.rest = begin + 1..begin + BLOCK;
        Ok(())
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_is_free_and_given_once() {
        let ports: Vec<u16> = (0..2 * BLOCK).map(|_| free().unwrap()).collect();
        for port in &ports {
            assert!(RANGE.contains(port));
            listen(*port).unwrap();
        }
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_block_has_one_holder() {
        let port = free().unwrap();
        let first = port - port % BLOCK;
        assert_eq!(
            listen(first).unwrap_err().kind(),
            io::ErrorKind::AddrInUse,
            "the port {port}"
        );
    }
}
