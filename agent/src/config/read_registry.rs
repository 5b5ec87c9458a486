//! `[registry]`: the MLflow that jobs reach through the gateway.

use super::read_settings::secret;
use super::reader::{At, Section};
use super::settings::{RegistryAuth, RegistrySettings};
use crate::identity::ids::{RegistryOrigin, WorkspaceHost};

/// `host` is the workspace's, where it could be read.
pub(super) fn registry(section: Section<'_>, host: Option<&WorkspaceHost>) -> Option<RegistrySettings> {
    let auth = section.need_table("auth").and_then(auth);
    let origin = match &auth {
        Some(RegistryAuth::Workspace) => own(&section, host),
        _ => section.need_parsed("origin").map(|origin| origin.value),
    };
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
    section.finish();
    Some(RegistrySettings { origin: origin?, port: port?, auth: auth? })
}

/// The workspace itself: its token goes nowhere else, so there is no other origin to name.
fn own(section: &Section<'_>, host: Option<&WorkspaceHost>) -> Option<RegistryOrigin> {
    if let Some(origin) = section.text("origin") {
        let message = "`origin` stands beside a login at the workspace, whose token goes to the workspace alone";
        section.reader().error(origin.span, message, "leave it out: requests go to `host` of [workspace]");
        return None;
    }
    // Both are origins by the same grammar.
    host.and_then(|host| RegistryOrigin::try_from(host.as_str()).ok())
}

fn auth(section: Section<'_>) -> Option<RegistryAuth> {
    #[derive(Clone, Copy)]
    enum Kind {
        None,
        Bearer,
        Basic,
        Workspace,
    }
    let words = [("none", Kind::None), ("bearer", Kind::Bearer), ("basic", Kind::Basic), ("workspace", Kind::Workspace)];
    let kind = section.need_word("kind", &words)?;
    let found = match kind.value {
        Kind::None => Some(RegistryAuth::None),
        Kind::Workspace => Some(RegistryAuth::Workspace),
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
