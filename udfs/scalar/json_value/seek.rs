//! Walks through a JSON text to one value without building the others.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One step of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'k> {
    /// A member of an object.
    Text(&'k str),
    /// An element of a list, from the end when negative.
    Int(i64),
}

/// The value at a path, as it stands in the text. Of members with the same key the last one counts, as for other readers.
pub(super) fn seek<'j>(json: &'j str, path: &[Key<'_>]) -> serde_json::Result<Option<&'j RawValue>> {
    let Some((first, rest)) = path.split_first() else { return serde_json::from_str(json).map(Some) };
    // What cannot be walked into is not looked through.
    if !json.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str::<IgnoredAny>(json).map(|_| None);
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = Step(*first).deserialize(&mut reader)?;
    reader.end()?;
    value.map_or(Ok(None), |value| seek(value.get(), rest))
}

/// Finds one member or element.
struct Step<'k>(Key<'k>);

impl<'j> DeserializeSeed<'j> for Step<'_> {
    type Value = Option<&'j RawValue>;

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'j> Visitor<'j> for Step<'_> {
    type Value = Option<&'j RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key_seed(Name)? {
            if matches!(self.0, Key::Text(key) if key == name) {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Key::Int(index) = self.0 else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(None);
        };
        if index < 0 {
            let mut all: Vec<&RawValue> = vec![];
            while let Some(value) = list.next_element()? {
                all.push(value);
            }
            let place = usize::try_from(index.unsigned_abs()).ok().and_then(|back| all.len().checked_sub(back));
            return Ok(place.and_then(|place| all.get(place).copied()));
        }
        let mut found = None;
        for place in 0.. {
            if place == index {
                found = list.next_element()?;
                if found.is_none() {
                    break;
                }
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

/// The name of a member; only names with escapes are copied.
struct Name;

impl<'j> DeserializeSeed<'j> for Name {
    type Value = Cow<'j, str>;

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'j> Visitor<'j> for Name {
    type Value = Cow<'j, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'j str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
