//! Files, block by block.

use std::fmt::Write as _;

use super::CatalogueSpec;
use crate::dice::Dice;

/// Files of one run: raw ones and what was made of them.
pub(super) const BLOCK: u64 = 60;

/// Campaigns, one after the other.
const CAMPAIGNS: u64 = 34;

/// 2023-01-01 and two years, in seconds.
const START: f64 = 1_672_531_200.0;
const SPAN: f64 = 63_072_000.0;

/// The number of the first run.
const FIRST_RUN: u64 = 20_000;

const NAMESPACES: [&str; 4] = ["hd-protodune", "vd-protodune", "fardet-hd", "usertests"];
const STREAMS: [&str; 5] = ["cosmics", "physics", "calibration", "pulser", "noise"];
const DETECTORS: [&str; 12] =
    ["felix", "wib1", "wib2", "apa1", "apa2", "apa3", "apa4", "crp4", "crp5", "cathode_pds", "membrane_pds", "cb3"];
const CREATORS: [&str; 6] = ["dunepro", "np04daq", "np02daq", "alice", "bob", "carol"];
/// Keys that hardly any file has.
const RARE_KEYS: u64 = 300;

/// The stage that a file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    Raw,
    Hits,
    Full,
    Tuple,
}

impl Tier {
    const fn name(self) -> &'static str {
        match self {
            Tier::Raw => "raw",
            Tier::Hits => "hit-reconstructed",
            Tier::Full => "full-reconstructed",
            Tier::Tuple => "root-tuple-virtual",
        }
    }
}

/// What the questions ask of a file.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) retired: bool,
    pub(super) namespace: &'static str,
    pub(super) tier: Tier,
    pub(super) run: u64,
    pub(super) subrun: u64,
    pub(super) writer: u64,
    pub(super) campaign: u64,
    pub(super) stream: &'static str,
    /// Of raw files.
    pub(super) high_voltage: Option<f64>,
    /// Of all but raw files: minor and patch number of the application.
    pub(super) version: Option<(u64, u64)>,
    /// Positions in the list of detectors.
    pub(super) detectors: Vec<usize>,
    /// First and last event of raw files.
    pub(super) events: Option<(u64, u64)>,
    pub(super) size: u64,
    /// Places of parents in the block.
    pub(super) parents: Vec<usize>,
    /// A key that hardly any file has, and its value.
    pub(super) note: Option<(u64, u64)>,
    /// Number of metadata values.
    pub(super) values: u64,
    fid: String,
    stem: String,
}

/// Whether a file has this detector.
pub(super) fn detector(facts: &Facts, name: &str) -> bool {
    facts.detectors.iter().any(|at| DETECTORS.get(*at) == Some(&name))
}

pub(super) struct Writer {
    files: u64,
    seed: u64,
}

impl Writer {
    pub(super) fn new(spec: &CatalogueSpec) -> Self {
        Self { files: spec.files, seed: spec.seed }
    }

    /// Writes the datasets and a saved query. Returns the number of datasets.
    pub(super) fn datasets(&self, out: &mut Vec<u8>) -> u64 {
        let mut text = String::new();
        let mut count = 0;
        for namespace in NAMESPACES {
            let campaigns: Vec<String> = (0..CAMPAIGNS).map(|n| format!("campaign-{n:02}")).collect();
            let children: Vec<String> = campaigns.iter().map(|name| format!("\"{namespace}:{name}\"")).collect();
            let _ = writeln!(
                text,
                r#"{{"namespace":"{namespace}","name":"all","frozen":false,"monotonic":true,"metadata":{{"dataset.level":0}},"creator":"dunepro","created_timestamp":{START},"description":"all campaigns","file_count":0,"children":[{}]}}"#,
                children.join(",")
            );
            let streams = STREAMS.iter().flat_map(|stream| {
                [Tier::Raw, Tier::Hits, Tier::Full, Tier::Tuple].map(|tier| format!("{stream}_{}", tier.name()))
            });
            let names: Vec<String> = campaigns.into_iter().chain(streams).collect();
            count += 1 + names.len() as u64;
            for (n, name) in names.iter().enumerate() {
                let _ = writeln!(
                    text,
                    r#"{{"namespace":"{namespace}","name":"{name}","frozen":{},"monotonic":true,"metadata":{{"dataset.level":1,"dataset.number":{n}}},"creator":"dunepro","created_timestamp":{START},"description":null,"file_count":0,"children":[]}}"#,
                    n % 2 == 0
                );
            }
        }
        let _ = writeln!(
            text,
            r#"{{"namespace":"dune","name":"raw_cosmics","source":"files where core.data_tier = raw and core.data_stream = cosmics","creator":"alice","created_timestamp":{START},"description":null,"metadata":{{}}}}"#
        );
        out.extend_from_slice(text.as_bytes());
        count
    }

    /// Writes the files of a block.
    pub(super) fn block(&self, block: u64, out: &mut Vec<u8>) -> Vec<Facts> {
        let mut dice = Dice::new(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ block);
        let first = block * BLOCK;
        let count = BLOCK.min(self.files - first);
        let blocks = self.files.div_ceil(BLOCK);
        let namespace = NAMESPACES[match dice.below(10) {
            0..=4 => 0,
            5..=6 => 1,
            7..=8 => 2,
            _ => 3,
        }];
        let stream = STREAMS[dice.index(STREAMS.len()).min(dice.index(STREAMS.len() + 2))];
        let run = FIRST_RUN + block;
        let campaign = block * CAMPAIGNS / blocks;
        let minor = 50 + (block * 40 / blocks + dice.below(3)).min(42);
        let mut detectors: Vec<usize> = (0..3).map(|_| dice.index(DETECTORS.len() - 1)).collect();
        if dice.chance(0.075) {
            detectors.push(DETECTORS.len() - 1);
        }
        detectors.dedup();
        let voltage = 100.0 + 80.0 * dice.unit();
        let step = SPAN / self.files as f64;
        let mut all: Vec<Facts> = vec![];
        let mut text = String::new();
        for place in 0..count {
            let created = START + step * (first + place) as f64 + (step * dice.unit() * 1e3).floor() / 1e3;
            let tier = match dice.below(1000) {
                _ if place == 0 => Tier::Raw,
                0..594 => Tier::Raw,
                594..794 => Tier::Hits,
                794..944 => Tier::Full,
                _ => Tier::Tuple,
            };
            let parents = if tier == Tier::Raw { vec![] } else { parents(&mut dice, place) };
            let mut facts = Facts {
                retired: dice.chance(0.02),
                namespace,
                tier,
                run,
                subrun: place / 4,
                writer: place % 4,
                campaign,
                stream,
                high_voltage: (tier == Tier::Raw).then(|| {
                    let spike = if dice.chance(0.000_04) { 188.0 } else { voltage };
                    ((spike + 0.5 * dice.unit()) * 1e4).round() / 1e4
                }),
                version: (tier != Tier::Raw).then_some((minor, dice.below(4))),
                detectors: detectors.clone(),
                events: (tier == Tier::Raw).then(|| {
                    let first = place * 40 + dice.below(30) + 1;
                    (first, first + 5 + dice.below(7))
                }),
                size: 1_000_000 + dice.below(4_000_000_000),
                parents,
                note: dice.chance(0.2).then(|| (dice.below(RARE_KEYS), dice.below(1000))),
                values: 0,
                fid: fid(&mut dice),
                stem: String::new(),
            };
            facts.stem = stem(&facts, &all, created);
            self.line(&mut facts, &all, created, &mut dice, &mut text);
            all.push(facts);
        }
        out.extend_from_slice(text.as_bytes());
        all
    }

    fn line(&self, facts: &mut Facts, block: &[Facts], created: f64, dice: &mut Dice, text: &mut String) {
        let ending = if facts.tier == Tier::Raw { "hdf5" } else { "root" };
        let _ = write!(
            text,
            r#"{{"fid":"{}","namespace":"{}","name":"{}.{ending}","size":{},"checksums":{{"adler32":"{:08x}"}},"metadata":{{"#,
            facts.fid,
            facts.namespace,
            facts.stem,
            facts.size,
            dice.bits() >> 32
        );
        facts.values = metadata(facts, created, dice, text);
        let creator = CREATORS[if facts.tier == Tier::Raw { 1 } else { dice.index(CREATORS.len()) }];
        let retired = if facts.retired { format!("{:.3}", created + 86_400.0) } else { "null".to_owned() };
        let retired_by = if facts.retired { "\"dunepro\"" } else { "null" };
        let _ = write!(
            text,
            r#"}},"creator":"{creator}","created_timestamp":{created:.3},"updated_by":null,"updated_timestamp":null,"retired":{},"retired_by":{retired_by},"retired_timestamp":{retired},"parents":["#,
            facts.retired
        );
        for (n, parent) in facts.parents.iter().filter_map(|at| block.get(*at)).enumerate() {
            let comma = if n > 0 { "," } else { "" };
            let _ = write!(text, r#"{comma}{{"fid":"{}"}}"#, parent.fid);
        }
        let _ = writeln!(
            text,
            r#"],"datasets":[{{"namespace":"{0}","name":"campaign-{1:02}"}},{{"namespace":"{0}","name":"{2}_{3}"}}]}}"#,
            facts.namespace,
            facts.campaign,
            facts.stream,
            facts.tier.name()
        );
    }
}

/// One or two earlier files of the block.
fn parents(dice: &mut Dice, place: u64) -> Vec<usize> {
    let mut parents = vec![dice.below(place) as usize];
    if dice.chance(0.3) {
        parents.push(dice.below(place) as usize);
    }
    parents.sort_unstable();
    parents.dedup();
    parents
}

/// Sixteen letters and digits.
fn fid(dice: &mut Dice) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    (0..16).map(|_| char::from(LETTERS[dice.index(LETTERS.len())])).collect()
}

/// The name without its ending.
fn stem(facts: &Facts, block: &[Facts], created: f64) -> String {
    let stamp = created as u64;
    match facts.parents.first().and_then(|at| block.get(*at)) {
        None => format!(
            "{}_raw_run{:06}_{:04}_dataflow{}_datawriter_0_{stamp}",
            if facts.namespace.starts_with('v') { "np02vd" } else { "np04hd" },
            facts.run,
            facts.subrun,
            facts.writer
        ),
        Some(_) => format!(
            "{}_run{:06}_{:04}_dataflow{}_reco_{}_{stamp}",
            facts.tier.name().split('-').next().unwrap_or_default(),
            facts.run,
            facts.subrun,
            facts.writer,
            &facts.fid[..4]
        ),
    }
}

/// Writes the members of `metadata`. Returns their number.
fn metadata(facts: &Facts, created: f64, dice: &mut Dice, text: &mut String) -> u64 {
    let (run, subrun) = (facts.run, facts.subrun);
    let mut count = 0;
    let mut put = |key: &str, value: &dyn std::fmt::Display| {
        let comma = if count > 0 { "," } else { "" };
        let _ = write!(text, r#"{comma}"{key}":{value}"#);
        count += 1;
    };
    let quoted = |text: &str| format!("\"{text}\"");
    put("core.data_tier", &quoted(facts.tier.name()));
    put("core.data_stream", &quoted(facts.stream));
    put("core.file_type", &quoted(if facts.namespace == "fardet-hd" { "mc" } else { "detector" }));
    put("core.file_format", &quoted(if facts.tier == Tier::Raw { "hdf5" } else { "artroot" }));
    put("core.file_content_status", &quoted("good"));
    put("core.run_type", &quoted(facts.namespace));
    put("core.group", &quoted("dune"));
    put("core.runs", &format!("[{run}]"));
    put("core.runs_subruns", &format!("[{}]", run * 100_000 + subrun));
    put("core.start_time", &format!("{:.1}", created.floor()));
    put("core.end_time", &format!("{:.1}", created.floor() + 60.0));
    put("dune.campaign", &quoted(&format!("campaign-{:02}", facts.campaign)));
    put("dune.output_status", &quoted("confirmed"));
    let names: Vec<String> = facts.detectors.iter().filter_map(|at| DETECTORS.get(*at)).map(|it| quoted(it)).collect();
    put("DUNE_data.detector_config.list", &format!("[{}]", names.join(",")));
    put("data_quality.is_junk", &dice.chance(0.01));
    if let Some((first, last)) = facts.events {
        let events: Vec<String> = (first..=last).map(|event| event.to_string()).collect();
        put("core.events", &format!("[{}]", events.join(",")));
        put("core.first_event_number", &first);
        put("core.last_event_number", &last);
        put("core.event_count", &(last - first + 1));
        put("DUNE_data.is_fake_data", &false);
    }
    if let Some(voltage) = facts.high_voltage {
        put("detector.hv_value", &voltage);
        put("data_stream.trigger_bits", &format!(r#"{{"muon":{},"electron":{}}}"#, dice.below(2), dice.below(2)));
    }
    if let Some((minor, patch)) = facts.version {
        put("core.application.family", &quoted("dunesw"));
        put("core.application.name", &quoted("reco"));
        put("core.application.version", &quoted(&format!("v09_{minor:02}_{patch:02}d00")));
        put("dune.config_file", &quoted(&format!("standard_reco_{}.fcl", facts.namespace)));
    }
    if let Some((key, value)) = facts.note {
        put(&format!("user.note_{key:03}"), &value);
    }
    count
}
