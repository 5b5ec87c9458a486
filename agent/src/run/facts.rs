//! `longhorn model facts`: asks a registry for all that a version is judged by, and writes down what it answered.

use std::path::Path;
use std::rc::Rc;

use crate::cli::args::{ModelFactsArgs, RegistryArgs};
use crate::cli::terminal::{Terminal, closed};
use crate::context::seal::Vouching;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::http::tls;
use crate::host::secret::Secret;
use crate::model::{Digest, Facts, Gather, Noting, Registry, Shelf, Unread};
use crate::screen::Screen;
use crate::serve::gateway::{Credential, Line, Unreachable, Upstream};
use crate::unverified::Unverified;

/// A registry over a line of its own. Whose word counts is asked where the facts are judged.
struct Asked(Line);

/// Why nothing was written.
enum Silent {
    Unreachable,
    Unread(Unread),
}

impl From<Unread> for Silent {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl From<Unreachable> for Silent {
    fn from(_: Unreachable) -> Self {
        Self::Unreachable
    }
}

impl Registry for Asked {
    type Error = Silent;

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Unverified<Vec<u8>>>, Silent> {
        Ok(self.0.get(path, query).await?)
    }

    async fn digest(&self, path: &str) -> Result<Option<Digest>, Silent> {
        Ok(self.0.digest(path).await?)
    }

    async fn vouching(&self, _token: &str) -> Option<Vouching> {
        None
    }
}

/// Runs it.
pub fn run(args: &ModelFactsArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    let written = gathered(args, clock).and_then(|facts| {
        let text = serde_json::to_string(&facts).expect("texts alone");
        writeln!(terminal.out, "{text}").map_err(closed)
    });
    match written {
        Ok(()) => Exit::Ok,
        Err(screen) => terminal.show(&screen),
    }
}

fn gathered(args: &ModelFactsArgs, clock: &dyn Clock) -> Result<Facts, Screen> {
    let asked = &args.asked;
    let registry = Asked(Line::new(Rc::new(upstream(&args.registry)?)));
    let noting = Noting::new(&registry);
    let gather = Gather { registry: &noting, audience: super::AUDIENCE, now: clock.now(), shelf: Shelf::Workspace };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
    let runtime = runtime.map_err(super::serve::os("a registry cannot be asked"))?;
    let local = tokio::task::LocalSet::new();
    let gathered = local.block_on(&runtime, gather.candidate(&asked.name, &asked.version, &asked.alias));
    let about = |screen: Screen| screen.fact("asked", &args.registry.registry);
    match gathered {
        Ok(Some(_)) => Ok(noting.facts()),
        Ok(None) => Err(about(Screen::failed("version-unknown", Exit::NoInput, "the registry has no such version"))
            .fact("expected", format!("version {} of {}", asked.version, asked.name))
            .fact("presented", "none, or one whose source names nothing")
            .hint("is it the right registry, and may this user see the model?")),
        Err(Silent::Unreachable) => {
            Err(about(Screen::failed("registry-unavailable", Exit::Unavailable, "the registry does not answer"))
                .fact("expected", "answers with status 200 or 404")
                .fact("presented", "none, or another status")
                .hint("check the address, the network, and what `--secret` holds"))
        }
        Err(Silent::Unread(unread)) => {
            Err(about(Screen::failed("registry-unintelligible", Exit::Protocol, "the registry's answer cannot be understood"))
                .fact("expected", "what MLflow's registry answers")
                .fact("presented", unread)
                .hint("is this the address of the registry, or of something in between?"))
        }
    }
}

fn upstream(args: &RegistryArgs) -> Result<Upstream, Screen> {
    let failed = |error: &dyn std::error::Error| {
        Screen::failed("registry-unusable", Exit::Usage, error.to_string())
            .fact("expected", "https://host, or http:// on loopback, and root certificates in PEM")
            .fact("presented", &args.registry)
            .hint("name the registry's origin, without a path")
    };
    let secret = args.secret.as_deref().map(secret).transpose()?;
    let credential = match (&args.user, secret) {
        (_, None) => Credential::None,
        (Some(user), Some(secret)) => Credential::Basic(user.clone(), secret),
        (None, Some(secret)) => Credential::Bearer(secret),
    };
    let tls = tls(args.ca_file.as_deref()).map_err(|error| failed(&error))?;
    Upstream::new(&args.registry, tls, credential).map_err(|error| failed(&error))
}

fn secret(path: &Path) -> Result<Secret, Screen> {
    let bytes = zeroize::Zeroizing::new(crate::config::document::read_bytes(path)?);
    Secret::new(bytes.trim_ascii_end()).ok_or_else(|| {
        Screen::failed("secret-malformed", Exit::Data, "the file holds no secret")
            .fact("file", path.display())
            .fact("expected", "printable ASCII, and something of it")
            .fact("presented", "something else")
            .hint("one line with the token or the password")
    })
}
