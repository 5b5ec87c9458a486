//! Time and chance: what the server takes from the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::answer::Refusal;

/// Now, in milliseconds since 1970: the API's unit.
#[expect(clippy::disallowed_methods, reason = "its callers are real programs, which have the real time")]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// So many random bytes, as text.
pub(crate) fn random(length: usize) -> Result<String, Refusal> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Refusal::new(500, "INTERNAL_ERROR", "no randomness"))?;
    Ok(hexadecimal(&bytes))
}

/// Bytes as text.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
