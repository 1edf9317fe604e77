//! Certificates of an experiment: the right one, and wrong ones. None outlives it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// Where the front listens, as the API's setting names it.
const RIGHT_NAME: &str = "127.0.0.1";

/// Reserved for examples: nobody's.
const WRONG_NAME: &str = "elsewhere.example";

/// What a server shows, by what is wrong with it.
pub(super) struct Certificates {
    /// Of who signed all but one, as PEM.
    pub(super) authority: String,
    pub(super) right: TlsAcceptor,
    pub(super) wrong_name: TlsAcceptor,
    pub(super) expired: TlsAcceptor,
    pub(super) unknown_issuer: TlsAcceptor,
}

type Authority = Issuer<'static, KeyPair>;

impl Certificates {
    pub(super) fn new() -> anyhow::Result<Self> {
        let (known, authority) = authority("The experiment's authority")?;
        let (unknown, _) = self::authority("Nobody's authority")?;
        let long_ago = |params: &mut CertificateParams| {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        };
        Ok(Self {
            authority,
            right: acceptor(&known, RIGHT_NAME, |_| {})?,
            wrong_name: acceptor(&known, WRONG_NAME, |_| {})?,
            expired: acceptor(&known, RIGHT_NAME, long_ago)?,
            unknown_issuer: acceptor(&unknown, RIGHT_NAME, |_| {})?,
        })
    }
}

/// Who signs, and its own certificate as PEM.
fn authority(name: &str) -> anyhow::Result<(Authority, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let pem = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), pem))
}

/// A server that shows a certificate for this name.
fn acceptor(
    authority: &Authority,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> anyhow::Result<TlsAcceptor> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    change(&mut params);
    let certificate = params.signed_by(&key, authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
