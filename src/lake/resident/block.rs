//! One column of one row group in memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, StringViewArray, UInt16Array, UInt32Array, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::{cast, filter, take};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion::common::Result;
use xxhash_rust::xxh3::Xxh3;

/// Different values up to which a column of texts or lists is coded; one code is kept for null.
const MOST_VALUES: usize = u16::MAX as usize - 1;

/// Rows after which a column with too many different values is given up.
const TRIED_ROWS: usize = 4_096;

/// A column of a row group.
#[derive(Debug)]
pub(super) enum Block {
    /// All rows have this value, the only one of the array.
    Constant { value: ArrayRef, rows: usize },
    /// Each row's value is the one at its code.
    Coded { codes: ScalarBuffer<u16>, values: ArrayRef },
    /// The values as they are.
    Plain(ArrayRef),
}

/// Rows that are left of a row group.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    All(usize),
    Some { rows: BooleanBuffer, count: usize },
}

impl Chosen {
    pub(super) fn count(&self) -> usize {
        match self {
            Chosen::All(rows) => *rows,
            Chosen::Some { count, .. } => *count,
        }
    }

    /// Those for which the answer is true.
    pub(super) fn and(self, answer: &BooleanArray) -> Self {
        let truth = match answer.nulls() {
            Some(nulls) => answer.values() & nulls.inner(),
            None => answer.values().clone(),
        };
        let rows = match &self {
            Chosen::All(_) => truth,
            Chosen::Some { rows, .. } => &truth & rows,
        };
        let count = rows.count_set_bits();
        if count == rows.len() { Chosen::All(count) } else { Chosen::Some { rows, count } }
    }

    /// The first rows only.
    pub(super) fn first(self, most: usize) -> Self {
        if self.count() <= most {
            return self;
        }
        let length = match &self {
            Chosen::All(rows) => *rows,
            Chosen::Some { rows, .. } => rows.len(),
        };
        let kept = match &self {
            Chosen::All(_) => most,
            Chosen::Some { rows, .. } => rows.set_indices().nth(most).unwrap_or(length),
        };
        let rows = BooleanBuffer::collect_bool(length, |row| {
            row < kept
                && match &self {
                    Chosen::All(_) => true,
                    Chosen::Some { rows, .. } => rows.value(row),
                }
        });
        Chosen::Some { rows, count: most }
    }
}

impl Block {
    /// The block for the decoded values.
    pub(super) fn new(values: ArrayRef) -> Result<Self> {
        let rows = values.len();
        if rows > 0 && values.null_count() == rows {
            return Ok(Block::Constant { value: new_null_array(&view(values.data_type()), 1), rows });
        }
        let coded = match values.data_type() {
            DataType::Dictionary(..) => return dictionary(&values),
            DataType::Utf8View => {
                let texts = values.as_string_view();
                codes(rows, |row| texts.is_valid(row).then(|| texts.value(row)))
            }
            DataType::List(_) => list_codes(values.as_list()),
            DataType::Boolean => {
                let flags = values.as_boolean();
                let same = flags.null_count() == 0 && (flags.true_count() == 0 || flags.true_count() == rows);
                return Ok(match same && rows > 0 {
                    true => Block::Constant { value: values.slice(0, 1), rows },
                    false => Block::Plain(values),
                });
            }
            _ => None,
        };
        match coded {
            None => Ok(Block::Plain(values)),
            Some((codes, firsts)) => {
                // A copy, so that the array of all rows can go.
                let different = take(&values, &UInt32Array::from(firsts), None)?;
                let different = match different.data_type() {
                    DataType::Utf8View => Arc::new(different.as_string_view().gc()),
                    _ => different,
                };
                Ok(coded_block(codes, different))
            }
        }
    }

    pub(super) fn rows(&self) -> usize {
        match self {
            Block::Constant { rows, .. } => *rows,
            Block::Coded { codes, .. } => codes.len(),
            Block::Plain(values) => values.len(),
        }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Block::Constant { value, .. } => value.get_array_memory_size(),
            Block::Coded { codes, values } => codes.len() * 2 + values.get_array_memory_size(),
            Block::Plain(values) => values.get_array_memory_size(),
        }
    }

    /// A test of each value, computed as few times as possible.
    pub(super) fn test(
        &self,
        chosen: &Chosen,
        test: &dyn Fn(&ArrayRef) -> Result<BooleanArray>,
    ) -> Result<BooleanArray> {
        match self {
            Block::Constant { value, rows } => {
                let answer = test(value)?;
                Ok(match answer.is_valid(0) {
                    true if answer.value(0) => BooleanArray::new(BooleanBuffer::new_set(*rows), None),
                    true => BooleanArray::new(BooleanBuffer::new_unset(*rows), None),
                    false => BooleanArray::new_null(*rows),
                })
            }
            Block::Coded { codes, values } => Ok(spread(codes, &test(values)?)),
            // Where few rows are left, only they are looked at.
            Block::Plain(values) => match chosen {
                Chosen::Some { rows, count } if *count < rows.len() / 8 => {
                    let mask = BooleanArray::new(rows.clone(), None);
                    Ok(scatter(rows, &test(&filter(values, &mask)?)?))
                }
                _ => test(values),
            },
        }
    }

    /// The values of the chosen rows.
    pub(super) fn values(&self, chosen: &Chosen) -> Result<ArrayRef> {
        match self {
            Block::Constant { value, .. } => {
                let codes = UInt16Array::new(ScalarBuffer::from(vec![0; chosen.count()]), None);
                Ok(take(value, &codes, None)?)
            }
            Block::Coded { codes, values } => {
                let codes = match chosen {
                    Chosen::All(_) => codes.clone(),
                    Chosen::Some { rows, count } => {
                        let mut left = Vec::with_capacity(*count);
                        left.extend(rows.set_indices().map(|row| codes.get(row).copied().unwrap_or_default()));
                        left.into()
                    }
                };
                Ok(take(values, &UInt16Array::new(codes, None), None)?)
            }
            Block::Plain(values) => match chosen {
                Chosen::All(_) => Ok(Arc::clone(values)),
                Chosen::Some { rows, .. } => Ok(filter(values, &BooleanArray::new(rows.clone(), None))?),
            },
        }
    }
}

/// The type in which queries see a column.
pub(super) fn view(of: &DataType) -> DataType {
    match of {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        DataType::Dictionary(_, values) => view(values),
        other => other.clone(),
    }
}

fn coded_block(codes: Vec<u16>, values: ArrayRef) -> Block {
    match values.len() {
        1 => Block::Constant { rows: codes.len(), value: values },
        _ => Block::Coded { codes: codes.into(), values },
    }
}

/// What the reader gives for a column with a dictionary in the file.
fn dictionary(array: &ArrayRef) -> Result<Block> {
    let coded = array.as_dictionary::<Int32Type>();
    let texts = cast(coded.values(), &view(coded.values().data_type()))?;
    if texts.len() > MOST_VALUES {
        return Ok(Block::Plain(cast(array, texts.data_type())?));
    }
    let null = texts.len() as u16;
    let keys = coded.keys();
    let codes: Vec<u16> = match keys.nulls() {
        None => keys.values().iter().map(|key| *key as u16).collect(),
        Some(nulls) => {
            keys.values().iter().zip(nulls).map(|(key, valid)| if valid { *key as u16 } else { null }).collect()
        }
    };
    let values = match keys.null_count() {
        0 => texts,
        _ => {
            let places = (0..u32::from(null)).map(Some).chain([None]);
            take(&texts, &UInt32Array::from_iter(places), None)?
        }
    };
    Ok(coded_block(codes, values))
}

/// A code for each row and the row at which each code comes first; nothing if too many rows differ.
fn codes<K: Hash + Eq>(rows: usize, key: impl Fn(usize) -> Option<K>) -> Option<(Vec<u16>, Vec<u32>)> {
    let mut known: HashMap<Option<K>, u16> = HashMap::new();
    let (mut codes, mut firsts) = (Vec::with_capacity(rows), vec![]);
    for row in 0..rows {
        let next = firsts.len() as u16;
        let code = *known.entry(key(row)).or_insert_with(|| {
            firsts.push(row as u32);
            next
        });
        codes.push(code);
        if firsts.len() > MOST_VALUES || (row == TRIED_ROWS && firsts.len() > TRIED_ROWS / 2) {
            return None;
        }
    }
    // Not much is won where few rows are alike.
    (firsts.len() <= rows / 3 || rows < 64).then_some((codes, firsts))
}

/// Codes of lists of numbers or texts without null elements.
fn list_codes(lists: &ListArray) -> Option<(Vec<u16>, Vec<u32>)> {
    let items = lists.values();
    if items.null_count() > 0 {
        return None;
    }
    let offsets = lists.value_offsets();
    let range = |row: usize| {
        let start = offsets.get(row).copied().unwrap_or_default() as usize;
        start..offsets.get(row + 1).copied().unwrap_or_default() as usize
    };
    match items.data_type() {
        DataType::Int64 => {
            let items = items.as_primitive::<Int64Type>().values();
            codes(lists.len(), |row| lists.is_valid(row).then(|| items.get(range(row))))
        }
        DataType::Float64 => {
            let items = items.as_primitive::<Float64Type>().values();
            let bits = |row| items.get(range(row)).map(|items| items.iter().map(|it| it.to_bits()).collect::<Vec<_>>());
            codes(lists.len(), |row| lists.is_valid(row).then(|| bits(row)))
        }
        DataType::Utf8 => {
            let items = items.as_string::<i32>();
            // Bytes and lengths, as a fingerprint of 128 bits.
            let digest = |row| {
                let mut hasher = Xxh3::new();
                for at in range(row) {
                    let text = items.value(at);
                    hasher.update(&(text.len() as u64).to_le_bytes());
                    hasher.update(text.as_bytes());
                }
                hasher.digest128()
            };
            codes(lists.len(), |row| lists.is_valid(row).then(|| digest(row)))
        }
        _ => None,
    }
}

/// The answers for values as answers for rows.
fn spread(codes: &[u16], answers: &BooleanArray) -> BooleanArray {
    let gather = |bits: &BooleanBuffer| {
        let table: Vec<bool> = bits.iter().collect();
        BooleanBuffer::collect_bool(codes.len(), |row| {
            let code = codes.get(row).copied().unwrap_or_default();
            table.get(usize::from(code)).copied().unwrap_or_default()
        })
    };
    let nulls = answers.nulls().filter(|nulls| nulls.null_count() > 0);
    BooleanArray::new(gather(answers.values()), nulls.map(|nulls| NullBuffer::new(gather(nulls.inner()))))
}

/// The answers for the chosen rows, false for all others.
fn scatter(rows: &BooleanBuffer, answers: &BooleanArray) -> BooleanArray {
    let mut found = arrow::array::BooleanBufferBuilder::new(rows.len());
    found.append_n(rows.len(), false);
    for (at, row) in rows.set_indices().enumerate() {
        if answers.is_valid(at) && answers.value(at) {
            found.set_bit(row, true);
        }
    }
    BooleanArray::new(found.finish(), None)
}

/// The text of a row, whatever form the block has.
pub(super) fn text(block: &Block, row: usize) -> Option<&str> {
    let (texts, at): (&StringViewArray, usize) = match block {
        Block::Constant { value, .. } => (value.as_string_view_opt()?, 0),
        Block::Coded { codes, values } => (values.as_string_view_opt()?, usize::from(*codes.get(row)?)),
        Block::Plain(values) => (values.as_string_view_opt()?, row),
    };
    texts.is_valid(at).then(|| texts.value(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Int64Array, Int64Builder, ListBuilder, StringBuilder};

    fn texts(rows: usize) -> ArrayRef {
        Arc::new(StringViewArray::from_iter((0..rows).map(|row| (row % 7 != 3).then(|| format!("value {}", row % 5)))))
    }

    fn lists(rows: usize) -> ArrayRef {
        let mut lists = ListBuilder::new(Int64Builder::new());
        for row in 0..rows as i64 {
            match row % 4 {
                0 => lists.append_null(),
                1 => lists.append_value([]),
                _ => lists.append_value([Some(row % 3), Some(1)]),
            }
        }
        Arc::new(lists.finish())
    }

    fn text_lists(rows: usize) -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in 0..rows {
            // `[ab, c]` and `[a, bc]` are different.
            lists.append_value(if row % 2 == 0 { [Some("ab"), Some("c")] } else { [Some("a"), Some("bc")] });
        }
        Arc::new(lists.finish())
    }

    #[test]
    fn blocks_hold_what_they_were_made_of() {
        let dictionary: DictionaryArray<Int32Type> = (0..500)
            .map(|row| (row % 9 != 0).then_some(["a", "b", "a long text, longer than a view"][row % 3]))
            .collect();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter((0..500).map(|row| (row % 2 == 0).then_some(row))));
        let arrays = [
            texts(500),
            lists(500),
            text_lists(500),
            Arc::new(dictionary),
            numbers,
            Arc::new(BooleanArray::from(vec![true; 500])),
        ];
        for array in arrays {
            let plain = cast(&array, &view(array.data_type())).unwrap();
            let block = Block::new(Arc::clone(&array)).unwrap();
            assert_eq!(block.rows(), 500);
            assert_eq!(&block.values(&Chosen::All(500)).unwrap(), &plain, "{block:?}");
            let mask = BooleanArray::from_iter((0..500).map(|row| Some(row % 11 == 5)));
            let chosen = Chosen::All(500).and(&mask);
            assert_eq!(chosen.count(), 45);
            assert_eq!(&block.values(&chosen).unwrap(), &filter(&plain, &mask).unwrap());
            let is_null = |values: &ArrayRef| Ok(arrow::compute::is_null(values)?);
            let expected = arrow::compute::is_null(&plain).unwrap();
            assert_eq!(block.test(&Chosen::All(500), &is_null).unwrap(), expected);
            let both = arrow::compute::and(&expected, &mask).unwrap();
            let found = chosen.clone().and(&block.test(&chosen, &is_null).unwrap());
            assert_eq!(found.count(), both.true_count());
        }
        assert!(matches!(Block::new(texts(500)).unwrap(), Block::Coded { .. }));
        assert!(matches!(Block::new(lists(500)).unwrap(), Block::Coded { .. }));
        let unique: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..500).map(|row| row.to_string())));
        assert!(matches!(Block::new(unique).unwrap(), Block::Plain(_)));
        let Block::Coded { values, .. } = Block::new(text_lists(500)).unwrap() else { panic!("not coded") };
        assert_eq!(values.len(), 2);
    }

    #[test]
    fn the_first_rows() {
        let mask = BooleanArray::from_iter((0..100).map(|row| Some(row % 3 == 0)));
        let chosen = Chosen::All(100).and(&mask).first(5);
        let Chosen::Some { rows, count } = chosen else { panic!("all") };
        assert_eq!((rows.set_indices().collect::<Vec<_>>(), count), (vec![0, 3, 6, 9, 12], 5));
        assert_eq!(Chosen::All(9).first(4).count(), 4);
    }
}
