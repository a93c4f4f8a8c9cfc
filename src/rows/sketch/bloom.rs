//! Membership: what was not seen is known for certain.

use super::bytes::{In, Out};
use xxhash_rust::xxh3::xxh3_128;

/// A bloom filter over texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bloom {
    words: Vec<u64>,
    bits: u64,
    hashes: u32,
}

impl Bloom {
    /// An empty filter; at least one bit and one hash.
    pub fn new(bits: usize, hashes: u32) -> Self {
        let bits = bits.max(1);
        Self { words: vec![0; bits.div_ceil(64)], bits: bits as u64, hashes: hashes.max(1) }
    }

    /// An empty filter for so many values with so much error.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "sizes")]
    pub fn for_values(values: usize, error: f64) -> Self {
        let error = error.clamp(1e-9, 0.5);
        let per_value = -error.ln() / std::f64::consts::LN_2.powi(2);
        let bits = (values.max(1) as f64 * per_value).ceil().min((1_u64 << 30) as f64) as usize;
        let hashes = (per_value * std::f64::consts::LN_2).round().clamp(1.0, 32.0) as u32;
        Self::new(bits, hashes)
    }

    fn positions(&self, text: &str) -> impl Iterator<Item = u64> + use<> {
        let hash = xxh3_128(text.as_bytes());
        #[allow(clippy::cast_possible_truncation, reason = "halves")]
        let (mut low, step) = (hash as u64, (hash >> 64) as u64 | 1);
        let bits = self.bits;
        (0..self.hashes).map(move |_| {
            let position = low % bits;
            low = low.wrapping_add(step);
            position
        })
    }

    /// Adds a value.
    pub fn add(&mut self, text: &str) {
        for position in self.positions(text) {
            if let Some(word) = usize::try_from(position / 64).ok().and_then(|index| self.words.get_mut(index)) {
                *word |= 1 << (position % 64);
            }
        }
    }

    /// Whether a value may have been added.
    pub fn has(&self, text: &str) -> bool {
        self.positions(text).all(|position| {
            let word = usize::try_from(position / 64).ok().and_then(|index| self.words.get(index));
            word.is_some_and(|word| word & (1 << (position % 64)) != 0)
        })
    }

    /// Takes another filter of the same size in; whether it is of the same size.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        if (self.bits, self.hashes) != (other.bits, other.hashes) {
            return false;
        }
        for (own, other) in self.words.iter_mut().zip(&other.words) {
            *own |= other;
        }
        true
    }

    pub(crate) fn write(&self, out: &mut Out) {
        out.number(self.bits);
        out.number(u64::from(self.hashes));
        self.words.iter().for_each(|word| out.raw(&word.to_le_bytes()));
    }

    pub(crate) fn read(from: &mut In<'_>) -> Option<Self> {
        let (bits, hashes) = (from.number()?, u32::try_from(from.number()?).ok()?);
        let bytes = from.raw(usize::try_from(bits.div_ceil(64)).ok()?.checked_mul(8)?)?;
        let (words, _) = bytes.as_chunks::<8>();
        (bits > 0).then(|| Self { words: words.iter().map(|word| u64::from_le_bytes(*word)).collect(), bits, hashes })
    }

    /// How many bits are set.
    pub fn bits_set(&self) -> i64 {
        self.words.iter().map(|word| i64::from(word.count_ones())).sum()
    }

    /// How many bits there are.
    pub fn bits(&self) -> i64 {
        i64::try_from(self.bits).unwrap_or(i64::MAX)
    }

    /// Bytes of memory.
    pub fn size(&self) -> usize {
        self.words.len() * 8 + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_added_is_forgotten_and_little_else_is_found() {
        let mut filter = Bloom::for_values(1000, 0.01);
        for value in 0..1000 {
            filter.add(&value.to_string());
        }
        assert!((0..1000).all(|value| filter.has(&value.to_string())));
        let wrong = (1000..11_000).filter(|value| filter.has(&value.to_string())).count();
        assert!(wrong < 250, "{wrong}");
    }
}
