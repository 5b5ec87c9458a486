//! The sealed lock: everything a launcher needs, flat, written once by `init`, root-owned and read-only.
//!
//! Trust comes from the inode (owner root, mode 0444, a directory that only root writes). The digest finds corruption and
//! stands in the context; it does not make a forged file true. The parser believes no length and no count.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

use super::env::EnvRule;
use super::files::Grants;
use super::plan::{PathRule, Plan, TargetKind};
use super::seccomp;
use super::strength::CAPABILITIES;
use crate::exit::Exit;
use crate::host::digest::hex;
use crate::screen::Screen;
use crate::wire::lease::BootId;

const MAGIC: &[u8; 8] = b"LHLOCK4\n";
const HEADER: usize = 8 + 32;
/// No sealed lock is longer.
const MOST: usize = 4 * 1024 * 1024;

/// A target as the launcher sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTarget {
    /// The number in its copy of the launcher.
    pub number: u32,
    /// What it does.
    pub kind: TargetKind,
    /// The real program.
    pub real: PathBuf,
}

/// What `init` seals besides the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The boot that the lock belongs to.
    pub boot: BootId,
    /// The receipt of the recorded decision.
    pub receipt: Vec<u8>,
    /// The file that the domain denies.
    pub canary: PathBuf,
    /// Its sibling that the domain allows.
    pub sibling: PathBuf,
    /// Where the mount namespace is pinned.
    pub mount: Option<PathBuf>,
    /// Where the IPC namespace is pinned.
    pub ipc: Option<PathBuf>,
    /// The targets with their real programs.
    pub targets: Vec<SealedTarget>,
    /// Whether launches are only observed: the policy's word, and nothing of the rest is applied.
    pub observes: bool,
}

/// The lock as the launcher reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedLock {
    /// See [`Seal`].
    pub seal: Seal,
    /// Environment variables.
    pub env: EnvRule,
    /// Path rules.
    pub rules: Vec<PathRule>,
    /// The Landlock ABI that they are for.
    pub landlock: u32,
    /// Whether the metadata service's port is closed.
    pub metadata_closed: bool,
    /// Capabilities kept.
    pub kept: u64,
    /// The system call filter.
    pub filter: Vec<longhorn_sys::seccomp::Instruction>,
    /// Whether the strength is full.
    pub full: bool,
    /// Ways that stay open, by name.
    pub open: Vec<String>,
    /// SHA-256 over the contents, hex.
    pub digest: String,
}

/// Why there is no lock to launch under.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It cannot be opened or read.
    #[error("the sealed lock cannot be read")]
    Open(#[source] io::Error),
    /// Somebody else's file.
    #[error("the sealed lock is not root's, or not read-only")]
    Foreign {
        /// Its owner.
        owner: u32,
        /// Its mode.
        mode: u32,
    },
    /// Cut, or bytes differ from what was sealed.
    #[error("the sealed lock is damaged")]
    Damaged,
}

impl SealError {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Open(_) => "lock-missing",
            Self::Foreign { .. } => "lock-foreign",
            Self::Damaged => "lock-damaged",
        }
    }

    /// What a person reads.
    pub fn screen(&self, path: &Path) -> Screen {
        let screen = Screen::refused(self.reason(), Exit::RefusedLock, self.to_string()).fact("file", path.display());
        let screen = match self {
            Self::Open(cause) => screen.fact("expected", "the lock that `longhorn init` sealed").fact("presented", cause),
            Self::Foreign { owner, mode } => {
                screen.fact("expected", "owner 0, mode 0444").fact("presented", format!("owner {owner}, mode {mode:04o}"))
            }
            Self::Damaged => screen.fact("expected", "the bytes that `longhorn init` sealed").fact("presented", "other bytes"),
        };
        screen.hint("this node is not locked (any more); restart the cluster so that `longhorn init` runs again")
    }
}

/// The lock as bytes.
pub fn seal(plan: &Plan, seal: &Seal) -> Vec<u8> {
    let mut body = Writer::default();
    body.raw(&seal.boot);
    body.bytes(&seal.receipt);
    for path in [Some(&seal.canary), Some(&seal.sibling), seal.mount.as_ref(), seal.ipc.as_ref()] {
        body.bytes(path.map_or(&[][..], |path| path.as_os_str().as_bytes()));
    }
    body.list(&seal.targets, |body, target| {
        body.number(target.number);
        body.number(u32::from(target.kind == TargetKind::Root));
        body.bytes(target.real.as_os_str().as_bytes());
    });
    body.number(u32::from(seal.observes));
    body.list(&plan.env.exact, |body, name| body.bytes(name));
    body.list(&plan.env.prefixes, |body, prefix| body.bytes(prefix));
    body.list(&plan.env.fixed, |body, (name, value)| {
        body.bytes(name);
        body.bytes(value);
    });
    body.list(&plan.rules, |body, rule| {
        let Grants { read, write, execute, device, connect } = rule.grants;
        body.number(
            [read, write, execute, device, connect, rule.file].iter().enumerate().map(|(bit, on)| u32::from(*on) << bit).sum(),
        );
        body.bytes(rule.path.as_os_str().as_bytes());
    });
    body.number(plan.landlock);
    body.number(u32::from(plan.metadata_closed));
    body.raw(&plan.kept.to_le_bytes());
    body.bytes(&seccomp::to_bytes(&plan.filter));
    body.number(u32::from(plan.strength == super::Strength::Full));
    body.list(&plan.open, |body, way| body.bytes(way.as_bytes()));
    [&MAGIC[..], digest(&SHA256, &body.0).as_ref(), &body.0].concat()
}

/// The digest of sealed bytes, as it stands in them.
pub fn digest_of(sealed: &[u8]) -> String {
    sealed.get(8..HEADER).map(hex).unwrap_or_default()
}

impl SealedLock {
    /// Opens the node's lock and checks whose it is.
    ///
    /// # Errors
    /// When it is missing, somebody else's, or damaged.
    pub fn open(path: &Path) -> Result<Self, SealError> {
        let mut file = File::options().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(path).map_err(SealError::Open)?;
        let meta = file.metadata().map_err(SealError::Open)?;
        if meta.uid() != 0 || meta.mode() & 0o7777 != 0o444 || !meta.is_file() {
            return Err(SealError::Foreign { owner: meta.uid(), mode: meta.mode() & 0o7777 });
        }
        // One system call: a file that is longer or shorter than it says of itself is damaged.
        let mut bytes = vec![0; usize::try_from(meta.len()).ok().filter(|length| *length <= MOST).ok_or(SealError::Damaged)? + 1];
        let length = file.read(&mut bytes).map_err(SealError::Open)?;
        Self::parse(&bytes[..length])
    }

    /// Reads sealed bytes.
    ///
    /// # Errors
    /// When they are not exactly what [`seal`] makes.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let (header, body) = bytes.split_at_checked(HEADER).ok_or(SealError::Damaged)?;
        if header[..8] != MAGIC[..] || digest(&SHA256, body).as_ref() != &header[8..] {
            return Err(SealError::Damaged);
        }
        let mut reader = Reader(body);
        let lock = reader.lock(hex(&header[8..])).ok_or(SealError::Damaged)?;
        if reader.0.is_empty() { Ok(lock) } else { Err(SealError::Damaged) }
    }

    /// Whether the node could not cut capabilities when the lock was made, as it then says.
    pub fn capabilities_stay(&self) -> bool {
        self.open.iter().any(|way| way == CAPABILITIES)
    }

    /// The target of a number.
    pub fn target(&self, number: u32) -> Option<&SealedTarget> {
        self.seal.targets.iter().find(|target| target.number == number)
    }
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    fn number(&mut self, number: u32) {
        self.raw(&number.to_le_bytes());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(u32::try_from(bytes.len()).expect("every part of a policy is far below 4 GiB: its file is capped"));
        self.raw(bytes);
    }
    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.number(u32::try_from(items.len()).expect("every list of a policy is far below 4 G entries: its file is capped"));
        for item in items {
            each(self, item);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }
    fn number(&mut self) -> Option<u32> {
        self.raw().map(u32::from_le_bytes)
    }
    /// Neither word but these two: what is not certainly said is not said.
    fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
    fn path(&mut self) -> Option<PathBuf> {
        self.bytes().map(|bytes| PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
    }
    fn optional_path(&mut self) -> Option<Option<PathBuf>> {
        self.path().map(|path| (!path.as_os_str().is_empty()).then_some(path))
    }
    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()? as usize;
        // Every entry begins with a number: a count that the rest has no room for reserves nothing.
        let mut list = Vec::with_capacity(Some(count).filter(|count| *count <= self.0.len() / size_of::<u32>())?);
        for _ in 0..count {
            list.push(each(self)?);
        }
        Some(list)
    }

    fn lock(&mut self, digest: String) -> Option<SealedLock> {
        let boot = self.raw()?;
        let receipt = self.bytes()?.to_vec();
        let (canary, sibling, mount, ipc) = (self.path()?, self.path()?, self.optional_path()?, self.optional_path()?);
        let targets = self.list(|reader| {
            let number = reader.number()?;
            let kind = if reader.number()? == 1 { TargetKind::Root } else { TargetKind::Inside };
            Some(SealedTarget { number, kind, real: reader.path()? })
        })?;
        let observes = self.flag()?;
        let env = EnvRule {
            exact: self.list(|reader| reader.bytes().map(<[u8]>::to_vec))?,
            prefixes: self.list(|reader| reader.bytes().map(<[u8]>::to_vec))?,
            fixed: self.list(|reader| Some((reader.bytes()?.to_vec(), reader.bytes()?.to_vec())))?,
        };
        let rules = self.list(|reader| {
            let bits = reader.number()?;
            let on = |bit: u32| bits >> bit & 1 == 1;
            let grants = Grants { read: on(0), write: on(1), execute: on(2), device: on(3), connect: on(4) };
            Some(PathRule { path: reader.path()?, grants, file: on(5) })
        })?;
        let landlock = self.number()?;
        let metadata_closed = self.flag()?;
        let kept = self.raw().map(u64::from_le_bytes)?;
        let filter = seccomp::from_bytes(self.bytes()?)?;
        let full = self.number()? == 1;
        let open = self.list(|reader| String::from_utf8(reader.bytes()?.to_vec()).ok())?;
        let seal = Seal { boot, receipt, canary, sibling, mount, ipc, targets, observes };
        Some(SealedLock { seal, env, rules, landlock, metadata_closed, kept, filter, full, open, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::environment::Floor;
    use crate::lock::Strength;

    fn rules() -> Vec<PathRule> {
        let (execute, device) = (Grants { execute: true, ..Grants::default() }, Grants { device: true, ..Grants::default() });
        [("/usr", execute, false), ("/dev/null", device, true)]
            .map(|(path, grants, file)| PathRule { path: path.into(), grants, file })
            .to_vec()
    }

    fn sealed() -> Vec<u8> {
        let plan = Plan {
            profile: "e".into(),
            env: EnvRule {
                exact: vec![b"PATH".to_vec()],
                prefixes: vec![b"A_".to_vec()],
                fixed: vec![(b"TZ".to_vec(), b"UTC".to_vec())],
            },
            rules: rules(),
            landlock: 7,
            metadata_closed: true,
            protect: vec![],
            mask: vec![],
            mount: true,
            kept: 32,
            filter: seccomp::for_jobs(None, false),
            targets: vec![],
            floor: Floor { landlock: 3, mount: true, capabilities: true, seccomp: true },
            strength: Strength::Full,
            open: vec![],
        };
        let more = Seal {
            boot: [7; 16],
            receipt: b"receipt".to_vec(),
            canary: "/c/denied".into(),
            sibling: "/c/allowed".into(),
            mount: Some("/run/longhorn/ns/mnt".into()),
            ipc: None,
            targets: vec![SealedTarget { number: 1, kind: TargetKind::Root, real: "/real/python3.11".into() }],
            observes: false,
        };
        seal(&plan, &more)
    }

    #[test]
    fn a_sealed_lock_reads_back_as_it_was_sealed() {
        let bytes = sealed();
        let lock = SealedLock::parse(&bytes).unwrap();
        assert_eq!(lock.seal.targets[0].real, Path::new("/real/python3.11"));
        assert_eq!((lock.landlock, lock.metadata_closed, lock.kept, lock.full), (7, true, 32, true));
        assert_eq!((lock.seal.mount.as_deref(), lock.seal.ipc.as_deref()), (Some(Path::new("/run/longhorn/ns/mnt")), None));
        assert_eq!((lock.filter, lock.rules), (seccomp::for_jobs(None, false), rules()));
        assert_eq!(lock.digest, digest_of(&bytes));
    }

    #[test]
    fn a_cut_or_edited_lock_is_refused_at_every_byte() {
        let bytes = sealed();
        for length in 0..bytes.len() {
            assert!(SealedLock::parse(&bytes[..length]).is_err(), "cut at {length}");
        }
        for at in 0..bytes.len() {
            let mut edited = bytes.clone();
            edited[at] ^= 1;
            assert!(SealedLock::parse(&edited).is_err(), "byte {at}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_forged_digest_over_any_bytes_still_never_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let forged = [&MAGIC[..], digest(&SHA256, &body).as_ref(), &body].concat();
            let _ = SealedLock::parse(&forged);
        }
    }
}
