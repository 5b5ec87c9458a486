//! `longhorn model explain` and `provenance`: what a registry said of a version, judged again where there is no registry.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use super::args::{Asked, ModelExplainArgs, ModelProvenanceArgs, ModelSignArgs, ProvenanceAs, TrustArgs};
use super::provenance;
use super::terminal::{Terminal, closed};
use crate::config::document::{as_text, data_as_text, read_bytes, read_data, read_data_within};
use crate::config::read_policy;
use crate::context::Claims;
use crate::context::seal::{Expiry, Vouching, open};
use crate::context::statement::key_named;
use crate::decision::catalog::Catalog;
use crate::decision::models::{AliasRule, Models};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::host::clock::{Clock, Timestamp};
use crate::model::{BundleKey, Candidate, FACTS, Facts, Gate, Gather, Noted, Unread, Verdict};
use crate::screen::{Screen, one_line};
use crate::unverified::Unverified;

/// The audience of the contexts that nodes publish.
const AUDIENCE: &str = "longhorn";
/// No facts are longer, in bytes.
const MOST_FACTS: u64 = 64 * 1024 * 1024;

/// Runs `model explain`: 0 where every check holds.
pub fn explain(args: &ModelExplainArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    explained(args, clock, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn explained(args: &ModelExplainArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let policy = policy(&args.policy, terminal)?;
    let trust = Trust::read(&args.trust)?;
    let promoter = args.promoter.as_deref().map(|path| promoter(path, &trust, clock.now())).transpose()?;
    let candidate = candidate(&args.asked, &args.facts, &trust, &policy.models.catalog, clock.now())?;
    let unasked = if promoter.is_some() { Vec::new() } else { of_the_promoter(&policy, &candidate, &args.asked.alias) };
    let verdict = Gate::new(policy.into()).judge(&candidate, &args.asked.alias, promoter.as_ref());
    let shown = if args.json {
        writeln!(terminal.out, "{}", json(&args.asked, &verdict, &unasked))
    } else {
        text(&args.asked, &verdict, &unasked, terminal)
    };
    shown.map_err(closed)?;
    Ok(if verdict.passes() { Exit::Ok } else { Exit::RefusedPolicy })
}

/// The checks that ask who promotes: where nobody is named, nobody has looked at them.
pub(super) fn of_the_promoter(policy: &Policy, candidate: &Candidate, alias: &str) -> Vec<&'static str> {
    let rule = policy.models.rule(&candidate.version.name).and_then(|rule| rule.alias(alias));
    let asks = |rule: &AliasRule| [Some("promoted-by"), rule.four_eyes.then_some("four-eyes")];
    rule.map(asks).into_iter().flatten().flatten().collect()
}

fn text(asked: &Asked, verdict: &Verdict, unasked: &[&str], terminal: &mut Terminal<'_>) -> std::io::Result<()> {
    let word = if verdict.passes() { "may have" } else { "may not have" };
    let far = if verdict.passes() && !unasked.is_empty() { ", as far as was looked" } else { "" };
    let (version, name, alias) = (one_line(&asked.version), one_line(&asked.name), one_line(&asked.alias));
    writeln!(terminal.out, "version {version} of {name} {word} {alias}{far}")?;
    checks(verdict, unasked, terminal.out)
}

/// Each check on its line, those that were left out, and the labels.
pub(super) fn checks(verdict: &Verdict, unasked: &[&str], out: &mut dyn Write) -> std::io::Result<()> {
    for check in &verdict.checks {
        let mark = if check.holds { "holds" } else { "FAILS" };
        writeln!(out, "{mark}  {:21} {}", check.name, one_line(&check.presented))?;
        if !check.holds {
            writeln!(out, "       {:21} {}", "expected", one_line(&check.expected))?;
        }
    }
    for name in unasked {
        writeln!(out, "open   {name:21} not looked at: it asks who promotes, and nobody is named")?;
    }
    // A label may be the rest of a tag's key, which whoever may tag data wrote.
    let labels: Vec<String> = verdict.labels.iter().map(|label| one_line(label)).collect();
    writeln!(out, "labels {}", if labels.is_empty() { "none".to_owned() } else { labels.join(", ") })
}

fn json(asked: &Asked, verdict: &Verdict, unasked: &[&str]) -> String {
    let checks: Vec<_> = verdict.checks.iter().map(provenance::check).collect();
    serde_json::json!({
        "name": asked.name, "version": asked.version, "alias": asked.alias, "passes": verdict.passes(), "checks": checks,
        "not_looked_at": unasked, "labels": verdict.labels,
    })
    .to_string()
}

/// Runs `model provenance`: 0 where every word is vouched for and nothing was changed since.
pub fn provenance(args: &ModelProvenanceArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    told(args, clock, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn told(args: &ModelProvenanceArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let models = match &args.policy {
        Some(path) => policy(path, terminal)?.models,
        None => Models::default(),
    };
    let trust = Trust::read(&args.trust)?;
    let asked = Asked { name: args.name.clone(), version: args.version.clone(), alias: String::new() };
    let candidate = candidate(&asked, &args.facts, &trust, &models.catalog, clock.now())?;
    let verdict = crate::model::evidence(&models, &candidate);
    let story = provenance::Story::of(&candidate, &verdict, &models);
    let shown = match args.shown {
        ProvenanceAs::Text => story.text(),
        ProvenanceAs::Json => story.json(),
        ProvenanceAs::Svg => story.svg(),
    };
    terminal.out.write_all(shown.as_bytes()).map_err(closed)?;
    Ok(if verdict.passes() { Exit::Ok } else { Exit::RefusedEvidence })
}

/// Runs `model sign`: a bundle on standard output, only of what was promoted and is still what it was.
pub fn sign(args: &ModelSignArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    signed(args, clock, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn signed(args: &ModelSignArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let asked = &args.asked;
    let trust = Trust::read(&args.trust)?;
    let key = bundle_key(&args.key)?;
    let facts = facts(&args.facts)?;
    let vouching = |token: &str| trust.of(token);
    let registry = Noted::new(&facts, &vouching);
    let catalog = Catalog::default();
    let gather = Gather { registry: &registry, audience: AUDIENCE, now: clock.now(), shelf: facts.shelf(), catalog: &catalog };
    let lacks = |error: Unread| lacking(asked, &args.facts, error.to_string());
    let candidate = at_once(gather.candidate(&asked.name, &asked.version, &asked.alias)).map_err(lacks)?;
    let (candidate, _) = candidate.ok_or_else(|| lacking(asked, &args.facts, "no such version".into()))?;
    let refused = |presented: String| {
        Screen::refused("not-promoted", Exit::RefusedEvidence, "this version is not signed")
            .fact(
                "expected",
                format!("a node's word that version {} had {}, and everything as it was then", asked.version, asked.alias),
            )
            .fact("presented", presented)
            .hint("`longhorn model provenance` says what of it does not hold")
    };
    let verdict = crate::model::evidence(&Models::default(), &candidate);
    if let Some(check) = verdict.failed().next() {
        return Err(refused(format!("{}: {}", check.name, check.presented)));
    }
    let had = candidate.promoted.as_ref().is_some_and(|promoted| {
        promoted.name == asked.name
            && promoted.version == asked.version
            && promoted.alias.eq_ignore_ascii_case(&asked.alias)
            && promoted.files == candidate.made.files
    });
    if !had {
        return Err(refused("no such word".into()));
    }
    let files = at_once(gather.files(&asked.name, &asked.version)).map_err(lacks)?;
    let files = files.ok_or_else(|| refused("files out of reach".into()))?;
    let bundle = key.sign(&asked.name, &files).ok_or_else(|| {
        Screen::failed("not-signed", Exit::Internal, "the crypto library does not sign")
            .fact("expected", "a signature")
            .fact("presented", "none")
            .hint("try again; tell us if it goes on")
    })?;
    writeln!(terminal.out, "{bundle}").map_err(closed)?;
    Ok(Exit::Ok)
}

fn bundle_key(path: &Path) -> Result<BundleKey, Screen> {
    let pem = zeroize::Zeroizing::new(read_data(path)?);
    let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).ok();
    der.and_then(|der| BundleKey::from_pkcs8(der.secret_pkcs8_der()).ok()).ok_or_else(|| {
        Screen::failed("bundle-key-malformed", Exit::Data, "this is no key for bundles")
            .fact("file", path.display())
            .fact("expected", "a private key over P-256, PKCS#8 in PEM")
            .fact("presented", "something else")
            .hint("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256")
    })
}

pub(super) fn policy(path: &Path, terminal: &mut Terminal<'_>) -> Result<Policy, Screen> {
    let bytes = read_bytes(path)?;
    read_policy(&path.display().to_string(), as_text(path, &bytes)?).map(|(policy, _)| policy).map_err(|problems| {
        // Talk: nobody listening is no reason to go on.
        let _ = write!(terminal.err, "{problems}");
        problems.screen("policy-problems", "the policy has problems")
    })
}

/// Whose word counts.
pub(super) struct Trust {
    published: BTreeMap<String, Vouching>,
    authority: Option<Vouching>,
}

impl Trust {
    pub(super) fn read(args: &TrustArgs) -> Result<Self, Screen> {
        let keys = match (&args.authority, &args.issuer_keys) {
            (Some(key), _) => Some(vec![super::context::authority_key(key)?]),
            (None, Some(path)) => Some(super::context::issuer_keys(path)?),
            (None, None) => None,
        };
        let published = match &args.node_keys {
            Some(directory) => super::context::published_keys(directory)?,
            None => Vec::new(),
        };
        let named = |key: crate::context::NodePublicKey| (key.thumbprint(), Vouching::Published(key));
        Ok(Self { published: published.into_iter().map(named).collect(), authority: keys.map(Vouching::Authority) })
    }

    fn of(&self, token: &str) -> Option<Vouching> {
        let kid = key_named(&Unverified::new(token.as_bytes()))?;
        self.published.get(&kid).or(self.authority.as_ref()).cloned()
    }
}

fn promoter(path: &Path, trust: &Trust, now: Timestamp) -> Result<Claims, Screen> {
    let bytes = read_data(path)?;
    let token = data_as_text(path, &bytes)?.trim();
    let nobody = || {
        Screen::refused("promoter-unknown", Exit::Data, "nobody vouches for the node of whoever would promote")
            .fact("file", path.display())
            .fact("expected", "a context by a node key that counts here")
            .fact("presented", "one by another key, or none")
            .hint("name the authority of that node, or the directory where its key was published")
    };
    let vouching = trust.of(token).ok_or_else(nobody)?;
    open(&Unverified::new(token.as_bytes()), &vouching.voucher(), AUDIENCE, now, Expiry::Ignored)
        .map_err(|refusal| refusal.screen())
}

pub(super) fn candidate(
    asked: &Asked,
    path: &Path,
    trust: &Trust,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<Candidate, Screen> {
    let facts = facts(path)?;
    let vouching = |token: &str| trust.of(token);
    let registry = Noted::new(&facts, &vouching);
    let gather = Gather { registry: &registry, audience: AUDIENCE, now, shelf: facts.shelf(), catalog };
    let gathered = at_once(gather.candidate(&asked.name, &asked.version, &asked.alias));
    let gathered = gathered.map_err(|error: Unread| lacking(asked, path, error.to_string()))?;
    gathered.map(|(candidate, _)| candidate).ok_or_else(|| lacking(asked, path, "no such version".into()))
}

fn lacking(asked: &Asked, path: &Path, what: String) -> Screen {
    Screen::failed("facts-lacking", Exit::Data, "these facts do not tell of that version")
        .fact("file", path.display())
        .fact("expected", format!("what the registry says of version {} of {}", asked.version, asked.name))
        .fact("presented", what)
        .hint("write them with `longhorn model facts` for the same version and alias")
}

fn facts(path: &Path) -> Result<Facts, Screen> {
    let malformed = |what: String| {
        Screen::failed("facts-malformed", Exit::Data, "this is not what `longhorn model facts` writes")
            .fact("file", path.display())
            .fact("expected", format!("JSON whose `kind` is {FACTS}"))
            .fact("presented", what)
            .hint("write it anew with `longhorn model facts`")
    };
    let bytes = read_data_within(path, MOST_FACTS)?;
    let facts: Facts = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    if facts.kind == FACTS { Ok(facts) } else { Err(malformed(facts.kind)) }
}

/// What never waits for anybody.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
