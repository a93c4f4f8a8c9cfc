//! Arguments of the ops that put rows together (section 5.2).

use super::super::Piece;
use super::{
    Arguments, Bounds, ChangePoints, ColumnRef, DepivotCell, DiffColumn, HoltWinters, Merge, MergeSpec, Op, PivotOp,
    PivotSort, PivotSpec, Roll, RollOutput, RollSpec,
};
use crate::diagnostic::Diagnostic;

/// Most columns that letters may name.
const MOST_LETTERS: usize = 10_000;

/// `spec = { letter | digit | "," }`: a letter per input column; `u` and `t` are no columns.
fn letters(arguments: &Arguments, text: &Piece) -> Result<MergeSpec, Diagnostic> {
    let mut spec = MergeSpec::default();
    let strict = arguments.how.strict;
    for (at, letter) in text.as_str().char_indices() {
        if let Some(digit) = letter.to_digit(10) {
            spec.number = spec.number.saturating_mul(10).saturating_add(digit.into());
            continue;
        }
        let merge = match letter {
            ',' => continue,
            't' => {
                spec.top = Some(spec.columns.len());
                continue;
            }
            'u' => {
                spec.count = true;
                continue;
            }
            'k' => Merge::Key,
            's' => Merge::Sum,
            'a' => Merge::Average,
            'm' => Merge::Min,
            'M' => Merge::Max,
            'd' => Merge::Difference,
            // The original documents a product and adds.
            'p' if strict => Merge::Product,
            'p' => Merge::Sum,
            'j' => Merge::Join,
            'c' => Merge::Distinct,
            'l' => Merge::Last,
            'i' => Merge::Ignore,
            _ if strict => {
                let span = text.span_of(at..at + letter.len_utf8());
                return Err(arguments.wrong_at(span, "no such letter"));
            }
            _ => Merge::Ignore,
        };
        if spec.columns.len() == MOST_LETTERS {
            return Err(arguments.wrong(text, format!("more than {MOST_LETTERS} columns")));
        }
        spec.columns.push(merge);
    }
    Ok(spec)
}

/// `gather = spec`.
pub(super) fn gather(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let spec = letters(arguments, &arguments.text)?;
    if let Some(top) = spec.top {
        if spec.columns.get(top).is_none_or(|merge| *merge == Merge::Ignore) {
            return Err(arguments.wrong(&arguments.text, "`t` needs the letter of a value behind it"));
        }
        if spec.number == 0 {
            return Err(arguments.wrong(&arguments.text, "`t` needs a size, as in kts10"));
        }
    }
    Ok(Op::Gather(spec))
}

/// `merge = spec`.
pub(super) fn merge(arguments: &Arguments) -> Result<Op, Diagnostic> {
    Ok(Op::Merge(letters(arguments, &arguments.text)?))
}

/// `groupby = spec ":" pipeline`.
pub(super) fn group_by(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let (keys, ops) = arguments.text.cut(':');
    let Some(ops) = ops else { return Err(arguments.missing("`:` and the nested ops")) };
    let keys = letters(arguments, &keys)?;
    let ops = super::pipeline(&ops, arguments.how, arguments.depth + 1)?;
    Ok(Op::GroupBy { keys, ops })
}

/// `pivot = columns "," columns "," name { "," word }`, columns joined by `:`.
pub(super) fn pivot(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[',']);
    let [rows, columns, value, words @ ..] = parts.as_slice() else {
        return Err(arguments.missing("rows, columns or value"));
    };
    let refs = |piece: &Piece| piece.tokens(&[':']).iter().map(|c| ColumnRef::new(c.as_str())).collect();
    let (mut ops, mut sort) = (vec![], None);
    for word in words {
        let by = |label, descending| Some(PivotSort { label, descending });
        match word.as_str() {
            "sum" => ops.push(Some(PivotOp::Sum)),
            "min" => ops.push(Some(PivotOp::Min)),
            "max" => ops.push(Some(PivotOp::Max)),
            "avg" => ops.push(Some(PivotOp::Average)),
            "a" | "sa" => sort = by(false, false),
            "d" | "sd" => sort = by(false, true),
            "la" => sort = by(true, false),
            "ld" => sort = by(true, true),
            "-" | "null" if arguments.how.strict => ops.push(None),
            // The original means them as placeholders and fails.
            "-" | "null" => {
                return Err(arguments
                    .wrong(word, "a placeholder fails in the original")
                    .hint("--strict lets it stand for no op"));
            }
            _ if arguments.how.strict => return Err(arguments.wrong(word, "no such word")),
            _ => {}
        }
    }
    let cell = if words.is_empty() { Some(PivotOp::Sum) } else { ops.first().copied().flatten() };
    Ok(Op::Pivot(PivotSpec {
        rows: refs(rows),
        columns: refs(columns),
        value: value.as_str().to_owned(),
        cell,
        row: ops.get(1).copied().flatten(),
        column: ops.get(2).copied().flatten(),
        sort,
    }))
}

/// `depivot = [ word { "," word } ]`.
pub(super) fn depivot(arguments: &Arguments) -> Result<Op, Diagnostic> {
    if arguments.text.is_empty() {
        return Ok(Op::Depivot(vec![DepivotCell::Row, DepivotCell::Column, DepivotCell::Value]));
    }
    let mut cells = vec![];
    for word in arguments.text.tokens(&[',']) {
        cells.push(match word.as_str() {
            "row" => DepivotCell::Row,
            "col" => DepivotCell::Column,
            "val" => DepivotCell::Value,
            "extra" | "sum" => DepivotCell::Extra,
            _ if arguments.how.strict => return Err(arguments.wrong(&word, "expected row, col, val or extra")),
            _ => continue,
        });
    }
    Ok(Op::Depivot(cells))
}

/// `roll = [ "i" ] [ "f" ] [ "s" | "S" ] columns [ ":" columns ]`.
pub(super) fn roll(arguments: &Arguments, kind: Roll) -> Result<Op, Diagnostic> {
    let mut text = arguments.text.clone();
    let mut take = |prefix: char| {
        let found = text.as_str().starts_with(prefix);
        if found {
            text = text.after(1);
        }
        found
    };
    take('i');
    let float = take('f');
    let output = match (take('s'), kind) {
        (true, _) => RollOutput::InPlace,
        (false, _) if take('S') => RollOutput::Summary,
        (false, _) => RollOutput::Append,
    };
    let parts = text.tokens(&[':']);
    let columns = parts.first().map(|part| arguments.columns(part)).unwrap_or_default();
    if columns.is_empty() {
        return Err(arguments.missing("the column"));
    }
    let keys = parts.get(1).map(|part| arguments.columns(part)).unwrap_or_default();
    Ok(Op::Roll(RollSpec { kind, float, output, columns, keys }))
}

/// `histo = position [ "," integer ]`.
pub(super) fn histogram(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[',']);
    let Some(column) = parts.first() else { return Err(arguments.missing("the column")) };
    let scale = match parts.get(1) {
        None => 10,
        Some(scale) => {
            let value = arguments.integer(scale)?;
            if value < 2 {
                return Err(arguments.wrong(scale, "a scale is at least 2"));
            }
            value
        }
    };
    Ok(Op::Histogram { column: arguments.position(column)?, scale })
}

/// `histo2 = position [ ":" position ] "," number "," number { "," number }`.
pub(super) fn bounds(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let (columns, bounds) = arguments.text.cut(',');
    let Some(bounds) = bounds else { return Err(arguments.missing("bounds")) };
    let (column, frequency) = columns.cut(':');
    let pieces = bounds.tokens(&[',']);
    if pieces.len() < 2 {
        return Err(arguments.wrong(&bounds, "at least two bounds are needed"));
    }
    let bounds = if bounds.as_str().contains('.') {
        let mut floats = vec![];
        for piece in &pieces {
            // Bounds are single precision in the original, and show it.
            #[allow(clippy::cast_possible_truncation, reason = "single precision is meant")]
            floats.push(arguments.float(piece)? as f32);
        }
        floats.sort_by(f32::total_cmp);
        Bounds::Floats(floats)
    } else {
        let mut integers = vec![];
        for piece in &pieces {
            let small = i32::try_from(arguments.integer(piece)?);
            integers.push(small.map_err(|_| arguments.wrong(piece, "a bound has at most 32 bits"))?);
        }
        integers.sort_unstable();
        Bounds::Integers(integers)
    };
    let frequency = frequency.map(|piece| arguments.position(&piece)).transpose()?;
    Ok(Op::Bounds { column: arguments.position(&column)?, frequency, bounds })
}

/// `distribution = position [ "," integer ]`.
pub(super) fn distribution(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[',']);
    let Some(column) = parts.first() else { return Err(arguments.missing("the column")) };
    if let Some(size) = parts.get(1)
        && arguments.integer(size)? < 1
    {
        return Err(arguments.wrong(size, "a size is at least 1"));
    }
    Ok(Op::Distribution { column: arguments.position(column)? })
}

/// `percentrank = position ":" position`.
pub(super) fn percent_rank(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.fields(":");
    let [input, output] = parts.as_slice() else {
        return Err(arguments.wrong(&arguments.text, "expected two columns"));
    };
    Ok(Op::PercentRank { input: arguments.position(input)?, output: arguments.position(output)? })
}

/// `ftable = columns ":" name "," name ":" [ "total" "," ] number { "," number }`.
pub(super) fn frequency_table(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[':']);
    let [keys, pair, wanted, ..] = parts.as_slice() else {
        return Err(arguments.missing("keys, values or percentiles"));
    };
    let pair = pair.tokens(&[',']);
    let [value, frequency, ..] = pair.as_slice() else { return Err(arguments.missing("the column of frequencies")) };
    let (mut total, mut percentiles) = (false, vec![]);
    for word in wanted.tokens(&[',']) {
        if word.as_str() == "total" {
            total = true;
        } else {
            percentiles.push(arguments.float(&word)?);
        }
    }
    if percentiles.is_empty() {
        return Err(arguments.wrong(wanted, "expected a percentile, such as 0.5"));
    }
    let name = |piece: &Piece| Ok::<_, Diagnostic>(arguments.position(piece)?.to_string());
    Ok(Op::FrequencyTable {
        keys: arguments.columns(keys),
        value: name(value)?,
        frequency: name(frequency)?,
        total,
        percentiles,
    })
}

/// `disorder = position ":" position [ ":" position ]`.
pub(super) fn disorder(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.fields(":");
    if !(2..=3).contains(&parts.len()) {
        return Err(arguments.wrong(&arguments.text, "expected two or three columns"));
    }
    let position = |index: usize| parts.get(index).map(|piece| arguments.position(piece)).transpose();
    let (Some(primary), Some(secondary)) = (position(0)?, position(1)?) else {
        return Err(arguments.missing("the second column"));
    };
    Ok(Op::Disorder { primary, secondary, frequency: position(2)? })
}

/// `seen = position ":" integer [ ":" integer [ ":" integer ] ]`.
pub(super) fn seen(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[':']);
    let [column, bits, rest @ ..] = parts.as_slice() else { return Err(arguments.missing("column or size")) };
    let size = usize::try_from(arguments.integer(bits)?).ok().filter(|bits| (1..=1 << 30).contains(bits));
    let size = size.ok_or_else(|| arguments.wrong(bits, "a filter has 1 to 1073741824 bits"))?;
    let hashes = match rest.first() {
        None => 4,
        Some(piece) => {
            let hashes = u32::try_from(arguments.integer(piece)?).ok().filter(|hashes| (1..=64).contains(hashes));
            hashes.ok_or_else(|| arguments.wrong(piece, "a filter has 1 to 64 hashes"))?
        }
    };
    Ok(Op::Seen { column: arguments.position(column)?, bits: size, hashes })
}

/// `changepoints = [ position { ":" number } ]`, seven at most.
pub(super) fn change_points(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = if arguments.text.is_empty() { vec![] } else { arguments.text.fields(":") };
    let position = |index: usize, default| parts.get(index).map_or(Ok(default), |piece| arguments.position(piece));
    let integer = |index: usize, default| parts.get(index).map_or(Ok(default), |piece| arguments.integer(piece));
    let float = |index: usize, default| parts.get(index).map_or(Ok(default), |piece| arguments.float(piece));
    let window = usize::try_from(integer(6, 5)?).ok().filter(|window| (1..=10_000).contains(window));
    Ok(Op::ChangePoints(ChangePoints {
        time: position(0, 0)?,
        value: position(1, 1)?,
        min_change: integer(2, 10)?,
        min_ratio: float(3, 0.3)?,
        min_z: float(4, 1.5)?,
        inactive: integer(5, 1)?,
        window: window.ok_or_else(|| arguments.wrong(&arguments.text, "a window has 1 to 10000 rows"))?,
    }))
}

/// `holtwinters = [ position { ":" number } ]`, seven at most.
pub(super) fn holt_winters(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = if arguments.text.is_empty() { vec![] } else { arguments.text.fields(":") };
    let position = |index: usize, default| parts.get(index).map_or(Ok(default), |piece| arguments.position(piece));
    let share = |index: usize| {
        let Some(piece) = parts.get(index) else { return Ok(0.1) };
        let share = arguments.float(piece)?;
        if (0.0..=1.0).contains(&share) {
            Ok(share)
        } else {
            Err(arguments.wrong(piece, "expected a number from 0 to 1"))
        }
    };
    let period = position(5, 7)?;
    let future = position(6, 3)?;
    if period == 0 || future == 0 || future > period {
        return Err(
            arguments.wrong(&arguments.text, "a period has at least one row, and m lies between 1 and the period")
        );
    }
    Ok(Op::HoltWinters(HoltWinters {
        time: position(0, 0)?,
        value: position(1, 1)?,
        alpha: share(2)?,
        beta: share(3)?,
        gamma: share(4)?,
        period,
        future,
    }))
}

/// `diff = { "k" | "a" | "d" | "D" }`.
pub(super) fn diff(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let mut columns = vec![];
    for (at, letter) in arguments.text.as_str().char_indices() {
        columns.push(match letter {
            'k' => DiffColumn::Key,
            'a' => DiffColumn::Alternating,
            'd' => DiffColumn::Difference,
            'D' => DiffColumn::Negative,
            _ => {
                let span = arguments.text.span_of(at..at + letter.len_utf8());
                return Err(arguments.wrong_at(span, "expected k, a, d or D"));
            }
        });
    }
    Ok(Op::Diff(columns))
}

/// `rmsing = [ position [ ":" position ] ]`; without arguments both are the first column.
pub(super) fn remove_singletons(arguments: &Arguments) -> Result<Op, Diagnostic> {
    if arguments.text.is_empty() {
        return Ok(Op::RemoveSingletons { key: 0, value: 0 });
    }
    let parts = arguments.text.fields(":");
    let position = |index: usize, default| parts.get(index).map_or(Ok(default), |piece| arguments.position(piece));
    Ok(Op::RemoveSingletons { key: position(0, 0)?, value: position(1, 1)? })
}

/// `fold = columns ":" column ":" text { "," text } ":" columns`.
pub(super) fn fold(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[':']);
    let [keys, column, values, copies, ..] = parts.as_slice() else {
        return Err(arguments.missing("keys, column, values or copies"));
    };
    let values = values.tokens(&[',']).iter().map(|value| value.as_str().to_owned()).collect();
    Ok(Op::Fold {
        keys: arguments.columns(keys),
        column: ColumnRef::new(column.as_str()),
        values,
        copies: arguments.columns(copies),
    })
}
