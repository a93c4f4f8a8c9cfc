//! Attachments as bytes, and several as one.

use super::{AttachSpec, Attachment, Distribution};
use crate::error::Problem;
use crate::sketch::{Bloom, Cardinality, CountMin, Digest, Hot, In, Out, Recent, Topper};
use std::sync::Arc;

/// The first byte of what is stored: how the rest is written.
const FORM: u64 = 1;

impl Attachment {
    /// Takes the state of the same attachment of another part in.
    ///
    /// # Errors
    /// Kinds whose state depends on the order of events, and states of different sizes.
    pub fn unite(&mut self, other: Self, spec: &AttachSpec) -> Result<(), Problem> {
        let fits = match (&mut *self, &other) {
            (Self::Sum { sum, num }, Self::Sum { sum: others, num: count }) => {
                (*sum, *num) = (sum.wrapping_add(*others), num.wrapping_add(*count));
                true
            }
            (Self::SumFloat { sum, count }, Self::SumFloat { sum: others, count: number }) => {
                (*sum, *count) = (*sum + others, count.wrapping_add(*number));
                true
            }
            (Self::Time { first, last }, Self::Time { first: from, last: to }) => {
                (*first, *last) = ((*first).min(*from), (*last).max(*to));
                true
            }
            (Self::Count(estimate), Self::Count(other)) => {
                estimate.merge(other);
                true
            }
            (Self::KeyTop(top), Self::KeyTop(other)) => {
                let size = if let AttachSpec::KeyTop { size, .. } = spec { *size } else { usize::MAX };
                top.merge(other, size)?;
                true
            }
            (Self::Distribution(values), Self::Distribution(other)) => {
                values.merge(other);
                true
            }
            (Self::Bloom(filter), Self::Bloom(other)) | (Self::Seen(filter), Self::Seen(other)) => filter.merge(other),
            (Self::CountMin(counts), Self::CountMin(other)) => counts.merge(other),
            (Self::Digest(digest), Self::Digest(other)) => {
                digest.merge(other);
                true
            }
            _ => false,
        };
        if fits {
            Ok(())
        } else {
            Err(Problem::other(format!("two states of `{}` cannot be made into one", spec.kind())))
        }
    }

    /// The state as bytes.
    pub fn write(&self, out: &mut Out) {
        out.number(FORM);
        match self {
            Self::Sum { sum: a, num: b } | Self::Time { first: a, last: b } => {
                out.int(*a);
                out.int(*b);
            }
            Self::SumFloat { sum, count } => {
                out.float(*sum);
                out.int(*count);
            }
            Self::Count(estimate) => estimate.write(out),
            Self::KeyTop(top) | Self::LimitTop(top) => top.write(out),
            Self::LimitRecent(recent) => recent.write(out),
            Self::LimitHot(hot) => hot.write(out),
            Self::Map(entries) => {
                out.count(entries.len());
                for (key, value) in entries {
                    out.text(key);
                    out.text(value);
                }
            }
            Self::Copy(entries) => {
                out.count(entries.len());
                for (key, value) in entries {
                    out.text(key);
                    out.text(value);
                }
            }
            Self::Histogram(buckets) => {
                out.count(buckets.len());
                for (bucket, count) in buckets {
                    out.int(*bucket);
                    out.int(*count);
                }
            }
            Self::Distribution(values) => {
                out.count(values.sorted.len());
                let mut before = 0_i64;
                for value in &values.sorted {
                    out.int(value.wrapping_sub(before));
                    before = *value;
                }
            }
            Self::Bloom(filter) | Self::Seen(filter) => filter.write(out),
            Self::CountMin(counts) => counts.write(out),
            Self::Digest(digest) => digest.write(out),
        }
    }

    /// The state of an attachment of this kind that these bytes are; nothing if they are none.
    pub fn read(spec: &AttachSpec, bytes: &[u8]) -> Option<Self> {
        let mut from = In::new(bytes);
        if from.number()? != FORM {
            return None;
        }
        let pairs = |from: &mut In<'_>| {
            let entry = |from: &mut In<'_>| Some((Arc::<str>::from(from.text()?), Arc::<str>::from(from.text()?)));
            (0..from.count()?).map(|_| entry(from)).collect::<Option<Vec<_>>>()
        };
        let state = match spec {
            AttachSpec::Sum { .. } => Self::Sum { sum: from.int()?, num: from.int()? },
            AttachSpec::SumFloat { .. } => Self::SumFloat { sum: from.float()?, count: from.int()? },
            AttachSpec::Time { .. } => Self::Time { first: from.int()?, last: from.int()? },
            AttachSpec::Count { .. } => Self::Count(Cardinality::read(&mut from)?),
            AttachSpec::KeyTop { .. } => Self::KeyTop(Topper::read(&mut from)?),
            AttachSpec::LimitTop { .. } => Self::LimitTop(Topper::read(&mut from)?),
            AttachSpec::LimitRecent { .. } => Self::LimitRecent(Recent::read(&mut from)?),
            AttachSpec::LimitHot { .. } => Self::LimitHot(Hot::read(&mut from)?),
            AttachSpec::Map { .. } => Self::Map(pairs(&mut from)?.into()),
            AttachSpec::Copy { .. } => Self::Copy(pairs(&mut from)?.into_iter().collect()),
            AttachSpec::Histogram { .. } => {
                let count = from.count()?;
                Self::Histogram((0..count).map(|_| Some((from.int()?, from.int()?))).collect::<Option<_>>()?)
            }
            AttachSpec::Distribution { .. } => {
                let mut before = 0_i64;
                let count = from.count()?;
                let mut next = || {
                    before = before.wrapping_add(from.int()?);
                    Some(before)
                };
                Self::Distribution(Distribution { sorted: (0..count).map(|_| next()).collect::<Option<_>>()? })
            }
            AttachSpec::Bloom { .. } => Self::Bloom(Bloom::read(&mut from)?),
            AttachSpec::Seen { .. } => Self::Seen(Bloom::read(&mut from)?),
            AttachSpec::CountMin { .. } => Self::CountMin(CountMin::read(&mut from)?),
            AttachSpec::Digest { .. } => Self::Digest(Digest::read(&mut from)?),
        };
        from.is_empty().then_some(state)
    }
}

impl Distribution {
    /// Takes other values in.
    pub fn merge(&mut self, other: &Self) {
        self.sorted.extend_from_slice(&other.sorted);
        self.sorted.sort_unstable();
    }
}
