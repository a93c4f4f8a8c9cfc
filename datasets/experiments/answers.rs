//! Questions with known answers, counted while the lake is written.

use super::run::{Facts, TAGS};
use super::values::{Fact, Written};

/// A query and the number of rows that it must find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// A short name.
    pub id: &'static str,
    /// The AimQL entity that is searched: `run` or `metric`.
    pub entity: &'static str,
    /// The query, in AimQL.
    pub text: &'static str,
    /// Number of rows: runs that are not archived (unless the query says otherwise) or their series.
    pub rows: u64,
}

/// A question, and how to tell what a run has to do with it.
struct Question {
    id: &'static str,
    text: &'static str,
    rows: Rows,
}

/// The rows that a run gives. AimQL leaves out archived runs, except where the query mentions `run.archived`.
enum Rows {
    /// The run, if this holds.
    Run(fn(&Facts) -> bool),
    /// The run, archived or not, if this holds.
    AnyRun(fn(&Facts) -> bool),
    /// So many of its series.
    Series(fn(&Facts) -> u64),
}

/// The week of the question `one_week` (microseconds), 2025-06-02 to 2025-06-09.
const WEEK: std::ops::Range<i64> = 1_748_822_400_000_000..1_749_427_200_000_000;

const QUESTIONS: [Question; 16] = [
    run("all_runs", "", |_| true),
    Question { id: "archived", text: "run.archived", rows: Rows::AnyRun(|facts| facts.archived) },
    run("two_params", "run.hparams.lr > 0.01 and run.hparams.batch_size >= 64", |facts| {
        lr_above(facts) && matches!(facts.value(Fact::BatchSize), Some(Written::Int(size)) if size >= 64)
    }),
    run("text_params", "run.hparams.optimizer.name in ['lamb', 'lion'] and run.data.name == 'imagenet'", |facts| {
        matches!(facts.value(Fact::Optimizer), Some(Written::TextOf(3 | 4)))
            && facts.value(Fact::Data) == Some(Written::TextOf(0))
    }),
    run("text_contains", "'net' in run.data.name", |facts| {
        matches!(facts.value(Fact::Data), Some(Written::TextOf(0 | 5)))
    }),
    run("tags", "'baseline' in run.tags and 'debug' not in run.tags", |facts| {
        tagged(facts, "baseline") && !tagged(facts, "debug")
    }),
    run("missing_param", "run['hparams', 'warmup'] == None", |facts| facts.value(Fact::Warmup).is_none()),
    run("not_equal", "run.hparams.scheduler != 'cosine'", |facts| {
        facts.value(Fact::Scheduler) != Some(Written::TextOf(0))
    }),
    run("mixed_type", "run.hparams.dropout == 0", |facts| match facts.value(Fact::Dropout) {
        Some(Written::Int(value)) => value == 0,
        Some(Written::Float(value)) => value == 0.0,
        Some(Written::TextOf(_) | Written::Null | Written::Other) | None => false,
    }),
    run("rare_param", "run.hparams.label_smoothing > 0.05", |facts| {
        float(facts, Fact::LabelSmoothing).is_some_and(|value| value > 0.05)
    }),
    run("two_rare_params", "run.hparams.ema.decay > 0.5 and run.hparams.mixup < 0.9", |facts| {
        float(facts, Fact::EmaDecay).is_some_and(|decay| decay > 0.5)
            && float(facts, Fact::Mixup).is_some_and(|mixup| mixup < 0.9)
    }),
    run("one_week", "run.created_at >= datetime(2025, 6, 2) and run.created_at < datetime(2025, 6, 9)", |facts| {
        WEEK.contains(&facts.created_at)
    }),
    run("experiment", "run.experiment == 'exp-042'", |facts| facts.experiment == 42),
    run("metric_last", "run.metrics['loss', {'subset': 'train'}].last < 0.1", loss_below),
    run(
        "two_metrics",
        "run.metrics['loss', {'subset': 'train'}].last < 0.1 and run.metrics['accuracy', {'subset': 'val'}].last > 0.98",
        |facts| loss_below(facts) && facts.of_series.val_accuracy.is_some_and(|accuracy| accuracy > 0.98),
    ),
    Question {
        id: "metric_context_param",
        text: "metric.name == 'accuracy' and metric.context.subset == 'val' and run.hparams.lr > 0.01",
        rows: Rows::Series(|facts| if lr_above(facts) { facts.of_series.accuracies } else { 0 }),
    },
];

/// A question about runs that are not archived.
const fn run(id: &'static str, text: &'static str, holds: fn(&Facts) -> bool) -> Question {
    Question { id, text, rows: Rows::Run(holds) }
}

/// Counts the answers.
#[derive(Default)]
pub(crate) struct Tally {
    rows: [u64; QUESTIONS.len()],
}

impl Tally {
    /// Count a run.
    pub(crate) fn add(&mut self, facts: &Facts) {
        for (rows, question) in self.rows.iter_mut().zip(&QUESTIONS) {
            *rows += match question.rows {
                Rows::Run(holds) => u64::from(!facts.archived && holds(facts)),
                Rows::AnyRun(holds) => u64::from(holds(facts)),
                Rows::Series(count) => {
                    if facts.archived {
                        0
                    } else {
                        count(facts)
                    }
                }
            };
        }
    }

    /// The answers.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let answer = |(question, rows): (&Question, &u64)| Answer {
            id: question.id,
            entity: match question.rows {
                Rows::Run(_) | Rows::AnyRun(_) => "run",
                Rows::Series(_) => "metric",
            },
            text: question.text,
            rows: *rows,
        };
        QUESTIONS.iter().zip(&self.rows).map(answer).collect()
    }
}

fn float(facts: &Facts, fact: Fact) -> Option<f64> {
    match facts.value(fact)? {
        Written::Float(value) => Some(value),
        Written::Int(_) | Written::TextOf(_) | Written::Null | Written::Other => None,
    }
}

fn lr_above(facts: &Facts) -> bool {
    float(facts, Fact::Lr).is_some_and(|lr| lr > 0.01)
}

fn loss_below(facts: &Facts) -> bool {
    facts.of_series.train_loss.is_some_and(|loss| loss < 0.1)
}

fn tagged(facts: &Facts, tag: &str) -> bool {
    TAGS.iter().position(|(name, _)| *name == tag).is_some_and(|position| facts.tags & (1 << position) != 0)
}
