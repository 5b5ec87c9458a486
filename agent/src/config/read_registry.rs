//! `[registry]`: the MLflow that jobs reach through the gateway.

use super::read_settings::secret;
use super::reader::{At, Section};
use super::settings::{RegistryAuth, RegistrySettings};

pub(super) fn registry(section: Section<'_>) -> Option<RegistrySettings> {
    let origin = section.need_parsed("origin");
    let port = section.need_number("port").and_then(|At { value, span }| {
        // Below, a port would be a service's of the system; nothing may be bound there by accident.
        let port = u16::try_from(value).ok().filter(|port| *port >= 1024);
        if port.is_none() {
            section.reader().error(
                span,
                "`port` must be from 1024 to 65535",
                "one of loopback that nothing else on the node uses",
            );
        }
        port
    });
    let auth = section.need_table("auth").and_then(auth);
    section.finish();
    Some(RegistrySettings { origin: origin?.value, port: port?, auth: auth? })
}

fn auth(section: Section<'_>) -> Option<RegistryAuth> {
    #[derive(Clone, Copy)]
    enum Kind {
        None,
        Bearer,
        Basic,
    }
    let kind = section.need_word("kind", &[("none", Kind::None), ("bearer", Kind::Bearer), ("basic", Kind::Basic)])?;
    let found = match kind.value {
        Kind::None => Some(RegistryAuth::None),
        Kind::Bearer => section.need_table("secret").and_then(secret).map(RegistryAuth::Bearer),
        Kind::Basic => {
            let user = section.need_text("user").and_then(|At { value, span }| {
                // RFC 7617 §2: a colon would end it.
                let fits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
                if !fits {
                    section.reader().error(span, "`user` must be printable ASCII without a colon or blanks", "");
                }
                fits.then_some(value)
            });
            let secret = section.need_table("secret").and_then(secret);
            Some(RegistryAuth::Basic { user: user?, secret: secret? })
        }
    };
    section.finish();
    found
}
