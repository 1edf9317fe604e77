//! What a k6 may do: read its script, write into its own directory, reach its target.
//!
//! A script is a program with the rights of who runs it: k6's `open()` reads any file, and its
//! summary is written to any path. So every k6 that reads a script begins as a process of ours
//! that gives up these rights for good and then becomes k6 ([`crate::subcommand`]). The kernel
//! holds the rules (Landlock), so that they need no right of their own and cost k6 nothing.
//!
//! Rules on TCP are by port, the addresses are k6's `--blacklist-ip`. Two ways past the ports
//! remain, and k6 takes both only where its environment says so, which is empty: sockets of
//! multipath TCP, and datagrams.

mod confinement;
mod limits;

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr,
    Scope, path_beneath_rules,
};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd;
use serde::{Deserialize, Serialize};

pub use self::confinement::Confinement;
pub use self::limits::Limits;

/// The rules that are known here; an older kernel holds those that it knows.
const RULES: ABI = ABI::V7;

/// Where the certificates of authorities are on the usual systems; absent ones are no harm.
const CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
];

/// The rights of one k6. Everything else of the file system and all other TCP ports are out of
/// its reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The k6 binary. It must be static: a loader and its libraries are out of reach.
    pub program: PathBuf,
    /// The directory that it writes into.
    pub directory: PathBuf,
    /// Files and directories that it reads; what does not exist is left out.
    pub readable: Vec<PathBuf>,
    /// Ports that it may connect to.
    pub connect: Vec<u16>,
    /// Ports that it may listen on.
    pub bind: Vec<u16>,
    /// What the kernel counts.
    pub limits: Limits,
}

/// Why a process cannot give up its rights.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The process that should watch over it is gone.
    #[error("who started it has ended")]
    Orphan,
    /// The kernel refused.
    #[error("{0}")]
    System(#[from] nix::errno::Errno),
    /// The kernel refused a rule.
    #[error("{0}")]
    Rules(#[from] landlock::RulesetError),
}

impl Sandbox {
    /// Binds this process to its parent, so that it is killed when that one ends, and gives up
    /// all other rights. There is no way back.
    ///
    /// # Errors
    /// [`SandboxError`]; then some rights may be gone, so that the process should end.
    pub(crate) fn enter(&self, parent: u32) -> Result<(), SandboxError> {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // It may have ended before it was named.
        if u32::try_from(unistd::getppid().as_raw()) != Ok(parent) {
            return Err(SandboxError::Orphan);
        }
        self.limits.set()?;
        self.restrict()
    }

    fn restrict(&self) -> Result<(), SandboxError> {
        let reading = AccessFs::ReadFile | AccessFs::ReadDir;
        let writing = AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::Truncate;
        let ports = |list: &[u16], access: AccessNet| {
            let list: Vec<_> = list
                .iter()
                .map(|port| NetPort::new(*port, access))
                .collect();
            list.into_iter().map(Ok::<_, landlock::RulesetError>)
        };
        Ruleset::default()
            .handle_access(AccessFs::from_all(RULES))?
            .handle_access(AccessNet::from_all(RULES))?
            .scope(Scope::from_all(RULES))?
            .create()?
            .add_rules(beneath(
                [&self.program],
                AccessFs::Execute | AccessFs::ReadFile,
            ))?
            .add_rules(beneath([&self.directory], reading | writing))?
            .add_rules(beneath(&self.readable, reading))?
            .add_rules(ports(&self.connect, AccessNet::ConnectTcp))?
            .add_rules(ports(&self.bind, AccessNet::BindTcp))?
            .restrict_self()?;
        Ok(())
    }
}

/// The rules of paths that exist.
fn beneath<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    access: BitFlags<AccessFs>,
) -> impl Iterator<Item = Result<landlock::PathBeneath<landlock::PathFd>, landlock::RulesetError>> {
    path_beneath_rules(paths, access)
}

/// The files by which a TLS client knows its server.
pub(crate) fn certificates() -> impl Iterator<Item = PathBuf> {
    CERTIFICATES.into_iter().map(PathBuf::from)
}
