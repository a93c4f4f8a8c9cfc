//! A chart as characters, for terminals: lines of braille dots, two by four a character.

use super::colours::{Colour, Colours, Legend};
use super::scale::{Scale, drawable};
use super::ticks::ticks;
use super::trace::clipped;
use super::{Chart, Series, cut, plain};
use std::fmt::Write;

/// The size of a sketch, and whether it has colours.
#[derive(Clone, Copy, Debug)]
pub struct SketchOptions {
    /// Characters a line.
    pub width: usize,
    /// Lines of the area with the points.
    pub height: usize,
    /// ANSI escapes for colours.
    pub colour: bool,
}

impl Default for SketchOptions {
    fn default() -> Self {
        Self { width: 80, height: 18, colour: false }
    }
}

/// The chart as lines of text. Each entry of the legend has a letter that stands at the end of its line.
pub fn sketch(chart: &Chart, options: &SketchOptions) -> String {
    let colours = Colours::of(chart);
    let x = Scale::of(chart.series.iter().flat_map(|series| series.xs.iter().copied()), chart.x.log, false);
    let values = |series: &Series| {
        let band = series.band.iter().flat_map(|band| band.low.iter().chain(&band.high)).copied().collect::<Vec<_>>();
        series.ys.iter().copied().chain(band).collect::<Vec<_>>()
    };
    let y = Scale::within(chart.y.range, chart.series.iter().flat_map(values), chart.y.log);
    let height = options.height.clamp(4, 100);
    let found = ticks(&chart.y, y, height / 3);
    let mut marks: Vec<(usize, &str)> = vec![];
    for tick in &found.ticks {
        let row = ((1.0 - y.place(tick.value)) * height as f64).floor().clamp(0.0, height as f64 - 1.0) as usize;
        if let Some(text) = tick.text.as_deref().filter(|_| marks.iter().all(|(taken, _)| *taken != row)) {
            marks.push((row, text));
        }
    }
    let gutter = marks.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
    let width = options.width.clamp(20, 1000).saturating_sub(gutter + 2).max(10);
    let mut canvas = Canvas::new(width, height);
    let entries = match &colours.legend {
        Legend::Entries(entries) => entries.as_slice(),
        Legend::Range(_) => &[],
    };
    for (series, pen) in chart.series.iter().zip(&colours.pens) {
        canvas.band(chart, series, (x, y), pen.colour);
    }
    let mut ends: Vec<((usize, usize), char, Colour)> = vec![];
    for (series, pen) in chart.series.iter().zip(&colours.pens) {
        let end = canvas.line(chart, series, (x, y), pen.colour);
        let entry = entries.iter().position(|entry| (entry.pen.colour, entry.pen.dash) == (pen.colour, pen.dash));
        if let (Some(end), Some(entry)) = (end, entry.filter(|_| entries.len() > 1)) {
            ends.retain(|(_, letter, _)| *letter != letter_of(entry));
            ends.push((end, letter_of(entry), pen.colour));
        }
    }
    for (end, letter, colour) in ends {
        canvas.mark(end, letter, colour);
    }

    let mut out = String::new();
    let paint = |text: &str, colour: Colour| if options.colour { coloured(text, colour) } else { text.to_owned() };
    let title = cut(&plain(&chart.title), options.width);
    if !title.is_empty() {
        let _ = writeln!(out, "{}", if options.colour { format!("\u{1b}[1m{title}\u{1b}[0m") } else { title });
    }
    if !found.label.is_empty() {
        let _ = writeln!(out, "{}", cut(&plain(&found.label), options.width));
    }
    for row in 0..height {
        let mark = marks.iter().find(|(at, _)| *at == row).map(|(_, text)| *text);
        let _ = write!(out, "{:>gutter$} {}", mark.unwrap_or_default(), if mark.is_some() { '┤' } else { '│' });
        out.push_str(canvas.row(row, options.colour).trim_end());
        out.push('\n');
    }
    let (line, texts, label) = x_axis(chart, x, width);
    let indent = " ".repeat(gutter + 1);
    let _ = writeln!(out, "{indent}└{line}");
    let _ = writeln!(out, "{indent} {}", texts.trim_end());
    let label = cut(&plain(&label), width);
    let space = width.saturating_sub(label.chars().count()) / 2;
    let _ = writeln!(out, "{indent} {}{label}", " ".repeat(space));
    if let Some(heading) = &colours.heading {
        let _ = writeln!(out, "{}:", cut(heading, options.width));
    }
    for (index, entry) in entries.iter().enumerate() {
        let sample = if entries.len() > 1 { format!("{} ──", letter_of(index)) } else { "──".to_owned() };
        let label = cut(&entry.label, options.width.saturating_sub(6).max(10));
        let _ = writeln!(out, "{} {label}", paint(&sample, entry.pen.colour));
    }
    if let Legend::Range(marks) = &colours.legend {
        let texts: Vec<String> = marks
            .iter()
            .map(|(text, place)| format!("{} {}", paint("──", super::colours::ordered(*place)), cut(text, 24)))
            .collect();
        let _ = writeln!(out, "{}", texts.join(" … "));
    }
    if let Some(note) = chart.footnote() {
        let _ = writeln!(out, "{note}");
    }
    out
}

fn letter_of(entry: usize) -> char {
    u8::try_from(entry).ok().filter(|entry| *entry < 26).map_or('*', |entry| char::from(b'a' + entry))
}

/// The line with marks, the texts below it, and the label.
fn x_axis(chart: &Chart, x: Scale, width: usize) -> (String, String, String) {
    let found = ticks(&chart.x, x, (width / 14).max(2));
    let mut line = vec!['─'; width];
    let mut texts: Vec<char> = vec![' '; width];
    let mut free = 0;
    for tick in &found.ticks {
        let column = (x.place(tick.value) * (width as f64 - 1.0)).round().clamp(0.0, width as f64 - 1.0) as usize;
        let Some(text) = &tick.text else { continue };
        let length = text.chars().count();
        let start = column.saturating_sub(length / 2).min(width.saturating_sub(length));
        if start < free || length > width {
            continue;
        }
        if let Some(mark) = line.get_mut(column) {
            *mark = '┬';
        }
        for (slot, c) in texts.iter_mut().skip(start).zip(text.chars()) {
            *slot = c;
        }
        free = start + length + 1;
    }
    (line.into_iter().collect(), texts.into_iter().collect(), found.label)
}

/// The nearest of the 216 colours of terminals.
fn coloured(text: &str, (red, green, blue): Colour) -> String {
    let level = |part: u8| (u32::from(part) * 5 + 127) / 255;
    let (red, green, blue) = (level(red), level(green), level(blue));
    // What is nearly black would not be seen on a dark terminal.
    if red + green + blue <= 3 {
        return format!("\u{1b}[1m{text}\u{1b}[0m");
    }
    format!("\u{1b}[38;5;{}m{text}\u{1b}[0m", 16 + 36 * red + 6 * green + blue)
}

/// Characters with eight dots each.
struct Canvas {
    width: usize,
    height: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    letter: Option<char>,
    colour: Option<Colour>,
}

/// The bits of a braille character, by row and column of the dot.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![Cell::default(); width * height] }
    }

    /// The place of a point in dots.
    fn place(&self, chart: &Chart, (x, y): (Scale, Scale), point: (f64, f64)) -> Option<(f64, f64)> {
        if !drawable(point.0, chart.x.log) || !drawable(point.1, chart.y.log) {
            return None;
        }
        Some((x.place(point.0) * (self.width as f64 * 2.0 - 1.0), (1.0 - y.place(point.1)) * self.lowest()))
    }

    /// The lowest row of dots.
    fn lowest(&self) -> f64 {
        self.height as f64 * 4.0 - 1.0
    }

    fn set(&mut self, (column, row): (i64, i64), colour: Colour) {
        let (Ok(column), Ok(row)) = (usize::try_from(column), usize::try_from(row)) else { return };
        if column >= self.width * 2 || row >= self.height * 4 {
            return;
        }
        let bit = DOTS.get(row % 4).and_then(|dots| dots.get(column % 2)).copied().unwrap_or_default();
        if let Some(cell) = self.cells.get_mut(row / 4 * self.width + column / 2) {
            cell.dots |= bit;
            cell.colour = Some(colour);
        }
    }

    /// Draws a line and gives the character at its end.
    fn line(
        &mut self,
        chart: &Chart,
        series: &Series,
        scales: (Scale, Scale),
        colour: Colour,
    ) -> Option<(usize, usize)> {
        let mut last: Option<(i64, i64)> = None;
        let mut end = None;
        let places = series.points().map(|point| self.place(chart, scales, point));
        for place in clipped(places, (-0.5, self.lowest() + 0.5)) {
            let dot = place.map(|(column, row)| (column.round() as i64, row.round() as i64));
            if let Some(to) = dot {
                let from = last.unwrap_or(to);
                let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
                for step in 0..=steps {
                    let between =
                        |from: i64, to: i64| from + ((to - from) * step + (to - from).signum() * steps / 2) / steps;
                    self.set((between(from.0, to.0), between(from.1, to.1)), colour);
                }
                end = Some(to);
            }
            last = dot;
        }
        let (column, row) = end?;
        let row = usize::try_from(row.max(0) / 4).ok()?.min(self.height - 1);
        Some((usize::try_from(column / 2).ok()?, row))
    }

    /// Draws every fourth dot of an area.
    fn band(&mut self, chart: &Chart, series: &Series, scales: (Scale, Scale), colour: Colour) {
        let (least, greatest) = (scales.1.low, scales.1.high);
        for (x, low, high) in series.band_points() {
            // What is outside of the axis ends at its end, also what has no logarithm.
            let (low, high) = match low.is_finite() && high.is_finite() && high >= least && low <= greatest {
                true => (low.max(least), high.min(greatest)),
                false => continue,
            };
            let (low, high) = (self.place(chart, scales, (x, low)), self.place(chart, scales, (x, high)));
            let (Some(low), Some(high)) = (low, high) else { continue };
            let column = low.0.round() as i64;
            for row in high.1.round() as i64..=low.1.round() as i64 {
                if (row + column * 2).rem_euclid(4) == 0 {
                    self.set((column, row), colour);
                }
            }
        }
    }

    /// Puts a letter near a place, above or below what is there already.
    fn mark(&mut self, (column, row): (usize, usize), letter: char, colour: Colour) {
        let near = [0_isize, -1, 1, -2, 2, -3, 3];
        for row in near.into_iter().filter_map(|by| row.checked_add_signed(by)).filter(|row| *row < self.height) {
            if let Some(cell) = self.cells.get_mut(row * self.width + column).filter(|cell| cell.letter.is_none()) {
                *cell = Cell { letter: Some(letter), colour: Some(colour), dots: cell.dots };
                return;
            }
        }
    }

    /// A line of text. Neighbours of one colour share its escapes.
    fn row(&self, row: usize, colour: bool) -> String {
        let cells = self.cells.iter().skip(row * self.width).take(self.width);
        let character = |cell: &Cell| match (cell.letter, cell.dots) {
            (Some(letter), _) => letter,
            (None, 0) => ' ',
            (None, dots) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
        };
        if !colour {
            return cells.map(character).collect();
        }
        let cells: Vec<&Cell> = cells.collect();
        let mut out = String::new();
        for run in cells.chunk_by(|left, right| left.colour == right.colour) {
            let text: String = run.iter().map(|cell| character(cell)).collect();
            match run.first().and_then(|cell| cell.colour) {
                Some(colour) => out.push_str(&coloured(&text, colour)),
                None => out.push_str(&text),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
