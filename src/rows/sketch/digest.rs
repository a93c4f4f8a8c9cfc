//! Quantiles of many numbers in bounded space: a merging t-digest (Dunning and Ertl, 2019).

use super::bytes::{In, Out};

/// Numbers that wait to be taken in together.
const WAITING: usize = 512;

/// A t-digest.
#[derive(Clone, Debug, PartialEq)]
pub struct Digest {
    /// Means and weights, by mean.
    centroids: Vec<(f64, f64)>,
    waiting: Vec<f64>,
    compression: f64,
    least: f64,
    greatest: f64,
}

impl Digest {
    /// An empty digest; `compression` is about the number of means that it keeps.
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    pub fn new(compression: usize) -> Self {
        Self {
            centroids: vec![],
            waiting: vec![],
            compression: compression.max(10) as f64,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        }
    }

    /// Adds a number; what is none is left out.
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.waiting.push(value);
        if self.waiting.len() >= WAITING {
            self.compress();
        }
    }

    /// Takes another digest in.
    pub fn merge(&mut self, other: &Self) {
        self.compress();
        let mut all = std::mem::take(&mut self.centroids);
        all.extend_from_slice(&other.centroids);
        all.extend(other.waiting.iter().map(|value| (*value, 1.0)));
        self.least = other.waiting.iter().copied().fold(self.least.min(other.least), f64::min);
        self.greatest = other.waiting.iter().copied().fold(self.greatest.max(other.greatest), f64::max);
        self.rebuild(all);
    }

    fn compress(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.centroids);
        for value in self.waiting.drain(..) {
            self.least = self.least.min(value);
            self.greatest = self.greatest.max(value);
            all.push((value, 1.0));
        }
        self.rebuild(all);
    }

    /// Joins neighbours as far as their share of the whole allows; at the ends that is least.
    fn rebuild(&mut self, mut all: Vec<(f64, f64)>) {
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = all.iter().map(|(_, weight)| weight).sum();
        let mut before = 0.0;
        let mut joined: Vec<(f64, f64)> = vec![];
        for (mean, weight) in all {
            match joined.last_mut() {
                Some((last, held)) => {
                    let together = *held + weight;
                    let middle = (before + together / 2.0) / total;
                    if together <= (4.0 * total * middle * (1.0 - middle) / self.compression).max(1.0) {
                        *last += (mean - *last) * weight / together;
                        *held = together;
                    } else {
                        before += *held;
                        joined.push((mean, weight));
                    }
                }
                None => joined.push((mean, weight)),
            }
        }
        self.centroids = joined;
    }

    fn whole(&self) -> Self {
        let mut whole = self.clone();
        whole.compress();
        whole
    }

    /// How many numbers there are.
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    pub fn count(&self) -> f64 {
        self.centroids.iter().map(|(_, weight)| weight).sum::<f64>() + self.waiting.len() as f64
    }

    /// The number below which this share of all lies; nothing where there are none.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let whole = self.whole();
        let place = share.clamp(0.0, 1.0) * whole.count();
        let (mut before, mut last) = (0.0, (whole.least, 0.0));
        if whole.centroids.is_empty() {
            return None;
        }
        // Each mean stands in the middle of its weight.
        for (mean, weight) in &whole.centroids {
            let middle = before + weight / 2.0;
            if place <= middle {
                return Some(between(last, (*mean, middle), place));
            }
            (before, last) = (before + weight, (*mean, middle));
        }
        Some(between(last, (whole.greatest, before), place))
    }

    /// The share of numbers that are at most this one.
    pub fn share_up_to(&self, value: f64) -> Option<f64> {
        let whole = self.whole();
        let total = whole.count();
        if whole.centroids.is_empty() {
            return None;
        }
        if value < whole.least {
            return Some(0.0);
        }
        if value >= whole.greatest {
            return Some(1.0);
        }
        let (mut before, mut last) = (0.0, (0.0, whole.least));
        for (mean, weight) in &whole.centroids {
            let middle = before + weight / 2.0;
            if value < *mean {
                return Some(between((last.0, last.1), (middle, *mean), value) / total);
            }
            (before, last) = (before + weight, (middle, *mean));
        }
        Some(between(last, (before, whole.greatest), value) / total)
    }

    /// Bytes of memory.
    pub fn size(&self) -> usize {
        self.centroids.capacity() * 16 + self.waiting.capacity() * 8 + size_of::<Self>()
    }

    pub(crate) fn write(&self, out: &mut Out) {
        let whole = self.whole();
        for value in [whole.compression, whole.least, whole.greatest] {
            out.float(value);
        }
        out.count(whole.centroids.len());
        for (mean, weight) in &whole.centroids {
            out.float(*mean);
            out.float(*weight);
        }
    }

    pub(crate) fn read(from: &mut In<'_>) -> Option<Self> {
        let (compression, least, greatest) = (from.float()?, from.float()?, from.float()?);
        let count = from.count()?;
        let centroids = (0..count).map(|_| Some((from.float()?, from.float()?))).collect::<Option<Vec<_>>>()?;
        Some(Self { centroids, waiting: vec![], compression, least, greatest })
    }
}

/// The value at a place between two points of (value, place).
fn between(from: (f64, f64), to: (f64, f64), place: f64) -> f64 {
    let width = to.1 - from.1;
    if width <= 0.0 {
        return to.0;
    }
    from.0 + (to.0 - from.0) * ((place - from.1) / width).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_and_parts_unite() {
        let mut parts = vec![Digest::new(100); 3];
        for value in 0..30_000_u32 {
            // In an order that is none.
            let value = value * 7919 % 30_000;
            parts[value as usize % 3].add(f64::from(value));
        }
        let mut whole = parts.remove(0);
        parts.iter().for_each(|part| whole.merge(part));
        for share in [0.0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0] {
            let (found, wanted) = (whole.quantile(share).unwrap(), share * 30_000.0);
            assert!((found - wanted).abs() < 300.0, "{share}: {found}");
            assert!((whole.share_up_to(wanted).unwrap() - share).abs() < 0.01, "{share}");
        }
        assert!(whole.size() < 16_000 && Digest::new(10).quantile(0.5).is_none());
        let mut one = Digest::new(100);
        one.add(7.0);
        assert_eq!((one.quantile(0.0), one.quantile(0.95), one.share_up_to(7.0)), (Some(7.0), Some(7.0), Some(1.0)));
    }
}
