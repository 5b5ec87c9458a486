//! What came from outside and has not been checked.

/// A value that somebody else said.
///
/// Holding one tells you that the bytes had the right shape, and nothing else: not who sent them, not that
/// they are true, not that they are recent. There is deliberately no `Deref`, no `AsRef` and no `Clone` of the
/// inside; the only way in is [`Unverified::examine`], and `tests/architecture.rs` lists the files that may call it.
#[derive(Debug)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    /// Marks a value as said by somebody else.
    pub fn new(said: T) -> Self {
        Self(said)
    }

    /// Looks inside without believing. For the rooms that verify.
    pub(crate) fn examine(&self) -> &T {
        &self.0
    }
}
