//! The models' vendor as the API reaches it: a fault proxy before the simulator, by its address
//! or by a name, in the clear or through TLS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::names::{self, Names};
use super::tls::TlsFront;
use crate::plan::{Access, Handshake};

/// The way to the vendor.
#[derive(Debug)]
pub(super) struct Vendor {
    proxy: SocketAddr,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Address,
    Name(Names),
    Tls(TlsFront, PathBuf),
}

impl Vendor {
    /// What the plan wants before the proxy, with its files in the directory.
    ///
    /// # Errors
    /// A port, a file or a certificate cannot be had.
    pub(super) async fn start(
        access: Access,
        proxy: SocketAddr,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let way = match access {
            Access::Address => Way::Address,
            Access::Name => Way::Name(Names::create(directory)?),
            Access::Tls => {
                let authority = directory.join("authority.pem");
                Way::Tls(TlsFront::start(proxy, &authority).await?, authority)
            }
        };
        Ok(Self { proxy, way })
    }

    /// Where the API finds it.
    pub(super) fn url(&self) -> String {
        match &self.way {
            Way::Address => format!("http://{}", self.proxy),
            Way::Name(_) => format!("http://{}:{}", names::VENDOR, self.proxy.port()),
            Way::Tls(front, _) => format!("https://{}", front.address()),
        }
    }

    /// Whose signature the API trusts.
    pub(super) fn authority(&self) -> Option<&Path> {
        match &self.way {
            Way::Tls(_, authority) => Some(authority),
            Way::Address | Way::Name(_) => None,
        }
    }

    /// What the API finds names by, where that is not the machine's.
    pub(super) fn names(&self) -> Option<&Names> {
        match &self.way {
            Way::Name(names) => Some(names),
            Way::Address | Way::Tls(..) => None,
        }
    }

    /// New connections meet these handshakes in turn.
    ///
    /// # Errors
    /// There is no TLS before the vendor.
    pub(super) fn set_handshakes(&self, handshakes: &[Handshake]) -> anyhow::Result<()> {
        let Way::Tls(front, _) = &self.way else {
            bail!("the vendor has no TLS");
        };
        front.set(handshakes.to_vec());
        Ok(())
    }

    /// The vendor's name is found, or not.
    ///
    /// # Errors
    /// It has none.
    pub(super) fn set_known(&self, known: bool) -> anyhow::Result<()> {
        let names = self.names().context("the vendor has no name")?;
        names.set_known(known)
    }
}
