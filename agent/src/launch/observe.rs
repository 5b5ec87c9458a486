//! A launch where the signed policy says `observe`: nothing is enforced, the context is injected, and what enforcing would
//! have removed, overridden or refused is reported. No lease and no lock hold such a launch back.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::exec::{LaunchError, pass};
use super::shim::{check_lease, join, report, sidecar, tell, unknown_target};
use crate::host::clock::Clock;
use crate::host::paths;
use crate::lock::TargetKind;
use crate::lock::cover::observed_program;
use crate::lock::env::Built;
use crate::lock::sealed::{SealError, SealedLock};
use crate::record::receipt;
use crate::screen::Screen;
use crate::unverified::Unverified;
use crate::wire::report::{Enforced, Hindrance, LaunchReport, Outcome};

/// Under a sealed lock that says `observe`.
pub(super) fn with_lock(
    number: u32,
    lock: &SealedLock,
    arguments: Vec<OsString>,
    given: &[(OsString, OsString)],
    clock: &dyn Clock,
) -> Result<Infallible, Screen> {
    let pairs = || given.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
    let target = lock.target(number);
    let real = match target {
        Some(target) => target.real.clone(),
        // A copy from an earlier installation, as `venv --copies` makes: the program it stood for may still be there.
        None => program(number).ok_or_else(|| unknown_target(number))?,
    };
    let outcome = match target.map(|target| target.kind) {
        // The lock leaves no marks that would tell the job's callers from the platform's: what was injected at the root of
        // the tree does, where nobody took it away.
        Some(TargetKind::Inside) if !lock.env.told(pairs()) => Outcome::ObservedOutside,
        Some(TargetKind::Inside | TargetKind::Root) | None => Outcome::Observed,
    };
    let hindrance = match target {
        None => Hindrance::TargetUnknown,
        // The platform's own callers are under no lease.
        Some(_) if outcome == Outcome::ObservedOutside => Hindrance::None,
        Some(_) if check_lease(lock, clock).is_err() => Hindrance::LeaseEnded,
        Some(_) if receipt::accept(&Unverified::new(lock.seal.receipt.as_slice())).is_err() => Hindrance::DecisionNotRecorded,
        Some(_) => Hindrance::None,
    };
    let built = lock.env.observe(pairs());
    go(number, &real, outcome, hindrance, arguments, built)
}

/// Without a sealed lock: the link that only an observing installation has. Everywhere else the launch is refused.
pub(super) fn without_lock(
    number: u32,
    error: &SealError,
    arguments: Vec<OsString>,
    given: &[(OsString, OsString)],
) -> Result<Infallible, Screen> {
    let Some(real) = program(number) else { return Err(error.screen(Path::new(paths::LOCK))) };
    let hindrance = match error {
        SealError::Open(_) => Hindrance::LockMissing,
        SealError::Foreign { .. } => Hindrance::LockForeign,
        SealError::Damaged => Hindrance::LockDamaged,
    };
    let built = Built { entries: given.iter().cloned().map(join).collect(), ..Built::default() };
    go(number, &real, Outcome::Observed, hindrance, arguments, built)
}

fn program(number: u32) -> Option<PathBuf> {
    std::fs::read_link(observed_program(number)).ok()
}

fn go(
    number: u32,
    real: &Path,
    outcome: Outcome,
    hindrance: Hindrance,
    arguments: Vec<OsString>,
    built: Built,
) -> Result<Infallible, Screen> {
    tell(&sidecar(), &LaunchReport { hindrance, ..report(number, outcome, Enforced::default(), &built) });
    pass(real, arguments, built.entries).map_err(|error: LaunchError| error.screen())
}
