//! `disorder`: how mixed the second keys of each first key are. The original puts its answers into columns that nobody sees.

use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::number::any_number;
use crate::pipeline::{Flow, Operator, Setting, Sink};
use crate::row::Row;
use std::collections::BTreeMap;

pub(super) struct Disorder {
    columns: (usize, usize),
    frequency: Option<usize>,
    strict: bool,
    counts: BTreeMap<String, BTreeMap<String, i64>>,
    held: Share,
}

impl Disorder {
    pub(super) fn new(primary: usize, secondary: usize, frequency: Option<usize>, setting: &Setting) -> Self {
        let (strict, held) = (setting.strict, setting.budget.share());
        Self { columns: (primary, secondary), frequency, strict, counts: BTreeMap::new(), held }
    }

    fn add(&mut self, row: &Row) -> Result<(), Problem> {
        let text = |column: usize| row.get(column).to_text().unwrap_or_default();
        let times = match self.frequency {
            Some(column) => any_number(row.get(column))?.as_int(),
            None => 1,
        };
        if times <= 0 {
            return Ok(());
        }
        let (first, second) = (text(self.columns.0), text(self.columns.1));
        if !self.counts.contains_key(&*first) {
            self.held.take(first.len() + 100)?;
            self.counts.insert(first.to_string(), BTreeMap::new());
        }
        let Some(counts) = self.counts.get_mut(&*first) else { return Ok(()) };
        if let Some(count) = counts.get_mut(&*second) {
            *count = count.saturating_add(times);
        } else {
            self.held.take(second.len() + 100)?;
            counts.insert(second.into_owned(), times);
        }
        Ok(())
    }
}

/// Entropy to base 10 and Gini impurity of counts.
#[allow(clippy::cast_precision_loss, reason = "counts")]
fn disorder<'a>(counts: impl Iterator<Item = &'a i64> + Clone) -> (f64, f64) {
    let sum: f64 = counts.clone().map(|count| *count as f64).sum();
    let shares = counts.map(|count| *count as f64 / sum);
    shares.fold((0.0, 1.0), |(entropy, gini), share| (entropy - share * share.log10(), gini - share * share))
}

impl Operator for Disorder {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        if self.strict {
            self.add(&row)?;
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        for (key, counts) in &self.counts {
            let (entropy, gini) = disorder(counts.values());
            let row = Row::new(vec![Cell::from(key.as_str()), entropy.into(), gini.into()]);
            if out.send(row)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}
