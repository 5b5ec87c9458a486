//! JSON in which a name stands once. serde_json keeps the last of two equal names, other readers the first: a token that
//! means two things means nothing (RFC 7519 §4, RFC 8725 §2.4).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Nesting deeper than this is refused.
const DEEPEST: u8 = 16;

/// Why bytes are no unambiguous JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StrictError {
    /// A name stands twice.
    Duplicate,
    /// Not JSON, not an object, too deep, or something behind it.
    Malformed,
}

const DUPLICATE: &str = "duplicate name";

/// Reads one object.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, StrictError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(DEEPEST).deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(Value::Object(map)) => Ok(map),
        Err(error) if error.to_string().starts_with(DUPLICATE) => Err(StrictError::Duplicate),
        _ => Err(StrictError::Malformed),
    }
}

struct Strict(u8);

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let deeper = self.0.checked_sub(1).ok_or_else(|| A::Error::custom("too deep"))?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(Strict(deeper))? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let deeper = self.0.checked_sub(1).ok_or_else(|| A::Error::custom("too deep"))?;
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(Strict(deeper))?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_at_any_depth_is_noticed() {
        assert_eq!(object(br#"{"a":1,"b":{"a":1}}"#).unwrap().len(), 2);
        for text in [r#"{"a":1,"a":1}"#, r#"{"b":{"a":1,"a":2}}"#, r#"{"b":[{"a":1,"a":2}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(object(text.as_bytes()), Err(StrictError::Duplicate), "{text}");
        }
        for text in ["", "[]", "{", "{} x", "{\"a\":1e999}", &format!("{}{}", "{\"a\":".repeat(40), "1")] {
            assert_eq!(object(text.as_bytes()), Err(StrictError::Malformed), "{text}");
        }
    }
}
