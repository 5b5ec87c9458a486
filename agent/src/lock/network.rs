//! The cloud's metadata service, closed to jobs. It hands the node's own identity to whoever asks: what it says of the agent
//! counts only where no job can ask. Landlock knows ports and no addresses, so the service's port is closed everywhere.

use std::io;

use longhorn_sys::landlock::{CONNECT_TCP, Ruleset};

/// The service's port, at every cloud.
pub(super) const PORT: u16 = 80;

/// Allows TCP to every port but the metadata service's: Landlock denies what no rule allows, one rule for one port.
///
/// # Errors
/// When the kernel refuses a rule.
pub(super) fn allow_other_ports(ruleset: &Ruleset) -> io::Result<()> {
    (0..=u16::MAX).filter(|port| *port != PORT).try_for_each(|port| ruleset.allow_port(port, CONNECT_TCP))
}
