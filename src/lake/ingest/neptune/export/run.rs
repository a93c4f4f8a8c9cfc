//! One run of an export: its parts become series and attributes.
//!
//! Rows come in stretches of one path. Of a series a stretch is appended to columns as a whole; the pieces of a path, which
//! may lie in several parts, are put together at the end.

use std::ops::Range;

use arrow::array::{Array, AsArray};

use super::columns::Columns;
use super::part::PartFault;
use crate::catalog::kind::AttributeKind;
use crate::ingest::block::{NO_TIME, SeriesKind, Value};
use crate::ingest::fault::{Read, shorten};
use crate::ingest::intern::Interner;
use crate::ingest::neptune::draft::{Draft, TextRow};
use crate::ingest::neptune::neutral::histogram_text;
use crate::ingest::neptune::view::PathFilter;
use crate::storage::segment::RunKey;

/// A row that cannot be imported.
#[derive(Debug)]
pub(super) struct RowFault {
    /// From 1.
    pub(super) row: u64,
    pub(super) field: &'static str,
    pub(super) reason: String,
}

/// A file with more bad rows than this is bad as a whole.
const MOST_BAD_ROWS: usize = 1_000;

/// Which run, and which of its steps, a fork comes from.
pub(super) const FORKING: [&str; 2] = ["sys/forking/parent", "sys/forking/step"];

/// Rows of a series in the order of the file.
struct Piece {
    /// Number of [`Collected::paths`].
    path: u32,
    kind: SeriesKind,
    /// How many forks ago the rows were logged.
    depth: u32,
    rows: Range<usize>,
}

/// What has been read of a run.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) key: Option<RunKey>,
    paths: Interner,
    pieces: Vec<Piece>,
    /// How many generations have been inherited from.
    depth: u32,
    /// Steps in millionths, times, values of float series.
    steps: Vec<i64>,
    times: Vec<i64>,
    values: Vec<f64>,
    texts: Vec<TextRow>,
    /// Where the run was forked from.
    pub(super) parent: Option<String>,
    /// At which step, in millionths.
    pub(super) fork_step: Option<i64>,
    /// Bad rows of the part that is being read.
    pub(super) bad: Vec<RowFault>,
    /// An artifact, and the list of its files.
    pub(super) artifacts: Vec<(String, String)>,
    /// Whether the export has a state after all.
    has_state: bool,
}

/// What is taken of a run.
#[derive(Clone, Copy)]
pub(super) struct Taking<'a> {
    pub(super) wanted: &'a PathFilter,
    /// Attributes are taken too, not only series.
    pub(super) attributes: bool,
}

impl Collected {
    /// Adds the rows of a batch that begins at a row of its file.
    pub(super) fn add(
        &mut self,
        columns: &Columns,
        first_row: u64,
        taking: Taking<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), PartFault> {
        let texts = columns.text.as_ref().map_or(0, |texts| texts.values().len());
        draft.reserve_text(texts).map_err(|fault| PartFault::new(fault.reason()))?;
        let mut row = 0;
        while row < columns.rows {
            let end = columns.stretch(row);
            self.stretch(columns, row..end, first_row, taking, draft)?;
            row = end;
        }
        Ok(())
    }

    fn fault(&mut self, first_row: u64, row: usize, (field, reason): (&'static str, String)) -> Result<(), PartFault> {
        self.bad.push(RowFault { row: first_row + row as u64 + 1, field, reason });
        if self.bad.len() > MOST_BAD_ROWS {
            return Err(PartFault::new(format!("more than {MOST_BAD_ROWS} rows are bad")));
        }
        Ok(())
    }

    /// Takes rows of one run, path and type.
    fn stretch(
        &mut self,
        columns: &Columns,
        rows: Range<usize>,
        first_row: u64,
        taking: Taking<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), PartFault> {
        let first = rows.start;
        let missing = |name: &'static str| (name, "expected a text, got null".to_owned());
        let Some(project) = columns.project.as_ref().and_then(|all| all.get(first)) else {
            return self.fault(first_row, first, missing("project_id"));
        };
        let Some(run) = columns.run.as_ref().and_then(|all| all.get(first)) else {
            return self.fault(first_row, first, missing("run_id"));
        };
        match &self.key {
            None => self.key = Some(RunKey { project: Some(project.to_owned()), hash: run.to_owned() }),
            Some(key) if key.hash == run && key.project.as_deref() == Some(project) => {}
            Some(key) => {
                let known = shorten(&key.hash);
                let reason = format!("the files hold the run {known:?}, this row belongs to {:?}", shorten(run));
                return self.fault(first_row, first, ("run_id", reason));
            }
        }
        let Some(path) = columns.path.as_ref().and_then(|all| all.get(first)) else {
            return self.fault(first_row, first, missing("attribute_path"));
        };
        let Some(kind) = columns.kind.as_ref().and_then(|all| all.get(first)) else {
            return self.fault(first_row, first, missing("attribute_type"));
        };
        let series = match kind {
            "float_series" => Some(SeriesKind::Metric),
            "string_series" => Some(SeriesKind::Texts),
            "histogram_series" => Some(SeriesKind::Distributions),
            "file_series" => Some(SeriesKind::Files),
            _ => None,
        };
        match series {
            _ if !taking.wanted.wants(path) => Ok(()),
            Some(SeriesKind::Metric) => self.floats(columns, rows, first_row, path),
            Some(kind) => self.records(columns, rows, first_row, path, kind, draft),
            None if !taking.attributes && !FORKING.contains(&path) => Ok(()),
            None => {
                for row in rows {
                    self.attribute(columns, (row, first_row), path, kind, taking, draft)?;
                }
                Ok(())
            }
        }
    }

    /// Remembers rows of a series; neighbours of one series are one piece.
    fn piece(&mut self, path: &str, kind: SeriesKind, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        let path = self.paths.id(path);
        match self.pieces.last_mut() {
            Some(last) if (last.path, last.kind, last.depth, last.rows.end) == (path, kind, self.depth, rows.start) => {
                last.rows.end = rows.end;
            }
            _ => self.pieces.push(Piece { path, kind, depth: self.depth, rows }),
        }
    }

    /// Points of a float series. A null with a step was NaN; without a step nobody has logged anything.
    fn floats(&mut self, columns: &Columns, rows: Range<usize>, first_row: u64, path: &str) -> Result<(), PartFault> {
        let start = self.values.len();
        let value = |row: usize| columns.float.as_ref().filter(|all| all.is_valid(row)).map(|all| all.value(row));
        if let (Some(steps), Some(times), Some(values)) = (&columns.step, &columns.time, &columns.float)
            && steps.null_count() + times.null_count() + values.null_count() == 0
        {
            let steps = steps.values().get(rows.clone()).unwrap_or_default();
            self.steps.extend(steps.iter().map(|step| i64::try_from(*step).unwrap_or(i64::MAX)));
            self.times.extend_from_slice(times.values().get(rows.clone()).unwrap_or_default());
            self.values.extend_from_slice(values.values().get(rows).unwrap_or_default());
        } else {
            for row in rows {
                match (columns.step(row), value(row)) {
                    (Some(step), value) => {
                        self.steps.push(step);
                        self.times.push(time_of(columns, row));
                        self.values.push(value.unwrap_or(f64::NAN));
                    }
                    (None, Some(_)) => self.fault(first_row, row, ("step", "a point without a step".to_owned()))?,
                    (None, None) => {}
                }
            }
        }
        self.piece(path, SeriesKind::Metric, start..self.values.len());
        Ok(())
    }

    /// Records of the other series. Nulls were made by the exporter.
    fn records(
        &mut self,
        columns: &Columns,
        rows: Range<usize>,
        first_row: u64,
        path: &str,
        kind: SeriesKind,
        draft: &mut Draft<'_>,
    ) -> Result<(), PartFault> {
        let start = self.texts.len();
        for row in rows {
            let text = match kind {
                SeriesKind::Texts => text_at(columns.text.as_ref(), row).map(|text| draft.block.add_text(text)),
                SeriesKind::Files => text_at(columns.file.as_ref(), row).map(|text| draft.block.add_text(text)),
                SeriesKind::Distributions => {
                    let histogram = columns.histogram.as_ref().and_then(|all| all.get(row));
                    histogram.map(|(kind, edges, values)| draft.block.add_text(&histogram_text(kind, &edges, &values)))
                }
                SeriesKind::Metric | SeriesKind::Images | SeriesKind::Audios | SeriesKind::Figures => None,
            };
            match (text, columns.step(row)) {
                (None, _) => {}
                (Some(_), None) => self.fault(first_row, row, ("step", "a record without a step".to_owned()))?,
                (Some(_), Some(step)) => self.texts.push(TextRow { step, time: time_of(columns, row), text }),
            }
        }
        self.piece(path, kind, start..self.texts.len());
        Ok(())
    }

    /// An attribute that is no series. Nulls were made by the exporter.
    fn attribute(
        &mut self,
        columns: &Columns,
        (row, first_row): (usize, u64),
        path: &str,
        kind: &str,
        taking: Taking<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), PartFault> {
        fn at<A: Array>(column: Option<&A>, row: usize) -> Option<&A> {
            column.filter(|column| column.is_valid(row))
        }
        let float = at(columns.float.as_ref(), row).map(|all| all.value(row));
        let text = text_at(columns.text.as_ref(), row);
        let file = text_at(columns.file.as_ref(), row);
        let [parent, step] = FORKING;
        if path == parent {
            self.parent = self.parent.take().or(text.map(str::to_owned));
        } else if path == step {
            self.fork_step = self.fork_step.or(float.map(|step| (step * 1e6).round() as i64));
        }
        if !taking.attributes {
            return Ok(());
        }
        let added: Read<()> =
            match kind {
                "float" => float.map_or(Ok(()), |value| draft.attribute(path, Value::Float(value))),
                "int" => at(columns.int.as_ref(), row)
                    .map_or(Ok(()), |all| draft.attribute(path, Value::Int(all.value(row)))),
                "bool" => at(columns.bool.as_ref(), row)
                    .map_or(Ok(()), |all| draft.attribute(path, Value::Bool(all.value(row)))),
                "string" => text.map_or(Ok(()), |text| draft.text(path, text)),
                "datetime" => {
                    let time = at(columns.datetime.as_ref(), row).map(|all| all.value(row));
                    time.map_or(Ok(()), |time| draft.attribute(path, Value::Time(time)))
                }
                "string_set" => match at(columns.set.as_ref(), row) {
                    None => Ok(()),
                    Some(sets) => {
                        let members = sets.value(row);
                        match members.as_string_opt::<i32>() {
                            Some(members) => draft.set(path, members.iter().flatten()),
                            None => Ok(()),
                        }
                    }
                },
                "file" => file.map_or(Ok(()), |file| draft.named(path, AttributeKind::File, Some(file))),
                "file_set" => file.map_or(Ok(()), |file| draft.named(path, AttributeKind::FileSet, Some(file))),
                // Its value is known when the list of its files is read.
                "artifact" => {
                    self.artifacts.extend(file.map(|file| (path.to_owned(), file.to_owned())));
                    Ok(())
                }
                "experiment_state" => {
                    self.has_state |= text.is_some();
                    text.map_or(Ok(()), |state| draft.named(path, AttributeKind::State, Some(state)))
                }
                "git_ref" => draft.named(path, AttributeKind::GitRef, None),
                "notebook_ref" => draft.named(path, AttributeKind::NotebookRef, None),
                other => {
                    let reason = format!("there is no attribute type {:?}", shorten(other));
                    return self.fault(first_row, row, ("attribute_type", reason));
                }
            };
        match added {
            Ok(()) => Ok(()),
            Err(fault) => self.fault(first_row, row, ("attribute_path", fault.reason().to_owned())),
        }
    }

    /// Adds the series of a run that this one was forked from, up to a step in millionths.
    pub(super) fn inherit(&mut self, parent: &Collected, last_step: i64) {
        self.depth += 1;
        for piece in &parent.pieces {
            let path = parent.paths.text(piece.path);
            let start = match piece.kind {
                SeriesKind::Metric => self.values.len(),
                _ => self.texts.len(),
            };
            for row in piece.rows.clone() {
                match piece.kind {
                    SeriesKind::Metric => {
                        if let (Some(step), Some(time), Some(value)) =
                            (parent.steps.get(row), parent.times.get(row), parent.values.get(row))
                            && *step <= last_step
                        {
                            self.steps.push(*step);
                            self.times.push(*time);
                            self.values.push(*value);
                        }
                    }
                    _ => self.texts.extend(parent.texts.get(row).filter(|text| text.step <= last_step)),
                }
            }
            let end = match piece.kind {
                SeriesKind::Metric => self.values.len(),
                _ => self.texts.len(),
            };
            self.piece(path, piece.kind, start..end);
        }
    }

    /// Puts the pieces of every series together.
    pub(super) fn finish(mut self, zone: Option<super::SeriesZone>, draft: &mut Draft<'_>) -> Read<()> {
        if let Some(zone) = zone {
            zone.to_utc(&mut self.times);
            let mut times: Vec<i64> = self.texts.iter().map(|row| row.time).collect();
            zone.to_utc(&mut times);
            for (row, time) in self.texts.iter_mut().zip(times) {
                row.time = time;
            }
        }
        if !self.has_state {
            // An export has no state, and nothing runs any more.
            draft.named("sys/state", AttributeKind::State, Some("idle"))?;
        }
        let mut order: Vec<usize> = (0..self.pieces.len()).collect();
        let key = |index: &usize| self.pieces.get(*index).map(|piece| (piece.path, piece.kind));
        // Of equal points those of the oldest ancestor come first.
        order.sort_by_key(|index| (key(index), std::cmp::Reverse(self.pieces.get(*index).map(|piece| piece.depth))));
        for group in order.chunk_by(|a, b| key(a) == key(b)) {
            let pieces: Vec<&Piece> = group.iter().filter_map(|index| self.pieces.get(*index)).collect();
            let Some(first) = pieces.first() else { continue };
            let path = self.paths.text(first.path);
            if first.kind != SeriesKind::Metric {
                let rows = pieces.iter().filter_map(|piece| self.texts.get(piece.rows.clone()));
                let mut rows: Vec<TextRow> = rows.flatten().copied().collect();
                draft.texts(first.kind, path, &mut rows);
            } else if pieces.len() == 1 {
                let rows = first.rows.clone();
                draft.metric(
                    path,
                    self.steps.get(rows.clone()).unwrap_or_default(),
                    self.times.get(rows.clone()).unwrap_or_default(),
                    self.values.get(rows).unwrap_or_default(),
                );
            } else {
                fn gather<T: Copy>(column: &[T], pieces: &[&Piece]) -> Vec<T> {
                    pieces.iter().filter_map(|piece| column.get(piece.rows.clone())).flatten().copied().collect()
                }
                let (steps, times) = (gather(&self.steps, &pieces), gather(&self.times, &pieces));
                draft.metric(path, &steps, &times, &gather(&self.values, &pieces));
            }
        }
        Ok(())
    }

    /// The project and run of the files, the projects of the registry apart from those of runs.
    pub(super) fn take_key(&mut self, rename: impl Fn(&str) -> String) -> Option<RunKey> {
        let key = self.key.take()?;
        Some(RunKey { project: key.project.as_deref().map(rename), hash: key.hash })
    }
}

/// The time of a row.
fn time_of(columns: &Columns, row: usize) -> i64 {
    columns.time.as_ref().filter(|times| times.is_valid(row)).map_or(NO_TIME, |times| times.value(row))
}

fn text_at(column: Option<&arrow::array::StringArray>, row: usize) -> Option<&str> {
    column.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
}
