//! A chart as an SVG picture.

use super::colours::{Colour, Colours, DASHES, Legend, Pen, ordered};
use super::scale::{Scale, drawable};
use super::ticks::{Ticks, ticks};
use super::trace::{Bounds, Grain, Spot, areas, clipped, pieces};
use super::xml::{Pixels, Xml};
use super::{Chart, MOST_ENTRIES, Series, cut, plain};
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 540.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 64.0;
const RIGHT: f64 = 24.0;
/// Widest legend.
const LEGEND: f64 = 260.0;
/// Distance of the lines of a legend.
const LINE: f64 = 20.0;
/// Length of the sample before an entry of the legend.
const SAMPLE: f64 = 26.0;
/// Size of the text beside axes and in legends.
const SIZE: f64 = 12.0;

const STYLE: &str = "<style>
text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.label{font-size:13px}.heading{font-weight:600}.note{font-size:11px;fill:#57606a}
.grid{stroke:#e4e7eb;fill:none}.frame{stroke:#57606a;fill:none}
.line{fill:none;stroke-linejoin:round;stroke-linecap:round}.raw{fill:none;stroke-opacity:.25}.band{stroke:none;fill-opacity:.18}
.lines .line:hover{stroke-width:3;stroke-opacity:1}
</style>
";

/// Where things are in the picture.
struct Layout {
    left: f64,
    width: f64,
    height: f64,
    x: Scale,
    y: Scale,
}

impl Layout {
    fn spot(&self, chart: &Chart, (x, y): (f64, f64)) -> Option<Spot> {
        let there = drawable(x, chart.x.log) && drawable(y, chart.y.log);
        there.then(|| (self.left_of(x), self.top_of(y)))
    }

    fn bounds(&self, chart: &Chart, (x, low, high): (f64, f64, f64)) -> Option<Bounds> {
        let (least, greatest) = (self.y.low, self.y.high);
        if !low.is_finite() || !high.is_finite() || high < least || low > greatest {
            return None;
        }
        // What is outside of the axis ends at its end, also what has no logarithm.
        let (x, low) = self.spot(chart, (x, low.max(least)))?;
        let high = self.top_of(high.min(greatest));
        Some((x, low, high))
    }

    /// The lines of these points, as far as they are on the axis.
    fn pieces(&self, chart: &Chart, points: impl Iterator<Item = (f64, f64)>, grain: Grain) -> Vec<Vec<Spot>> {
        let spots = points.map(|point| self.spot(chart, point));
        // The ends of an axis that follows from the values have been computed, so a value may miss them by a hair.
        let clipped = clipped(spots, (TOP - 1e-6, TOP + self.height + 1e-6));
        pieces(clipped.into_iter(), grain)
    }

    fn left_of(&self, x: f64) -> f64 {
        self.left + self.x.place(x) * self.width
    }

    fn top_of(&self, y: f64) -> f64 {
        TOP + (1.0 - self.y.place(y)) * self.height
    }
}

/// The chart as a picture of 960 by 540 pixels, dark on white: valid XML, the same bytes for the same chart.
///
/// Lines are `path` elements of class `line`, points that stand alone are `circle` elements of class `dot`, areas are of
/// class `band`; each has the label of its series as its `title`, which browsers show under the pointer.
pub fn svg(chart: &Chart) -> String {
    let colours = Colours::of(chart);
    let xs = chart.series.iter().flat_map(|series| series.xs.iter().copied());
    let x = Scale::of(xs, chart.x.log, false);
    let y = y_scale(chart);
    let height = HEIGHT - TOP - BOTTOM;
    let y_ticks = ticks(&chart.y, y, 8);
    let widest = y_ticks.ticks.iter().filter_map(|tick| tick.text.as_deref()).map(|text| text_width(text, SIZE));
    let left = 46.0 + widest.fold(0.0, f64::max);
    let legend = legend_width(&colours);
    let width = WIDTH - left - RIGHT - legend;
    let layout = Layout { left, width, height, x, y };
    let x_ticks = x_ticks(chart, &layout);

    let mut xml = Xml::default();
    let title = plain(&chart.title);
    xml.open(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("viewBox", &format!("0 0 {WIDTH} {HEIGHT}")),
            ("width", &WIDTH),
            ("height", &HEIGHT),
            ("role", &"img"),
            ("aria-label", &title),
        ],
    );
    xml.text("title", &[], &title);
    xml.raw(STYLE);
    xml.empty("rect", &[("width", &"100%"), ("height", &"100%"), ("fill", &"#ffffff")]);
    let room = ((WIDTH - 48.0) / 8.5) as usize;
    xml.titled("text", &[("class", &"title"), ("x", &24), ("y", &28)], &cut(&title, room), &title);
    axes(&mut xml, &layout, &x_ticks, &y_ticks);
    series(&mut xml, chart, &layout, &colours);
    if legend > 0.0 {
        draw_legend(&mut xml, &colours, WIDTH - legend);
    }
    if let Some(note) = chart.footnote() {
        xml.text("text", &[("class", &"note"), ("x", &24), ("y", &(HEIGHT - 8.0))], &note);
    }
    if !chart.series.iter().any(|series| series.points().any(|point| layout.spot(chart, point).is_some())) {
        let (x, y) = (Pixels(left + width / 2.0), Pixels(TOP + height / 2.0));
        xml.text("text", &[("class", &"label"), ("x", &x), ("y", &y), ("text-anchor", &"middle")], "no points");
    }
    xml.close("svg");
    xml.finish()
}

/// The range of all that is drawn: lines, areas, and the values before smoothing where they are drawn too.
fn y_scale(chart: &Chart) -> Scale {
    let with_raw = chart.series.len() <= MOST_ENTRIES;
    let values = chart.series.iter().flat_map(move |series| {
        let band = series.band.iter().flat_map(|band| band.low.iter().chain(&band.high));
        let raw = if with_raw { series.raw.as_slice() } else { &[] };
        series.ys.iter().chain(raw).chain(band).copied()
    });
    Scale::within(chart.y.range, values, chart.y.log)
}

/// As many marks as have room for their texts.
fn x_ticks(chart: &Chart, layout: &Layout) -> Ticks {
    let mut wanted = (layout.width / 70.0) as usize;
    loop {
        let found = ticks(&chart.x, layout.x, wanted);
        let named = found.ticks.iter().filter_map(|tick| Some((layout.left_of(tick.value), tick.text.as_deref()?)));
        let named: Vec<_> = named.collect();
        let fits = named.windows(2).all(|pair| match pair {
            [(left, a), (right, b)] => right - left >= (text_width(a, SIZE) + text_width(b, SIZE)) / 2.0 + 8.0,
            _ => true,
        });
        if fits || wanted <= 2 {
            return found;
        }
        wanted -= 1;
    }
}

fn axes(xml: &mut Xml, layout: &Layout, x: &Ticks, y: &Ticks) {
    let (bottom, right) = (TOP + layout.height, layout.left + layout.width);
    xml.open("g", &[("class", &"axis y")]);
    for tick in &y.ticks {
        let at = Pixels(layout.top_of(tick.value));
        xml.empty("path", &[("class", &"grid"), ("d", &format!("M{},{at}H{}", Pixels(layout.left), Pixels(right)))]);
        if let Some(text) = &tick.text {
            let (x, y) = (Pixels(layout.left - 8.0), Pixels(layout.top_of(tick.value) + 4.0));
            xml.text("text", &[("class", &"tick"), ("x", &x), ("y", &y), ("text-anchor", &"end")], text);
        }
    }
    let middle = Pixels(TOP + layout.height / 2.0);
    let turned = format!("rotate(-90 18 {middle})");
    let place: [(&str, &dyn std::fmt::Display); 5] =
        [("class", &"label"), ("x", &18), ("y", &middle), ("text-anchor", &"middle"), ("transform", &turned)];
    xml.titled("text", &place, &cut(&plain(&y.label), 56), &y.label);
    xml.close("g");
    xml.open("g", &[("class", &"axis x")]);
    for tick in &x.ticks {
        let at = Pixels(layout.left_of(tick.value));
        xml.empty("path", &[("class", &"grid"), ("d", &format!("M{at},{}V{}", Pixels(TOP), Pixels(bottom)))]);
        if let Some(text) = &tick.text {
            let y = Pixels(bottom + 18.0);
            xml.text("text", &[("class", &"tick"), ("x", &at), ("y", &y), ("text-anchor", &"middle")], text);
        }
    }
    let (middle, y) = (Pixels(layout.left + layout.width / 2.0), Pixels(bottom + 40.0));
    let place: [(&str, &dyn std::fmt::Display); 4] =
        [("class", &"label"), ("x", &middle), ("y", &y), ("text-anchor", &"middle")];
    xml.titled("text", &place, &cut(&plain(&x.label), 90), &x.label);
    xml.close("g");
    let frame = format!("M{},{}V{}H{}", Pixels(layout.left), Pixels(TOP), Pixels(bottom), Pixels(right));
    xml.empty("path", &[("class", &"frame"), ("d", &frame)]);
}

fn series(xml: &mut Xml, chart: &Chart, layout: &Layout, colours: &Colours) {
    let grain = Grain::new(chart.series.len(), layout.width);
    let drawn = || chart.series.iter().zip(&colours.pens);
    if chart.series.iter().any(|series| series.band.is_some()) {
        xml.open("g", &[("class", &"bands")]);
        for (series, pen) in drawn() {
            let bounds = series.band_points().map(|bounds| layout.bounds(chart, bounds));
            let path = area_path(&areas(bounds, grain));
            if !path.is_empty() {
                let fill = hex(pen.colour);
                xml.titled("path", &[("class", &"band"), ("fill", &fill), ("d", &path)], "", &series.label);
            }
        }
        xml.close("g");
    }
    if chart.series.len() <= MOST_ENTRIES && chart.series.iter().any(|series| !series.raw.is_empty()) {
        xml.open("g", &[("class", &"before-smoothing")]);
        for (series, pen) in drawn() {
            let path = line_path(&layout.pieces(chart, series.raw_points(), grain));
            if !path.is_empty() {
                let stroke = hex(pen.colour);
                xml.titled("path", &[("class", &"raw"), ("stroke", &stroke), ("d", &path)], "", &series.label);
            }
        }
        xml.close("g");
    }
    xml.open("g", &[("class", &"lines")]);
    for (one, pen) in drawn() {
        line(xml, chart, layout, one, *pen, grain);
    }
    xml.close("g");
}

fn line(xml: &mut Xml, chart: &Chart, layout: &Layout, series: &Series, pen: Pen, grain: Grain) {
    let found = layout.pieces(chart, series.points(), grain);
    let path = line_path(&found);
    let colour = hex(pen.colour);
    if !path.is_empty() {
        let dash = DASHES.get(pen.dash).copied().unwrap_or_default();
        let mut attributes: Vec<(&str, &dyn std::fmt::Display)> =
            vec![("class", &"line"), ("stroke", &colour), ("stroke-width", &pen.width)];
        if pen.strength < 1.0 {
            attributes.push(("stroke-opacity", &pen.strength));
        }
        if !dash.is_empty() {
            attributes.push(("stroke-dasharray", &dash));
        }
        attributes.push(("d", &path));
        xml.titled("path", &attributes, "", &series.label);
    }
    // A line of one point would not be seen.
    for (x, y) in found.iter().filter(|piece| piece.len() == 1).flatten() {
        let (x, y) = (Pixels(*x), Pixels(*y));
        let attributes: [(&str, &dyn std::fmt::Display); 6] = [
            ("class", &"dot"),
            ("cx", &x),
            ("cy", &y),
            ("r", &2.5),
            ("fill", &colour),
            ("fill-opacity", &pen.strength),
        ];
        xml.titled("circle", &attributes, "", &series.label);
    }
}

/// The pieces of more than one point.
fn line_path(pieces: &[Vec<Spot>]) -> String {
    let mut path = String::new();
    for piece in pieces.iter().filter(|piece| piece.len() > 1) {
        for (index, (x, y)) in piece.iter().enumerate() {
            let before = if index == 0 { "M" } else { " " };
            let _ = write!(path, "{before}{},{}", Pixels(*x), Pixels(*y));
        }
    }
    path
}

fn area_path(areas: &[Vec<Bounds>]) -> String {
    let mut path = String::new();
    for area in areas.iter().filter(|area| area.len() > 1) {
        let above = area.iter().map(|(x, _, high)| (*x, *high));
        let below = area.iter().rev().map(|(x, low, _)| (*x, *low));
        for (index, (x, y)) in above.chain(below).enumerate() {
            let before = if index == 0 { "M" } else { " " };
            let _ = write!(path, "{before}{},{}", Pixels(x), Pixels(y));
        }
        path.push('Z');
    }
    path
}

fn legend_width(colours: &Colours) -> f64 {
    let heading = colours.heading.as_deref().map_or(0.0, |text| text_width(text, SIZE) * 1.1);
    let texts: Vec<&str> = match &colours.legend {
        Legend::Entries(entries) => entries.iter().map(|entry| entry.label.as_str()).collect(),
        Legend::Range(marks) => marks.iter().map(|(text, _)| text.as_str()).collect(),
    };
    if texts.is_empty() {
        return 0.0;
    }
    let widest = texts.into_iter().map(|text| text_width(text, SIZE) + SAMPLE + 8.0).fold(heading, f64::max);
    (widest + 20.0).min(LEGEND)
}

fn draw_legend(xml: &mut Xml, colours: &Colours, left: f64) {
    let room = LEGEND - 20.0;
    let mut top = TOP + 6.0;
    xml.open("g", &[("class", &"legend")]);
    if let Some(heading) = &colours.heading {
        let (x, y) = (Pixels(left), Pixels(top + 4.0));
        xml.titled("text", &[("class", &"heading"), ("x", &x), ("y", &y)], &fitted(heading, room / 1.1), heading);
        top += LINE;
    }
    match &colours.legend {
        Legend::Entries(entries) => {
            for entry in entries {
                let sample = format!("M{},{}h{}", Pixels(left), Pixels(top), Pixels(SAMPLE));
                let (stroke, dash) = (hex(entry.pen.colour), DASHES.get(entry.pen.dash).copied().unwrap_or_default());
                let mut attributes: Vec<(&str, &dyn std::fmt::Display)> =
                    vec![("class", &"sample"), ("stroke", &stroke), ("stroke-width", &2.5)];
                if !dash.is_empty() {
                    attributes.push(("stroke-dasharray", &dash));
                }
                attributes.push(("d", &sample));
                xml.empty("path", &attributes);
                let (x, y) = (Pixels(left + SAMPLE + 8.0), Pixels(top + 4.0));
                let text = fitted(&entry.label, room - SAMPLE - 8.0);
                xml.titled("text", &[("class", &"entry"), ("x", &x), ("y", &y)], &text, &entry.label);
                top += LINE;
            }
        }
        Legend::Range(marks) => {
            // Greatest on top, as on the axis.
            let (steps, height) = (40_u32, 160.0);
            for step in 0..steps {
                let place = (f64::from(step) + 0.5) / f64::from(steps);
                let (y, each) =
                    (top + (1.0 - f64::from(step + 1) / f64::from(steps)) * height, height / f64::from(steps));
                let fill = hex(ordered(place));
                let (x, y, each) = (Pixels(left), Pixels(y), Pixels(each + 0.2));
                xml.empty(
                    "rect",
                    &[("class", &"shade"), ("x", &x), ("y", &y), ("width", &14), ("height", &each), ("fill", &fill)],
                );
            }
            for (text, place) in marks {
                let (x, y) = (Pixels(left + 22.0), Pixels(top + (1.0 - place) * height + 4.0));
                xml.text("text", &[("class", &"entry"), ("x", &x), ("y", &y)], &fitted(text, room - 22.0));
            }
        }
    }
    xml.close("g");
}

/// About as much of a text as fits.
fn fitted(text: &str, width: f64) -> String {
    let whole = text_width(text, SIZE);
    if whole <= width {
        return text.to_owned();
    }
    cut(text, (text.chars().count() as f64 * width / whole) as usize)
}

/// About how wide a text is: what fonts without serifs have on average.
fn text_width(text: &str, size: f64) -> f64 {
    let width = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' | '(' | ')' | '[' | ']' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.9,
        c if c.is_uppercase() => 0.7,
        c if u32::from(c) >= 0x1100 => 1.0,
        _ => 0.6,
    };
    text.chars().map(width).sum::<f64>() * size
}

fn hex((red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests;
