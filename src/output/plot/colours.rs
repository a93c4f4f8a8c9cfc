//! Who gets which colour, and the legend that says so.

use super::{Chart, MOST_ENTRIES, Series, plain};

/// Red, green, blue.
pub(super) type Colour = (u8, u8, u8);

/// The colours of Okabe and Ito, which people with colour-blindness can tell apart, without the yellow that is hard to
/// see on white.
const DISTINCT: [Colour; 7] = [
    (0x00, 0x72, 0xb2),
    (0xd5, 0x5e, 0x00),
    (0x00, 0x9e, 0x73),
    (0xcc, 0x79, 0xa7),
    (0xe6, 0x9f, 0x00),
    (0x56, 0xb4, 0xe9),
    (0x22, 0x22, 0x22),
];

/// Lines of the same colour differ by their dashes.
pub(super) const DASHES: [&str; 3] = ["", "7 3", "2 3"];

/// From small to great: the scale viridis without its yellow end.
const ORDERED: [Colour; 8] = [
    (0x44, 0x01, 0x54),
    (0x46, 0x32, 0x7e),
    (0x36, 0x5c, 0x8d),
    (0x27, 0x7f, 0x8e),
    (0x1f, 0xa1, 0x87),
    (0x4a, 0xc1, 0x6d),
    (0x7a, 0xd1, 0x51),
    (0x95, 0xd8, 0x40),
];

/// Everything that has no colour of its own.
const OTHERS: Colour = (0x8c, 0x8c, 0x8c);

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pen {
    pub(super) colour: Colour,
    /// Position in [`DASHES`].
    pub(super) dash: usize,
    /// 1 is full strength.
    pub(super) strength: f64,
    pub(super) width: f64,
}

/// What a pen stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) pen: Pen,
}

/// What tells the lines apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Legend {
    /// Each entry one line or group.
    Entries(Vec<Entry>),
    /// A range of numbers as a range of colours, least first; values and their place between 0 and 1.
    Range(Vec<(String, f64)>),
}

/// The pens of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Colours {
    /// One a series.
    pub(super) pens: Vec<Pen>,
    /// Heads the legend.
    pub(super) heading: Option<String>,
    pub(super) legend: Legend,
}

/// What the group of a series is, in the order of the legend.
#[derive(Clone, Debug, PartialEq)]
struct Group<'a> {
    name: Option<&'a str>,
    number: Option<f64>,
    size: usize,
}

impl Colours {
    pub(super) fn of(chart: &Chart) -> Self {
        let stroke = Stroke::of(chart.series.len());
        let Some(heading) = &chart.group else { return Self::by_series(chart, stroke) };
        let groups = groups(&chart.series);
        let numbers: Option<Vec<f64>> =
            groups.iter().filter(|group| group.name.is_some()).map(|group| group.number).collect();
        let found = match numbers {
            Some(numbers) if groups.len() > MOST_ENTRIES => Self::by_number(chart, &numbers, stroke),
            _ => Self::by_group(chart, &groups, stroke),
        };
        Self { heading: Some(plain(heading)), ..found }
    }

    fn by_series(chart: &Chart, stroke: Stroke) -> Self {
        let count = chart.series.len();
        if count > MOST_ENTRIES {
            let pen = stroke.pen(distinct(0), 0);
            let entry = Entry { label: format!("{count} series"), pen };
            return Self { pens: vec![pen; count], heading: None, legend: Legend::Entries(vec![entry]) };
        }
        let pens: Vec<Pen> = (0..count).map(|index| stroke.numbered(index)).collect();
        let entries = chart.series.iter().zip(&pens).filter(|(series, _)| !series.label.is_empty());
        let entries = entries.map(|(series, pen)| Entry { label: plain(&series.label), pen: *pen }).collect();
        Self { pens, heading: None, legend: Legend::Entries(entries) }
    }

    /// One colour a group; where there are too many, the largest groups have one.
    fn by_group(chart: &Chart, groups: &[Group<'_>], stroke: Stroke) -> Self {
        let all = groups.len() <= MOST_ENTRIES;
        let mut by_size: Vec<usize> = (0..groups.len()).collect();
        by_size.sort_by_key(|index| groups.get(*index).map(|group| std::cmp::Reverse(group.size)));
        let coloured = if all { groups.len() } else { MOST_ENTRIES - 1 };
        let mut chosen: Vec<usize> = by_size.into_iter().take(coloured).collect();
        chosen.sort_unstable();
        let others = stroke.pen(OTHERS, 0);
        let pen_of = |index: usize| match chosen.iter().position(|chosen| *chosen == index) {
            Some(number) => stroke.numbered(number),
            None => others,
        };
        let position = |series: &Series| groups.iter().position(|group| group.name == series.group.as_deref());
        let pens = chart.series.iter().map(|series| position(series).map_or(others, pen_of)).collect();
        let mut entries: Vec<Entry> = chosen
            .iter()
            .filter_map(|index| {
                let group = groups.get(*index)?;
                let name = group.name.map_or_else(|| "none".to_owned(), plain);
                let label = if group.size > 1 { format!("{name} ({})", group.size) } else { name };
                Some(Entry { label, pen: pen_of(*index) })
            })
            .collect();
        if !all {
            entries.push(Entry { label: format!("{} others", groups.len() - coloured), pen: others });
        }
        Self { pens, heading: None, legend: Legend::Entries(entries) }
    }

    /// Many numbers: the colour says how great, not which.
    fn by_number(chart: &Chart, numbers: &[f64], stroke: Stroke) -> Self {
        let finite: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
        let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What spans decades has been chosen by its decade.
        let log = least > 0.0 && greatest / least >= 100.0;
        let scale = super::scale::Scale::of(finite.iter().copied(), log, false);
        let pens = chart.series.iter().map(|series| {
            let number = series.group.as_deref().and_then(number).filter(|number| number.is_finite());
            stroke.pen(number.map_or(OTHERS, |number| ordered(scale.place(number))), 0)
        });
        let pens = pens.collect();
        let nearest = |place: f64| {
            let distance = |number: &f64| (scale.place(*number) - place).abs();
            let middle = finite.iter().copied().min_by(|left, right| distance(left).total_cmp(&distance(right)));
            middle.map(|number| (number.to_string(), scale.place(number)))
        };
        let mut marks: Vec<(String, f64)> = [0.0, 0.5, 1.0].into_iter().filter_map(nearest).collect();
        marks.dedup();
        let marks = marks.into_iter().map(|(_, place)| {
            let text = chart
                .series
                .iter()
                .filter_map(|series| series.group.as_deref())
                .find(|text| number(text).is_some_and(|number| number.is_finite() && scale.place(number) == place));
            (text.map(plain).unwrap_or_default(), place)
        });
        Self { pens, heading: None, legend: Legend::Range(marks.collect()) }
    }
}

/// How strong lines are, by how many there are.
#[derive(Clone, Copy)]
struct Stroke {
    strength: f64,
    width: f64,
}

impl Stroke {
    fn of(lines: usize) -> Self {
        if lines <= MOST_ENTRIES {
            return Self { strength: 1.0, width: 1.8 };
        }
        let strength = (MOST_ENTRIES as f64 / lines as f64).sqrt().clamp(0.35, 0.9);
        // Two digits are enough, and keep the file short.
        Self { strength: (strength * 100.0).round() / 100.0, width: 1.1 }
    }

    fn pen(self, colour: Colour, dash: usize) -> Pen {
        Pen { colour, dash, strength: self.strength, width: self.width }
    }

    fn numbered(self, number: usize) -> Pen {
        self.pen(distinct(number), (number / DISTINCT.len()) % DASHES.len())
    }
}

fn distinct(number: usize) -> Colour {
    DISTINCT.get(number % DISTINCT.len()).copied().unwrap_or(OTHERS)
}

/// The colour of a place between 0 and 1.
pub(super) fn ordered(place: f64) -> Colour {
    let at = place.clamp(0.0, 1.0) * (ORDERED.len() - 1) as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    let (Some(below), Some(above)) = (ORDERED.get(below), ORDERED.get(above)) else { return OTHERS };
    let mix = |low: u8, high: u8| (f64::from(low) + (f64::from(high) - f64::from(low)) * at.fract()).round() as u8;
    (mix(below.0, above.0), mix(below.1, above.1), mix(below.2, above.2))
}

fn number(text: &str) -> Option<f64> {
    // The words for infinity that a float may be spelt with are no numbers of anybody's params.
    text.parse().ok().filter(|_| !text.is_empty() && !text.eq_ignore_ascii_case("infinity"))
}

/// The groups: numbers by size, then texts, the missing one last.
fn groups(series: &[Series]) -> Vec<Group<'_>> {
    let mut found: std::collections::BTreeMap<Option<&str>, usize> = std::collections::BTreeMap::new();
    for one in series {
        *found.entry(one.group.as_deref()).or_default() += 1;
    }
    let group = |(name, size): (Option<_>, usize)| Group { name, number: name.and_then(number), size };
    let mut groups: Vec<_> = found.into_iter().map(group).collect();
    groups.sort_by(|left, right| {
        let rank = |group: &Group<'_>| match (group.name, group.number) {
            (_, Some(_)) => 0,
            (Some(_), None) => 1,
            (None, None) => 2,
        };
        let numbers = left.number.unwrap_or_default().total_cmp(&right.number.unwrap_or_default());
        rank(left).cmp(&rank(right)).then(numbers).then(left.name.cmp(&right.name))
    });
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn chart(groups: &[Option<String>], grouped: bool) -> Chart {
        let series = groups.iter().enumerate().map(|(index, group)| Series {
            group: group.clone(),
            label: format!("s{index}"),
            ..Series::default()
        });
        Chart { group: grouped.then(|| "lr".to_owned()), series: series.collect(), ..Chart::default() }
    }

    fn labels(colours: &Colours) -> Vec<&str> {
        match &colours.legend {
            Legend::Entries(entries) => entries.iter().map(|entry| entry.label.as_str()).collect(),
            Legend::Range(marks) => marks.iter().map(|(text, _)| text.as_str()).collect(),
        }
    }

    #[test]
    fn few_series_look_different() {
        let colours = Colours::of(&chart(&vec![None; 12], false));
        let looks: BTreeSet<_> = colours.pens.iter().map(|pen| (pen.colour, pen.dash)).collect();
        assert_eq!((looks.len(), labels(&colours).len()), (12, 12));
        assert!(colours.pens.iter().all(|pen| pen.strength == 1.0));
    }

    #[test]
    fn many_series_have_one_entry_and_are_faint() {
        let colours = Colours::of(&chart(&vec![None; 200], false));
        assert_eq!(labels(&colours), ["200 series"]);
        assert!(colours.pens.iter().all(|pen| pen.strength < 0.5));
    }

    #[test]
    fn groups_come_in_the_order_of_numbers_with_their_size() {
        let groups = ["10", "9", "1e-3", "9"].map(|text| Some(text.to_owned()));
        let colours = Colours::of(&chart(&[&groups[..], &[None]].concat(), true));
        assert_eq!(labels(&colours), ["1e-3", "9 (2)", "10", "none"]);
        assert_eq!(colours.pens[1], colours.pens[3]);
        assert_ne!(colours.pens[0].colour, colours.pens[1].colour);
    }

    #[test]
    fn many_numbers_become_a_range_of_colours() {
        let groups: Vec<_> = (0..50).map(|index| Some(format!("1e{}", index - 25))).collect();
        let colours = Colours::of(&chart(&groups, true));
        assert_eq!(labels(&colours)[0], "1e-25");
        assert_eq!((labels(&colours).len(), *labels(&colours).last().unwrap()), (3, "1e24"));
        assert_eq!((colours.pens[0].colour, colours.pens[49].colour), (ordered(0.0), ordered(1.0)));
        // Decades: the middle of the range is the middle of the colours.
        let near = |a: u8, b: u8| a.abs_diff(b) < 8;
        let (middle, expected) = (colours.pens[25].colour, ordered(0.5));
        assert!(near(middle.0, expected.0) && near(middle.1, expected.1) && near(middle.2, expected.2));
    }

    #[test]
    fn many_texts_leave_colours_to_the_largest_groups() {
        let groups: Vec<_> = (0..40).map(|index| Some(format!("g{:02}", index / 2 % 19))).collect();
        let colours = Colours::of(&chart(&groups, true));
        let found = labels(&colours);
        assert_eq!((found.len(), *found.last().unwrap()), (MOST_ENTRIES, "8 others"));
        // The first group has four series, because 38 and 39 come around to it.
        assert_eq!(found[0], "g00 (4)");
    }

    #[test]
    fn the_range_of_colours_gets_lighter() {
        let light = |(r, g, b): Colour| 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
        let steps: Vec<f64> = (0..=20).map(|step| light(ordered(f64::from(step) / 20.0))).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
    }
}
