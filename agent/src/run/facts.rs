//! `longhorn model facts`: asks a registry for all that a version is judged by, and writes down what it answered.

use std::path::Path;
use std::rc::Rc;

use super::workspace::{self, Desk};
use crate::cli::args::{ModelFactsArgs, RegistryArgs};
use crate::cli::terminal::{Terminal, closed};
use crate::config::document::{read_data, read_data_within};
use crate::context::seal::Vouching;
use crate::decision::catalog::Catalog;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::http::{MOST_ROOTS, tls};
use crate::host::random::Random;
use crate::host::secret::Secret;
use crate::identity::ids::RegistryOrigin;
use crate::model::catalog::{Answer, Question, UnityCatalog};
use crate::model::{Digest, Facts, Gather, Noting, Registry, Shelf, Unread};
use crate::screen::Screen;
use crate::serve::gateway::{Credential, Line, Unreachable, Upstream};
use crate::unverified::Unverified;

/// A registry over a line of its own. Whose word counts is asked where the facts are judged.
struct Asked<'d> {
    line: Line,
    /// The workspace, where Unity Catalog is asked as well.
    desk: Option<&'d Desk<'d>>,
}

/// Why nothing was written.
enum Silent {
    Unreachable(Unreachable),
    Unread(Unread),
}

impl From<Unread> for Silent {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl From<Unreachable> for Silent {
    fn from(unreachable: Unreachable) -> Self {
        Self::Unreachable(unreachable)
    }
}

impl Registry for Asked<'_> {
    type Error = Silent;

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Unverified<Vec<u8>>>, Silent> {
        Ok(self.line.get(path, query).await?)
    }

    async fn digest(&self, path: &str) -> Result<Option<Digest>, Silent> {
        Ok(self.line.digest(path).await?)
    }

    async fn catalog(&self, question: &Question) -> Answer {
        match self.desk {
            Some(desk) => desk.ask(question).await,
            None => Err("the workspace was not asked: `--settings` says which one it is".to_owned()),
        }
    }

    async fn vouching(&self, _token: &str) -> Option<Vouching> {
        None
    }
}

/// Runs it.
pub fn run(args: &ModelFactsArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Exit {
    let written = gathered(args, clock, random, terminal).and_then(|facts| {
        let text = serde_json::to_string(&facts).expect("texts alone");
        writeln!(terminal.out, "{text}").map_err(closed)
    });
    match written {
        Ok(()) => Exit::Ok,
        Err(screen) => terminal.show(&screen),
    }
}

fn gathered(args: &ModelFactsArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Result<Facts, Screen> {
    let asked = &args.asked;
    // What the policy has asked of Unity Catalog is asked with the settings' credentials; without both nothing is.
    let (mut catalog, mut desk) = (Catalog::default(), None);
    if let (Some(settings), Some(policy)) = (&args.settings, &args.policy) {
        catalog = workspace::policy(policy, terminal)?.models.catalog;
        desk = Some(Desk::open(&workspace::settings(settings, terminal)?, clock, random)?);
    }
    let registry = Asked { line: Line::new(Rc::new(upstream(&args.registry)?)), desk: desk.as_ref() };
    let noting = Noting::new(&registry);
    let shelf = if args.unity_catalog { Shelf::Catalog } else { Shelf::Workspace };
    let gather = Gather { registry: &noting, audience: super::AUDIENCE, now: clock.now(), shelf, catalog: &catalog };
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
        Err(Silent::Unreachable(unreachable)) => Err(unavailable(&args.registry.registry, &unreachable)),
        Err(Silent::Unread(unread)) => {
            Err(about(Screen::failed("registry-unintelligible", Exit::Protocol, "the registry's answer cannot be understood"))
                .fact("expected", "what MLflow's registry answers")
                .fact("presented", unread)
                .hint("is this the address of the registry, or of something in between?"))
        }
    }
}

/// What came instead of an answer, and what to do about that.
fn unavailable(registry: &str, unreachable: &Unreachable) -> Screen {
    let headline = match unreachable {
        Unreachable::Status(_) => "the registry does not answer what it was asked",
        _ => "the registry does not answer",
    };
    let hint = match unreachable {
        Unreachable::Status(401 | 403) => "check what `--user` and `--secret` say, and whether that user may see the model",
        Unreachable::Status(300..=399) => "a registry sends nobody elsewhere: name the origin that it answers at",
        Unreachable::Status(_) => "try again; if it stays, ask whoever runs the registry",
        _ => "check the address and the network, and `--ca-file` where the registry's certificate is not publicly trusted",
    };
    let cause = std::error::Error::source(unreachable).map(|cause| format!(": {cause}")).unwrap_or_default();
    Screen::failed("registry-unavailable", Exit::Unavailable, headline)
        .fact("asked", registry)
        .fact("expected", "answers with status 200 or 404, in time")
        .fact("presented", format!("{unreachable}{cause}"))
        .hint(hint)
}

fn upstream(args: &RegistryArgs) -> Result<Upstream, Screen> {
    let unusable = || {
        Screen::failed("registry-unusable", Exit::Usage, "the registry's address is no origin that is spoken to")
            .fact("expected", "https://host[:port], or http:// on loopback")
            .fact("presented", &args.registry)
            .hint("name the registry's origin, without a path")
    };
    // A path would be dropped, and another registry asked than was meant.
    let origin = args.registry.strip_suffix('/').unwrap_or(&args.registry);
    let origin = RegistryOrigin::try_from(origin).map_err(|_| unusable())?;
    let secret = args.secret.as_deref().map(secret).transpose()?;
    let credential = match (&args.user, secret) {
        (_, None) => Credential::None,
        (Some(user), Some(secret)) => Credential::Basic(user.clone(), secret),
        (None, Some(secret)) => Credential::Bearer(secret),
    };
    Upstream::new(origin.as_str(), roots(args.ca_file.as_deref())?, credential).map_err(|_| unusable())
}

fn roots(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, Screen> {
    if let Some(path) = ca_file {
        // Missing and unreadable are told apart from what holds no certificates.
        read_data_within(path, MOST_ROOTS)?;
    }
    tls(ca_file).map_err(|error| {
        let screen = Screen::failed("roots-unusable", Exit::Data, error.to_string());
        let screen = match ca_file {
            Some(path) => screen.fact("file", path.display()),
            None => screen.fact("file", "the system's"),
        };
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        screen
            .fact("expected", "root certificates in PEM")
            .fact("presented", cause)
            .hint("`--ca-file` names the roots that the registry's certificate chains to")
    })
}

fn secret(path: &Path) -> Result<Secret, Screen> {
    let bytes = zeroize::Zeroizing::new(read_data(path)?);
    Secret::new(bytes.trim_ascii_end()).ok_or_else(|| {
        Screen::failed("secret-malformed", Exit::Data, "the file holds no secret")
            .fact("file", path.display())
            .fact("expected", "printable ASCII, and something of it")
            .fact("presented", "something else")
            .hint("one line with the token or the password")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_registry_answered_instead_is_named() {
        for (unreachable, presented, hint) in [
            (Unreachable::Status(401), "status 401", "--secret"),
            (Unreachable::Status(302), "status 302", "the origin that it answers at"),
            (Unreachable::Status(500), "status 500", "try again"),
            (Unreachable::Silent, "no answer in time", "the network"),
        ] {
            let screen = unavailable("https://a.example", &unreachable);
            assert_eq!(screen.exit, Exit::Unavailable);
            assert!(screen.facts.contains(&("presented".to_owned(), presented.to_owned())), "{screen}");
            assert!(screen.hint.contains(hint), "{screen}");
        }
    }
}
