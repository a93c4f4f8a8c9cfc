//! Properties as files describe them, and finding them in the data.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault;
use crate::catalog::samples::{Property, PropertyKind};
use crate::error::Result;

/// The properties of a data set and where they are in a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SampleSchema {
    /// In the order in which they are stored.
    pub properties: Vec<SchemaProperty>,
}

/// A property and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaProperty {
    /// What it is.
    #[serde(flatten)]
    pub property: Property,
    /// The member of a JSON object: its name, or the name of an object and that of a member of it.
    pub path: Vec<String>,
    /// If the values are objects: the member of these that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pick: Option<String>,
}

impl SchemaProperty {
    /// Puts the member that is meant in the place of each object.
    pub(super) fn picked(&self, value: &mut Value) {
        let Some(member) = &self.pick else { return };
        let pick = |value: &mut Value| {
            if let Some(object) = value.as_object_mut() {
                let found = object.remove(member).unwrap_or_default();
                *value = found;
            }
        };
        match value {
            Value::Array(values) => values.iter_mut().for_each(pick),
            other => pick(other),
        }
    }
}

/// A property as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(alias = "type", alias = "kind")]
    dtype: String,
    #[serde(default)]
    multiple: bool,
    #[serde(default = "yes")]
    nullable: bool,
    #[serde(default, rename = "enum", alias = "options")]
    options: Option<Vec<String>>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    pick: Option<String>,
}

fn yes() -> bool {
    true
}

impl SampleSchema {
    /// Reads a schema file: a list of properties, or an object with the list as `properties`. `container` is the object
    /// that properties are in unless they say where they are.
    ///
    /// # Errors
    /// It is not what it should be; the error names `file`.
    pub fn parse(text: &str, file: &str, container: Option<&str>) -> Result<Self> {
        let value: Value = serde_json::from_str(text).map_err(|error| fault(file, None, None, error.to_string()))?;
        Self::of_json(value.get("properties").unwrap_or(&value), file, container)
    }

    /// The same from a list that is read already.
    ///
    /// # Errors
    /// As [`SampleSchema::parse`].
    pub fn of_json(list: &Value, file: &str, container: Option<&str>) -> Result<Self> {
        let wrong = |reason: String| fault(file, None, Some("properties"), reason);
        let written: Vec<Written> = serde_json::from_value(list.clone()).map_err(|error| wrong(error.to_string()))?;
        let mut schema = Self::default();
        let mut names = HashSet::new();
        for Written { name, dtype, multiple, nullable, options, path, pick } in written {
            let kind = match dtype.to_ascii_uppercase().as_str() {
                "STRING" | "TEXT" | "ENUM" => PropertyKind::Text,
                "INT" | "INTEGER" => PropertyKind::Int,
                "FLOAT" | "DOUBLE" => PropertyKind::Float,
                "TIMESTAMP" | "TIME" => PropertyKind::Time,
                _ => {
                    let known = "string, enum, int, float and timestamp";
                    return Err(wrong(format!("`{name}` has the type `{dtype}`; types are {known}")));
                }
            };
            let is_enum = dtype.eq_ignore_ascii_case("ENUM");
            if is_enum && options.is_none() {
                return Err(wrong(format!("`{name}` is an enum without its values (`enum`)")));
            }
            if crate::catalog::samples::RESERVED.contains(&name.as_str()) || name.is_empty() {
                return Err(wrong(format!("a property cannot be called `{name}`")));
            }
            if !names.insert(name.to_lowercase()) {
                return Err(wrong(format!("`{name}` is there twice (names that differ in case only are one)")));
            }
            let path = match (path, container) {
                (Some(path), _) => path.split('.').map(str::to_owned).collect(),
                (None, Some(container)) => vec![container.to_owned(), name.clone()],
                (None, None) => vec![name.clone()],
            };
            if path.len() > 2 {
                return Err(wrong(format!("`{name}` lies too deep: at most an object inside of the sample")));
            }
            let options = options.filter(|_| is_enum);
            let property = Property { name, kind, multiple, nullable, options, apart: None, added: false };
            schema.properties.push(SchemaProperty { property, path, pick });
        }
        Ok(schema)
    }

    /// The properties alone.
    pub fn properties(&self) -> Vec<Property> {
        self.properties.iter().map(|it| it.property.clone()).collect()
    }
}

/// Members that hold the sample itself and not what is known of it.
const CONTENT: [&str; 6] = ["text", "content", "raw_content", "raw", "html", "tokens"];

/// Texts longer than this are content.
const LONGEST: usize = 200;

/// What values have been seen of a member.
#[derive(Default)]
struct Seen {
    path: Vec<String>,
    kind: Option<PropertyKind>,
    multiple: bool,
    /// It has values that are no property: objects, long texts, several types.
    odd: bool,
}

/// Finds properties in samples.
#[derive(Default)]
pub(super) struct Discovery {
    members: Vec<Seen>,
}

impl Discovery {
    /// Looks at a sample.
    pub(super) fn look(&mut self, sample: &Value) {
        let Some(object) = sample.as_object() else { return };
        for (name, value) in object {
            match value {
                Value::Object(inner) => {
                    for (member, value) in inner {
                        self.see(vec![name.clone(), member.clone()], value);
                    }
                }
                _ if CONTENT.contains(&name.as_str()) => {}
                _ => self.see(vec![name.clone()], value),
            }
        }
    }

    /// Looks at a column.
    pub(super) fn column(&mut self, name: &str, kind: PropertyKind, multiple: bool) {
        if !CONTENT.contains(&name) {
            self.members.push(Seen { path: vec![name.to_owned()], kind: Some(kind), multiple, odd: false });
        }
    }

    /// Looks at a member of a column of structs.
    pub(super) fn member(&mut self, column: &str, name: &str, kind: PropertyKind, multiple: bool) {
        let path = vec![column.to_owned(), name.to_owned()];
        self.members.push(Seen { path, kind: Some(kind), multiple, odd: false });
    }

    fn see(&mut self, path: Vec<String>, value: &Value) {
        let index = match self.members.iter().position(|seen| seen.path == path) {
            Some(index) => index,
            None => {
                self.members.push(Seen { path, ..Seen::default() });
                self.members.len() - 1
            }
        };
        let Some(seen) = self.members.get_mut(index) else { return };
        match value {
            Value::Array(values) => {
                seen.multiple = true;
                values.iter().for_each(|value| seen.scalar(value));
            }
            other => seen.scalar(other),
        }
    }

    /// What was found. All of it may be missing.
    pub(super) fn schema(self) -> SampleSchema {
        let mut schema = SampleSchema::default();
        let mut names = HashSet::new();
        for seen in self.members {
            let (Some(kind), false) = (seen.kind, seen.odd) else { continue };
            let last = seen.path.last().cloned().unwrap_or_default();
            let name = if names.contains(&last.to_lowercase()) { seen.path.join(".") } else { last };
            if crate::catalog::samples::RESERVED.contains(&name.as_str()) || !names.insert(name.to_lowercase()) {
                continue;
            }
            let property = Property {
                name,
                kind,
                multiple: seen.multiple,
                nullable: true,
                options: None,
                apart: None,
                added: false,
            };
            schema.properties.push(SchemaProperty { property, path: seen.path, pick: None });
        }
        schema
    }
}

impl Seen {
    fn scalar(&mut self, value: &Value) {
        let kind = match value {
            Value::Null => return,
            Value::Bool(_) => PropertyKind::Text,
            Value::String(text) => {
                self.odd |= text.len() > LONGEST;
                PropertyKind::Text
            }
            Value::Number(number) if number.is_i64() => PropertyKind::Int,
            Value::Number(_) => PropertyKind::Float,
            Value::Array(_) | Value::Object(_) => {
                self.odd = true;
                return;
            }
        };
        self.kind = match (self.kind, kind) {
            (Some(PropertyKind::Int), PropertyKind::Float) | (Some(PropertyKind::Float), PropertyKind::Int) => {
                Some(PropertyKind::Float)
            }
            (Some(known), kind) => {
                self.odd |= known != kind;
                Some(known)
            }
            (None, kind) => Some(kind),
        };
    }
}
