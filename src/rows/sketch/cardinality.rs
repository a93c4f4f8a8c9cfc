//! How many distinct values: HyperLogLog with a sparse beginning.
//!
//! Few values are counted with 25 bits of their hash, which is exact as good as always; many in 2¹⁴ registers. The
//! estimate of the registers is the one of Ertl (2017), which needs no table of corrections.

use super::bytes::{In, Out};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// Bits of the hash that choose a register.
const DENSE: u32 = 14;
/// Bits of the hash that choose a place while there are few values.
const SPARSE: u32 = 25;
/// Registers.
const REGISTERS: usize = 1 << DENSE;
/// Most sparse entries: more take more memory than the registers.
const MOST_SPARSE: usize = REGISTERS / 8;

/// An estimate of the number of distinct texts. Estimates of parts merge into that of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cardinality(State);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Place of 25 bits, and the number of leading zeros behind it plus one.
    Sparse(BTreeMap<u32, u8>),
    Dense(Box<[u8]>),
}

impl Default for Cardinality {
    fn default() -> Self {
        Self(State::Sparse(BTreeMap::new()))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "parts of a hash")]
fn place(hash: u64, bits: u32) -> (u32, u8) {
    let rest = hash << bits;
    let zeros = rest.leading_zeros().min(64 - bits);
    ((hash >> (64 - bits)) as u32, zeros as u8 + 1)
}

impl Cardinality {
    /// Adds a value; whether the estimate may have changed.
    pub fn add(&mut self, text: &str) -> bool {
        let hash = xxh3_64(text.as_bytes());
        match &mut self.0 {
            State::Sparse(entries) => {
                let (index, zeros) = place(hash, SPARSE);
                let entry = entries.entry(index).or_insert(0);
                let changed = zeros > *entry;
                *entry = zeros.max(*entry);
                if entries.len() > MOST_SPARSE {
                    self.0 = State::Dense(dense(entries));
                }
                changed
            }
            State::Dense(registers) => {
                let (index, zeros) = place(hash, DENSE);
                raise(registers, index, zeros)
            }
        }
    }

    /// Takes another estimate in.
    pub fn merge(&mut self, other: &Self) {
        if let (State::Sparse(own), State::Sparse(entries)) = (&mut self.0, &other.0) {
            for (index, zeros) in entries {
                let entry = own.entry(*index).or_insert(0);
                *entry = (*entry).max(*zeros);
            }
            if own.len() > MOST_SPARSE {
                self.0 = State::Dense(dense(own));
            }
            return;
        }
        let mut registers = match &self.0 {
            State::Sparse(entries) => dense(entries),
            State::Dense(registers) => registers.clone(),
        };
        let others = match &other.0 {
            State::Sparse(entries) => dense(entries),
            State::Dense(registers) => registers.clone(),
        };
        for (own, other) in registers.iter_mut().zip(&others) {
            *own = (*own).max(*other);
        }
        self.0 = State::Dense(registers);
    }

    /// The estimate.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "rounding is meant")]
    pub fn count(&self) -> i64 {
        match &self.0 {
            State::Sparse(entries) => {
                let places = f64::from(1_u32 << SPARSE);
                (places * (places / (places - entries.len() as f64)).ln()).round() as i64
            }
            State::Dense(registers) => estimate(registers).round() as i64,
        }
    }

    pub(crate) fn write(&self, out: &mut Out) {
        match &self.0 {
            State::Sparse(entries) => {
                out.number(0);
                out.count(entries.len());
                let mut before = 0;
                for (index, zeros) in entries {
                    out.number(u64::from(index - before));
                    out.raw(&[*zeros]);
                    before = *index;
                }
            }
            State::Dense(registers) => {
                out.number(1);
                out.raw(registers);
            }
        }
    }

    pub(crate) fn read(from: &mut In<'_>) -> Option<Self> {
        if from.number()? == 1 {
            return Some(Self(State::Dense(from.raw(REGISTERS)?.into())));
        }
        let (mut entries, mut before) = (BTreeMap::new(), 0_u32);
        for _ in 0..from.count()? {
            before = before.checked_add(u32::try_from(from.number()?).ok()?)?;
            entries.insert(before, *from.raw(1)?.first()?);
        }
        (before < 1 << SPARSE).then_some(Self(State::Sparse(entries)))
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        match &self.0 {
            State::Sparse(entries) => 64 + entries.len() * 16,
            State::Dense(_) => 64 + REGISTERS,
        }
    }
}

fn raise(registers: &mut [u8], index: u32, zeros: u8) -> bool {
    match registers.get_mut(index as usize) {
        Some(register) if *register < zeros => {
            *register = zeros;
            true
        }
        _ => false,
    }
}

/// The registers that sparse entries amount to.
fn dense(entries: &BTreeMap<u32, u8>) -> Box<[u8]> {
    let mut registers = vec![0; REGISTERS].into_boxed_slice();
    let between = SPARSE - DENSE;
    for (index, zeros) in entries {
        // The bits between the two lengths come first; only where all are zero the rest counts on.
        let middle = index & ((1 << between) - 1);
        let zeros = match middle {
            0 => u8::try_from(between).unwrap_or(u8::MAX) + zeros,
            _ => u8::try_from(middle.leading_zeros() - (32 - between)).unwrap_or(u8::MAX) + 1,
        };
        raise(&mut registers, index >> between, zeros);
    }
    registers
}

/// Ertl's improved estimate.
#[allow(clippy::cast_precision_loss, reason = "counts of registers")]
fn estimate(registers: &[u8]) -> f64 {
    let most = 64 - DENSE;
    let mut histogram = [0_u32; 66];
    for register in registers {
        if let Some(count) = histogram.get_mut(usize::from(*register).min(most as usize + 1)) {
            *count += 1;
        }
    }
    let m = REGISTERS as f64;
    let count = |value: u32| f64::from(histogram.get(value as usize).copied().unwrap_or(0));
    let mut z = m * tau(1.0 - count(most + 1) / m);
    for value in (1..=most).rev() {
        z = 0.5 * (z + count(value));
    }
    z += m * sigma(count(0) / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: std::ops::Range<u32>) -> Cardinality {
        let mut estimate = Cardinality::default();
        for value in values {
            estimate.add(&value.to_string());
        }
        estimate
    }

    #[test]
    fn estimates_are_near() {
        assert_eq!(Cardinality::default().count(), 0);
        for size in [1_u32, 60, 1000, 2047] {
            assert!((of(0..size).count() - i64::from(size)).abs() <= 1, "{size}");
        }
        for size in [2100_u32, 10_000, 40_000, 200_000] {
            let error = of(0..size).count() as f64 / f64::from(size) - 1.0;
            assert!(error.abs() < 0.03, "{size}: {error}");
        }
    }

    #[test]
    fn parts_merge_into_the_whole() {
        for (size, half) in [(1000, 500), (3000, 1500), (50_000, 30_000), (50_000, 100)] {
            let mut part = of(0..half);
            part.merge(&of(half / 2..size));
            assert_eq!(part.count(), of(0..size).count(), "{size}");
        }
    }
}
