//! One sequence of a run: summaries as they are stored, points straight into columns.

use super::context::read_context;
use super::flatten::compact;
use super::run::Seen;
use crate::ingest::block::{Block, JsonSpan, NO_TIME, Rows, Series, SeriesKind, Span, Stats, Summary, TextPoint};
use crate::ingest::fault::{Fault, Read};
use crate::ingest::lines::json::{Kind, Reader, expected};
use crate::ingest::lines::time::unix_micros;

/// The fields of a sequence.
const FIELDS: [&str; 16] = [
    "name",
    "context",
    "context_hash",
    "dtype",
    "version",
    "first",
    "last",
    "min",
    "max",
    "first_step",
    "last_step",
    "record_max_length",
    "steps",
    "values",
    "times",
    "epochs",
];

/// A sequence while its fields arrive, in any order.
#[derive(Default)]
struct Draft {
    name: Option<u32>,
    context: Option<u32>,
    context_hash: Option<i64>,
    dtype: Option<u32>,
    version: Option<i64>,
    first: Option<Summary>,
    last: Option<Summary>,
    min: Option<Summary>,
    max: Option<Summary>,
    last_json: Option<JsonSpan>,
    first_step: Option<i64>,
    last_step: Option<i64>,
    record_max_length: Option<i64>,
    times: bool,
    epochs: bool,
    payload: Option<Vec<Payload>>,
}

/// What one step of a media sequence holds.
enum Payload {
    One(Option<Span>),
    Many(Vec<Option<Span>>),
}

/// Where the columns of the block ended before this sequence.
struct Start {
    steps: usize,
    values: usize,
    times: usize,
    epochs: usize,
}

/// Reads one sequence object into the block. Names of unknown fields are passed to `unknown`.
pub(super) fn read_sequence(
    reader: &mut Reader<'_>,
    kind: SeriesKind,
    block: &mut Block,
    unknown: &mut dyn FnMut(&str),
) -> Read<()> {
    let start = Start {
        steps: block.steps.len(),
        values: block.values.len(),
        times: block.times.len(),
        epochs: block.epochs.len(),
    };
    let mut draft = Draft::default();
    let mut seen = Seen::default();
    reader.object(|reader, key| {
        match FIELDS.iter().position(|field| *field == key) {
            Some(field) => seen.first_time(field)?,
            None => {
                unknown(&key);
                return reader.raw().map(drop);
            }
        }
        read_field(reader, &key, kind, &mut draft, block)
    })?;
    finish(draft, kind, block, &start)
}

fn read_field(reader: &mut Reader<'_>, key: &str, kind: SeriesKind, draft: &mut Draft, block: &mut Block) -> Read<()> {
    match key {
        "name" => {
            let text = reader.text()?;
            draft.name = Some(block.names.id(&text));
        }
        "context" => draft.context = Some(read_context(reader, block)?),
        "context_hash" => draft.context_hash = optional(reader, Reader::integer)?,
        "dtype" => {
            let text = optional(reader, |reader| reader.text())?;
            draft.dtype = text.map(|text| block.names.id(&text));
        }
        "version" => draft.version = optional(reader, Reader::integer)?,
        "first" => draft.first = read_summary(reader, kind)?,
        "last" => read_last(reader, kind, draft, block)?,
        "min" => draft.min = read_summary(reader, kind)?,
        "max" => draft.max = read_summary(reader, kind)?,
        "first_step" => draft.first_step = optional(reader, Reader::integer)?,
        "last_step" => draft.last_step = optional(reader, Reader::integer)?,
        "record_max_length" => draft.record_max_length = optional(reader, Reader::integer)?,
        "steps" => column(reader, "integers", |reader| {
            block.steps.push(reader.integer()?);
            Ok(())
        })?,
        "values" if kind == SeriesKind::Metric => column(reader, "numbers", |reader| {
            block.values.push(reader.float()?);
            Ok(())
        })?,
        "values" => draft.payload = read_payload(reader, block)?,
        "times" if reader.kind()? == Kind::Null => reader.null()?,
        "times" => {
            draft.times = true;
            column(reader, "numbers", |reader| {
                block.times.push(read_time(reader)?);
                Ok(())
            })?;
        }
        "epochs" if reader.kind()? == Kind::Null => reader.null()?,
        "epochs" => {
            draft.epochs = true;
            column(reader, "numbers", |reader| {
                let epoch = match reader.kind()? {
                    Kind::Null => reader.null().map(|()| no_epoch())?,
                    _ => reader.float()?,
                };
                block.epochs.push(epoch);
                Ok(())
            })?;
        }
        _ => {}
    }
    Ok(())
}

/// The mark of an epoch that is not there: a NaN that no JSON text reads to.
fn no_epoch() -> f64 {
    f64::from_bits(NO_EPOCH_BITS)
}

const NO_EPOCH_BITS: u64 = 0x7ff8_0000_6c61_6b65;

/// The epoch of a column slot, `None` for the mark.
pub(crate) fn epoch_value(slot: f64) -> Option<f64> {
    if slot.to_bits() == NO_EPOCH_BITS { None } else { Some(slot) }
}

/// `null` is the same as absent.
fn optional<'a, T>(reader: &mut Reader<'a>, read: impl FnOnce(&mut Reader<'a>) -> Read<T>) -> Read<Option<T>> {
    match reader.kind()? {
        Kind::Null => reader.null().map(|()| None),
        _ => read(reader).map(Some),
    }
}

fn column<'a>(reader: &mut Reader<'a>, what: &str, item: impl FnMut(&mut Reader<'a>) -> Read<()>) -> Read<()> {
    match reader.kind()? {
        Kind::List => reader.list(item),
        other => Err(Fault::new(format!("expected {what}, got {}", other.noun()))),
    }
}

fn read_time(reader: &mut Reader<'_>) -> Read<i64> {
    if reader.kind()? == Kind::Null {
        reader.null()?;
        return Ok(NO_TIME);
    }
    let seconds = reader.float()?;
    unix_micros(seconds).ok_or_else(|| Fault::new(format!("{seconds} is not a time in Unix seconds")))
}

fn read_summary(reader: &mut Reader<'_>, kind: SeriesKind) -> Read<Option<Summary>> {
    match reader.kind()? {
        Kind::Null => reader.null().map(|()| None),
        // Python's booleans are integers.
        Kind::Bool => Ok(Some(Summary::Int(i64::from(reader.boolean()?)))),
        Kind::Number => {
            let number = reader.number()?;
            Ok(Some(number.int().map_or_else(|| Summary::Float(number.float()), Summary::Int)))
        }
        Kind::Object if kind == SeriesKind::Metric => reader.float().map(|value| Some(Summary::Float(value))),
        // Stored objects of media sequences have no number to compare.
        Kind::Object | Kind::List | Kind::Text if kind != SeriesKind::Metric => reader.raw().map(|_| None),
        other => Err(expected("a number", other)),
    }
}

/// The last value of a media sequence may be an object, whose fields can be asked for.
fn read_last(reader: &mut Reader<'_>, kind: SeriesKind, draft: &mut Draft, block: &mut Block) -> Read<()> {
    match reader.kind()? {
        Kind::Object | Kind::List | Kind::Text if kind != SeriesKind::Metric => {
            let start = block.json.len();
            compact(reader, &mut block.json)?;
            draft.last_json = Some(block.json_from(start));
        }
        _ => draft.last = read_summary(reader, kind)?,
    }
    Ok(())
}

/// The values of a media sequence, if the export has them: a text a step, a list of texts, or any JSON value, which is
/// kept as JSON text.
fn read_payload(reader: &mut Reader<'_>, block: &mut Block) -> Read<Option<Vec<Payload>>> {
    if reader.kind()? == Kind::Null {
        return reader.null().map(|()| None);
    }
    let mut payload = Vec::new();
    column(reader, "a list", |reader| {
        payload.push(match reader.kind()? {
            Kind::List => {
                let mut records = Vec::new();
                reader.list(|reader| {
                    records.push(read_record(reader, block)?);
                    Ok(())
                })?;
                Payload::Many(records)
            }
            _ => Payload::One(read_record(reader, block)?),
        });
        Ok(())
    })?;
    Ok(Some(payload))
}

fn read_record(reader: &mut Reader<'_>, block: &mut Block) -> Read<Option<Span>> {
    match reader.kind()? {
        Kind::Null => reader.null().map(|()| None),
        Kind::Text => {
            let text = reader.text()?;
            Ok(Some(block.add_text(&text)))
        }
        Kind::Bool | Kind::Number | Kind::List | Kind::Object => {
            let mut text = String::new();
            compact(reader, &mut text)?;
            Ok(Some(block.add_text(&text)))
        }
    }
}

/// All columns of a sequence have one entry a step.
fn same_length(field: &str, len: usize, steps: usize) -> Read<()> {
    if len == steps {
        return Ok(());
    }
    Err(Fault::new(format!("{len} entries for {steps} steps")).in_field(field))
}

fn finish(draft: Draft, kind: SeriesKind, block: &mut Block, start: &Start) -> Read<()> {
    let name = draft.name.ok_or_else(|| Fault::new("`name` is missing"))?;
    let context = match draft.context {
        Some(context) => context,
        None => read_context(&mut Reader::new("{}"), block)?,
    };
    let steps = block.steps.len() - start.steps;
    if draft.times {
        same_length("times", block.times.len() - start.times, steps)?;
    }
    if draft.epochs {
        same_length("epochs", block.epochs.len() - start.epochs, steps)?;
    }
    let mut series = Series {
        kind,
        name,
        context,
        context_hash: draft.context_hash,
        dtype: draft.dtype,
        version: draft.version,
        first: draft.first,
        last: draft.last,
        min: draft.min,
        max: draft.max,
        last_json: draft.last_json,
        last_text: None,
        first_step: draft.first_step,
        last_step: draft.last_step,
        record_max_length: draft.record_max_length,
        points: Rows::default(),
        times: draft.times.then_some(start.times as u32),
        substeps: None,
        epochs: draft.epochs.then_some(start.epochs as u32),
        sorted: block.steps.get(start.steps..).is_none_or(<[i64]>::is_sorted),
        stats: Stats::default(),
    };
    if kind == SeriesKind::Metric {
        same_length("values", block.values.len() - start.values, steps)?;
        series.points = Rows { start: start.steps as u32, end: block.steps.len() as u32 };
        series.stats = stats(block.values.get(start.values..).unwrap_or_default());
    } else {
        if let Some(payload) = &draft.payload {
            same_length("values", payload.len(), steps)?;
        }
        series.points = text_points(&draft, block, start);
        series.times = None;
        series.epochs = None;
    }
    block.series.push(series);
    Ok(())
}

/// Moves the steps of a media sequence from the columns of numbers to rows of their own.
fn text_points(draft: &Draft, block: &mut Block, start: &Start) -> Rows {
    let first = block.text_points.len() as u32;
    for (index, step) in block.steps.get(start.steps..).unwrap_or_default().iter().enumerate() {
        let epoch = if draft.epochs { block.epochs.get(start.epochs + index).copied() } else { None };
        let time = if draft.times { block.times.get(start.times + index).copied() } else { None };
        let point = TextPoint {
            step: *step,
            substep: 0,
            index: None,
            epoch: epoch.and_then(epoch_value),
            time: time.filter(|time| *time != NO_TIME),
            text: None,
        };
        match draft.payload.as_ref().and_then(|payload| payload.get(index)) {
            None => block.text_points.push(point),
            Some(Payload::One(text)) => block.text_points.push(TextPoint { text: *text, ..point }),
            Some(Payload::Many(texts)) => {
                block.text_points.extend(texts.iter().enumerate().map(|(place, text)| TextPoint {
                    index: Some(place as i64),
                    text: *text,
                    ..point
                }))
            }
        }
    }
    block.steps.truncate(start.steps);
    block.times.truncate(start.times);
    block.epochs.truncate(start.epochs);
    Rows { start: first, end: block.text_points.len() as u32 }
}

/// Mean and sum of squared distances from it. The mean is the sum, added up without losing digits, divided by the number
/// of values. With infinities among the values the mean is what arithmetic gives, and there is no distance.
pub(crate) fn stats(values: &[f64]) -> Stats {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let n_nan = values.iter().filter(|value| value.is_nan()).count() as i64;
    let (up, down) = (values.contains(&f64::INFINITY), values.contains(&f64::NEG_INFINITY));
    let n = finite().count() as f64;
    let (mean, m2) = match (up, down) {
        (true, true) => (Some(f64::NAN), Some(f64::NAN)),
        (true, false) => (Some(f64::INFINITY), Some(f64::NAN)),
        (false, true) => (Some(f64::NEG_INFINITY), Some(f64::NAN)),
        (false, false) if n > 0.0 => {
            let sum = sum(finite());
            // Huge values whose sum is beyond all floats: their parts are not.
            let mean = if sum.is_finite() { sum / n } else { finite().map(|value| value / n).sum() };
            (Some(mean), Some(finite().map(|value| (value - mean) * (value - mean)).sum()))
        }
        (false, false) => (None, None),
    };
    Stats { mean, m2, n_nan }
}

/// The sum; what each addition loses is kept apart and added at the end (Neumaier's variant of Kahan's method).
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: SeriesKind, text: &str) -> Result<Block, String> {
        let mut block = Block::default();
        let mut reader = Reader::new(text);
        read_sequence(&mut reader, kind, &mut block, &mut |_| {}).map_err(|fault| fault.to_string())?;
        Ok(block)
    }

    #[test]
    fn aggregates() {
        assert_eq!(stats(&[1.0, 2.0, 3.0, 4.0]), Stats { mean: Some(2.5), m2: Some(5.0), n_nan: 0 });
        assert_eq!(stats(&[f64::NAN, 2.0]), Stats { mean: Some(2.0), m2: Some(0.0), n_nan: 1 });
        assert_eq!(stats(&[f64::NAN]), Stats { mean: None, m2: None, n_nan: 1 });
        assert_eq!(stats(&[1.0, f64::INFINITY]).mean, Some(f64::INFINITY));
        assert!(stats(&[f64::NEG_INFINITY, f64::INFINITY]).mean.unwrap().is_nan());
        // The nearest float to three times 0.8 is a little more, and so is its third.
        assert_eq!(stats(&[0.8, 0.8, 0.8]).mean, Some(0.8000000000000002));
        assert_eq!(stats(&[1e100, 1.0, -1e100]).mean, Some(1.0 / 3.0));
        assert_eq!(stats(&[f64::MAX, f64::MAX]).mean, Some(f64::MAX));
        assert_eq!(stats(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]).m2, Some(2.0));
    }

    #[test]
    fn a_metric_keeps_types_of_its_summaries() {
        let block = read(
            SeriesKind::Metric,
            r#"{"name":"loss","context":{},"first":1,"last":{"$float":"nan"},"min":0.5,"steps":[2,0],"values":[1,{"$float":"inf"}],
                "times":[1.5,null],"epochs":[null,0]}"#,
        )
        .unwrap();
        let series = &block.series[0];
        assert_eq!(series.first, Some(Summary::Int(1)));
        assert!(series.last.unwrap().float().is_nan());
        assert_eq!(series.min, Some(Summary::Float(0.5)));
        assert_eq!(series.max, None);
        assert!(!series.sorted);
        assert_eq!(block.steps, [2, 0]);
        assert_eq!(block.times, [1_500_000, NO_TIME]);
        assert_eq!(block.epochs.iter().map(|epoch| epoch_value(*epoch)).collect::<Vec<_>>(), [None, Some(0.0)]);
    }

    #[test]
    fn media_have_rows_of_their_own() {
        let block = read(
            SeriesKind::Texts,
            r#"{"name":"t","context":{"a":1},"last":{"caption":"c"},"steps":[0,5],"values":["x",["y",null]],"times":null}"#,
        )
        .unwrap();
        assert!(block.steps.is_empty());
        let rows: Vec<_> =
            block.text_points.iter().map(|row| (row.step, row.index, row.text.map(|text| block.text(text)))).collect();
        assert_eq!(rows, [(0, None, Some("x")), (5, Some(0), Some("y")), (5, Some(1), None)]);
        assert_eq!(block.json_text(block.series[0].last_json.unwrap()), r#"{"caption":"c"}"#);
    }

    #[test]
    fn faults_name_the_field() {
        let fault = |text: &str| read(SeriesKind::Metric, text).err().unwrap();
        assert_eq!(fault(r#"{"name":"a","steps":"x"}"#), "field `steps`: expected integers, got text");
        assert_eq!(fault(r#"{"name":"a","steps":[1,"x"]}"#), "field `steps[1]`: expected an integer, got text");
        assert_eq!(fault(r#"{"name":"a","steps":[1],"values":[]}"#), "field `values`: 0 entries for 1 steps");
        assert_eq!(
            fault(r#"{"name":"a","steps":[1],"values":[1],"times":[1,2]}"#),
            "field `times`: 2 entries for 1 steps"
        );
        assert_eq!(
            fault(r#"{"name":"a","steps":[1],"values":[null]}"#),
            "field `values[0]`: expected a number, got null"
        );
        assert_eq!(fault(r#"{"steps":[],"values":[]}"#), "`name` is missing");
        assert_eq!(fault(r#"{"name":1}"#), "field `name`: expected text, got a number");
        assert_eq!(fault(r#"{"name":"a","name":"b"}"#), "field `name`: the field is there twice");
        assert_eq!(fault(r#"{"name":"a","last":"x"}"#), "field `last`: expected a number, got text");
        assert_eq!(fault(r#"{"name":"a","context":[]}"#), "field `context`: expected an object, got a list");
    }
}
