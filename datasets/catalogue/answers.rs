//! Questions with known answers, counted while the catalogue is written.

use super::file::{Facts, Tier, detector};
use std::collections::BTreeSet;

/// A query and the number of rows that it must find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueAnswer {
    /// A short name.
    pub id: &'static str,
    /// The query, in MQL.
    pub text: &'static str,
    /// Number of rows.
    pub rows: u64,
    /// Bytes of all these files together.
    pub total_size: u64,
}

struct Question {
    id: &'static str,
    text: &'static str,
    rows: Rows,
    /// At most so many rows, behind so many.
    limit: Option<u64>,
    skip: u64,
}

/// How the rows of a block are known; retired ones never count.
enum Rows {
    /// Those for which this holds.
    File(fn(&Facts) -> bool),
    /// Those that these files were made from.
    Parents(fn(&Facts) -> bool),
    /// Those that were made from these files.
    Children(fn(&Facts) -> bool),
    /// The first ones less the parents of the second ones.
    MinusParents(fn(&Facts) -> bool, fn(&Facts) -> bool),
    /// The first ones and the parents of the second ones.
    UnionParents(fn(&Facts) -> bool, fn(&Facts) -> bool),
    /// Those of the first ones that are parents of the second ones.
    JoinParents(fn(&Facts) -> bool, fn(&Facts) -> bool),
}

const fn question(id: &'static str, text: &'static str, rows: Rows) -> Question {
    Question { id, text, rows, limit: None, skip: 0 }
}

fn raw(facts: &Facts) -> bool {
    facts.tier == Tier::Raw
}

fn full(facts: &Facts) -> bool {
    facts.tier == Tier::Full
}

fn campaign(facts: &Facts, number: u64) -> bool {
    facts.namespace == "hd-protodune" && facts.campaign == number
}

const QUESTIONS: [Question; 26] = [
    question("one_run", "files where core.runs[any] in (20100)", Rows::File(|it| it.run == 20_100)),
    question("one_run_equality", "files where core.runs = 20100", Rows::File(|it| it.run == 20_100)),
    question(
        "run_set",
        "files where core.runs[any] in (20100, 20150, 20201)",
        Rows::File(|it| matches!(it.run, 20_100 | 20_150 | 20_201)),
    ),
    question(
        "text_equality",
        "files where core.application.version = v09_70_02d00 and core.data_tier = full-reconstructed",
        Rows::File(|it| it.version == Some((70, 2)) && full(it)),
    ),
    question(
        "any_range",
        "files where core.runs[any] in 20100:20130",
        Rows::File(|it| (20_100..=20_130).contains(&it.run)),
    ),
    question(
        "any_range_long",
        "files where core.events[any] in 700:705",
        Rows::File(|it| it.events.is_some_and(|(first, last)| first <= 705 && last >= 700)),
    ),
    question("any_text", "files where DUNE_data.detector_config.list[any] = cb3", Rows::File(|it| detector(it, "cb3"))),
    question(
        "all_text",
        "files where DUNE_data.detector_config.list[all] in (felix, wib1, wib2, apa1, apa2, apa3, apa4)",
        Rows::File(|it| it.detectors.iter().all(|at| *at < 7)),
    ),
    question(
        "regex",
        "files where core.application.version ~ \"^v09_5[0-4]\"",
        Rows::File(|it| it.version.is_some_and(|(minor, _)| (50..55).contains(&minor))),
    ),
    question(
        "regex_name",
        "files where name ~ \"_raw_run020[12]00_0007_dataflow3\"",
        Rows::File(|it| raw(it) && matches!(it.run, 20_100 | 20_200) && (it.subrun, it.writer) == (7, 3)),
    ),
    question("wide_equality", "files where core.data_tier = raw", Rows::File(raw)),
    question(
        "wide_inequality",
        "files where detector.hv_value > 150",
        Rows::File(|it| it.high_voltage.is_some_and(|value| value > 150.0)),
    ),
    question(
        "rare_inequality",
        "files where detector.hv_value > 187.99",
        Rows::File(|it| it.high_voltage.is_some_and(|value| value > 187.99)),
    ),
    question("dataset", "files from hd-protodune:campaign-00", Rows::File(|it| campaign(it, 0))),
    question(
        "dataset_and_condition",
        "files from hd-protodune:campaign-00 where core.data_tier = raw and core.data_stream = noise",
        Rows::File(|it| campaign(it, 0) && raw(it) && it.stream == "noise"),
    ),
    question(
        "datasets_by_pattern",
        "files from matching vd-protodune:campaign-1* where core.data_tier = root-tuple-virtual",
        Rows::File(|it| it.namespace == "vd-protodune" && (10..20).contains(&it.campaign) && it.tier == Tier::Tuple),
    ),
    question("parents", "parents(files where core.data_tier = full-reconstructed)", Rows::Parents(full)),
    question("children", "children(files where core.runs = 20100)", Rows::Children(|it| it.run == 20_100)),
    question(
        "union",
        "union(files from hd-protodune:campaign-00, parents(files from hd-protodune:campaign-01))",
        Rows::UnionParents(|it| campaign(it, 0), |it| campaign(it, 1)),
    ),
    question(
        "join",
        "join(files where core.data_tier = raw, parents(files where core.data_tier = full-reconstructed))",
        Rows::JoinParents(raw, full),
    ),
    question(
        "minus",
        "files where core.data_tier = raw - parents(files where core.data_tier = full-reconstructed)",
        Rows::MinusParents(raw, full),
    ),
    question("saved", "files selected by dune:raw_cosmics", Rows::File(|it| raw(it) && it.stream == "cosmics")),
    Question {
        limit: Some(100),
        ..question("ordered_limit", "files where core.data_tier = raw ordered limit 100", Rows::File(raw))
    },
    Question {
        limit: Some(100),
        skip: 20_000,
        ..question(
            "ordered_skip_limit",
            "files where core.data_tier = raw ordered skip 20000 limit 100",
            Rows::File(raw),
        )
    },
    question("all_files", "files", Rows::File(|_| true)),
    question(
        "rare_key",
        "files where user.note_007 >= 500 and core.data_tier = raw",
        Rows::File(|it| raw(it) && it.note.is_some_and(|(key, value)| key == 7 && value >= 500)),
    ),
];

/// Counts the answers.
pub(super) struct Tally {
    rows: [u64; QUESTIONS.len()],
    sizes: [u64; QUESTIONS.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self { rows: [0; QUESTIONS.len()], sizes: [0; QUESTIONS.len()] }
    }
}

impl Tally {
    /// Count the files of a block.
    pub(super) fn add(&mut self, block: &[Facts]) {
        for ((rows, size), question) in self.rows.iter_mut().zip(&mut self.sizes).zip(&QUESTIONS) {
            for at in found(block, &question.rows) {
                if let Some(file) = block.get(at).filter(|file| !file.retired) {
                    *rows += 1;
                    *size += file.size;
                }
            }
        }
    }

    /// The answers.
    pub(super) fn answers(&self) -> Vec<CatalogueAnswer> {
        let all = QUESTIONS.iter().zip(self.rows).zip(self.sizes);
        all.map(|((question, rows), total_size)| CatalogueAnswer {
            id: question.id,
            text: question.text,
            rows: rows.saturating_sub(question.skip).min(question.limit.unwrap_or(u64::MAX)),
            total_size,
        })
        .collect()
    }
}

/// Places in the block.
fn found(block: &[Facts], rows: &Rows) -> BTreeSet<usize> {
    let of = |holds: &fn(&Facts) -> bool| -> BTreeSet<usize> {
        block.iter().enumerate().filter(|(_, file)| !file.retired && holds(file)).map(|(at, _)| at).collect()
    };
    let parents = |holds: &fn(&Facts) -> bool| -> BTreeSet<usize> {
        of(holds).iter().filter_map(|at| block.get(*at)).flat_map(|file| file.parents.iter().copied()).collect()
    };
    match rows {
        Rows::File(holds) => of(holds),
        Rows::Parents(holds) => parents(holds),
        Rows::Children(holds) => {
            let above = of(holds);
            let below = block.iter().enumerate().filter(|(_, file)| file.parents.iter().any(|at| above.contains(at)));
            below.map(|(at, _)| at).collect()
        }
        Rows::MinusParents(from, of_files) => of(from).difference(&parents(of_files)).copied().collect(),
        Rows::UnionParents(one, of_files) => of(one).union(&parents(of_files)).copied().collect(),
        Rows::JoinParents(one, of_files) => of(one).intersection(&parents(of_files)).copied().collect(),
    }
}
