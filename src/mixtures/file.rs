//! Mixture files.
//!
//! A file is a mixture (an object with `type`), or an object with `mixture` and perhaps `events` and `chunk_size`.
//! `type` is one of `static` (`components`: `key` and `weight`), `hierarchical` (`root`: a tree of `property` and
//! `components` with `values`, `weight` and perhaps `sub`), `inferring`, `arbitrary`, `schedule` (`entries`: `start_step` and
//! `mixture`) and `dynamic` (`initial`). `strict: false` means best effort.

use crate::error::{Error, Result};
use crate::key::Key;
use crate::mixture::{Entry, Fixed, Mixture, Shares, Simple};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a file says.
#[derive(Clone, Debug, PartialEq)]
pub struct MixtureFile {
    /// The mixture.
    pub mixture: Mixture,
    /// What the trainer has reported, in the order of the chunks.
    pub events: Vec<Event>,
    /// Samples of a chunk, if the file says so.
    pub chunk_size: Option<u64>,
}

/// What the trainer reports before a chunk is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Number of the chunk, from 0.
    pub before_chunk: u64,
    /// Steps of the training so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_steps: Option<u64>,
    /// Losses summed since the last report, by the number of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<f64>,
    /// How many losses were summed, by the number of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    /// The mixture that the losses are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixture_id: Option<u64>,
}

/// A value with its place in the file.
struct At<'a> {
    value: &'a Value,
    place: String,
}

fn shape<T>(place: &str, reason: impl Into<String>) -> Result<T> {
    Err(Error::Shape { place: place.to_owned(), reason: reason.into() })
}

impl<'a> At<'a> {
    fn get(&self, name: &str) -> Option<At<'a>> {
        let value = self.value.get(name)?;
        Some(At { value, place: format!("{}.{name}", self.place) })
    }

    fn need(&self, name: &str) -> Result<At<'a>> {
        match self.get(name) {
            Some(found) => Ok(found),
            None => shape(&self.place, format!("there is no `{name}`")),
        }
    }

    fn object(&self) -> Result<&'a Map<String, Value>> {
        match self.value.as_object() {
            Some(object) => Ok(object),
            None => shape(&self.place, "expected an object"),
        }
    }

    fn list(&self) -> Result<Vec<At<'a>>> {
        let Some(values) = self.value.as_array() else { return shape(&self.place, "expected a list") };
        if values.is_empty() {
            return shape(&self.place, "the list is empty");
        }
        let at = |(index, value)| At { value, place: format!("{}[{index}]", self.place) };
        Ok(values.iter().enumerate().map(at).collect())
    }

    fn text(&self) -> Result<&'a str> {
        match self.value.as_str() {
            Some(text) => Ok(text),
            None => shape(&self.place, "expected a text"),
        }
    }

    fn whole(&self) -> Result<u64> {
        match self.value.as_u64() {
            Some(number) => Ok(number),
            None => shape(&self.place, format!("expected a whole number from 0, found {}", self.value)),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name) {
            None => Ok(default),
            Some(at) => match at.value.as_bool() {
                Some(flag) => Ok(flag),
                None => shape(&at.place, "expected true or false"),
            },
        }
    }

    fn weight(&self) -> Result<f64> {
        let place = || self.place.clone();
        match self.value.as_f64() {
            Some(weight) if weight < 0.0 => Err(Error::NegativeWeight { place: place(), weight }),
            Some(0.0) => Err(Error::ZeroWeight { place: place() }),
            Some(weight) if weight.is_finite() => Ok(weight),
            Some(_) | None => shape(&self.place, format!("expected a number above zero, found {}", self.value)),
        }
    }

    /// A list of texts, or one; numbers and truth values stand for their texts.
    fn values(&self) -> Result<Vec<String>> {
        let one = |at: &Self| match at.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => shape(&at.place, "expected a text"),
        };
        match self.value {
            Value::Array(values) if values.is_empty() => Ok(vec![]),
            Value::Array(_) => self.list()?.iter().map(one).collect(),
            _ => Ok(vec![one(self)?]),
        }
    }

    fn knows(&self, names: &[&str]) -> Result<()> {
        match self.object()?.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => shape(&self.place, format!("there is no `{name}` here, only {}", names.join(", "))),
        }
    }
}

impl MixtureFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It is not JSON, or something in it is wrong; the error names the place.
    pub fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).map_err(|error| Error::Json(error.to_string()))?;
        Self::of_json(&value)
    }

    /// The same from JSON that is read already.
    ///
    /// # Errors
    /// As [`MixtureFile::parse`].
    pub fn of_json(value: &Value) -> Result<Self> {
        let root = At { value, place: "file".to_owned() };
        let Some(inner) = root.object()?.get("mixture") else {
            let mixture = mixture(&At { value, place: "mixture".to_owned() })?;
            return Ok(Self { mixture, events: vec![], chunk_size: None });
        };
        let mixture = mixture(&At { value: inner, place: "mixture".to_owned() })?;
        let events = root.get("events").map_or(Ok(vec![]), |at| events_at(&at))?;
        let chunk_size = root.get("chunk_size").map(|at| at.whole()).transpose()?;
        Ok(Self { mixture, events, chunk_size })
    }
}

/// Reads events: a JSON list, or one JSON object a line.
///
/// # Errors
/// Something in them is wrong.
pub fn events(text: &str) -> Result<Vec<Event>> {
    let bad = |error: serde_json::Error| Error::Json(error.to_string());
    let list: Value = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(bad)?
    } else {
        let values = serde_json::Deserializer::from_str(text).into_iter();
        Value::Array(values.collect::<std::result::Result<_, _>>().map_err(bad)?)
    };
    events_at(&At { value: &list, place: "events".to_owned() })
}

fn events_at(at: &At<'_>) -> Result<Vec<Event>> {
    if at.value.as_array().is_some_and(Vec::is_empty) {
        return Ok(vec![]);
    }
    let mut events: Vec<Event> = vec![];
    for at in at.list()? {
        at.knows(&["before_chunk", "training_steps", "losses", "counts", "mixture_id"])?;
        let event: Event = match serde_json::from_value(at.value.clone()) {
            Ok(event) => event,
            Err(error) => return shape(&at.place, error.to_string()),
        };
        if event.losses.len() != event.counts.len() {
            return shape(&at.place, "`losses` and `counts` have different lengths");
        }
        if event.losses.iter().any(|loss| !loss.is_finite() || *loss < 0.0) {
            return shape(&at.place, "a loss is negative");
        }
        events.push(event);
    }
    events.sort_by_key(|event| event.before_chunk);
    Ok(events)
}

fn mixture(at: &At<'_>) -> Result<Mixture> {
    match at.need("type")?.text()? {
        "schedule" => {
            at.knows(&["type", "entries"])?;
            let mut entries = vec![];
            for at in at.need("entries")?.list()? {
                at.knows(&["start_step", "mixture"])?;
                let start_step = at.need("start_step")?.whole()?;
                if entries.iter().any(|entry: &Entry| entry.start_step == start_step) {
                    return shape(&at.place, format!("there are two entries for step {start_step}"));
                }
                entries.push(Entry { start_step, mixture: simple(&at.need("mixture")?)? });
            }
            entries.sort_by_key(|entry| entry.start_step);
            if entries.first().is_none_or(|first| first.start_step > 0) {
                return shape(&at.place, "no entry of the schedule begins at step 0");
            }
            Ok(Mixture::Schedule(entries))
        }
        "dynamic" => {
            at.knows(&["type", "initial", "strict", "algorithm"])?;
            if let Some(algorithm) = at.get("algorithm")
                && algorithm.text()? != "loss_avg"
            {
                return shape(&algorithm.place, "only `loss_avg` is known");
            }
            let initial = at.need("initial")?;
            match simple(&initial)? {
                Simple::Fixed(initial) => Ok(Mixture::Dynamic { initial, strict: at.flag("strict", true)? }),
                Simple::Arbitrary => shape(&initial.place, "a dynamic mixture begins with shares"),
            }
        }
        _ => Ok(Mixture::Simple(simple(at)?)),
    }
}

fn simple(at: &At<'_>) -> Result<Simple> {
    let name = at.need("type")?;
    let shares = match name.text()? {
        "static" => {
            at.knows(&["type", "strict", "components"])?;
            Shares::Static(static_shares(&at.need("components")?)?)
        }
        "hierarchical" => {
            at.knows(&["type", "strict", "root"])?;
            let mut leaves = vec![];
            tree(&at.need("root")?, &Key::default(), 1.0, &mut leaves, 0)?;
            no_twins(&at.place, &leaves)?;
            Shares::Hierarchical(leaves)
        }
        "inferring" => {
            at.knows(&["type", "strict"])?;
            Shares::Inferring
        }
        "arbitrary" => {
            at.knows(&["type", "strict"])?;
            return Ok(Simple::Arbitrary);
        }
        other => {
            let known = "static, hierarchical, inferring, arbitrary, schedule and dynamic";
            return shape(&name.place, format!("there is no type `{other}` here: types are {known}"));
        }
    };
    Ok(Simple::Fixed(Fixed { strict: at.flag("strict", true)?, shares }))
}

fn static_shares(at: &At<'_>) -> Result<Vec<(Key, f64)>> {
    let mut shares = vec![];
    for at in at.list()? {
        at.knows(&["key", "weight"])?;
        let of_key = at.need("key")?;
        let mut key = Key::default();
        for name in of_key.object()?.keys() {
            key.insert(name.clone(), of_key.need(name)?.values()?);
        }
        shares.push((key, at.need("weight")?.weight()?));
    }
    no_twins(&at.place, &shares)?;
    let sum: f64 = shares.iter().map(|(_, weight)| weight).sum();
    // Relative to the greater of both, as the original compares.
    if (sum - 1.0).abs() > 0.001 * sum.max(1.0) {
        return Err(Error::Sum { place: at.place.clone(), sum });
    }
    Ok(shares.into_iter().map(|(key, weight)| (key, weight / sum)).collect())
}

fn no_twins(place: &str, shares: &[(Key, f64)]) -> Result<()> {
    let mut keys: Vec<_> = shares.iter().map(|(key, _)| key).collect();
    keys.sort();
    match keys.windows(2).find_map(|pair| if let [a, b] = pair { (a == b).then_some(*a) } else { None }) {
        None => Ok(()),
        Some(key) => shape(place, format!("the key `{key}` is there twice")),
    }
}

/// Deepest nesting of properties.
const DEEPEST: usize = 64;

fn tree(at: &At<'_>, above: &Key, share: f64, leaves: &mut Vec<(Key, f64)>, depth: usize) -> Result<()> {
    if depth > DEEPEST {
        return shape(&at.place, format!("the tree is more than {DEEPEST} levels deep"));
    }
    at.knows(&["property", "components"])?;
    let property = at.need("property")?.text()?;
    for at in at.need("components")?.list()? {
        at.knows(&["values", "weight", "sub"])?;
        let mut key = above.clone();
        key.insert(property.to_owned(), at.need("values")?.values()?);
        let share = share * at.need("weight")?.weight()?;
        match at.get("sub").filter(|sub| !sub.value.is_null()) {
            Some(sub) => tree(&sub, &key, share, leaves, depth + 1)?,
            None => leaves.push((key, share)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mistakes_are_named_with_their_place() {
        let component = |weight: Value| {
            json!({"type": "static", "components": [
            {"key": {"language": ["en"]}, "weight": weight}, {"key": {"language": "de"}, "weight": 0.5}]})
        };
        for (file, kind, text) in [
            (component(json!(-0.5)), "negative_weight", "mixture.components[0].weight: the weight -0.5 is negative"),
            (component(json!(0)), "zero_weight", "mixture.components[0].weight"),
            (component(json!("NaN")), "shape", "expected a number above zero, found \"NaN\""),
            (component(json!(0.6)), "weights_sum", "mixture.components: the weights sum to 1.1, not to 1"),
            (json!({"type": "statc"}), "shape", "mixture.type: there is no type `statc`"),
            (
                json!({"mixture": {"type": "schedule", "entries": [
                {"start_step": 5, "mixture": {"type": "arbitrary"}}]}}),
                "shape",
                "begins at step 0",
            ),
            (
                json!({"mixture": {"type": "arbitrary"}, "events": [{"before": 1}]}),
                "shape",
                "events[0]: there is no `before`",
            ),
            (json!([]), "shape", "expected an object"),
        ] {
            let error = MixtureFile::of_json(&file).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(MixtureFile::of_json(&component(json!(0.5004))).is_ok());
        assert_eq!(MixtureFile::parse("{").unwrap_err().kind(), "json");
    }

    #[test]
    fn events_are_a_list_or_lines() {
        let lines =
            "{\"before_chunk\": 3, \"training_steps\": 10}\n{\"before_chunk\": 1, \"losses\": [1], \"counts\": [2]}\n";
        let found = events(lines).unwrap();
        assert_eq!(found.iter().map(|it| it.before_chunk).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(events(&format!("[{}]", lines.trim().replace('\n', ","))).unwrap(), found);
        assert!(events("{\"before_chunk\": 1, \"losses\": [1], \"counts\": []}").is_err());
    }
}
