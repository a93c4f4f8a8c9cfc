//! Training samples as Parquet files, such as a corpus lies on disk: consecutive samples often have equal properties.
//!
//! Properties are `language` (7 values), `license` (5 values or missing), `source` (4 values), `domain` (379 values), all
//! texts, and `tokens`, a whole number that hardly ever repeats. There are 42 combinations of language and license. Files
//! have no text: only properties are read by what is measured here.

use crate::dice::Dice;
use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// How samples with equal properties lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleShape {
    /// Together: a language lasts for 86 samples on average, a license for a thousand, a source for twenty thousand.
    Runs,
    /// One by one: the properties of every sample are drawn anew.
    Shuffled,
    /// As `Runs`, but of four languages, whose domains make 1,516 combinations.
    Combinations,
}

/// The shape of the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleSpec {
    /// Samples of all files.
    pub samples: u64,
    /// Files.
    pub files: u64,
    /// How equal ones lie.
    pub shape: SampleShape,
    /// Whether there is a column `tokens`.
    pub tokens: bool,
    /// The same seed gives the same samples.
    pub seed: u64,
}

impl Default for SampleSpec {
    fn default() -> Self {
        Self { samples: 10_000_000, files: 10, shape: SampleShape::Runs, tokens: false, seed: 2025 }
    }
}

/// A question and its right answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleAnswer {
    /// A short name.
    pub id: &'static str,
    /// In the language `mixtera`.
    pub text: &'static str,
    /// The properties by which ranges are told apart.
    pub ranges_by: &'static str,
    /// The properties by which samples are counted, instead of ranges.
    pub count_by: &'static str,
    /// Rows of the answer.
    pub rows: u64,
    /// Samples in it.
    pub samples: u64,
}

/// A mixture of four languages in chunks of a thousand samples. That of [`SAMPLE_MIXTURE`].
pub const SAMPLE_SHARES: [(&str, u64); 4] = [("en", 400), ("de", 300), ("fr", 200), ("it", 100)];

/// The same as a mixture file.
pub const SAMPLE_MIXTURE: &str = r#"{"type": "static", "components": [
  {"key": {"language": ["en"]}, "weight": 0.4}, {"key": {"language": ["de"]}, "weight": 0.3},
  {"key": {"language": ["fr"]}, "weight": 0.2}, {"key": {"language": ["it"]}, "weight": 0.1}]}
"#;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleSummary {
    /// Questions with their answers.
    pub answers: Vec<SampleAnswer>,
    /// Strict chunks of the mixture there are.
    pub chunks: u64,
}

const LANGUAGES: [(&str, f64); 7] =
    [("en", 0.45), ("de", 0.2), ("fr", 0.12), ("it", 0.08), ("es", 0.07), ("zh", 0.05), ("sw", 0.03)];
const LICENSES: [(&str, f64); 6] =
    [("CC-BY", 0.4), ("CC0", 0.25), ("MIT", 0.15), ("Apache-2.0", 0.1), ("", 0.05), ("proprietary", 0.05)];
const SOURCES: [(&str, f64); 4] = [("web", 0.55), ("code", 0.2), ("books", 0.15), ("wiki", 0.1)];
const DOMAINS: usize = 379;

/// Positions in the lists of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    language: usize,
    license: usize,
    source: usize,
    domain: usize,
}

impl Sample {
    fn language(self) -> &'static str {
        LANGUAGES.get(self.language).map_or("", |it| it.0)
    }

    fn license(self) -> &'static str {
        LICENSES.get(self.license).map_or("", |it| it.0)
    }

    fn source(self) -> &'static str {
        SOURCES.get(self.source).map_or("", |it| it.0)
    }
}

/// Draws the properties of one sample after the other.
struct Draw {
    dice: Dice,
    shape: SampleShape,
    now: Sample,
}

impl Draw {
    fn choose<const N: usize>(&mut self, values: &[(&str, f64); N]) -> usize {
        let mut at = self.dice.unit();
        for (index, (_, share)) in values.iter().enumerate() {
            if at < *share {
                return index;
            }
            at -= share;
        }
        0
    }

    fn language(&mut self) -> usize {
        match self.shape {
            SampleShape::Combinations => self.dice.index(4),
            SampleShape::Runs | SampleShape::Shuffled => self.choose(&LANGUAGES),
        }
    }

    fn all(&mut self) -> Sample {
        Sample {
            language: self.language(),
            license: self.choose(&LICENSES),
            source: self.choose(&SOURCES),
            domain: self.dice.index(DOMAINS),
        }
    }

    fn next(&mut self) -> Sample {
        if self.shape == SampleShape::Shuffled {
            self.now = self.all();
            return self.now;
        }
        // One number decides about all, because most samples are like the one before.
        let at = self.dice.below(20_000);
        if at < 310 {
            self.now.language = self.language();
            if at < 26 {
                self.now.license = self.choose(&LICENSES);
            }
            if at < 60 {
                self.now.domain = self.dice.index(DOMAINS);
            }
            if at < 1 {
                self.now.source = self.choose(&SOURCES);
            }
        }
        self.now
    }
}

/// A question while it is being answered.
struct Question {
    answer: SampleAnswer,
    /// Which samples, and what tells their ranges apart.
    key: fn(Sample) -> Option<usize>,
    /// The key of the sample before, in the same file.
    last: Option<usize>,
    seen: Vec<bool>,
}

fn questions() -> Vec<Question> {
    let ask = |id, text, ranges_by, count_by, key| Question {
        answer: SampleAnswer { id, text, ranges_by, count_by, rows: 0, samples: 0 },
        key,
        last: None,
        seen: vec![],
    };
    vec![
        ask("selective", "select([('language','==','sw'),('license','==','MIT')])", "", "", |it| {
            (it.language() == "sw" && it.license() == "MIT").then_some(0)
        }),
        ask("broad", "select(('license','!=','proprietary')).select(('license','==',None))", "", "", |it| {
            (it.license() != "proprietary").then_some(0)
        }),
        ask("list_and_order", "select([('language','==',['de','fr','it']),('source','>=','code')])", "", "", |it| {
            (["de", "fr", "it"].contains(&it.language()) && it.source() >= "code").then_some(0)
        }),
        ask("by_language", "select()", "language", "", |it| Some(it.language)),
        ask("counts", "select()", "", "language,license,source", |it| {
            Some((it.language * LICENSES.len() + it.license) * SOURCES.len() + it.source)
        }),
    ]
}

impl Question {
    fn look(&mut self, sample: Sample) {
        let key = (self.key)(sample);
        if let Some(key) = key {
            self.answer.samples += 1;
            if self.answer.count_by.is_empty() {
                self.answer.rows += u64::from(self.last != Some(key));
            } else {
                if self.seen.len() <= key {
                    self.seen.resize(key + 1, false);
                }
                if let Some(seen) = self.seen.get_mut(key) {
                    self.answer.rows += u64::from(!std::mem::replace(seen, true));
                }
            }
        }
        self.last = key;
    }
}

/// Writes the files `part-000.parquet` and so on into a folder, and answers the questions.
///
/// # Errors
/// A file cannot be written.
pub fn write_samples(spec: &SampleSpec, folder: &Path) -> Result<SampleSummary> {
    let now = Sample { language: 0, license: 0, source: 0, domain: 0 };
    let mut draw = Draw { dice: Dice::new(spec.seed), shape: spec.shape, now };
    draw.now = draw.all();
    let mut questions = questions();
    let mut of_language = [0_u64; LANGUAGES.len()];
    let values = Values::new();
    let files = spec.files.max(1);
    for file in 0..files {
        let many = spec.samples / files + u64::from(file < spec.samples % files);
        questions.iter_mut().for_each(|question| question.last = None);
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let path = folder.join(format!("part-{file:03}.parquet"));
        let schema = values.batch(&[], &[], spec.tokens)?.schema();
        let mut writer = ArrowWriter::try_new(File::create(path)?, schema, Some(properties))?;
        let mut left = many;
        while left > 0 {
            let rows = left.min(65_536);
            left -= rows;
            let samples: Vec<Sample> = (0..rows).map(|_| draw.next()).collect();
            for sample in &samples {
                questions.iter_mut().for_each(|question| question.look(*sample));
                if let Some(count) = of_language.get_mut(sample.language) {
                    *count += 1;
                }
            }
            let tokens: Vec<i64> = if spec.tokens {
                // Most texts are short.
                (0..rows).map(|_| 20 + (draw.dice.unit() * draw.dice.unit() * 4_000.0) as i64).collect()
            } else {
                vec![]
            };
            writer.write(&values.batch(&samples, &tokens, spec.tokens)?)?;
        }
        writer.close()?;
    }
    let there = |name: &str| LANGUAGES.iter().zip(of_language).find(|it| it.0.0 == name).map_or(0, |it| it.1);
    let chunks = SAMPLE_SHARES.iter().map(|(name, count)| there(name) / count).min().unwrap_or_default();
    Ok(SampleSummary { answers: questions.into_iter().map(|question| question.answer).collect(), chunks })
}

/// The texts of the columns.
struct Values {
    languages: ArrayRef,
    licenses: ArrayRef,
    sources: ArrayRef,
    domains: ArrayRef,
}

impl Values {
    fn new() -> Self {
        fn texts<const N: usize>(values: &[(&str, f64); N]) -> ArrayRef {
            Arc::new(StringArray::from_iter_values(values.iter().map(|it| it.0)))
        }
        let domains = (0..DOMAINS).map(|domain| format!("domain-{domain:03}.example.org"));
        Self {
            languages: texts(&LANGUAGES),
            licenses: texts(&LICENSES),
            sources: texts(&SOURCES),
            domains: Arc::new(StringArray::from_iter_values(domains)),
        }
    }

    fn batch(&self, samples: &[Sample], tokens: &[i64], with_tokens: bool) -> Result<RecordBatch> {
        let column = |texts: &ArrayRef, value: fn(&Sample) -> Option<usize>| -> Result<ArrayRef> {
            let index = |it: &Sample| value(it).and_then(|index| i32::try_from(index).ok());
            let indices: Int32Array = samples.iter().map(index).collect();
            Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(indices, Arc::clone(texts))?))
        };
        let license = |it: &Sample| Some(it.license).filter(|_| !it.license().is_empty());
        let mut columns = vec![
            ("language", column(&self.languages, |it| Some(it.language))?),
            ("license", column(&self.licenses, license)?),
            ("source", column(&self.sources, |it| Some(it.source))?),
            ("domain", column(&self.domains, |it| Some(it.domain))?),
        ];
        if with_tokens {
            columns.push(("tokens", Arc::new(Int64Array::from(tokens.to_vec()))));
        }
        Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
    }
}

/// A schema file with these properties of the samples; all texts but `tokens`.
pub fn sample_schema(names: &[&str]) -> String {
    let one = |name: &&str| {
        format!(r#"{{"name": "{name}", "dtype": "{}"}}"#, if *name == "tokens" { "int" } else { "string" })
    };
    format!("[{}]\n", names.iter().map(one).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_samples() {
        let folder = std::env::temp_dir().join(format!("lakeql-samples-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for shape in [SampleShape::Runs, SampleShape::Shuffled, SampleShape::Combinations] {
            let spec = SampleSpec { samples: 20_003, files: 3, shape, tokens: true, seed: 5 };
            let bytes = || std::fs::read(folder.join("part-002.parquet")).unwrap();
            let one = write_samples(&spec, &folder).unwrap();
            let first = bytes();
            assert_eq!(one, write_samples(&spec, &folder).unwrap());
            assert_eq!(first, bytes());
            let answer = |id: &str| one.answers.iter().find(|it| it.id == id).unwrap().clone();
            assert_eq!((answer("by_language").samples, answer("counts").samples), (20_003, 20_003));
            let runs = answer("by_language").rows;
            match shape {
                SampleShape::Shuffled => assert!(runs > 13_000, "{runs}"),
                SampleShape::Runs | SampleShape::Combinations => assert!((150..400).contains(&runs), "{runs}"),
            }
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
