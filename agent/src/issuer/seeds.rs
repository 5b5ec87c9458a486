//! The private halves of the signing keys: files that the issuer itself makes, for its own user alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::context::{AuthorityKey, NodeKey, parse_seed, render_seed};
use crate::host::random::Random;

/// A directory of `<kid>.key`.
pub struct Seeds(PathBuf);

impl Seeds {
    /// Makes the directory (0700) where it is missing.
    ///
    /// # Errors
    /// When it cannot.
    pub fn open(store: &Path) -> io::Result<Self> {
        let path = store.join("keys");
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => File::open(store)?.sync_all()?,
        }
        Ok(Self(path))
    }

    /// Makes a key; it is durable when this returns.
    ///
    /// # Errors
    /// When it is not.
    pub fn make(&self, random: &dyn Random) -> io::Result<AuthorityKey> {
        let seed = NodeKey::draw_seed(random);
        let key = AuthorityKey::from_seed(&seed).map_err(io::Error::other)?;
        let path = self.path(&key.public().kid());
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(render_seed(&seed).as_bytes())?;
        file.sync_all()?;
        File::open(&self.0)?.sync_all()?;
        Ok(key)
    }

    /// A key that was made before.
    ///
    /// # Errors
    /// When it is not there, is another one, or others may read it.
    pub fn load(&self, kid: &str) -> io::Result<AuthorityKey> {
        let mut file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(self.path(kid))?;
        let meta = file.metadata()?;
        let own = nix::unistd::geteuid().as_raw();
        if !meta.is_file() || meta.mode() & 0o077 != 0 || meta.uid() != own {
            let what = format!("mode {:04o} and owner {} instead of 0600 and {own}", meta.mode() & 0o7777, meta.uid());
            return Err(io::Error::other(what));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(128));
        Read::take(&mut file, 128).read_to_end(&mut bytes)?;
        let seed = parse_seed(&bytes).ok_or_else(|| io::Error::other("not a key file"))?;
        let key = AuthorityKey::from_seed(&seed).map_err(io::Error::other)?;
        if key.public().kid() == kid { Ok(key) } else { Err(io::Error::other("another key than its name says")) }
    }

    /// Removes a key that signs no more; it may be gone already.
    ///
    /// # Errors
    /// When it stays.
    pub fn discard(&self, kid: &str) -> io::Result<()> {
        match fs::remove_file(self.path(kid)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what no entry of the ledger names: a key that was made and never published.
    ///
    /// # Errors
    /// When something stays.
    pub fn sweep(&self, known: &[String]) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let kid = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".key"));
            if kid.is_some_and(|kid| !known.iter().any(|known| known == kid)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn path(&self, kid: &str) -> PathBuf {
        self.0.join(format!("{kid}.key"))
    }
}
