//! Tree definitions: `{"trees": {"name": {"log": L, "only": {…}, "root": [element, …]}}}`.

use crate::number::float_text;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most elements of one definition.
const MOST_ELEMENTS: usize = 1000;

/// How deep branches stand in each other.
const DEEPEST: usize = 20;

/// The definitions of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The trees by name.
    pub trees: BTreeMap<String, TreeSpec>,
}

/// How a tree is built.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeSpec {
    /// The log whose events it takes; none takes all.
    pub log: Option<String>,
    /// Fields that an event must have with these values.
    pub only: Vec<(String, Value)>,
    /// What is done at the root for each event.
    pub root: Vec<ElementSpec>,
}

/// A step of a chain.
#[derive(Clone, Debug, PartialEq)]
pub enum ElementSpec {
    /// Children below the current node.
    Node(Box<NodeSpec>),
    /// Several chains at the current node.
    Branch(Vec<Vec<ElementSpec>>),
}

/// Children that a step makes.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// Where their names come from.
    pub source: NameSource,
    /// Whether visits are counted.
    pub count: bool,
    /// The field whose integer the hits are set to.
    pub hits_from: Option<String>,
    /// A child that exists is neither counted nor descended into.
    pub once: bool,
    /// No new child once the parent has so many.
    pub max_children: Option<usize>,
    /// A field and the values with which the step is taken.
    pub when: Option<(String, Vec<String>)>,
    /// A counted child that is descended into first.
    pub label: Option<String>,
    /// What is attached to each child.
    pub attach: Arc<[(Arc<str>, AttachSpec)]>,
}

/// Where names of children come from.
#[derive(Clone, Debug, PartialEq)]
pub enum NameSource {
    /// Always the same.
    Const(String),
    /// A field of the event; a list is several children.
    Field(String),
}

/// What is attached to a node.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the notation")]
pub enum AttachSpec {
    Sum { field: String, count_missing: bool },
    SumFloat { field: String },
    Time { field: String },
    Count { field: String },
    KeyTop { field: String, size: usize, errors: bool },
    LimitTop { size: usize },
    Copy { fields: Vec<(String, String)> },
    Map { key: String, value: String, size: usize },
    Histogram { scale: i64 },
    Distribution { field: String },
    Bloom { field: String, max: usize, error: f64 },
    Seen { field: String, bits: usize, hashes: u32 },
    LimitRecent { size: usize },
    LimitHot { size: usize },
    CountMin { field: String, width: usize, depth: usize },
    Digest { field: String, compression: usize },
}

impl Spec {
    /// Reads definitions.
    ///
    /// # Errors
    /// What is wrong, and where: `trees.web.root[2].attach.x: …`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut object = Object::new(value, "definition")?;
        let mut trees = BTreeMap::new();
        let all = Object::new(object.required("trees")?, "trees")?;
        for (name, value) in all.entries {
            let tree = tree(value, &format!("trees.{name}"))?;
            trees.insert(name, tree);
        }
        // A remark for readers is no definition.
        object.entries.remove("comment");
        object.end()?;
        Ok(Self { trees })
    }
}

/// An object whose keys are taken out one after the other; what is left is unknown.
struct Object {
    entries: Map<String, Value>,
    at: String,
}

impl Object {
    fn new(value: Value, at: &str) -> Result<Self, String> {
        match value {
            Value::Object(entries) => Ok(Self { entries, at: at.to_owned() }),
            _ => Err(format!("{at}: expected an object")),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.entries.remove(key).filter(|value| !value.is_null())
    }

    fn required(&mut self, key: &str) -> Result<Value, String> {
        self.take(key).ok_or_else(|| format!("{}: `{key}` is missing", self.at))
    }

    fn wrong<T>(&self, key: &str, expected: &str) -> Result<T, String> {
        Err(format!("{}.{key}: expected {expected}", self.at))
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.wrong(key, "a text"),
        }
    }

    fn required_text(&mut self, key: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("{}: `{key}` is missing", self.at))
    }

    fn flag(&mut self, key: &str, default: bool) -> Result<bool, String> {
        match self.take(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => self.wrong(key, "true or false"),
        }
    }

    fn size(&mut self, key: &str) -> Result<Option<usize>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0) {
                Some(size) if size <= 1 << 30 => Ok(Some(size)),
                _ => self.wrong(key, "a whole number from 1 to 1073741824"),
            },
        }
    }

    fn required_size(&mut self, key: &str) -> Result<usize, String> {
        self.size(key)?.ok_or_else(|| format!("{}: `{key}` is missing", self.at))
    }

    fn end(self) -> Result<(), String> {
        match self.entries.keys().next() {
            Some(key) => Err(format!("{}: unknown key `{key}`", self.at)),
            None => Ok(()),
        }
    }
}

fn tree(value: Value, at: &str) -> Result<TreeSpec, String> {
    let mut object = Object::new(value, at)?;
    let log = object.text("log")?;
    let only: Vec<(String, Value)> = match object.take("only") {
        None => vec![],
        Some(value) => Object::new(value, &format!("{at}.only"))?.entries.into_iter().collect(),
    };
    if let Some((field, _)) = only.iter().find(|(_, value): &&(String, Value)| value.is_object() || value.is_array()) {
        return Err(format!("{at}.only.{field}: expected a text, a number or a truth value"));
    }
    let root = object.required("root")?;
    object.end()?;
    let mut left = MOST_ELEMENTS;
    let root = chain(root, &format!("{at}.root"), 0, &mut left)?;
    Ok(TreeSpec { log, only, root })
}

fn list(value: Value, at: &str) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(format!("{at}: expected a list")),
    }
}

fn chain(value: Value, at: &str, depth: usize, left: &mut usize) -> Result<Vec<ElementSpec>, String> {
    if depth > DEEPEST {
        return Err(format!("{at}: branches stand more than {DEEPEST} levels deep"));
    }
    let items = list(value, at)?;
    let element = |(index, value)| element(value, &format!("{at}[{index}]"), depth, left);
    items.into_iter().enumerate().map(element).collect()
}

fn element(value: Value, at: &str, depth: usize, left: &mut usize) -> Result<ElementSpec, String> {
    *left = left.checked_sub(1).ok_or_else(|| format!("{at}: a tree has at most {MOST_ELEMENTS} elements"))?;
    let mut object = Object::new(value, at)?;
    if let Some(chains) = object.take("branch") {
        object.end()?;
        let chains = list(chains, &format!("{at}.branch"))?.into_iter().enumerate();
        let chains = chains.map(|(index, value)| chain(value, &format!("{at}.branch[{index}]"), depth + 1, left));
        return Ok(ElementSpec::Branch(chains.collect::<Result<_, _>>()?));
    }
    let source = match (object.text("const")?, object.text("field")?) {
        (Some(name), None) => NameSource::Const(name),
        (None, Some(field)) => NameSource::Field(field),
        _ => return Err(format!("{at}: expected one of `const`, `field` and `branch`")),
    };
    let node = NodeSpec {
        source,
        count: object.flag("count", true)?,
        hits_from: object.text("hits_from")?,
        once: object.flag("once", false)?,
        max_children: object.size("max_children")?,
        when: object.take("when").map(|value| when(value, &format!("{at}.when"))).transpose()?,
        label: object.text("label")?,
        attach: attachments(object.take("attach"), &format!("{at}.attach"))?.into(),
    };
    object.end()?;
    Ok(ElementSpec::Node(Box::new(node)))
}

fn when(value: Value, at: &str) -> Result<(String, Vec<String>), String> {
    let mut object = Object::new(value, at)?;
    let field = object.required_text("field")?;
    let values = list(object.required("in")?, &format!("{at}.in"))?;
    object.end()?;
    Ok((field, values.iter().filter_map(name_text).map(|text| text.to_string()).collect()))
}

/// A value as name of a node: numbers as text; nothing for what is absent, empty or no simple value.
fn name_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(match number.as_i64() {
            Some(value) => value.to_string(),
            None => number.as_f64().map(float_text)?,
        })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn attachments(value: Option<Value>, at: &str) -> Result<Vec<(Arc<str>, AttachSpec)>, String> {
    let Some(value) = value else { return Ok(vec![]) };
    let object = Object::new(value, at)?;
    let attach = |(name, value): (String, Value)| {
        let spec = attachment(value, &format!("{at}.{name}"))?;
        Ok((Arc::from(name), spec))
    };
    object.entries.into_iter().map(attach).collect()
}

fn attachment(value: Value, at: &str) -> Result<AttachSpec, String> {
    let mut object = Object::new(value, at)?;
    let kind = object.required_text("kind")?;
    let spec = match kind.as_str() {
        "sum" => AttachSpec::Sum {
            field: object.required_text("field")?,
            count_missing: object.flag("count_missing", true)?,
        },
        "sumf" => AttachSpec::SumFloat { field: object.required_text("field")? },
        "time" => AttachSpec::Time { field: object.required_text("field")? },
        "count" => {
            // All versions of the original's estimates are answered by one.
            object.text("version")?;
            AttachSpec::Count { field: object.required_text("field")? }
        }
        "key.top" => AttachSpec::KeyTop {
            field: object.required_text("field")?,
            size: object.required_size("size")?,
            errors: object.flag("errors", false)?,
        },
        "limit.top" => AttachSpec::LimitTop { size: object.required_size("size")? },
        "copy" => {
            let fields = Object::new(object.required("fields")?, &format!("{at}.fields"))?;
            let field = |(label, value): (String, Value)| match value {
                Value::String(field) => Ok((label, field)),
                _ => Err(format!("{at}.fields.{label}: expected a text")),
            };
            AttachSpec::Copy { fields: fields.entries.into_iter().map(field).collect::<Result<_, _>>()? }
        }
        "map" => AttachSpec::Map {
            key: object.required_text("key")?,
            value: object.required_text("value")?,
            size: object.required_size("size")?,
        },
        "histo" => {
            let scale = object.size("scale")?.unwrap_or(10);
            if scale < 2 {
                return Err(format!("{at}.scale: expected at least 2"));
            }
            AttachSpec::Histogram { scale: i64::try_from(scale).unwrap_or(i64::MAX) }
        }
        "distribution" => {
            // Nothing is sampled here: all values count.
            object.size("samples")?;
            AttachSpec::Distribution { field: object.required_text("field")? }
        }
        "bloom" => AttachSpec::Bloom {
            field: object.required_text("field")?,
            max: object.required_size("max")?,
            error: object.take("error").and_then(|error| error.as_f64()).unwrap_or(0.01),
        },
        "seen" => {
            let bits = object.size("bits")?.unwrap_or(1024);
            let hashes = object.size("bits_per")?.unwrap_or(4);
            object.size("hash")?;
            let hashes = u32::try_from(hashes).unwrap_or(64).min(64);
            AttachSpec::Seen { field: object.required_text("field")?, bits, hashes }
        }
        "limit.recent" => AttachSpec::LimitRecent { size: object.required_size("size")? },
        "limit.hot" => AttachSpec::LimitHot { size: object.required_size("size")? },
        "count-min-sketch" => {
            let width = object.size("width")?.unwrap_or(2048);
            let depth = object.size("depth")?.unwrap_or(5);
            if width > 1 << 20 || depth > 64 {
                return Err(format!("{at}: expected a `width` up to 1048576 and a `depth` up to 64"));
            }
            AttachSpec::CountMin { field: object.required_text("field")?, width, depth }
        }
        "tdigest" => {
            let compression = object.size("compression")?.unwrap_or(100);
            if !(10..=10_000).contains(&compression) {
                return Err(format!("{at}.compression: expected a number from 10 to 10000"));
            }
            AttachSpec::Digest { field: object.required_text("field")?, compression }
        }
        "top" | "bits" | "key.sieve" | "reservoir" => {
            return Err(format!("{at}: the kind `{kind}` is not supported"));
        }
        _ => return Err(format!("{at}: there is no kind `{kind}`")),
    };
    object.end()?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_with_their_place() {
        let wrong = |root: &str| Spec::parse(&format!(r#"{{"trees": {{"t": {{"root": {root}}}}}}}"#)).unwrap_err();
        assert_eq!(wrong(r#"[{"const": "a", "cuont": false}]"#), "trees.t.root[0]: unknown key `cuont`");
        assert_eq!(
            wrong(r#"[{"branch": [[{}]]}]"#),
            "trees.t.root[0].branch[0][0]: expected one of `const`, `field` and `branch`"
        );
        assert_eq!(
            wrong(r#"[{"const": "a", "attach": {"x": {"kind": "su"}}}]"#),
            "trees.t.root[0].attach.x: there is no kind `su`"
        );
        assert_eq!(
            wrong(r#"[{"field": "a", "max_children": 0}]"#),
            "trees.t.root[0].max_children: expected a whole number from 1 to 1073741824"
        );
        assert!(wrong(&format!("[{}]", vec![r#"{"const":"a"}"#; 1001].join(","))).contains("at most"));
        assert!(Spec::parse("[]").is_err() && Spec::parse("{}").is_err() && Spec::parse("{").is_err());
        let deep = format!("{}[]{}", r#"[{"branch":["#.repeat(30), "]}]".repeat(30));
        assert!(wrong(&deep).contains("deep") || wrong(&deep).contains("recursion"));
    }
}
