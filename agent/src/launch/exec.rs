//! The last step: replaces this process by the program. Takes the proof that the process is locked and the proof that
//! the decision is on record; without both there is no launch.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::lock::Locked;
use crate::record::Recorded;
use crate::screen::Screen;

/// Why a program could not be executed.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// execve(2) came back.
    #[error("cannot execute {program}")]
    Execute {
        /// What.
        program: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A string with a zero byte in it.
    #[error("an argument or variable holds a zero byte")]
    ZeroByte,
}

impl LaunchError {
    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let exit = match self {
            Self::Execute { cause, .. } if cause.kind() == io::ErrorKind::NotFound => Exit::NotFound,
            Self::Execute { .. } | Self::ZeroByte => Exit::CannotExecute,
        };
        let screen = Screen::failed("cannot-execute", exit, self.to_string());
        match self {
            Self::Execute { cause, .. } => {
                screen.met(cause).hint("the policy's `execute` list must name the directory that the program lies in")
            }
            Self::ZeroByte => screen
                .fact("expected", "text that ends at its zero byte")
                .fact("presented", "one within it")
                .hint("no program can be given such an argument or variable: take the byte out"),
        }
    }
}

/// Becomes the program, with `arguments` as they came and exactly `environment`.
///
/// # Errors
/// Only when it could not.
pub fn exec(
    _locked: Locked,
    _recorded: Recorded,
    program: &Path,
    arguments: Vec<OsString>,
    environment: Vec<OsString>,
) -> Result<Infallible, LaunchError> {
    replace(program, arguments, environment)
}

/// Becomes the program where nothing is locked: an `inside` target outside of any locked tree, whose caller is the platform, or
/// any target under `observe`.
pub(super) fn pass(program: &Path, arguments: Vec<OsString>, environment: Vec<OsString>) -> Result<Infallible, LaunchError> {
    replace(program, arguments, environment)
}

fn replace(program: &Path, arguments: Vec<OsString>, environment: Vec<OsString>) -> Result<Infallible, LaunchError> {
    let terminated = |strings: Vec<OsString>| -> Result<Vec<CString>, LaunchError> {
        strings.into_iter().map(|one| CString::new(one.into_vec()).map_err(|_| LaunchError::ZeroByte)).collect()
    };
    let path = CString::new(program.as_os_str().as_bytes()).map_err(|_| LaunchError::ZeroByte)?;
    let (arguments, environment) = (terminated(arguments)?, terminated(environment)?);
    let arguments: Vec<_> = arguments.iter().map(CString::as_c_str).collect();
    let environment: Vec<_> = environment.iter().map(CString::as_c_str).collect();
    let cause = longhorn_sys::process::execute(&path, &arguments, &environment);
    Err(LaunchError::Execute { program: program.to_owned(), cause })
}

/// Becomes a command under a lock that nobody attested: `longhorn try`. There is no decision, so there is no receipt.
///
/// # Errors
/// Only when it could not.
pub fn exec_unattested(
    _locked: Locked,
    program: &Path,
    arguments: Vec<OsString>,
    environment: Vec<OsString>,
) -> Result<Infallible, LaunchError> {
    longhorn_sys::start::end_with_readers();
    replace(program, arguments, environment)
}
