//! Text to [`IssuerSettings`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::issuer_settings::{CertificateTerms, IssuerSettings, Listen};
use super::problem::Problems;
use super::read_settings::{absolute, issuer_url, policy};
use super::reader::{At, Reader, Section};

const HOUR: Duration = Duration::from_secs(3600);
/// The shortest and the longest life of a certificate.
const LIFETIME: [Duration; 2] = [Duration::from_secs(600), Duration::from_secs(30 * 24 * 3600)];
/// The shortest and the longest time that a key signs.
const PERIOD: [Duration; 2] = [HOUR, Duration::from_secs(400 * 24 * 3600)];
/// No machine is certified for more boots.
const BOOTS_MOST: u64 = 64;

/// Reads an issuer's settings.
///
/// # Errors
/// Every problem, when there is one that stops them from being used.
pub fn read_issuer_settings(file: &str, text: &str) -> Result<IssuerSettings, Problems> {
    let reader = Reader::new(file, text);
    let table = reader.parse(text);
    let settings = table.as_ref().and_then(|table| root(reader.section(table)));
    let problems = reader.finish();
    match settings {
        Some(settings) if !problems.any_error() => Ok(settings),
        Some(_) | None => Err(problems),
    }
}

fn root(root: Section<'_>) -> Option<IssuerSettings> {
    let issuer = root.need_table("issuer").and_then(issuer);
    let listen = root.need_table("listen").and_then(listen);
    let policy = root.need_table("policy").and_then(policy);
    let certificates = root.need_table("certificates").and_then(certificates);
    root.finish();
    let (name, store, ca_file) = issuer?;
    Some(IssuerSettings { name, store, listen: listen?, policy: policy?, certificates: certificates?, ca_file })
}

fn issuer(section: Section<'_>) -> Option<(String, PathBuf, Option<PathBuf>)> {
    let name = section.need_text("name").and_then(|name| issuer_url(&section, &name, "name"));
    let store = section.need_text("store").and_then(|store| absolute(&section, &store));
    let ca_file = section.text("ca-file").and_then(|text| absolute(&section, &text));
    section.finish();
    Some((name?, store?, ca_file))
}

fn listen(section: Section<'_>) -> Option<Listen> {
    let address = section.need_text("address").and_then(|text| {
        let address = text.value.parse::<SocketAddr>().ok();
        if address.is_none() {
            let message = "`address` must be an address and a port such as \"0.0.0.0:8443\" or \"[::]:8443\"";
            section.reader().error(text.span.clone(), message, "names are not looked up");
        }
        address.map(|value| At { value, span: text.span })
    });
    let [certificate, key] = ["certificate", "key"].map(|name| section.text(name));
    let path = |text: &Option<At<String>>| text.as_ref().and_then(|text| absolute(&section, text));
    let tls = match (&certificate, &key) {
        (Some(_), Some(_)) => path(&certificate).zip(path(&key)),
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => {
            section.reader().error(one.span.clone(), "`certificate` and `key` stand together", "TLS needs both");
            None
        }
    };
    if let Some(address) = &address
        && certificate.is_none()
        && key.is_none()
        && !address.value.ip().is_loopback()
    {
        let message = "without `certificate` and `key` only an address of loopback is listened on";
        section.reader().error(address.span.clone(), message, "nodes could be told anything by anybody on the way");
    }
    section.finish();
    Some(Listen { address: address?.value, tls })
}

fn certificates(section: Section<'_>) -> Option<CertificateTerms> {
    let lifetime = within(&section, "lifetime", LIFETIME, "from 10m to 30d");
    let key_period = within(&section, "key-period", PERIOD, "from 1h to 400d");
    let boots = section.need_number("boots-per-instance").and_then(|At { value, span }| {
        let fits = (1..=BOOTS_MOST).contains(&value);
        if !fits {
            let message = format!("`boots-per-instance` must be from 1 to {BOOTS_MOST}");
            section.reader().error(span, message, "no cloud signs a boot id: each one more is a key that user code may get");
        }
        u32::try_from(value).ok().filter(|_| fits)
    });
    section.finish();
    Some(CertificateTerms { lifetime: lifetime?, key_period: key_period?, boots: boots? })
}

fn within(section: &Section<'_>, key: &'static str, [least, most]: [Duration; 2], words: &str) -> Option<Duration> {
    // Read as a text first: a missing one is said in the same way as every other.
    section.place(key).is_some().then_some(()).or_else(|| {
        let _ = section.need_text(key);
        None
    })?;
    let At { value, span } = section.duration(key)?;
    if value < least || value > most {
        section.reader().error(span, format!("`{key}` must be {words}"), "");
        return None;
    }
    Some(value)
}
