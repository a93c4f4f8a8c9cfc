//! What can be asked of the points behind the matched series.

use lakeql_query::model::SeriesKind;
use std::fmt;
use std::str::FromStr;

/// How the points of the matched series are wanted. The default: every point of every matched series, as it is stored.
///
/// Nothing is sampled, aligned or aggregated unless it is said here, and whatever is said here is repeated in the
/// metadata of the answer's schema (keys `lakeql.points.*`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointsOptions {
    /// Columns of the run or the series that are appended to every point, named as in
    /// [`Shape::select`](crate::Shape::select). Names that the points have anyway are not repeated.
    pub columns: Vec<String>,
    /// Columns to group by, named likewise. Single points get them appended like `columns`; bands are computed for each
    /// combination of their values, and have them in front.
    pub group: Vec<String>,
    /// Which series of the matched runs; metrics if not given. A query about series has said it by itself.
    pub kind: Option<SeriesKind>,
    /// Order of the matches (runs or series, whichever the query is about) for `top`; a leading `-` means largest first.
    pub sort: Vec<String>,
    /// Only the points of so many matches, the first in the order of `sort`, or the newest.
    pub top: Option<usize>,
    /// Only points with a step in this range.
    pub steps: StepRange,
    /// Which points of a series are left out.
    pub sampling: Sampling,
    /// The name of a metric whose values take the place of the steps: that of the same run, context and step. Points for
    /// which it has none are dropped and counted.
    pub align: Option<String>,
    /// If not empty: these statistics of the values of all matched series, one row for each value of `by`.
    pub aggregate: Vec<Statistic>,
    /// What the statistics are computed for each value of.
    pub by: By,
    /// Rows to skip.
    pub offset: usize,
    /// Rows to give.
    pub limit: Option<usize>,
}

/// A half-open range of steps, like a Python slice without stride: `start <= step < end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepRange {
    /// The first step that belongs to it.
    pub start: Option<Step>,
    /// The first step that does not belong to it any more.
    pub end: Option<Step>,
}

/// A step: an integer and millionths above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The greatest integer that is not above the step.
    pub whole: i64,
    /// Millionths above it, less than a million.
    pub millionths: u32,
}

/// Which points of a series are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampling {
    /// None.
    #[default]
    All,
    /// All but every so many-th, beginning with the first one. At least 1.
    Every(u64),
    /// So many that at most this number is left, spread evenly over their positions, the first and the last point among
    /// them. At least 2.
    Density(u64),
}

/// What statistics are computed for each value of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The step, or what [`PointsOptions::align`] has put in its place.
    #[default]
    Step,
    /// The epoch; points without one are dropped and counted.
    Epoch,
}

/// A statistic over the values of one step. NaN values are skipped and counted in the column `nan`; where no value is
/// left every statistic is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The standard deviation of the sample (divided by n - 1); null for a single value.
    Std,
    /// The bounds of the 95 % confidence interval of the mean, `mean ± 1.959963984540054 · std / √n`, in two columns
    /// `ci95_low` and `ci95_high`; null for a single value.
    Ci95,
}

impl Statistic {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mean, Self::Min, Self::Max, Self::Std, Self::Ci95];

    /// The name after `--aggregate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Std => "std",
            Self::Ci95 => "ci95",
        }
    }

    /// The columns that it gives, all of type Float64.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Mean => &["mean"],
            Self::Min => &["min"],
            Self::Max => &["max"],
            Self::Std => &["std"],
            Self::Ci95 => &["ci95_low", "ci95_high"],
        }
    }
}

impl By {
    /// The name after `--by`, and of the column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Epoch => "epoch",
        }
    }
}

impl StepRange {
    /// Whether every step belongs to it.
    pub fn is_all(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The digits of a fraction of a step.
const DIGITS: usize = 6;

impl Step {
    /// Millionths in a whole step.
    pub const MILLION: u32 = 1_000_000;
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millionths == 0 {
            return write!(f, "{}", self.whole);
        }
        // Below zero the integer part that people write is the one nearer to zero.
        let (sign, whole, millionths) = match self.whole < 0 {
            true => ("-", (i128::from(self.whole) + 1).unsigned_abs(), Self::MILLION - self.millionths),
            false => ("", i128::from(self.whole).unsigned_abs(), self.millionths),
        };
        let fraction = format!("{millionths:06}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("`{text}` is not a step: expected a number with at most {DIGITS} digits after the point");
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !number(whole) || !number(fraction) || fraction.len() > DIGITS {
            return Err(wrong());
        }
        let whole: i128 = whole.parse().map_err(|_| wrong())?;
        let fraction: i128 = format!("{fraction:0<DIGITS$}").parse().map_err(|_| wrong())?;
        let million = i128::from(Self::MILLION);
        let all = whole.checked_mul(million).and_then(|all| all.checked_add(fraction)).ok_or_else(wrong)?;
        let all = if negative { -all } else { all };
        let whole = i64::try_from(all.div_euclid(million)).map_err(|_| wrong())?;
        let millionths = u32::try_from(all.rem_euclid(million)).map_err(|_| wrong())?;
        Ok(Self { whole, millionths })
    }
}

impl fmt::Display for StepRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(start) = self.start {
            write!(f, "{start}")?;
        }
        f.write_str(":")?;
        match self.end {
            Some(end) => write!(f, "{end}"),
            None => Ok(()),
        }
    }
}

impl FromStr for StepRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((start, end)) = text.split_once(':') else {
            return Err("expected a range of steps such as 100:200, 100: or :200; the end does not belong to it".into());
        };
        if end.contains(':') {
            return Err("a range of steps has no stride: use --every N".into());
        }
        let bound = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some),
        };
        Ok(Self { start: bound(start)?, end: bound(end)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(whole: i64, millionths: u32) -> Step {
        Step { whole, millionths }
    }

    #[test]
    fn steps_are_numbers_with_six_digits() {
        for (text, expected) in [
            ("0", step(0, 0)),
            ("12", step(12, 0)),
            ("-3", step(-3, 0)),
            ("0.5", step(0, 500_000)),
            ("-0.5", step(-1, 500_000)),
            ("-2.25", step(-3, 750_000)),
            ("7.000001", step(7, 1)),
            ("9223372036854775807", step(i64::MAX, 0)),
            ("-9223372036854775808", step(i64::MIN, 0)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(expected.to_string(), text);
        }
        assert!("-0.5".parse::<Step>() < "0".parse::<Step>() && "0.5".parse::<Step>() < "1".parse::<Step>());
        for wrong in ["", "-", "1.", ".5", "1e3", "0.0000001", "9223372036854775808", "x", "--1", "+1", "1.-5"] {
            assert!(wrong.parse::<Step>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_are_half_open() {
        let range = |text: &str| text.parse::<StepRange>();
        assert_eq!(range("1:5"), Ok(StepRange { start: Some(step(1, 0)), end: Some(step(5, 0)) }));
        assert_eq!(range(":5"), Ok(StepRange { start: None, end: Some(step(5, 0)) }));
        assert_eq!(range("-1:"), Ok(StepRange { start: Some(step(-1, 0)), end: None }));
        assert!(range(":").unwrap().is_all());
        for text in ["1:5", ":5", "-1:", ":", "0.5:1.5"] {
            assert_eq!(range(text).unwrap().to_string(), text);
        }
        for wrong in ["", "5", "1:5:2", "a:b", "1-5"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}
