//! Charts of series: [`svg`] for files, [`sketch`] for terminals.
//!
//! | module | what it does |
//! |---|---|
//! | `scale` | the range of an axis, and where a value lies on it |
//! | `ticks`, `calendar` | round values on an axis and their texts |
//! | `colours` | who gets which colour, and the legend that says so |
//! | `trace` | points to lines: gaps, and as many points as can be told apart |
//! | `smooth` | exponential moving average |
//! | [`points`] | charts of the points that an engine answers with |
//! | `svg`, `xml`, `sketch` | the pictures |
//!
//! The same chart always gives the same bytes. A legend has at most [`MOST_ENTRIES`] entries: more series than that are
//! drawn thin and faint, told apart by the colour of their group if they have one.

mod calendar;
mod colours;
pub mod points;
mod scale;
mod sketch;
mod smooth;
mod svg;
mod ticks;
mod trace;
mod xml;

#[cfg(test)]
mod testing;

pub use sketch::{SketchOptions, sketch};
pub use smooth::smooth;
pub use svg::svg;

/// Most entries of a legend, and most lines that are drawn in full strength.
pub const MOST_ENTRIES: usize = 12;

/// A chart of series over a common axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// What is to be seen.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What [`Series::group`] is; heads the legend. Without it series are told apart by their labels.
    pub group: Option<String>,
    /// The series, drawn in this order.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What the values are.
    pub label: String,
    /// Their unit, in brackets after the label. Times and durations have theirs by themselves.
    pub unit: Option<String>,
    /// What the numbers mean.
    pub kind: AxisKind,
    /// Decades have equal lengths; values that are not above zero are not drawn. Without meaning for [`AxisKind::Time`].
    pub log: bool,
    /// The ends of the axis where they do not follow from the values; lines end where they leave it. Heeded on the vertical
    /// axis only.
    pub range: Range,
}

/// The ends of an axis as they are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The lower end.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// What the numbers on an axis mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisKind {
    /// Numbers.
    #[default]
    Number,
    /// Numbers that are whole, such as steps: no ticks between them.
    Whole,
    /// Lengths of time in seconds.
    Duration,
    /// Moments in seconds since 1970, UTC.
    Time,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The value of the chart's group column, as text; nothing if it is missing.
    pub group: Option<String>,
    /// What it is called in the legend.
    pub label: String,
    /// Horizontal positions, as many as `ys`.
    pub xs: Vec<f64>,
    /// Values. Those that are not finite leave a gap.
    pub ys: Vec<f64>,
    /// The values before smoothing, drawn faintly where there are few series; as many as `xs`, or none.
    pub raw: Vec<f64>,
    /// An area around the line.
    pub band: Option<Band>,
}

/// The lower and upper bounds of an area, as many as the series has points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    /// Lower bounds. Where one is not finite there is no area.
    pub low: Vec<f64>,
    /// Upper bounds.
    pub high: Vec<f64>,
}

impl Series {
    /// The points and the bounds of the band around each of them.
    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.xs.iter().copied().zip(self.ys.iter().copied())
    }

    /// The values before smoothing.
    fn raw_points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.xs.iter().copied().zip(self.raw.iter().copied())
    }

    /// Position, lower and upper bound.
    fn band_points(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let (low, high) = self.band.as_ref().map_or((&[][..], &[][..]), |band| (&band.low, &band.high));
        let bounds = low.iter().copied().zip(high.iter().copied());
        self.xs.iter().copied().zip(bounds).map(|(x, (low, high))| (x, low, high))
    }
}

impl Chart {
    /// How many points cannot be drawn: values that are not finite (or beyond 1e300), and those not above zero on a
    /// logarithmic axis.
    pub fn left_out(&self) -> usize {
        let drawable = |(x, y): &(f64, f64)| scale::drawable(*x, self.x.log) && scale::drawable(*y, self.y.log);
        self.series.iter().map(|series| series.points().filter(|point| !drawable(point)).count()).sum()
    }

    /// How many points lie above or below the range that the vertical axis was given.
    pub fn outside(&self) -> usize {
        let Range { low, high } = self.y.range;
        let outside = |y: f64| low.is_some_and(|low| y < low) || high.is_some_and(|high| y > high);
        let drawable = |y: &f64| scale::drawable(*y, self.y.log);
        self.series.iter().map(|series| series.ys.iter().filter(|y| drawable(y) && outside(**y)).count()).sum()
    }

    /// What is said below the picture.
    fn footnote(&self) -> Option<String> {
        let left_out = self.left_out();
        let why =
            if self.x.log || self.y.log { "not finite, or not above 0 on a logarithmic axis" } else { "not finite" };
        let count = |n: usize, what: &str| format!("{n} {} {what}", if n == 1 { "point is" } else { "points are" });
        let mut notes = vec![];
        if left_out > 0 {
            notes.push(count(left_out, &format!("not drawn: {why}")));
        }
        let outside = self.outside();
        if outside > 0 {
            notes.push(count(outside, "outside of the vertical axis"));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// The text without anything that moves a cursor, reverses a line or is no character of XML.
fn plain(text: &str) -> String {
    let replaced = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(replaced).collect()
}

/// At most so many characters; the last one says that something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}
