//! The built-in filters. They go by the order of their inputs, so the inputs are read before the plan is made; what is left
//! takes part in it as a list of ordinals with their places.

use super::external::FilterPrograms;
use super::rows::{Order, Planned, Rows};
use super::{Catalogue, internal, of};
use crate::{Error, Result};
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{Column, JoinType};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::DataFrame;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{Filter, Scalar};
use std::collections::HashSet;
use std::sync::Arc;

/// A file on its way through a filter.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) file: i64,
    pub(super) fid: String,
}

/// Names of the built-in filters.
pub const BUILT_IN: [&str; 8] = ["sample", "stride", "every_nth", "hash", "mix", "randomize", "limit", "skip"];

impl Catalogue<'_> {
    /// The files that a filter lets through, in its order.
    pub(super) async fn filtered(&self, filter: &Filter) -> Result<Planned> {
        let arguments = Arguments { filter };
        let programs = self.state.config().get_extension::<FilterPrograms>().unwrap_or_default();
        if let Some(program) = programs.0.get(&filter.name) {
            let files = self.external(filter, program).await?;
            return self.files_in_order(&files);
        }
        if !BUILT_IN.contains(&filter.name.as_str()) {
            let problem = Diagnostic::error(Kind::NotFound, format!("there is no filter `{}`", filter.name));
            let problem = problem.label(filter.span, "");
            let names: Vec<&str> = BUILT_IN.into_iter().chain(programs.0.keys().map(String::as_str)).collect();
            return Err(match did_you_mean(&filter.name, names.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem
                    .hint(format!("filters are {}", names.join(", ")))
                    .hint("programs become filters in the file that --config or LAKEQL_CONFIG names"),
            }
            .into());
        }
        // What is wrong with the parameters is told before anything is read.
        let work = arguments.work()?;
        let mut inputs = vec![];
        for input in &filter.inputs {
            inputs.push(self.read(self.rows(input).await?).await?);
        }
        let files = work.run(inputs);
        self.files_in_order(&files)
    }

    /// The files of a set in its order.
    pub(super) async fn read(&self, rows: Rows) -> Result<Vec<File>> {
        let planned = self.planned(rows)?.sorted()?;
        let alias = &planned.alias;
        let plan = planned.plan.project([of(alias, "file"), of(alias, "fid")])?.build()?;
        let mut files = vec![];
        for batch in DataFrame::new(self.state.clone(), plan).collect().await? {
            let ordinals =
                batch.column(0).as_primitive_opt::<Int64Type>().ok_or_else(|| internal("ordinals of another type"))?;
            let ids = super::names::texts(&batch, 1)?;
            for row in 0..batch.num_rows() {
                files.push(File { file: ordinals.value(row), fid: ids.value(row).to_owned() });
            }
        }
        Ok(files)
    }

    /// These files in this order.
    pub(super) fn files_in_order(&self, files: &[File]) -> Result<Planned> {
        let alias = self.alias("o");
        let columns: [(&str, ArrayRef); 2] = [
            ("file", Arc::new(Int64Array::from_iter_values(files.iter().map(|file| file.file)))),
            ("place", Arc::new(Int64Array::from_iter_values(0..files.len() as i64))),
        ];
        let batch = RecordBatch::try_from_iter(columns).map_err(datafusion::error::DataFusionError::from)?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        let source = provider_as_source(Arc::new(table));
        let list = |alias: &str| LogicalPlanBuilder::scan("filtered", Arc::clone(&source), None)?.alias(alias)?.build();
        let mut scan = self.files(true);
        let own = scan.alias.clone();
        // Only these files are taken from the catalogue, then they are given their places.
        let among = self.alias("o");
        scan.keep("file", list(&among)?, Column::new(Some(&among), "file"));
        let keys = (vec![Column::new(Some(&own), "file")], vec![Column::new(Some(&alias), "file")]);
        let plan = self.finish(scan, false)?.join(list(&alias)?, JoinType::Inner, keys, None)?;
        Ok(Planned { plan, alias: own, order: Order::By(of(&alias, "place")) })
    }
}

/// What a filter does.
enum Work {
    /// Adds the fraction for each file and lets one through whenever the sum reaches one.
    Sample(f64),
    /// Every n-th file, from this one on.
    Stride(u64, u64),
    /// Files whose id has this remainder.
    Hash(u64, u64),
    /// Takes from the inputs in these proportions until one has no more.
    Mix(Vec<f64>),
    /// Shuffles within a window.
    Randomize {
        seed: u64,
        window: usize,
    },
    Slice {
        skip: usize,
        limit: usize,
    },
}

impl Work {
    fn run(self, inputs: Vec<Vec<File>>) -> Vec<File> {
        if let Work::Mix(proportions) = &self {
            return mix(inputs, proportions);
        }
        let first = inputs.into_iter().next().unwrap_or_default();
        match self {
            Work::Sample(fraction) => {
                let mut sum = 0.0;
                let passes = |_: &File| {
                    sum += fraction;
                    let passes = sum >= 1.0;
                    if passes {
                        sum -= 1.0;
                    }
                    passes
                };
                first.into_iter().filter(passes).collect()
            }
            Work::Stride(n, from) => {
                (0..).zip(first).filter(|(place, _): &(u64, _)| place % n == from).map(|(_, file)| file).collect()
            }
            Work::Hash(n, remainder) => {
                first.into_iter().filter(|file| u64::from(adler32(file.fid.as_bytes())) % n == remainder).collect()
            }
            // Done above: it has several inputs.
            Work::Mix(_) => first,
            Work::Randomize { seed, window } => shuffle(first, seed, window),
            Work::Slice { skip, limit } => first.into_iter().skip(skip).take(limit).collect(),
        }
    }
}

/// Each input's score grows by its proportion; the greatest (of equal ones the last) gives a file and loses one. A file
/// that was given before does not count.
fn mix(inputs: Vec<Vec<File>>, proportions: &[f64]) -> Vec<File> {
    let mut inputs: Vec<_> = inputs.into_iter().map(Vec::into_iter).collect();
    let mut scores = vec![0.0; proportions.len()];
    let mut seen = HashSet::new();
    let mut out = vec![];
    loop {
        scores.iter_mut().zip(proportions).for_each(|(score, proportion)| *score += proportion);
        let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(index, _)| index);
        let Some((score, input)) = best.and_then(|best| Some((scores.get_mut(best)?, inputs.get_mut(best)?))) else {
            return out;
        };
        *score -= 1.0;
        match input.find(|file| !seen.contains(&file.file)) {
            Some(file) => {
                seen.insert(file.file);
                out.push(file);
            }
            None => return out,
        }
    }
}

/// Draws from a window that slides over the files.
fn shuffle(files: Vec<File>, seed: u64, window: usize) -> Vec<File> {
    let mut state = seed;
    // The generator known as splitmix64.
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut out = Vec::with_capacity(files.len());
    let mut held: Vec<File> = vec![];
    let mut files = files.into_iter();
    loop {
        held.extend(files.by_ref().take(window.saturating_sub(held.len())));
        if held.is_empty() {
            return out;
        }
        let at = (random() % held.len() as u64) as usize;
        out.push(held.swap_remove(at));
    }
}

/// The Adler-32 checksum.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    (b << 16) | a
}

/// Parameters of a call.
struct Arguments<'a> {
    filter: &'a Filter,
}

impl Arguments<'_> {
    fn wrong(&self, message: impl Into<String>, usage: &str) -> Error {
        Diagnostic::error(Kind::Semantic, message).label(self.filter.span, "").hint(usage).into()
    }

    /// The parameters in this order; each has several names. Nothing for one that is not given.
    fn numbers(&self, names: &[&[&str]], usage: &str) -> Result<Vec<Option<f64>>> {
        let name = &self.filter.name;
        if self.filter.positional.len() > names.len() {
            return Err(self.wrong(format!("`{name}` takes at most {} parameters", names.len()), usage));
        }
        let mut values: Vec<Option<f64>> = vec![None; names.len()];
        let number = |value: &Scalar| match value {
            Scalar::Number(text) => text.parse::<f64>().ok(),
            _ => None,
        };
        for (place, value) in values.iter_mut().zip(&self.filter.positional) {
            *place = Some(number(value).ok_or_else(|| self.wrong(format!("`{name}` takes numbers"), usage))?);
        }
        for (key, value) in &self.filter.named {
            let place = names.iter().position(|names| names.contains(&key.as_str()));
            let Some(place) = place.and_then(|place| values.get_mut(place)) else {
                return Err(self.wrong(format!("`{name}` has no parameter `{key}`"), usage));
            };
            if place.is_some() {
                return Err(self.wrong(format!("the parameter `{key}` is given twice"), usage));
            }
            *place = Some(number(value).ok_or_else(|| self.wrong(format!("`{key}` is no number"), usage))?);
        }
        Ok(values)
    }

    fn whole(&self, value: Option<f64>, usage: &str) -> Result<u64> {
        match value {
            Some(value) if value >= 0.0 && value.fract() == 0.0 && value < 1e18 => Ok(value as u64),
            Some(_) => Err(self.wrong(format!("`{}` takes whole numbers", self.filter.name), usage)),
            None => Err(self.wrong(format!("a parameter of `{}` is missing", self.filter.name), usage)),
        }
    }

    fn work(&self) -> Result<Work> {
        let filter = self.filter;
        let many = filter.name == "mix";
        if filter.inputs.len() != 1 && !many {
            return Err(self.wrong(format!("`{}` takes one set of files", filter.name), "combine sets with union(…)"));
        }
        match filter.name.as_str() {
            "sample" => {
                let usage = "filter sample(0.1)(files …) lets every tenth file through";
                match self.numbers(&[&["fraction"]], usage)?.as_slice() {
                    [Some(fraction)] => Ok(Work::Sample(*fraction)),
                    _ => Err(self.wrong("`sample` needs a fraction", usage)),
                }
            }
            "stride" | "every_nth" => {
                let usage = "filter stride(10, 0)(files …) lets the first of every ten files through";
                let names: [&[&str]; 2] = [&["n", "stride", "modulo", "frequency"], &["i", "offset", "remainder"]];
                self.modulo(&names, usage).map(|(n, i)| Work::Stride(n, i))
            }
            "hash" => {
                let usage = "filter hash(10, 0)(files …) lets about a tenth of the files through";
                let names: [&[&str]; 2] = [&["modulo", "n"], &["remainder", "i"]];
                self.modulo(&names, usage).map(|(n, i)| Work::Hash(n, i))
            }
            "randomize" => {
                let usage = "filter randomize(seed=1, window=1000)(files …)";
                let values = self.numbers(&[&["seed"], &["window"]], usage)?;
                let [seed, window] = values.as_slice() else { return Err(self.wrong("wrong parameters", usage)) };
                let seed = self.whole(seed.or(Some(0.0)), usage)?;
                let window = self.whole(window.or(Some(1000.0)), usage)?.max(1);
                Ok(Work::Randomize { seed, window: usize::try_from(window).unwrap_or(usize::MAX) })
            }
            "limit" | "skip" => {
                let usage = "filter limit(10)(files …)";
                let values = self.numbers(&[&["n", "limit", "count", "skip"]], usage)?;
                let count = self.whole(values.first().copied().flatten(), usage)?;
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                Ok(match filter.name.as_str() {
                    "limit" => Work::Slice { skip: 0, limit: count },
                    _ => Work::Slice { skip: count, limit: usize::MAX },
                })
            }
            _ => {
                let usage = "filter mix(2, 1)(files …, files …) takes two files of the first set for one of the second";
                let names: Vec<&[&str]> = vec![&[]; filter.positional.len()];
                let proportions: Vec<f64> = self.numbers(&names, usage)?.into_iter().flatten().collect();
                if proportions.len() != filter.inputs.len() || proportions.iter().any(|it| *it <= 0.0) {
                    return Err(self.wrong("`mix` needs a positive number for each set of files", usage));
                }
                Ok(Work::Mix(proportions))
            }
        }
    }

    fn modulo(&self, names: &[&[&str]; 2], usage: &str) -> Result<(u64, u64)> {
        let values = self.numbers(names, usage)?;
        let [n, i] = values.as_slice() else { return Err(self.wrong("wrong parameters", usage)) };
        let (n, i) = (self.whole(*n, usage)?, self.whole(i.or(Some(0.0)), usage)?);
        match n {
            0 => Err(self.wrong(format!("`{}` cannot divide by 0", self.filter.name), usage)),
            n => Ok((n, i)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(range: std::ops::Range<i64>) -> Vec<File> {
        range.map(|file| File { file, fid: format!("f{file}") }).collect()
    }

    fn ordinals(files: &[File]) -> Vec<i64> {
        files.iter().map(|file| file.file).collect()
    }

    #[test]
    fn filters_by_hand() {
        assert_eq!(ordinals(&Work::Sample(0.5).run(vec![files(0..6)])), [1, 3, 5]);
        assert_eq!(ordinals(&Work::Stride(3, 1).run(vec![files(0..6)])), [1, 4]);
        let inputs = vec![files(0..6), files(3..9)];
        assert_eq!(ordinals(&Work::Mix(vec![1.0, 1.0]).run(inputs)), [3, 0, 4, 1, 5, 2, 6]);
        let three = vec![files(0..2), files(10..12), files(20..22)];
        assert_eq!(ordinals(&Work::Mix(vec![1.0, 2.0, 5.0]).run(three)), [20, 21]);
        let mut shuffled = ordinals(&Work::Randomize { seed: 7, window: 4 }.run(vec![files(0..50)]));
        assert_ne!(shuffled, (0..50).collect::<Vec<_>>());
        shuffled.sort_unstable();
        assert_eq!(shuffled, (0..50).collect::<Vec<_>>());
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
