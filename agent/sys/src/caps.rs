//! Capability sets (capabilities(7)).

use std::io;

/// `_LINUX_CAPABILITY_VERSION_3`: 64 capabilities in two 32-bit words (capget(2)).
const VERSION_3: u32 = 0x2008_0522;

/// Changing capability sets beyond one's own (linux/capability.h), as a bit of [`Sets`].
const SETPCAP: u64 = 1 << 8;
/// Mounts and namespaces.
pub const SYS_ADMIN: u64 = 1 << 21;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The capabilities of this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets {
    /// In force now.
    pub effective: u64,
    /// May be put in force.
    pub permitted: u64,
}

impl Sets {
    /// Whether what goes is gone for good: the bounding set can be cut, or there is nothing to begin with and no_new_privs
    /// keeps it so.
    pub fn can_be_cut(self) -> bool {
        self.bounding() || self.permitted == 0
    }

    fn bounding(self) -> bool {
        self.effective & SETPCAP != 0
    }
}

fn prctl(option: libc::c_int, argument: u64, second: u64) -> io::Result<i32> {
    // SAFETY: the options used in this file take integers and touch no memory of ours.
    let result = unsafe { libc::prctl(option, argument, second, 0u64, 0u64) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Reads the effective and permitted sets.
///
/// # Errors
/// When the kernel does not know version 3 (before Linux 2.6.26).
pub fn current() -> io::Result<Sets> {
    let header = Header { version: VERSION_3, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: header and data have the layout of capget(2) for version 3, which fills exactly two data elements.
    if unsafe { libc::syscall(libc::SYS_capget, &raw const header, data.as_mut_ptr()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    Ok(Sets { effective: join(data[0].effective, data[1].effective), permitted: join(data[0].permitted, data[1].permitted) })
}

/// Drops every capability that is not in `kept` from the bounding set, where this thread may (CAP_SETPCAP). Returns the sets
/// as they are; [`Sets::can_be_cut`] says whether that is enough.
///
/// # Errors
/// When a capability that must go cannot be dropped.
pub fn drop_bounding_except(kept: u64) -> io::Result<Sets> {
    let sets = current()?;
    if !sets.bounding() {
        return Ok(sets);
    }
    // Not asked first what is there: dropping what is gone already costs as little as asking.
    for number in (0..64u8).filter(|number| kept & 1 << number == 0) {
        match prctl(libc::PR_CAPBSET_DROP, u64::from(number), 0) {
            // Past the last capability that this kernel knows.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            other => other?,
        };
    }
    Ok(sets)
}

/// Makes effective and permitted exactly `kept`, and inheritable and ambient empty.
///
/// # Errors
/// When `kept` has a capability that is not permitted now.
pub fn set_exactly(kept: u64) -> io::Result<()> {
    // Before Linux 4.3 there is no ambient set to clear.
    let _ = prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u64, 0);
    let header = Header { version: VERSION_3, pid: 0 };
    let half = |bits: u64| Data { effective: bits as u32, permitted: bits as u32, inheritable: 0 };
    let data = [half(kept & 0xffff_ffff), half(kept >> 32)];
    // SAFETY: header and data have the layout of capset(2) for version 3, which reads exactly two data elements.
    if unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
