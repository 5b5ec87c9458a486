//! The issuer's own settings: `longhorn issue --settings FILE`. Whose machines it certifies is the signed policy's to say.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::settings::PolicyPin;

/// The settings as parsed. Nothing here that decides trust has a default.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// `[issuer] name`: what stands as `iss` in certificates and what nodes know as `url`.
    pub name: String,
    /// `[issuer] store`: a directory of the issuer's own.
    pub store: PathBuf,
    /// `[listen]`.
    pub listen: Listen,
    /// `[policy]`: as in a node's settings.
    pub policy: PolicyPin,
    /// `[certificates]`.
    pub certificates: CertificateTerms,
    /// `[issuer] ca-file`: PEM roots for asking a cloud's issuer for its keys, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// `[listen]`.
#[derive(Clone, Debug)]
pub struct Listen {
    /// `address`: where.
    pub address: SocketAddr,
    /// `certificate` and `key`, both PEM; without them only loopback is listened on.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// `[certificates]`.
#[derive(Clone, Copy, Debug)]
pub struct CertificateTerms {
    /// `lifetime`: how long a certificate holds.
    pub lifetime: Duration,
    /// `key-period`: how long a signing key signs.
    pub key_period: Duration,
    /// `boots-per-instance`: for how many boots of one machine keys are certified.
    pub boots: u32,
}
