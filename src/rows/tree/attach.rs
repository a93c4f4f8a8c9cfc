//! States of attachments while a tree grows: numbers side by side, everything else as it is.

use super::events::{Events, Value};
use super::plan::Attach;
use super::{AttachSpec, Attachment, Distribution};
use crate::error::Problem;
use crate::number::{Number, float_text, parse_number};
use crate::sketch::{Bloom, Cardinality, CountMin, Digest, Hot, Recent, Topper};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// The text of a value, if it is one.
fn text(events: &Events, value: Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Missing | Value::List { .. } | Value::Other | Value::Text { len: 0, .. } => None,
        Value::Text { at, len } => Some(Cow::Borrowed(events.str(at, len))),
        Value::Int(value) => Some(Cow::Owned(value.to_string())),
        Value::Float(value) => Some(Cow::Owned(float_text(value))),
        Value::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
    }
}

/// The texts of a value: the entries of a list, or the one value.
pub(super) fn texts(events: &Events, value: Value) -> impl Iterator<Item = Cow<'_, str>> {
    let (one, several) = match value {
        Value::List { at, len } => (None, events.items(at, len)),
        other => (Some(other), &[][..]),
    };
    one.into_iter().chain(several.iter().copied()).filter_map(|value| text(events, value))
}

fn number(events: &Events, value: Value) -> Option<Number> {
    match value {
        Value::Int(value) => Some(Number::Int(value)),
        Value::Float(value) => Some(Number::Float(value)),
        Value::Text { at, len } => parse_number(events.str(at, len)),
        Value::Missing | Value::List { .. } | Value::Other | Value::Bool(_) => None,
    }
}

/// A value as integer.
pub(super) fn integer(events: &Events, value: Value) -> Option<i64> {
    number(events, value).map(Number::as_int)
}

/// The states of one attachment of all nodes of a layout.
#[derive(Debug)]
pub(super) enum States {
    Sum(Vec<(i64, i64)>),
    SumFloat(Vec<(f64, i64)>),
    Time(Vec<(i64, i64)>),
    Other(Vec<Attachment>),
}

impl States {
    pub(super) fn of(spec: &AttachSpec) -> Self {
        match spec {
            AttachSpec::Sum { .. } => Self::Sum(vec![]),
            AttachSpec::SumFloat { .. } => Self::SumFloat(vec![]),
            AttachSpec::Time { .. } => Self::Time(vec![]),
            _ => Self::Other(vec![]),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sum(states) | Self::Time(states) => states.len(),
            Self::SumFloat(states) => states.len(),
            Self::Other(states) => states.len(),
        }
    }

    pub(super) fn push(&mut self, spec: &AttachSpec) {
        match self {
            Self::Sum(states) => states.push((0, 0)),
            Self::SumFloat(states) => states.push((0.0, 0)),
            Self::Time(states) => states.push((i64::MAX, i64::MIN)),
            Self::Other(states) => states.push(empty(spec)),
        }
    }

    /// The state at a place, if it is more than two numbers.
    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Attachment> {
        match self {
            Self::Other(states) => states.get_mut(slot),
            Self::Sum(_) | Self::SumFloat(_) | Self::Time(_) => None,
        }
    }

    /// Takes the state at a place out.
    pub(super) fn take(&mut self, slot: usize) -> Attachment {
        let pair = |states: &[(i64, i64)]| states.get(slot).copied().unwrap_or_default();
        match self {
            Self::Sum(states) => {
                let (sum, num) = pair(states);
                Attachment::Sum { sum, num }
            }
            Self::Time(states) => {
                let (first, last) = pair(states);
                Attachment::Time { first, last }
            }
            Self::SumFloat(states) => {
                let (sum, count) = states.get(slot).copied().unwrap_or_default();
                Attachment::SumFloat { sum, count }
            }
            Self::Other(states) => {
                let nothing = Attachment::Sum { sum: 0, num: 0 };
                states.get_mut(slot).map_or(nothing.clone(), |state| std::mem::replace(state, nothing))
            }
        }
    }

    /// Takes an event's values in; whether the state may have grown.
    pub(super) fn update(
        &mut self,
        slot: usize,
        attach: &Attach,
        events: &Events,
        row: usize,
    ) -> Result<bool, Problem> {
        let value = || attach.fields.first().map_or(Value::Missing, |field| events.get(row, *field));
        match (self, &attach.spec) {
            (Self::Sum(states), AttachSpec::Sum { count_missing, .. }) => {
                let Some((sum, num)) = states.get_mut(slot) else { return Ok(false) };
                add(sum, num, *count_missing, integer(events, value()));
            }
            (Self::SumFloat(states), _) => {
                if let (Some((sum, count)), Some(value)) = (states.get_mut(slot), number(events, value())) {
                    *sum += value.as_float();
                    *count += 1;
                }
            }
            (Self::Time(states), _) => {
                if let (Some((first, last)), Some(value)) = (states.get_mut(slot), integer(events, value())) {
                    *first = (*first).min(value);
                    *last = (*last).max(value);
                }
            }
            (Self::Other(states), _) => {
                if let Some(state) = states.get_mut(slot) {
                    update(state, attach, events, row)?;
                    return Ok(true);
                }
            }
            (Self::Sum(_), _) => {}
        }
        Ok(false)
    }

    /// Bytes of what has a fixed size.
    pub(super) fn fixed_size(&self) -> usize {
        match self {
            Self::Sum(states) | Self::Time(states) => states.capacity() * 16,
            Self::SumFloat(states) => states.capacity() * 16,
            Self::Other(states) => states.capacity() * size_of::<Attachment>(),
        }
    }

    /// Bytes of everything else.
    pub(super) fn loose_size(&self) -> usize {
        match self {
            Self::Other(states) => states.iter().map(|it| it.size() - size_of::<Attachment>()).sum(),
            Self::Sum(_) | Self::SumFloat(_) | Self::Time(_) => 0,
        }
    }
}

fn add(sum: &mut i64, num: &mut i64, count_missing: bool, value: Option<i64>) {
    match value {
        Some(value) => {
            *sum = sum.wrapping_add(value);
            *num += 1;
        }
        None => *num += i64::from(count_missing),
    }
}

/// What is attached to a node that was just made.
pub(super) fn empty(spec: &AttachSpec) -> Attachment {
    match spec {
        AttachSpec::Sum { .. } => Attachment::Sum { sum: 0, num: 0 },
        AttachSpec::SumFloat { .. } => Attachment::SumFloat { sum: 0.0, count: 0 },
        AttachSpec::Time { .. } => Attachment::Time { first: i64::MAX, last: i64::MIN },
        AttachSpec::Count { .. } => Attachment::Count(Cardinality::default()),
        AttachSpec::KeyTop { errors, .. } => Attachment::KeyTop(Topper::new(*errors)),
        AttachSpec::LimitTop { .. } => Attachment::LimitTop(Topper::new(false)),
        AttachSpec::LimitRecent { .. } => Attachment::LimitRecent(Recent::default()),
        AttachSpec::LimitHot { .. } => Attachment::LimitHot(Hot::default()),
        AttachSpec::Copy { .. } => Attachment::Copy(BTreeMap::new()),
        AttachSpec::Map { .. } => Attachment::Map(VecDeque::new()),
        AttachSpec::Histogram { .. } => Attachment::Histogram(BTreeMap::new()),
        AttachSpec::Distribution { .. } => Attachment::Distribution(Distribution::default()),
        AttachSpec::Bloom { max, error, .. } => Attachment::Bloom(Bloom::for_values(*max, *error)),
        AttachSpec::Seen { bits, hashes, .. } => Attachment::Seen(Bloom::new(*bits, *hashes)),
        AttachSpec::CountMin { width, depth, .. } => Attachment::CountMin(CountMin::new(*width, *depth)),
        AttachSpec::Digest { compression, .. } => Attachment::Digest(Digest::new(*compression)),
    }
}

/// Takes an event's values into an attachment.
pub(super) fn update(attachment: &mut Attachment, attach: &Attach, events: &Events, row: usize) -> Result<(), Problem> {
    let value = |index: usize| attach.fields.get(index).map_or(Value::Missing, |field| events.get(row, *field));
    match (attachment, &attach.spec) {
        (Attachment::Sum { sum, num }, AttachSpec::Sum { count_missing, .. }) => {
            add(sum, num, *count_missing, integer(events, value(0)));
        }
        (Attachment::SumFloat { sum, count }, _) => {
            if let Some(value) = number(events, value(0)) {
                *sum += value.as_float();
                *count += 1;
            }
        }
        (Attachment::Time { first, last }, _) => {
            if let Some(value) = integer(events, value(0)) {
                *first = (*first).min(value);
                *last = (*last).max(value);
            }
        }
        (Attachment::Count(estimate), _) => {
            for text in texts(events, value(0)) {
                estimate.add(&text);
            }
        }
        (Attachment::KeyTop(top), AttachSpec::KeyTop { size, .. }) => {
            for text in texts(events, value(0)) {
                top.add(&text, 1, *size)?;
            }
        }
        (Attachment::Copy(entries), AttachSpec::Copy { fields }) => {
            for (index, (label, _)) in fields.iter().enumerate() {
                if let Some(text) = text(events, value(index)) {
                    entries.insert(label.as_str().into(), text.into());
                }
            }
        }
        (Attachment::Map(entries), AttachSpec::Map { size, .. }) => {
            let (Some(key), Some(value)) = (text(events, value(0)), text(events, value(1))) else { return Ok(()) };
            entries.retain(|(known, _)| **known != *key);
            entries.push_back((key.into(), value.into()));
            while entries.len() > *size {
                entries.pop_front();
            }
        }
        (Attachment::Distribution(values), _) => {
            if let Some(value) = integer(events, value(0)) {
                values.add(value);
            }
        }
        (Attachment::Bloom(filter) | Attachment::Seen(filter), _) => {
            for text in texts(events, value(0)) {
                filter.add(&text);
            }
        }
        (Attachment::CountMin(counts), _) => {
            for text in texts(events, value(0)) {
                counts.add(&text, 1);
            }
        }
        (Attachment::Digest(digest), _) => {
            if let Some(value) = number(events, value(0)) {
                digest.add(value.as_float());
            }
        }
        // These follow the children, and a name has one kind.
        _ => {}
    }
    Ok(())
}
