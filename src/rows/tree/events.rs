//! Events as trees see them: the values of a few fields, many events at once.

/// A value of a field. Texts and lists lie in the [`Events`] that the value is of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Value {
    /// The event has no such field, or it is null.
    #[default]
    Missing,
    /// A text.
    Text {
        /// Where it starts.
        at: u32,
        /// Its bytes.
        len: u32,
    },
    /// An integer.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Several values.
    List {
        /// Where they start.
        at: u32,
        /// How many there are.
        len: u32,
    },
    /// Something that is no name and no number, such as an object.
    Other,
}

/// The values of some fields of many events, field by field.
#[derive(Clone, Debug, Default)]
pub struct Events {
    columns: Vec<Vec<Value>>,
    items: Vec<Value>,
    text: String,
    rows: usize,
    /// Where the last event starts.
    mark: (usize, usize),
}

/// Bytes of text that events may have together: places in it have 32 bits.
const MOST_TEXT: usize = 1 << 31;

impl Events {
    /// No events, of so many fields.
    pub fn new(fields: usize) -> Self {
        Self { columns: vec![vec![]; fields], ..Self::default() }
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether another event should wait for the next block.
    pub fn is_full(&self) -> bool {
        self.text.len() >= MOST_TEXT / 2 || self.items.len() >= MOST_TEXT / 32
    }

    /// Starts an event whose fields are all missing.
    pub fn begin(&mut self) {
        self.mark = (self.text.len(), self.items.len());
        self.rows += 1;
        for column in &mut self.columns {
            column.push(Value::Missing);
        }
    }

    /// Takes the event back that was started last.
    pub fn take_back(&mut self) {
        if self.rows == 0 {
            return;
        }
        self.rows -= 1;
        self.columns.iter_mut().for_each(|column| column.truncate(self.rows));
        self.text.truncate(self.mark.0);
        self.items.truncate(self.mark.1);
    }

    /// Sets a field of the last event.
    pub fn set(&mut self, field: usize, value: Value) {
        if let Some(place) = self.columns.get_mut(field).and_then(|column| column.last_mut()) {
            *place = value;
        }
    }

    /// A text as value; one that does not fit any more is none.
    pub fn text(&mut self, text: &str) -> Value {
        let at = self.text.len();
        if at.saturating_add(text.len()) > MOST_TEXT {
            return Value::Other;
        }
        self.text.push_str(text);
        Value::Text { at: place(at), len: place(text.len()) }
    }

    /// A list of simple values as value.
    pub fn list(&mut self, values: &[Value]) -> Value {
        let at = self.items.len();
        if at.saturating_add(values.len()) > MOST_TEXT {
            return Value::Other;
        }
        self.items.extend_from_slice(values);
        Value::List { at: place(at), len: place(values.len()) }
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        self.columns.iter().map(|column| column.capacity() * size_of::<Value>()).sum::<usize>()
            + self.items.capacity() * size_of::<Value>()
            + self.text.capacity()
    }

    /// A value of an event.
    pub(super) fn get(&self, row: usize, field: usize) -> Value {
        self.columns.get(field).and_then(|column| column.get(row)).copied().unwrap_or_default()
    }

    /// The entries of a list.
    pub(super) fn items(&self, at: u32, len: u32) -> &[Value] {
        self.items.get(at as usize..at as usize + len as usize).unwrap_or_default()
    }

    /// A text.
    pub(super) fn str(&self, at: u32, len: u32) -> &str {
        self.text.get(at as usize..at as usize + len as usize).unwrap_or_default()
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it was compared with the limit, which fits")]
fn place(at: usize) -> u32 {
    at as u32
}
