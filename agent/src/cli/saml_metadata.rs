//! `longhorn policy saml-metadata`: the lines of a policy that a provider's metadata gives. Everything else is for whoever signs
//! the policy to say.

use std::fmt::Write;

use super::args::PolicySamlMetadataArgs;
use super::terminal::{Terminal, closed};
use crate::config::document::read_data;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::identity::{Metadata, MetadataError};
use crate::screen::Screen;

pub(super) fn print(args: &PolicySamlMetadataArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let bytes = read_data(&args.metadata)?;
    let metadata = Metadata::read(&bytes).map_err(|error| unusable(args, &error))?;
    let mut text = format!("[[trust.saml]]\nname = \"{}\"\nentity-id = \"{}\"\n", args.name, metadata.entity_id);
    text.push_str("# audience, recipient, groups and subject: metadata does not say them\ncertificates = [\n");
    for certificate in &metadata.certificates {
        let until = if certificate.not_after <= clock.now() { "it has ended: " } else { "" };
        let _ = write!(
            text,
            "  # sha256 {}\n  # {until}good from {} until {}\n  \"\"\"\n{}\"\"\",\n",
            certificate.sha256,
            certificate.not_before,
            certificate.not_after,
            certificate.to_pem()
        );
    }
    text.push_str("]\n");
    terminal.out.write_all(text.as_bytes()).map_err(closed)?;
    // Nobody listening is no reason to stop.
    let _ =
        writeln!(terminal.err, "whoever wrote this file chose these certificates: compare each sha256 with the provider's own");
    Ok(Exit::Ok)
}

fn unusable(args: &PolicySamlMetadataArgs, error: &MetadataError) -> Screen {
    let hint = match error {
        MetadataError::Xml(_) => {
            "is this file the metadata, and all of it? Comments and document types are refused: take them out"
        }
        MetadataError::NotOneEntity(_) => "a federation's file holds many providers: take out the one that signs for you",
        MetadataError::NoEntityId | MetadataError::NoProvider => "is this the provider's metadata, and not a service's?",
        MetadataError::NoCertificate => "the provider must publish the certificate that it signs with",
        MetadataError::Certificate(_) => "RSA from 2048 bits, P-256 or P-384: let the provider make a key of these",
    };
    Screen::failed("metadata-unusable", Exit::Data, "the metadata gives no lines for a policy")
        .fact("file", args.metadata.display())
        .fact("expected", "the metadata of one SAML 2.0 identity provider")
        .fact("presented", error)
        .hint(hint)
}
