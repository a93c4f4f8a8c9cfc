//! Metric series: names and contexts of common training scripts, values that walk at random.

use crate::dice::Dice;
use crate::text::{FIXED_ONE, fixed_value, push, push_fixed, push_int};

/// Contexts as JSON, with the id that Aim gives them.
const CONTEXTS: [(&str, i64); 16] = [
    ("{}", -4504863053055089774),
    ("{\"subset\":\"train\"}", -8686149688933388395),
    ("{\"subset\":\"val\"}", 5190394695475244853),
    ("{\"subset\":\"test\"}", -2857239801039669639),
    ("{\"subset\":\"val\",\"fold\":0}", 4494498507197657340),
    ("{\"subset\":\"val\",\"fold\":1}", -6793630225938371197),
    ("{\"subset\":\"val\",\"fold\":2}", 4855432915735463541),
    ("{\"subset\":\"val\",\"fold\":3}", -6491096270284219),
    ("{\"subset\":\"val\",\"fold\":4}", -1338574491219300302),
    ("{\"layer\":\"fc1\"}", 7859021588988818135),
    ("{\"layer\":\"fc2\"}", 8929733266881029847),
    ("{\"layer\":\"fc3\"}", 6836176832030901507),
    ("{\"layer\":\"fc4\"}", -8118277495151422211),
    ("{\"device\":0}", -6034048977944526116),
    ("{\"device\":1}", 4265502409723292460),
    ("{\"subset\":\"train\",\"amp\":true}", 5240078901870924305),
];

/// How values develop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// Down towards zero.
    Falling,
    /// Up towards one.
    Rising,
    /// Around where it was.
    Wandering,
    /// Whole numbers, always more.
    Counting,
}

/// A kind of series.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    name: String,
    /// Position in [`CONTEXTS`].
    context: usize,
    course: Course,
}

impl Kind {
    fn new(name: &str, context: usize, course: Course) -> Self {
        Self { name: name.to_owned(), context, course }
    }

    /// Where Aim stores it among the series of a run.
    fn stored_order(&self) -> (u64, &str) {
        (CONTEXTS[self.context].1 as u64, &self.name)
    }
}

/// What a question can ask about the series of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesFacts {
    /// Last value of `loss` on the training set (NaN where it is NaN).
    pub(crate) train_loss: Option<f64>,
    /// Last value of `accuracy` on the validation set.
    pub(crate) val_accuracy: Option<f64>,
    /// Series called `accuracy` whose context has the subset `val`.
    pub(crate) accuracies: u64,
    /// Series and points.
    pub(crate) series: u64,
    pub(crate) points: u64,
}

/// The number of series that every run has first; then come some of the pool.
const ALWAYS: usize = 6;
/// One point in this many series is NaN.
const NAN_EVERY: u64 = 1_000;
/// Largest value of a walk, in units of [`FIXED_ONE`]: below 2^53, so that floats hold it exactly.
const LARGEST: i64 = 9 * FIXED_ONE;

/// Chooses and writes the series of runs.
pub(crate) struct SeriesWriter {
    /// The kinds in stored order.
    kinds: Vec<Kind>,
    /// Positions in `kinds` of those that every run has.
    always: Vec<usize>,
    /// Positions in `kinds` of the others.
    pool: Vec<usize>,
    per_run: usize,
    points: u64,
    chosen: Vec<usize>,
    walk: Vec<i64>,
    steps: Vec<u8>,
    times: Vec<u8>,
    epochs: Vec<u8>,
}

impl SeriesWriter {
    /// A writer of `per_run` series of `points` points on average.
    pub(crate) fn new(per_run: usize, points: usize) -> Self {
        let mut kinds = kinds();
        let common = kinds.len();
        kinds.extend((common..per_run).map(|number| Kind::new(&format!("metric_{number}"), 0, Course::Wandering)));
        let first: Vec<String> = kinds.iter().take(ALWAYS).map(|kind| format!("{kind:?}")).collect();
        kinds.sort_by(|one, other| one.stored_order().cmp(&other.stored_order()));
        let place = |text: &String| kinds.iter().position(|kind| format!("{kind:?}") == *text);
        let always: Vec<usize> = first.iter().filter_map(place).collect();
        let pool = (0..kinds.len()).filter(|position| !always.contains(position)).collect();
        Self {
            kinds,
            always,
            pool,
            per_run,
            points: points.max(1) as u64,
            chosen: Vec::new(),
            walk: Vec::new(),
            steps: Vec::new(),
            times: Vec::new(),
            epochs: Vec::new(),
        }
    }

    /// Write the list of series of a run that starts at `start` (microseconds); returns what is in it, and its end.
    pub(crate) fn write(&mut self, start: i64, dice: &mut Dice, out: &mut Vec<u8>) -> (SeriesFacts, i64) {
        let length = (self.points.div_ceil(2) + dice.below(self.points / 2 * 2 + 1)).max(1) as usize;
        let end = self.write_columns(start, length, dice);
        self.choose(dice);
        let mut facts = SeriesFacts::default();
        out.push(b'[');
        for position in 0..self.chosen.len() {
            if position > 0 {
                push(out, ",");
            }
            self.write_one(self.chosen[position], length, dice, out, &mut facts);
        }
        out.push(b']');
        (facts, end)
    }

    /// Choose the kinds of a run, in stored order.
    fn choose(&mut self, dice: &mut Dice) {
        self.chosen.clear();
        self.chosen.extend(self.always.iter().take(self.per_run));
        // Walk around the pool by a stride that never meets a place twice: the smallest such at or after a random one.
        let wanted = self.per_run.saturating_sub(ALWAYS).min(self.pool.len());
        if wanted > 0 {
            let around = self.pool.len();
            let start = dice.index(around);
            let stride = (1 + dice.index(around)..).find(|stride| coprime(*stride, around)).unwrap_or(1);
            self.chosen.extend((0..wanted).map(|turn| self.pool[(start + turn * stride) % around]));
        }
        self.chosen.sort_unstable();
    }

    /// Prepare the steps, times and epochs that the series of a run share; returns the time of the last point.
    fn write_columns(&mut self, start: i64, length: usize, dice: &mut Dice) -> i64 {
        let stride = [1, 10, 50, 100][dice.index(4)];
        let pace = 5 + dice.below(300);
        let mut tenths = start.div_euclid(100_000) + 1;
        self.steps.clear();
        self.times.clear();
        self.epochs.clear();
        let with_epochs = dice.below(10) == 0;
        for point in 0..length {
            if point > 0 {
                push(&mut self.steps, ",");
                push(&mut self.times, ",");
            }
            push_int(&mut self.steps, point as i64 * stride);
            tenths += (pace + dice.below(pace)) as i64;
            push_int(&mut self.times, tenths / 10);
            self.times.push(b'.');
            push_int(&mut self.times, tenths % 10);
            if with_epochs {
                push(&mut self.epochs, if point > 0 { "," } else { "[" });
                push_int(&mut self.epochs, point as i64 * stride / 100);
                push(&mut self.epochs, ".0");
            }
        }
        push(&mut self.epochs, if with_epochs { "]" } else { "null" });
        (tenths + 1) * 100_000
    }

    fn write_one(&mut self, kind: usize, length: usize, dice: &mut Dice, out: &mut Vec<u8>, facts: &mut SeriesFacts) {
        let kind = &self.kinds[kind];
        let (context, hash) = CONTEXTS[kind.context];
        let whole = kind.course == Course::Counting;
        walk(kind.course, length, dice, &mut self.walk);
        let nan = if !whole && dice.below(NAN_EVERY) == 0 { Some(dice.index(length)) } else { None };
        let value = |out: &mut Vec<u8>, point: usize| match nan {
            Some(place) if place == point => push(out, "{\"$float\":\"nan\"}"),
            _ => push_fixed(out, self.walk[point]),
        };
        let summary = |out: &mut Vec<u8>, number: i64| match whole {
            true => push_int(out, number / FIXED_ONE),
            false => push_fixed(out, number),
        };
        push(out, "{\"name\":\"");
        push(out, &kind.name);
        push(out, "\",\"context\":");
        push(out, context);
        push(out, if whole { ",\"dtype\":\"int\"" } else { ",\"dtype\":\"float\"" });
        push(out, ",\"version\":2,\"first\":");
        for (point, after) in [(0, ",\"last\":"), (length - 1, ",\"first_step\":0,\"last_step\":")] {
            match whole {
                true => summary(out, self.walk[point]),
                false => value(out, point),
            }
            push(out, after);
        }
        let last_step = self.steps.rsplit(|&byte| byte == b',').next().unwrap_or(b"0");
        out.extend_from_slice(last_step);
        // As in Aim, the smallest and largest value skip NaN, and are absent if there is nothing else.
        let numbers = || (0..length).filter(|point| nan != Some(*point)).map(|point| self.walk[point]);
        if let (Some(smallest), Some(largest)) = (numbers().min(), numbers().max()) {
            push(out, ",\"min\":");
            summary(out, smallest);
            push(out, ",\"max\":");
            summary(out, largest);
        }
        push(out, ",\"context_hash\":");
        push_int(out, hash);
        push(out, ",\"steps\":[");
        out.extend_from_slice(&self.steps);
        push(out, "],\"values\":[");
        for point in 0..length {
            if point > 0 {
                push(out, ",");
            }
            match whole {
                // A point is a float whatever was tracked.
                true => {
                    push_int(out, self.walk[point] / FIXED_ONE);
                    push(out, ".0");
                }
                false => value(out, point),
            }
        }
        push(out, "],\"times\":[");
        out.extend_from_slice(&self.times);
        push(out, "],\"epochs\":");
        out.extend_from_slice(&self.epochs);
        out.push(b'}');

        let last = if nan == Some(length - 1) { f64::NAN } else { fixed_value(self.walk[length - 1]) };
        facts.series += 1;
        facts.points += length as u64;
        match (kind.name.as_str(), context) {
            ("loss", "{\"subset\":\"train\"}") => facts.train_loss = Some(last),
            ("accuracy", "{\"subset\":\"val\"}") => facts.val_accuracy = Some(last),
            _ => {}
        }
        facts.accuracies += u64::from(kind.name == "accuracy" && context.contains("\"val\""));
    }
}

/// Fill in a random walk. Counting walks stay whole and may pass [`LARGEST`] only after 9 points of 1.
fn walk(course: Course, length: usize, dice: &mut Dice, out: &mut Vec<i64>) {
    out.clear();
    let random = |dice: &mut Dice, below: i64| dice.below(below.max(0) as u64 + 1) as i64;
    let mut now = match course {
        Course::Falling => FIXED_ONE + random(dice, 5 * FIXED_ONE),
        Course::Rising => random(dice, FIXED_ONE / 2),
        Course::Wandering => random(dice, LARGEST),
        Course::Counting => FIXED_ONE,
    };
    // How fast it goes differs from run to run.
    let speed = 2 + random(dice, 14);
    for _ in 0..length {
        out.push(now);
        now = match course {
            Course::Falling => now - now / speed + random(dice, now / speed * 5 / 4),
            Course::Rising => now + random(dice, (FIXED_ONE - now) * 2 / speed),
            Course::Wandering => now - now / 16 + random(dice, now / 8 + 1),
            Course::Counting => now + FIXED_ONE * (1 + random(dice, 63)),
        }
        .max(0);
        if course != Course::Counting {
            now = now.min(LARGEST);
        }
    }
}

fn coprime(one: usize, other: usize) -> bool {
    let (mut one, mut other) = (one, other);
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one == 1
}

/// All kinds; the first [`ALWAYS`] are in every run.
fn kinds() -> Vec<Kind> {
    use Course::{Counting, Falling, Rising, Wandering};
    let mut kinds = vec![
        Kind::new("loss", 1, Falling),
        Kind::new("loss", 2, Falling),
        Kind::new("accuracy", 1, Rising),
        Kind::new("accuracy", 2, Rising),
        Kind::new("lr", 0, Falling),
        Kind::new("samples_seen", 0, Counting),
        Kind::new("grad_norm", 0, Wandering),
        Kind::new("throughput", 0, Wandering),
        Kind::new("epoch_seconds", 0, Wandering),
        Kind::new("loss", 3, Falling),
        Kind::new("accuracy", 3, Rising),
        Kind::new("f1", 2, Rising),
        Kind::new("f1", 3, Rising),
        Kind::new("perplexity", 2, Falling),
        Kind::new("top5", 1, Rising),
        Kind::new("top5", 2, Rising),
        Kind::new("auc", 2, Rising),
        Kind::new("auc", 3, Rising),
        Kind::new("grad_norm", 15, Wandering),
    ];
    kinds.extend((4..9).map(|fold| Kind::new("loss", fold, Falling)));
    kinds.extend((4..9).map(|fold| Kind::new("accuracy", fold, Rising)));
    kinds.extend((9..13).map(|layer| Kind::new("weight_norm", layer, Wandering)));
    kinds.extend((13..15).map(|device| Kind::new("gpu_util", device, Wandering)));
    kinds.extend((13..15).map(|device| Kind::new("gpu_memory", device, Wandering)));
    kinds
}
