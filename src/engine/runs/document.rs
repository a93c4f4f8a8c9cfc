//! Everything that is known of a run.

use super::damaged;
use super::value::{Json, Value};
use crate::Result;
use lakeql_lake::catalog::path::{PathKey, push_key, push_text};
use std::fmt;

/// A run with its properties, params and sequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub hash: String,
    /// Its properties, `hash` among them, in the order of the table `runs`.
    pub properties: Vec<(String, Option<Value>)>,
    /// Its params as one document.
    pub params: Value,
    /// Its sequences by kind, name and context.
    pub sequences: Vec<Sequence>,
}

/// A sequence of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// `metric`, `images`, `texts` …
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its context as JSON text, as it was given.
    pub context: String,
    /// The same for contexts that are equal to Python.
    pub context_key: String,
    /// Summaries in the order of [`Sequence::SUMMARIES`], absent ones left out.
    pub summaries: Vec<(&'static str, Value)>,
}

/// Where an entry of a run comes from. In the order in which they are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A property of the run.
    Property,
    /// A param.
    Param,
    /// A summary of a sequence of this kind.
    Sequence(String),
}

/// One thing that is known of a run, under the name by which `--select` asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub part: Part,
    /// `created_at`, `hparams.lr`, `loss{"subset":"val"}.last`
    pub name: String,
    /// What it is, so that equal contexts of different spelling are one.
    pub(super) key: String,
    /// The value.
    pub value: Option<Value>,
}

impl Sequence {
    /// The summaries, and how they are called.
    pub const SUMMARIES: [&'static str; 11] =
        ["n", "first_step", "last_step", "first", "last", "min", "max", "mean", "n_nan", "dtype", "record_max_length"];

    /// A summary.
    pub fn summary(&self, name: &str) -> Option<&Value> {
        self.summaries.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The name with the context, if there is one: `loss{"subset":"val"}`.
    pub fn full_name(&self) -> String {
        if self.context_key == "{}" { self.name.clone() } else { format!("{}{}", self.name, self.context) }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Property => "property",
            Self::Param => "param",
            Self::Sequence(kind) => kind,
        })
    }
}

impl Run {
    /// The params with their paths, in byte order of the paths. Lists and empty mappings are values.
    ///
    /// # Errors
    /// The stored document is damaged.
    pub fn flat_params(&self) -> Result<Vec<(String, Value)>> {
        let mut flat = vec![];
        flatten(self.params.json(), &mut String::new(), true, &mut flat)?;
        flat.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(flat)
    }

    /// Everything as a flat list: properties, params by path, summaries of sequences.
    ///
    /// # Errors
    /// A stored document is damaged.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let entry = |part: Part, name: &str, value: Option<Value>| Entry {
            part,
            name: name.to_owned(),
            key: name.to_owned(),
            value,
        };
        let mut entries: Vec<Entry> =
            self.properties.iter().map(|(name, value)| entry(Part::Property, name, value.clone())).collect();
        entries.extend(self.flat_params()?.into_iter().map(|(path, value)| entry(Part::Param, &path, Some(value))));
        for sequence in &self.sequences {
            let name = sequence.full_name();
            for (position, summary) in Sequence::SUMMARIES.iter().enumerate() {
                let Some(value) = sequence.summary(summary) else { continue };
                entries.push(Entry {
                    part: Part::Sequence(sequence.kind.clone()),
                    name: format!("{name}.{summary}"),
                    // No name or context has this byte; positions keep the summaries in their order.
                    key: format!("{}\0{}\0{position:02}", sequence.name, sequence.context_key),
                    value: Some(value.clone()),
                });
            }
        }
        Ok(entries)
    }

    /// One JSON object: the properties, `params` as they are nested, `sequences` with their contexts and summaries.
    pub fn to_json(&self) -> String {
        let key = |name: &str| format!("{}:", serde_json::Value::from(name));
        let json = |value: Option<&Value>| value.map_or("null", Value::json).to_owned();
        let mut members: Vec<String> =
            self.properties.iter().map(|(name, value)| key(name) + &json(value.as_ref())).collect();
        members.push(key("params") + self.params.json());
        let sequences = self.sequences.iter().map(|sequence| {
            let mut members = vec![
                key("kind") + Value::text(&sequence.kind).json(),
                key("name") + Value::text(&sequence.name).json(),
                key("context") + &sequence.context,
            ];
            members.extend(sequence.summaries.iter().map(|(name, value)| key(name) + value.json()));
            format!("{{{}}}", members.join(","))
        });
        members.push(format!("{}[{}]", key("sequences"), sequences.collect::<Vec<_>>().join(",")));
        format!("{{{}}}", members.join(","))
    }
}

/// Appends the values below a path.
fn flatten(json: &str, path: &mut String, root: bool, flat: &mut Vec<(String, Value)>) -> Result<()> {
    let broken = || damaged("the params", &"not JSON");
    if let Json::Object(members) = Json::read(json).ok_or_else(broken)? {
        let parent = path.len();
        let notation = match members.as_slice() {
            [(key, value)] if key.starts_with('$') => Some((key.as_str(), value.get())),
            _ => None,
        };
        match notation {
            // The root is the mapping of params, whatever it looks like.
            Some(("$float" | "$bytes", _)) if !root => {}
            Some(("$map", pairs)) if matches!(Json::read(pairs), Some(Json::List(_))) => {
                let Some(Json::List(pairs)) = Json::read(pairs) else { return Err(broken()) };
                for pair in &pairs {
                    let Some(Json::List(pair)) = Json::read(pair.get()) else { return Err(broken()) };
                    let [key, value] = pair.as_slice() else { return Err(broken()) };
                    let key = match Json::read(key.get()) {
                        Some(Json::Text(text)) => PathKey::Text(text),
                        Some(Json::Number(number)) => PathKey::Int(number.parse().map_err(|_| broken())?),
                        _ => return Err(broken()),
                    };
                    push_key(path, &key);
                    flatten(value.get(), path, false, flat)?;
                    path.truncate(parent);
                }
                if !pairs.is_empty() || root {
                    return Ok(());
                }
            }
            _ => {
                for (key, value) in &members {
                    push_text(path, key);
                    flatten(value.get(), path, false, flat)?;
                    path.truncate(parent);
                }
                if !members.is_empty() || root {
                    return Ok(());
                }
            }
        }
    }
    flat.push((path.clone(), Value::of_json(json)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(params: &str) -> Vec<(String, String)> {
        let run = Run { hash: "h".into(), properties: vec![], params: Value::of_json(params), sequences: vec![] };
        run.flat_params().unwrap().into_iter().map(|(path, value)| (path, value.readable())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn params_get_the_paths_of_the_catalogue() {
        assert_eq!(
            flat(
                r#"{"optim.lr":1.0,"optim":{"lr":0.1,"betas":[0.9,0.95]},"x":{"$float":"nan"},"none":null,"e":{},"l":[]}"#
            ),
            pairs(&[
                ("\"optim.lr\"", "1.0"),
                ("e", "{}"),
                ("l", "[]"),
                ("none", "None"),
                ("optim.betas", "[0.9,0.95]"),
                ("optim.lr", "0.1"),
                ("x", "NaN"),
            ])
        );
        assert_eq!(
            flat(r#"{"d":{"$map":[["0","text"],[0,"zero"],[1,{"a":2}]]},"$float":1}"#),
            pairs(&[("$float", "1"), ("d.0", "text"), ("d[0]", "zero"), ("d[1].a", "2")])
        );
        assert_eq!(flat("{}"), []);
    }

    #[test]
    fn a_document_is_json() {
        let sequence = Sequence {
            kind: "metric".into(),
            name: "a\"b".into(),
            context: r#"{"subset":"val"}"#.into(),
            context_key: r#"{"subset":"val"}"#.into(),
            summaries: vec![("n", Value::int(3)), ("last", Value::float(f64::NAN))],
        };
        let run = Run {
            hash: "h".into(),
            properties: vec![("hash".into(), Some(Value::text("h"))), ("description".into(), None)],
            params: Value::of_json(r#"{"a":{"b":1}}"#),
            sequences: vec![sequence],
        };
        let json: serde_json::Value = serde_json::from_str(&run.to_json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "hash": "h", "description": null, "params": {"a": {"b": 1}},
                "sequences": [{
                    "kind": "metric", "name": "a\"b", "context": {"subset": "val"}, "n": 3, "last": {"$float": "nan"},
                }],
            })
        );
    }
}
