//! One run as a line of JSON.

use super::ExperimentSpec;
use super::paths::Catalogue;
use super::series::{SeriesFacts, SeriesWriter};
use super::values::{Fact, Written};
use crate::dice::Dice;
use crate::text::{push, push_int, push_iso, push_padded, push_seconds};

/// The first and the last moment at which a run is created (microseconds): 104 weeks from Monday, 2024-11-04 on.
const FROM: i64 = 1_730_678_400_000_000;
const SPAN: i64 = 104 * 7 * 86_400_000_000;

const EXPERIMENTS: f64 = 200.0;
/// Tags and the share of the runs that have them.
pub(crate) const TAGS: [(&str, f64); 10] = [
    ("baseline", 0.25),
    ("debug", 0.2),
    ("paper", 0.05),
    ("sweep", 0.4),
    ("best", 0.01),
    ("ablation", 0.1),
    ("gpu", 0.3),
    ("nightly", 0.15),
    ("v2", 0.1),
    ("naïve", 0.02),
];
const ARCHIVED: f64 = 0.05;
const ACTIVE: f64 = 0.005;

/// What a question can ask about a run.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) archived: bool,
    /// Microseconds since 1970.
    pub(crate) created_at: i64,
    pub(crate) experiment: u64,
    /// Bit n: the run has tag n of [`TAGS`].
    pub(crate) tags: u32,
    pub(crate) params: u64,
    pub(crate) series: u64,
    pub(crate) points: u64,
    pub(crate) of_series: SeriesFacts,
    values: [Option<Written>; Fact::COUNT],
}

impl Facts {
    /// The value of a parameter, if the run has it.
    pub(crate) fn value(&self, fact: Fact) -> Option<Written> {
        self.values[fact as usize]
    }
}

/// Writes runs, one after the other.
pub(crate) struct RunWriter<'a> {
    catalogue: &'a Catalogue,
    series: SeriesWriter,
    dice: Dice,
    /// Microseconds from one run to the next.
    distance: i64,
    chosen: Vec<u32>,
}

impl<'a> RunWriter<'a> {
    pub(crate) fn new(spec: &ExperimentSpec, catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            series: SeriesWriter::new(spec.series_per_run, spec.points_per_series),
            dice: Dice::new(spec.seed),
            distance: SPAN / spec.runs.max(1) as i64,
            chosen: Vec::new(),
        }
    }

    /// Append run number `index` (they have to be written in order).
    pub(crate) fn write(&mut self, index: u64, out: &mut Vec<u8>) -> Facts {
        let dice = &mut self.dice;
        let created_at = FROM + self.distance * index as i64 + dice.below(self.distance.max(1) as u64) as i64;
        let hash = format!("{:016x}{:08x}", dice.bits(), dice.bits() >> 32);
        let archived = dice.chance(ARCHIVED);
        let active = dice.chance(ACTIVE);
        // A few experiments have most of the runs.
        let spread = dice.unit();
        let experiment = (spread * spread * EXPERIMENTS) as u64;

        push(out, "{\"hash\":\"");
        push(out, &hash);
        push(out, "\",\"name\":\"");
        match dice.below(2) {
            0 => {
                push(out, "Run: ");
                push(out, &hash);
            }
            _ => {
                push(out, "trial ");
                push_int(out, index as i64);
            }
        }
        push(out, "\",\"description\":null,\"experiment\":\"exp-");
        push_padded(out, experiment, 3);
        push(out, "\",\"tags\":[");
        let tags = write_tags(dice, out);
        push(out, if archived { "],\"archived\":true" } else { "],\"archived\":false" });
        push(out, if active { ",\"active\":true" } else { ",\"active\":false" });
        push(out, ",\"created_at\":");
        push_iso(out, created_at);
        // The end comes before the series in the line, but follows from them: write them, then put it in between.
        let place = out.len();
        push(out, ",\"params\":");
        let (values, params) = self.write_params(out);
        push(out, ",\"metrics\":");
        let (of_series, end) = self.series.write(created_at, &mut self.dice, out);
        push(out, ",\"images\":[],\"texts\":[],\"audios\":[],\"distributions\":[],\"figures\":[]}\n");
        let end = if active { None } else { Some((created_at, end)) };
        out.splice(place..place, end_fields(end));

        let (series, points) = (of_series.series, of_series.points);
        Facts { archived, created_at, experiment, tags, params, series, points, of_series, values }
    }

    /// Write the parameter document; returns the values of those that are asked for, and how many there are.
    fn write_params(&mut self, out: &mut Vec<u8>) -> ([Option<Written>; Fact::COUNT], u64) {
        let mut values = [None; Fact::COUNT];
        self.catalogue.choose(&mut self.dice, &mut self.chosen);
        let mut open: &[String] = &[];
        out.push(b'{');
        for (position, &path) in self.chosen.iter().enumerate() {
            let path = self.catalogue.get(path);
            let (last, dicts) = path.keys.split_last().map_or(("", &[][..]), |(last, dicts)| (last.as_str(), dicts));
            let common = open.iter().zip(dicts).take_while(|(one, other)| one == other).count();
            out.extend(open.iter().skip(common).map(|_| b'}'));
            if position > 0 {
                push(out, ",");
            }
            for key in &dicts[common..] {
                push_key(out, key);
                out.push(b'{');
            }
            open = dicts;
            push_key(out, last);
            let written = path.shape.write(&mut self.dice, out);
            if let Some(fact) = path.fact {
                values[fact as usize] = Some(written);
            }
        }
        out.extend(open.iter().map(|_| b'}'));
        out.push(b'}');
        (values, self.chosen.len() as u64)
    }
}

/// A key and its colon; the keys of the catalogue need no escapes.
fn push_key(out: &mut Vec<u8>, key: &str) {
    out.push(b'"');
    push(out, key);
    push(out, "\":");
}

/// Write the tags of a run; returns them as bits.
fn write_tags(dice: &mut Dice, out: &mut Vec<u8>) -> u32 {
    let mut tags = 0;
    for (position, (tag, share)) in TAGS.iter().enumerate() {
        if dice.chance(*share) {
            push(out, if tags == 0 { "\"" } else { ",\"" });
            push(out, tag);
            out.push(b'"');
            tags |= 1 << position;
        }
    }
    tags
}

/// The fields that tell when a run ended, from its start and end.
fn end_fields(times: Option<(i64, i64)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    match times {
        None => push(&mut out, ",\"finalized_at\":null,\"end_time\":null,\"duration\":null"),
        Some((start, end)) => {
            push(&mut out, ",\"finalized_at\":");
            push_iso(&mut out, end);
            push(&mut out, ",\"end_time\":");
            push_seconds(&mut out, end);
            push(&mut out, ",\"duration\":");
            push_seconds(&mut out, end - start);
        }
    }
    out
}
