//! The members of an object, in the order of their names and each name once. A sorted list: most objects have a handful, and a tree
//! costs more than all else that happens to them.

use std::borrow::Cow;

use crate::Json;

/// A handful of members.
const FEW: usize = 8;

/// Names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// Of members in any order; `None` where a name stands twice.
    pub fn of(mut members: Vec<(Cow<'a, str>, Json<'a>)>) -> Option<Self> {
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let twice = members.windows(2).any(|pair| pair[0].0 == pair[1].0);
        (!twice).then_some(Self(members))
    }

    fn place(&self, name: &str) -> Option<usize> {
        // Most names differ in length: of a handful, looking at each costs less than comparing the bytes of some.
        if self.0.len() <= FEW {
            return self.0.iter().position(|(other, _)| other.as_ref() == name);
        }
        self.0.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok()
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.place(name).map(|at| &self.0[at].1)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json<'a>> {
        self.place(name).map(|at| &mut self.0[at].1)
    }

    /// Whether there is such a name.
    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Sets a member.
    pub fn set(&mut self, name: &'a str, value: Json<'a>) {
        match self.0.binary_search_by(|(other, _)| other.as_ref().cmp(name)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (Cow::Borrowed(name), value)),
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Json<'a>> {
        self.place(name).map(|at| self.0.remove(at).1)
    }

    /// Keeps the members that this says of; it may change their values.
    pub fn retain(&mut self, mut keeps: impl FnMut(&str, &mut Json<'a>) -> bool) {
        self.0.retain_mut(|(name, value)| keeps(name, value));
    }

    /// Every member.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Every value, to change it, with its name.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Json<'a>)> {
        self.0.iter_mut().map(|(name, value)| (&**name, value))
    }

    /// Every value.
    pub fn values(&self) -> impl Iterator<Item = &Json<'a>> {
        self.0.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_among_few_and_among_many_and_others_are_not() {
        for count in 0..3 * FEW {
            let names: Vec<String> = (0..count).rev().map(|number| format!("n{number}")).collect();
            let members = names.iter().map(|name| (Cow::Borrowed(name.as_str()), Json::Text(name.as_str().into())));
            let object = Object::of(members.collect()).unwrap();
            assert!(names.iter().all(|name| object.get(name).and_then(Json::text) == Some(name)), "{count}");
            assert!(!object.has("n") && !object.has("n99") && !object.has(""), "{count}");
        }
    }
}
