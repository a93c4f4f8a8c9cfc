//! Parameter values: what they look like, and what questions need to know about them.

use crate::dice::Dice;
use crate::text::{push, push_float, push_int, push_padded};

/// A parameter that a question asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact {
    Lr,
    BatchSize,
    Optimizer,
    Dropout,
    Scheduler,
    Warmup,
    Data,
    EmaDecay,
    Mixup,
    LabelSmoothing,
}

impl Fact {
    /// Number of facts.
    pub(crate) const COUNT: usize = Fact::LabelSmoothing as usize + 1;
}

/// A written value, as far as a question can ask for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Written {
    Int(i64),
    Float(f64),
    /// A text by its position in the list of texts.
    TextOf(usize),
    Null,
    Other,
}

/// What the values of a path look like. Texts are JSON already, quotes included.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// From 1e-5 to 0.1, mostly small; often one of a grid.
    LearningRate,
    /// Mostly floats, sometimes the int 0, sometimes a text.
    Dropout,
    Float {
        scale: f64,
    },
    IntOf(&'static [i64]),
    IntBelow(u64),
    TextOf(&'static [&'static str]),
    TextOrNull(&'static [&'static str]),
    /// Hardly any text twice.
    TextMany(&'static str),
    Bool,
    Ints,
    Floats,
    Texts,
    /// Any of these, run by run.
    Mixed(&'static [Shape]),
}

const WORDS: &[&str] =
    &["\"auto\"", "\"none\"", "\"mean\"", "\"sum\"", "\"batch\"", "\"layer\"", "\"fp16\"", "\"bf16\""];
const MIXTURES: [&[Shape]; 3] = [
    &[Shape::IntBelow(100), Shape::Float { scale: 100.0 }],
    &[Shape::Float { scale: 1.0 }, Shape::TextOf(WORDS)],
    &[Shape::IntBelow(10), Shape::Bool, Shape::TextOrNull(WORDS), Shape::Ints],
];

impl Shape {
    /// The shape of a path without a meaning of its own: 40 % floats, 20 % ints, 20 % texts, 10 % of mixed type.
    pub(crate) fn nth(number: usize) -> Self {
        match number % 20 {
            0..=4 => Self::Float { scale: 1.0 },
            5..=7 => Self::Float { scale: 1000.0 },
            8..=9 => Self::IntBelow(32),
            10..=11 => Self::IntBelow(1_000_000),
            12..=14 => Self::TextOf(WORDS),
            15 => Self::TextMany("id-"),
            16 => Self::Bool,
            17 => [Self::Ints, Self::Floats, Self::Texts][number / 20 % 3].clone(),
            _ => Self::Mixed(MIXTURES[number / 20 % MIXTURES.len()]),
        }
    }

    /// Write a value.
    pub(crate) fn write(&self, dice: &mut Dice, out: &mut Vec<u8>) -> Written {
        match self {
            Self::LearningRate => {
                const GRID: [f64; 5] = [1e-4, 3e-4, 1e-3, 1e-2, 3e-2];
                let spread = dice.unit();
                let value = match dice.below(2) {
                    0 => GRID[dice.index(GRID.len())],
                    _ => 10_f64.powf(4.0 * spread * spread - 5.0),
                };
                float(out, value)
            }
            Self::Dropout => match dice.below(10) {
                0 => int(out, 0),
                1 => text_of(out, WORDS, 1),
                2 => float(out, 0.0),
                _ => float(out, dice.unit() * 0.5),
            },
            Self::Float { scale } => float(out, dice.unit() * scale),
            Self::IntOf(choices) => int(out, choices[dice.index(choices.len())]),
            Self::IntBelow(limit) => int(out, dice.below(*limit) as i64),
            Self::TextOf(texts) => text_of(out, texts, dice.index(texts.len())),
            Self::TextOrNull(texts) => match dice.below(5) {
                0 => {
                    push(out, "null");
                    Written::Null
                }
                _ => text_of(out, texts, dice.index(texts.len())),
            },
            Self::TextMany(prefix) => {
                out.push(b'"');
                push(out, prefix);
                push_padded(out, dice.bits(), 20);
                out.push(b'"');
                Written::Other
            }
            Self::Bool => {
                push(out, if dice.below(2) == 0 { "false" } else { "true" });
                Written::Other
            }
            Self::Ints => list(dice, out, &Self::IntOf(&[16, 32, 64, 128, 256])),
            Self::Floats => list(dice, out, &Self::Float { scale: 1.0 }),
            Self::Texts => list(dice, out, &Self::TextOf(WORDS)),
            Self::Mixed(shapes) => shapes[dice.index(shapes.len())].write(dice, out),
        }
    }
}

fn int(out: &mut Vec<u8>, value: i64) -> Written {
    push_int(out, value);
    Written::Int(value)
}

fn float(out: &mut Vec<u8>, value: f64) -> Written {
    push_float(out, value);
    Written::Float(value)
}

fn text_of(out: &mut Vec<u8>, texts: &[&str], position: usize) -> Written {
    push(out, texts[position]);
    Written::TextOf(position)
}

fn list(dice: &mut Dice, out: &mut Vec<u8>, item: &Shape) -> Written {
    out.push(b'[');
    for position in 0..=dice.below(4) {
        if position > 0 {
            push(out, ",");
        }
        item.write(dice, out);
    }
    out.push(b']');
    Written::Other
}
