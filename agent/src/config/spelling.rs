//! What somebody meant who wrote a word that is none.

/// Whether two words are one slip of the finger apart: one letter more, less, other, or two swapped.
pub(super) fn near(one: &str, other: &str) -> bool {
    let (length, others) = (one.chars().count(), other.chars().count());
    if length.abs_diff(others) > 1 {
        return false;
    }
    let same = one.chars().zip(other.chars()).take_while(|(left, right)| left == right).count();
    let tail = one.chars().rev().zip(other.chars().rev()).take_while(|(left, right)| left == right).count();
    let longest = length.max(others);
    same + tail + 1 >= longest || (length == others && same + tail + 2 >= longest)
}
