//! Events from JSON, a text for each.

use super::events::{Events, Value};
use super::plan::Fields;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads an event: one JSON object. Of a field that is there twice the last value counts.
///
/// # Errors
/// The text is no JSON, or no object. Then no event is added.
pub fn read_event(text: &str, fields: &Fields, events: &mut Events) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    events.begin();
    let read = (&mut json).deserialize_any(Object { fields: fields.names(), events }).and_then(|()| json.end());
    if read.is_err() {
        events.take_back();
    }
    read
}

struct Object<'a> {
    fields: &'a [String],
    events: &'a mut Events,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(Key { fields: self.fields })? {
            match field {
                Some(field) => {
                    let value = map.next_value_seed(One { events: self.events, nested: false })?;
                    self.events.set(field, value);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The number of a field by its name.
struct Key<'a> {
    fields: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.fields.iter().position(|field| field == name))
    }
}

/// A value; inside of a list only simple ones count.
struct One<'a> {
    events: &'a mut Events,
    nested: bool,
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Missing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    #[allow(clippy::cast_precision_loss, reason = "integers beyond 64 bits are doubles here")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.events.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = vec![];
        while let Some(value) = list.next_element_seed(One { events: self.events, nested: true })? {
            values.push(value);
        }
        Ok(if self.nested { Value::Other } else { self.events.list(&values) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
