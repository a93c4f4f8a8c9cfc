//! Keys: properties with values, of mixtures and of samples (section 3.2).

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// Properties with their values: of a mixture the values that are allowed, of samples the values that they have.
///
/// Properties that are missing are not in the key. An empty list is a value of its own. Values are a set: sorted, each
/// once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key(BTreeMap<String, Vec<String>>);

impl Key {
    /// A key of these properties.
    pub fn new<P: Into<String>>(properties: impl IntoIterator<Item = (P, Vec<String>)>) -> Self {
        let mut key = Self::default();
        for (property, values) in properties {
            key.insert(property.into(), values);
        }
        key
    }

    /// Gives a property its values.
    pub fn insert(&mut self, property: String, mut values: Vec<String>) {
        values.sort_unstable();
        values.dedup();
        self.0.insert(property, values);
    }

    /// The properties in order, with their values.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(property, values)| (property.as_str(), values.as_slice()))
    }

    /// Whether samples with the other key are meant by this one: they have every property of it, each with one of its
    /// values, or with none where none are allowed. The empty key means all samples.
    pub fn matches(&self, samples: &Self) -> bool {
        self.0.iter().all(|(property, allowed)| {
            samples.0.get(property).is_some_and(|has| {
                (allowed.is_empty() && has.is_empty()) || allowed.iter().any(|value| has.binary_search(value).is_ok())
            })
        })
    }
}

impl Ord for Key {
    /// The order in which keys are served: fewer properties first, then by names and numbers of values, then by values.
    fn cmp(&self, other: &Self) -> Ordering {
        fn shape(key: &Key) -> impl Iterator<Item = (&str, usize)> {
            key.0.iter().map(|(name, values)| (name.as_str(), values.len()))
        }
        let size = self.0.len().cmp(&other.0.len());
        size.then_with(|| shape(self).cmp(shape(other))).then_with(|| self.0.values().cmp(other.0.values()))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Key {
    /// `language:de:en;license:MIT`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (property, values)) in self.0.iter().enumerate() {
            write!(f, "{}{property}", if index > 0 { ";" } else { "" })?;
            values.iter().try_for_each(|value| write!(f, ":{value}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        let property = |part: &str| {
            let mut pieces = part.split(':').map(str::to_owned);
            (pieces.next().unwrap_or_default(), pieces.collect())
        };
        Key::new(text.split(';').filter(|part| !part.is_empty()).map(property))
    }

    #[test]
    fn keys_match_one_way() {
        for (mixture, samples, matches) in [
            ("", "", true),
            ("", "language:en", true),
            ("language:en", "", false),
            ("language:en", "language:en;license:MIT", true),
            ("language:en;license:MIT", "language:en", false),
            ("language:de:en", "language:en", true),
            ("tags:a", "tags:a:b", true),
            ("tags:c", "tags:a:b", false),
            ("tags", "tags", true),
            ("tags", "tags:a", false),
            ("tags:a", "tags", false),
        ] {
            assert_eq!(key(mixture).matches(&key(samples)), matches, "{mixture} {samples}");
        }
    }

    #[test]
    fn less_specific_keys_come_first() {
        let sorted = [
            "",
            "language:de",
            "language:en",
            "language:de:en",
            "tags:a",
            "language:en;license:CC0",
            "language:a:b;license:A",
        ];
        let mut keys: Vec<_> = sorted.iter().map(|text| key(text)).collect();
        keys.reverse();
        keys.sort();
        assert_eq!(keys.iter().map(Key::to_string).collect::<Vec<_>>(), sorted);
    }
}
