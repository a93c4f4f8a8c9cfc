//! Values of one property as numbers, in the order in which they come; 0 is a missing value.

use crate::Result;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, ListBuilder, StringBuilder, StringViewArray,
};
use datafusion::arrow::compute::{SortOptions, cast, sort_to_indices};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::arrow::row::{RowConverter, SortField};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A quick hash of single numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mixer(u64);

/// Makes [`Mixer`]s.
pub(super) type Mixed = BuildHasherDefault<Mixer>;

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_u128(&mut self, word: u128) {
        self.write_u64(word as u64);
        self.write_u64((word >> 64) as u64);
    }
}

/// Values of one property.
#[derive(Debug)]
pub(super) enum Codes {
    /// Texts.
    Texts(Box<Texts>),
    /// Numbers and times by their bits.
    Bits { data_type: DataType, numbers: HashMap<u64, u32, Mixed>, values: Vec<u64> },
    /// Lists, as sets of texts.
    Lists(Box<Lists>),
}

impl Codes {
    /// For columns of this type.
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::Int64 | DataType::Float64 | DataType::Timestamp(..) => {
                Self::Bits { data_type: data_type.clone(), numbers: HashMap::default(), values: vec![] }
            }
            DataType::List(_) => Self::Lists(Box::new(Lists {
                data_type: data_type.clone(),
                converter: RowConverter::new(vec![SortField::new(data_type.clone())])?,
                rows: HashMap::new(),
                sets: HashMap::new(),
                values: vec![],
            })),
            other => Self::Texts(Box::new(Texts {
                data_type: other.clone(),
                short: HashMap::default(),
                long: HashMap::new(),
                values: vec![],
                cache: vec![],
            })),
        })
    }

    /// Adds the numbers of the values of a column.
    pub(super) fn of(&mut self, column: &ArrayRef, into: &mut Vec<u32>) -> Result<()> {
        match self {
            Self::Texts(texts) => match column.as_string_view_opt() {
                Some(views) => texts.of(views, into),
                None => texts.of(cast(column, &DataType::Utf8View)?.as_string_view(), into),
            },
            Self::Bits { numbers, values, .. } => {
                let bits: Vec<u64> = match column.data_type() {
                    DataType::Float64 => {
                        column.as_primitive::<Float64Type>().values().iter().map(|value| value.to_bits()).collect()
                    }
                    DataType::Int64 => {
                        column.as_primitive::<Int64Type>().values().iter().map(|value| *value as u64).collect()
                    }
                    _ => {
                        let times = column.as_primitive::<TimestampMicrosecondType>().values();
                        times.iter().map(|value| *value as u64).collect()
                    }
                };
                into.extend(bits.into_iter().enumerate().map(|(row, bits)| {
                    if column.is_null(row) {
                        return 0;
                    }
                    *numbers.entry(bits).or_insert_with(|| {
                        values.push(bits);
                        values.len() as u32
                    })
                }));
            }
            Self::Lists(lists) => lists.of(column, into)?,
        }
        Ok(())
    }

    /// All values by their numbers, the missing one first, as a column of the type they came in.
    pub(super) fn values(&self) -> Result<ArrayRef> {
        match self {
            Self::Texts(texts) => {
                let all = std::iter::once(None).chain(texts.values.iter().map(|value| Some(value.as_str())));
                let column: StringViewArray = all.collect();
                Ok(cast(&column, &texts.data_type)?)
            }
            Self::Bits { data_type, values, .. } => {
                if *data_type == DataType::Float64 {
                    let floats = values.iter().map(|bits| Some(f64::from_bits(*bits)));
                    let column: Float64Array = std::iter::once(None).chain(floats).collect();
                    return Ok(Arc::new(column));
                }
                let ints = values.iter().map(|bits| Some(*bits as i64));
                let column: Int64Array = std::iter::once(None).chain(ints).collect();
                Ok(cast(&column, data_type)?)
            }
            Self::Lists(lists) => {
                let mut builder = ListBuilder::new(StringBuilder::new());
                builder.append(false);
                for list in &lists.values {
                    list.iter().for_each(|value| builder.values().append_option(value.as_deref()));
                    builder.append(true);
                }
                Ok(cast(&builder.finish(), &lists.data_type)?)
            }
        }
    }

    /// The texts of a value; nothing for the missing one.
    pub(super) fn texts(&self, code: u32) -> Option<Vec<String>> {
        let index = (code as usize).checked_sub(1)?;
        match self {
            Self::Texts(texts) => texts.values.get(index).map(|value| vec![value.clone()]),
            Self::Lists(lists) => lists.values.get(index).map(|values| values.iter().flatten().cloned().collect()),
            Self::Bits { data_type, values, .. } => {
                let bits = *values.get(index)?;
                let one: ArrayRef = if *data_type == DataType::Float64 {
                    Arc::new(Float64Array::from(vec![f64::from_bits(bits)]))
                } else {
                    cast(&Int64Array::from(vec![bits as i64]), data_type).ok()?
                };
                let texts = cast(&one, &DataType::Utf8).ok()?;
                Some(texts.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
            }
        }
    }

    /// For each number the place of its value among the sorted ones.
    pub(super) fn ranks(&self) -> Result<Vec<u32>> {
        let values = self.values()?;
        let order: Vec<u32> = match self {
            Self::Texts(_) | Self::Bits { .. } => {
                sort_to_indices(&values, Some(SortOptions { descending: false, nulls_first: true }), None)?
                    .values()
                    .to_vec()
            }
            Self::Lists(lists) => {
                let mut order: Vec<u32> = (0..=lists.values.len() as u32).collect();
                order.sort_by_key(|code| (*code as usize).checked_sub(1).and_then(|index| lists.values.get(index)));
                order
            }
        };
        let mut ranks = vec![0; order.len()];
        for (rank, code) in (0..).zip(order) {
            if let Some(slot) = ranks.get_mut(code as usize) {
                *slot = rank;
            }
        }
        Ok(ranks)
    }
}

/// Places of a cache of short texts.
const CACHED: usize = 256;

/// Texts of one property.
#[derive(Debug)]
pub(super) struct Texts {
    data_type: DataType,
    /// Texts that lie in their view, by the view.
    short: HashMap<u128, u32, Mixed>,
    long: HashMap<String, u32>,
    values: Vec<String>,
    /// Views that came lately, with their numbers.
    cache: Vec<(u128, u32)>,
}

impl Texts {
    fn of(&mut self, views: &StringViewArray, into: &mut Vec<u32>) {
        self.cache.resize(CACHED, (u128::MAX, 0));
        let nulls = views.nulls();
        let mut last = (u128::MAX, 0);
        for (row, view) in views.views().iter().enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                into.push(0);
                continue;
            }
            // Of one array, equal views are equal texts; short ones are so everywhere.
            if last.0 != *view {
                last = (*view, self.number(*view, row, views));
            }
            into.push(last.1);
        }
    }

    #[inline]
    fn number(&mut self, view: u128, row: usize, views: &StringViewArray) -> u32 {
        if view as u32 > 12 {
            let text = views.value(row);
            if let Some(known) = self.long.get(text) {
                return *known;
            }
            self.values.push(text.to_owned());
            let number = self.values.len() as u32;
            self.long.insert(text.to_owned(), number);
            return number;
        }
        let mut hash = Mixer::default();
        hash.write_u128(view);
        let place = (hash.finish() >> 20) as usize % CACHED;
        if let Some((known, number)) = self.cache.get(place)
            && *known == view
        {
            return *number;
        }
        let values = &mut self.values;
        let number = *self.short.entry(view).or_insert_with(|| {
            values.push(views.value(row).to_owned());
            values.len() as u32
        });
        if let Some(slot) = self.cache.get_mut(place) {
            *slot = (view, number);
        }
        number
    }
}

/// Lists of one property.
#[derive(Debug)]
pub(super) struct Lists {
    data_type: DataType,
    converter: RowConverter,
    /// Lists as they come.
    rows: HashMap<Box<[u8]>, u32>,
    sets: HashMap<Vec<Option<String>>, u32>,
    /// Sorted, each value once.
    values: Vec<Vec<Option<String>>>,
}

impl Lists {
    fn of(&mut self, column: &ArrayRef, into: &mut Vec<u32>) -> Result<()> {
        let rows = self.converter.convert_columns(std::slice::from_ref(column))?;
        let lists = column.as_list::<i32>();
        let mut last: Option<(usize, u32)> = None;
        for row in 0..lists.len() {
            if lists.is_null(row) {
                into.push(0);
                continue;
            }
            if let Some((before, number)) = last
                && rows.row(before) == rows.row(row)
            {
                into.push(number);
                continue;
            }
            let bytes = rows.row(row);
            let number = match self.rows.get(bytes.as_ref()) {
                Some(known) => *known,
                None => {
                    let texts = cast(&lists.value(row), &DataType::Utf8)?;
                    let mut set: Vec<Option<String>> =
                        texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect();
                    set.sort_unstable();
                    set.dedup();
                    let values = &mut self.values;
                    let number = *self.sets.entry(set).or_insert_with_key(|set| {
                        values.push(set.clone());
                        values.len() as u32
                    });
                    self.rows.insert(bytes.as_ref().into(), number);
                    number
                }
            };
            last = Some((row, number));
            into.push(number);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(codes: &mut Codes, column: ArrayRef) -> Vec<u32> {
        let mut found = vec![];
        codes.of(&column, &mut found).unwrap();
        found
    }

    #[test]
    fn texts_keep_their_numbers_over_batches() {
        let mut texts = Codes::new(&DataType::Utf8View).unwrap();
        let column = |values: Vec<Option<&str>>| Arc::new(StringViewArray::from(values)) as ArrayRef;
        let long = "a text that does not lie in its view";
        assert_eq!(
            codes(&mut texts, column(vec![Some("en"), None, Some("de"), Some("en"), Some(long)])),
            [1, 0, 2, 1, 3]
        );
        assert_eq!(codes(&mut texts, column(vec![Some(long), Some(""), Some("de")])), [3, 4, 2]);
        assert_eq!(texts.texts(3), Some(vec![long.to_owned()]));
        assert_eq!(texts.texts(0), None);
        // Missing, "", long, "de", "en".
        assert_eq!(texts.ranks().unwrap(), [0, 4, 3, 2, 1]);
    }

    #[test]
    fn numbers_are_told_apart_and_written_as_texts() {
        let mut floats = Codes::new(&DataType::Float64).unwrap();
        let column = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(2.0), Some(0.5)]));
        assert_eq!(codes(&mut floats, column), [1, 0, 2, 1]);
        assert_eq!(floats.texts(1), Some(vec!["0.5".to_owned()]));
        assert_eq!(floats.values().unwrap().len(), 3);
    }

    #[test]
    fn lists_are_sets() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for list in [vec!["p", "q"], vec!["q", "p", "p"], vec![], vec!["q"]] {
            list.iter().for_each(|value| builder.values().append_value(value));
            builder.append(true);
        }
        builder.append(false);
        let column = Arc::new(builder.finish());
        let mut lists = Codes::new(column.data_type()).unwrap();
        assert_eq!(codes(&mut lists, column), [1, 1, 2, 3, 0]);
        assert_eq!(lists.texts(2), Some(vec![]));
        // Missing, [], [p, q], [q].
        assert_eq!(lists.ranks().unwrap(), [0, 2, 1, 3]);
    }
}
