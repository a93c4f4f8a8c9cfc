//! The parameter paths of a lake: a few that nearly every run has, many that hardly any has.

use super::ExperimentSpec;
use super::values::{Fact, Shape};
use crate::dice::Dice;

/// A parameter: where it is in the document, and what it holds.
pub(crate) struct ParamPath {
    /// Keys from the outermost on.
    pub(crate) keys: Vec<String>,
    /// What values look like.
    pub(crate) shape: Shape,
    /// Set where a question asks for this parameter.
    pub(crate) fact: Option<Fact>,
}

/// Paths that are about equally frequent.
struct Group {
    /// Positions in the list of all paths.
    members: Vec<u32>,
    /// 1 / ln(1 - share of the runs that have one of these paths).
    scale: f64,
}

/// All paths, in the order in which Aim stores them.
pub(crate) struct Catalogue {
    paths: Vec<ParamPath>,
    groups: Vec<Group>,
}

/// Share of the runs that has a path of the first two groups.
const FREQUENT: f64 = 0.95;
const COMMON: f64 = 0.25;
/// How many of the parameters left after these two groups belong to the third (the fourth has the rest).
const OCCASIONAL_PART: f64 = 6.0 / 7.0;

impl Catalogue {
    /// The paths of this spec: of 2,000 paths 20, 80, 900 and 1,000 that 95 %, 25 %, 2 % and 0.3 % of the runs have.
    pub(crate) fn new(spec: &ExperimentSpec) -> Self {
        let named = named();
        let frequent = named[0].len();
        let common = (spec.paths / 25).max(named[1].len());
        let occasional = (spec.paths * 9 / 20).max(named[2].len());
        let rare = spec.paths.saturating_sub(frequent + common + occasional).max(named[3].len());
        let left = (spec.params_per_run as f64 - FREQUENT * frequent as f64 - COMMON * common as f64).max(1.0);
        let share = |part: f64, paths: usize| (left * part / paths as f64).min(0.2);
        let shares = [FREQUENT, COMMON, share(OCCASIONAL_PART, occasional), share(1.0 - OCCASIONAL_PART, rare)];

        let mut all = Vec::new();
        let sizes = [frequent, common, occasional, rare];
        for (group, (fixed, size)) in named.into_iter().zip(sizes).enumerate() {
            let missing = size - fixed.len();
            all.extend(fixed.into_iter().map(|path| (group, path)));
            for _ in 0..missing {
                let number = all.len();
                all.push((group, ParamPath { keys: made_up_keys(number), shape: Shape::nth(number), fact: None }));
            }
        }
        all.sort_by_cached_key(|(_, path)| stored_key(&path.keys));

        let mut groups: Vec<Group> =
            shares.iter().map(|share| Group { members: Vec::new(), scale: 1.0 / (1.0 - share).ln() }).collect();
        for (position, (group, _)) in all.iter().enumerate() {
            groups[*group].members.push(position as u32);
        }
        Self { paths: all.into_iter().map(|(_, path)| path).collect(), groups }
    }

    /// The path at a position.
    pub(crate) fn get(&self, position: u32) -> &ParamPath {
        &self.paths[position as usize]
    }

    /// Choose the parameters of a run, in stored order.
    pub(crate) fn choose(&self, dice: &mut Dice, chosen: &mut Vec<u32>) {
        chosen.clear();
        for group in &self.groups {
            // Jump from one path the run has to the next: distances between successes are geometrically distributed.
            let mut next = 0_usize;
            loop {
                next += ((1.0 - dice.unit()).ln() * group.scale) as usize;
                let Some(&position) = group.members.get(next) else { break };
                chosen.push(position);
                next += 1;
            }
        }
        chosen.sort_unstable();
    }
}

/// The key under which Aim stores a path: every element is followed by a byte FE.
fn stored_key(keys: &[String]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.bytes().chain([0xfe])).collect()
}

/// The keys of a path without a meaning of its own: two or three levels, and distinct for every number.
fn made_up_keys(number: usize) -> Vec<String> {
    const SECTIONS: [&str; 16] = [
        "augment",
        "callbacks",
        "checkpoint",
        "cluster",
        "data",
        "decoder",
        "encoder",
        "eval",
        "hparams",
        "logging",
        "loss",
        "model",
        "sampler",
        "schedule",
        "tokenizer",
        "trainer",
    ];
    const WORDS: [&str; 20] = [
        "alpha",
        "bias",
        "blocks",
        "clip",
        "depth",
        "every",
        "factor",
        "gamma",
        "heads",
        "interval",
        "keep",
        "limit",
        "margin",
        "noise",
        "offset",
        "power",
        "rate",
        "scale",
        "threshold",
        "width",
    ];
    let section = SECTIONS[number * 7 % SECTIONS.len()].to_owned();
    let word = format!("{}_{number}", WORDS[number * 3 % WORDS.len()]);
    match number % 3 {
        0 => vec![section, format!("part_{}", number % 5), word],
        _ => vec![section, word],
    }
}

/// Paths with names people know, by group. Questions ask for some of them.
fn named() -> [Vec<ParamPath>; 4] {
    let path = |keys: &[&str], shape, fact| ParamPath {
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        shape,
        fact,
    };
    let plain = |keys: &[&str], shape| path(keys, shape, None);
    let asked = |keys: &[&str], shape, fact| path(keys, shape, Some(fact));
    let frequent = vec![
        asked(&["hparams", "lr"], Shape::LearningRate, Fact::Lr),
        asked(&["hparams", "batch_size"], Shape::IntOf(&[4, 8, 16, 32, 32, 32, 64, 128]), Fact::BatchSize),
        asked(&["hparams", "optimizer", "name"], Shape::TextOf(OPTIMIZERS), Fact::Optimizer),
        plain(&["hparams", "optimizer", "weight_decay"], Shape::Float { scale: 0.1 }),
        asked(&["hparams", "dropout"], Shape::Dropout, Fact::Dropout),
        plain(&["hparams", "epochs"], Shape::IntBelow(300)),
        plain(&["hparams", "seed"], Shape::IntBelow(1_000_000)),
        asked(&["hparams", "scheduler"], Shape::TextOrNull(SCHEDULERS), Fact::Scheduler),
        asked(&["hparams", "warmup"], Shape::IntBelow(5_000), Fact::Warmup),
        plain(&["hparams", "amp"], Shape::Bool),
        asked(&["data", "name"], Shape::TextOf(DATA), Fact::Data),
        plain(&["data", "path"], Shape::TextMany("s3://training-data/shards/")),
        plain(&["data", "workers"], Shape::IntOf(&[0, 2, 4, 8, 16])),
        plain(&["data", "augment"], Shape::Bool),
        plain(&["model", "name"], Shape::TextOf(MODELS)),
        plain(&["model", "layers"], Shape::Ints),
        plain(&["model", "hidden"], Shape::IntOf(&[64, 128, 256, 512, 768, 1024])),
        plain(&["model", "activation"], Shape::TextOf(&["\"relu\"", "\"gelu\"", "\"tanh\"", "\"swish\""])),
        plain(&["git", "commit"], Shape::TextMany("")),
        plain(&["host"], Shape::TextOf(HOSTS)),
    ];
    // Names that need care in a path: a dot, a dash, a blank, and letters beyond ASCII.
    let common = vec![
        plain(&["optim.lr"], Shape::LearningRate),
        plain(&["optim", "lr"], Shape::LearningRate),
        plain(&["weight-decay"], Shape::Float { scale: 0.01 }),
        plain(&["note text"], Shape::TextMany("run with a note ")),
        plain(&["学习率"], Shape::LearningRate),
    ];
    let occasional = vec![
        asked(&["hparams", "ema", "decay"], Shape::Float { scale: 1.0 }, Fact::EmaDecay),
        asked(&["hparams", "mixup"], Shape::Float { scale: 1.0 }, Fact::Mixup),
    ];
    let rare = vec![asked(&["hparams", "label_smoothing"], Shape::Float { scale: 0.5 }, Fact::LabelSmoothing)];
    [frequent, common, occasional, rare]
}

/// Optimizers, as JSON; [`super::answers`] knows the positions.
const OPTIMIZERS: &[&str] = &["\"adam\"", "\"adamw\"", "\"sgd\"", "\"lamb\"", "\"lion\"", "\"rmsprop\""];
/// Schedules, as JSON.
const SCHEDULERS: &[&str] = &["\"cosine\"", "\"linear\"", "\"step\"", "\"constant\""];
/// Data sets, as JSON.
const DATA: &[&str] = &[
    "\"imagenet\"",
    "\"cifar10\"",
    "\"cifar100\"",
    "\"mnist\"",
    "\"coco\"",
    "\"audionet\"",
    "\"wikitext\"",
    "\"librispeech\"",
];
const MODELS: &[&str] = &[
    "\"resnet18\"",
    "\"resnet50\"",
    "\"vit-small\"",
    "\"vit-base\"",
    "\"convnext\"",
    "\"bert\"",
    "\"gpt-mini\"",
    "\"unet\"",
    "\"wav2vec\"",
    "\"mlp \\\"wide\\\"\"",
];
const HOSTS: &[&str] = &[
    "\"node-00\"",
    "\"node-01\"",
    "\"node-02\"",
    "\"node-03\"",
    "\"node-04\"",
    "\"node-05\"",
    "\"node-06\"",
    "\"node-07\"",
    "\"node-08\"",
    "\"node-09\"",
    "\"node-10\"",
    "\"node-11\"",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_the_start_of_another() {
        let catalogue = Catalogue::new(&ExperimentSpec::default());
        assert_eq!(catalogue.paths.len(), 2_000);
        let keys: Vec<Vec<u8>> = catalogue.paths.iter().map(|path| stored_key(&path.keys)).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1] && !pair[1].starts_with(&pair[0])));
    }
}
