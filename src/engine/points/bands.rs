//! Statistics of the values of all series for each step.

use super::align::Aligned;
use super::groups::Groups;
use super::pieces::Owners;
use super::reading::Reading;
use super::steps::{Key, KeyKind, Steps, floats, key_of_float};
use super::{By, Statistic};
use crate::Result;
use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::HashMap;
use std::sync::Arc;

/// Half the width of the 95 % interval of a normal distribution, in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

/// The values of one step and group.
#[derive(Clone, Copy, Debug)]
struct Band {
    n: u64,
    nan: u64,
    sum: f64,
    min: f64,
    max: f64,
    /// Mean and sum of squared distances from it, kept up value by value (Welford), so that large values with small
    /// differences do not cancel out.
    mean: f64,
    m2: f64,
}

impl Default for Band {
    fn default() -> Self {
        Self { n: 0, nan: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, mean: 0.0, m2: 0.0 }
    }
}

impl Band {
    fn add(&mut self, value: f64, spread: bool) {
        if value.is_nan() {
            self.nan += 1;
            return;
        }
        self.n += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if spread {
            let delta = value - self.mean;
            self.mean += delta / self.n as f64;
            self.m2 += delta * (value - self.mean);
        }
    }

    /// Both together (Chan).
    fn merge(&mut self, other: &Self) {
        let (left, right) = (self.n as f64, other.n as f64);
        if other.n > 0 {
            let delta = other.mean - self.mean;
            self.mean += delta * right / (left + right);
            self.m2 += other.m2 + delta * delta * left * right / (left + right);
        }
        self.n += other.n;
        self.nan += other.nan;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The values of the statistic's columns.
    fn values(&self, statistic: Statistic) -> [Option<f64>; 2] {
        let n = self.n as f64;
        let mean = (self.n > 0).then(|| self.sum / n);
        let std = (self.n > 1).then(|| (self.m2 / (n - 1.0)).sqrt());
        let bound = |sign: f64| Some(mean? + sign * Z95 * std? / n.sqrt());
        match statistic {
            Statistic::Mean => [mean, None],
            Statistic::Min => [(self.n > 0).then_some(self.min), None],
            Statistic::Max => [(self.n > 0).then_some(self.max), None],
            Statistic::Std => [std, None],
            Statistic::Ci95 => [bound(-1.0), bound(1.0)],
        }
    }
}

/// A group and a step.
type Slot = (u32, Key);

/// Bands by group and step.
#[derive(Debug, Default)]
pub(super) struct Bands {
    places: HashMap<Slot, u32>,
    slots: Vec<Slot>,
    bands: Vec<Band>,
    /// Points that were dropped: nothing to align them by, or no epoch.
    pub(super) dropped: u64,
}

impl Bands {
    fn place(&mut self, slot: Slot) -> u32 {
        let next = self.slots.len() as u32;
        let place = *self.places.entry(slot).or_insert(next);
        if place == next {
            self.slots.push(slot);
            self.bands.push(Band::default());
        }
        place
    }

    /// Bytes, about.
    pub(super) fn size(&self) -> usize {
        self.bands.capacity() * size_of::<Band>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.places.capacity() * (size_of::<Slot>() + size_of::<u32>())
    }

    /// Adds what another piece has found.
    pub(super) fn merge(&mut self, other: &Self) {
        self.dropped += other.dropped;
        for (slot, band) in other.slots.iter().zip(&other.bands) {
            let place = self.place(*slot);
            if let Some(own) = self.bands.get_mut(place as usize) {
                own.merge(band);
            }
        }
    }
}

/// Positions within a series for which the place of its band is guessed.
const GUESSES: usize = 1 << 16;

/// Series of one run of experiments are tracked at the same steps: the band of the n-th point is most often that of the
/// n-th point of the series before.
struct Guess {
    series: Option<u32>,
    position: usize,
    places: Vec<u32>,
}

impl Guess {
    fn place(&mut self, series: u32, slot: Slot, bands: &mut Bands) -> u32 {
        if self.series != Some(series) {
            self.series = Some(series);
            self.position = 0;
        }
        let position = self.position;
        self.position += 1;
        if let Some(place) = self.places.get(position).copied()
            && bands.slots.get(place as usize) == Some(&slot)
        {
            return place;
        }
        let place = bands.place(slot);
        if let Some(guess) = self.places.get_mut(position) {
            *guess = place;
        } else if position < GUESSES && position == self.places.len() {
            self.places.push(place);
        }
        place
    }
}

/// What makes points into bands.
#[derive(Debug)]
pub(super) struct Banding {
    pub(super) groups: Groups,
    pub(super) reading: Reading,
    pub(super) aligned: Option<Aligned>,
    pub(super) by: By,
    pub(super) keys: KeyKind,
    pub(super) statistics: Vec<Statistic>,
    pub(super) schema: SchemaRef,
}

/// The schema of bands: group columns, the step or epoch, counts, statistics.
pub(super) fn schema(groups: &Groups, by: By, keys: KeyKind, statistics: &[Statistic]) -> Schema {
    let grouped = groups.schema();
    let fields = grouped.fields().iter().map(|field| field.as_ref().clone());
    let counts = ["n", "nan"].map(|name| Field::new(name, DataType::Int64, false));
    let by = Field::new(by.name(), keys.data_type(), false);
    let columns = statistics.iter().flat_map(|statistic| statistic.columns());
    let columns = columns.map(|name| Field::new(*name, DataType::Float64, true));
    Schema::new(fields.chain([by]).chain(counts).chain(columns).collect::<Vec<_>>())
}

impl Banding {
    /// Whether distances from the mean are wanted.
    fn spread(&self) -> bool {
        self.statistics.iter().any(|statistic| matches!(statistic, Statistic::Std | Statistic::Ci95))
    }

    /// The bands of a piece.
    pub(super) async fn piece(&self, index: usize) -> Result<Bands> {
        let values = match (&self.aligned, self.reading.pieces.get(index)) {
            (Some(aligned), Some(piece)) => Some(aligned.values(index, &piece.series).await?),
            _ => None,
        };
        let spread = self.spread();
        let mut bands = Bands::default();
        let mut guess = Guess { series: None, position: 0, places: vec![] };
        let add = |batch: RecordBatch, owners: &Owners| -> Result<()> {
            let numbers = floats(&batch, "value")?.values();
            let (steps, epochs) = match self.by {
                By::Step => (Some(Steps::of(&batch)?), None),
                By::Epoch => (None, Some(floats(&batch, "epoch")?)),
            };
            for (row, series) in owners.rows.iter().zip(&owners.series) {
                let row = *row as usize;
                let key = match (&steps, epochs, &values) {
                    (_, Some(epochs), _) => epochs.is_valid(row).then(|| key_of_float(epochs.value(row))),
                    (Some(steps), None, Some(values)) => values.at(*series, steps.key(row)).map(key_of_float),
                    (Some(steps), None, None) => Some(steps.key(row)),
                    (None, None, _) => None,
                };
                let Some(key) = key else {
                    bands.dropped += 1;
                    continue;
                };
                let place = guess.place(*series, (self.groups.of(*series), key), &mut bands);
                if let (Some(band), Some(value)) = (bands.bands.get_mut(place as usize), numbers.get(row)) {
                    band.add(*value, spread);
                }
            }
            Ok(())
        };
        self.reading.piece(index, add).await?;
        Ok(bands)
    }

    /// The answer: by group, then by step.
    pub(super) fn rows(&self, bands: &Bands) -> Result<RecordBatch> {
        let mut found: Vec<(&Slot, &Band)> = bands.slots.iter().zip(&bands.bands).collect();
        found.sort_unstable_by_key(|(slot, _)| **slot);
        let mut columns = self.groups.columns(found.iter().map(|((group, _), _)| *group))?;
        columns.push(self.keys.column(found.iter().map(|((_, key), _)| *key))?);
        for count in [|band: &Band| band.n, |band: &Band| band.nan] {
            let counts = found.iter().map(|(_, band)| i64::try_from(count(band)).unwrap_or(i64::MAX));
            columns.push(Arc::new(Int64Array::from_iter_values(counts)) as ArrayRef);
        }
        for statistic in &self.statistics {
            for (index, _) in statistic.columns().iter().enumerate() {
                let values = found.iter().map(|(_, band)| band.values(*statistic).get(index).copied().flatten());
                columns.push(Arc::new(values.collect::<Float64Array>()));
            }
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(values: &[f64]) -> Band {
        let mut band = Band::default();
        values.iter().for_each(|value| band.add(*value, true));
        band
    }

    #[test]
    fn statistics_of_few_values() {
        // 1, 2, 4: mean 7/3, variance ((4/3)² + (1/3)² + (5/3)²) / 2 = 7/3.
        let three = band(&[1.0, f64::NAN, 2.0, 4.0]);
        assert_eq!((three.n, three.nan), (3, 1));
        let first = |statistic: Statistic| three.values(statistic)[0].unwrap();
        assert_eq!((first(Statistic::Min), first(Statistic::Max)), (1.0, 4.0));
        assert!((first(Statistic::Mean) - 7.0 / 3.0).abs() < 1e-15);
        assert!((first(Statistic::Std) - (7.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        let [low, high] = three.values(Statistic::Ci95).map(Option::unwrap);
        let half = 1.959_963_984_540_054 * (7.0_f64 / 9.0).sqrt();
        assert!((low - (7.0 / 3.0 - half)).abs() < 1e-12 && (high - (7.0 / 3.0 + half)).abs() < 1e-12);
        let one = band(&[5.0]);
        assert_eq!((one.values(Statistic::Mean)[0], one.values(Statistic::Std)[0]), (Some(5.0), None));
        assert_eq!(one.values(Statistic::Ci95), [None, None]);
        let none = band(&[f64::NAN]);
        for statistic in Statistic::ALL {
            assert_eq!(none.values(statistic), [None, None], "{statistic}");
        }
        assert_eq!(band(&[f64::INFINITY, 1.0, 2.0]).values(Statistic::Mean)[0], Some(f64::INFINITY));
    }

    #[test]
    fn parts_make_the_whole() {
        let values = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0, f64::NAN];
        let whole = band(&values);
        // The deviations of 4, 7, 13, 16 are 6, 3, 3, 6: variance 90 / 3.
        assert!((whole.values(Statistic::Std)[0].unwrap() - 30.0_f64.sqrt()).abs() < 1e-6);
        for cut in 0..=values.len() {
            let (left, right) = values.split_at(cut);
            let mut both = band(left);
            both.merge(&band(right));
            assert_eq!((both.n, both.nan, both.min, both.max), (whole.n, whole.nan, whole.min, whole.max));
            assert!((both.m2 - whole.m2).abs() < 1e-6, "{cut}");
        }
    }
}
