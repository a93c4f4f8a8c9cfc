//! Page views: date × product × country × url, with bytes and times. What count trees are built from.

use crate::dice::Dice;
use arrow::array::{ArrayBuilder, ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use std::io::{self, Write};
use std::sync::Arc;

/// The shape of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSpec {
    /// Events.
    pub events: u64,
    /// Days, from 2024-01-01 on.
    pub days: u64,
    /// Products.
    pub products: u64,
    /// Countries.
    pub countries: u64,
    /// Urls. Some are seen far more often than others.
    pub urls: u64,
    /// Where the random numbers start.
    pub seed: u64,
}

impl Default for EventSpec {
    fn default() -> Self {
        Self { events: 10_000_000, days: 60, products: 8, countries: 30, urls: 20_000, seed: 1 }
    }
}

/// What was counted while a log was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSummary {
    /// Events of each day.
    pub by_day: Vec<u64>,
    /// Bytes of each product.
    pub bytes_by_product: Vec<u64>,
}

const PRODUCTS: [&str; 12] =
    ["account", "books", "forum", "games", "help", "jobs", "mail", "maps", "music", "news", "photos", "shop"];

const SECTIONS: [&str; 10] =
    ["article", "author", "category", "image", "list", "page", "search", "tag", "topic", "video"];

/// The definition of a tree of these events: day, product, country, url, each with bytes and times.
pub const EVENT_TREE: &str = r#"{"trees": {"views": {"root": [
    {"field": "date", "attach": {"xfer": {"kind": "sum", "field": "xfer"}, "xtime": {"kind": "time", "field": "xtime"}}},
    {"field": "product", "attach": {"xfer": {"kind": "sum", "field": "xfer"}, "xtime": {"kind": "time", "field": "xtime"}}},
    {"field": "country", "attach": {"xfer": {"kind": "sum", "field": "xfer"}, "xtime": {"kind": "time", "field": "xtime"}}},
    {"field": "url", "attach": {"xfer": {"kind": "sum", "field": "xfer"}, "xtime": {"kind": "time", "field": "xtime"}}}
]}}}"#;

/// The definition of a tree of countries with their most frequent urls, and of products with their days.
pub const EVENT_TOPS: &str = r#"{"trees": {"tops": {"root": [{"branch": [
    [{"const": "country"}, {"field": "country", "attach": {"urls": {"kind": "key.top", "field": "url", "size": 1000}}}],
    [{"const": "product"}, {"field": "product"}, {"field": "date", "attach": {"xfer": {"kind": "sum", "field": "xfer"}}}]
]}]}}}"#;

/// The name of a day, counted from 0.
pub fn day_name(day: u64) -> String {
    // The days of a leap year, then those of years that are none.
    let (mut year, mut left) = (2024_u64, day);
    loop {
        let leap = u64::from(year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)));
        if left < 365 + leap {
            let mut month = 1;
            for days in [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                if left < days {
                    break;
                }
                left -= days;
                month += 1;
            }
            return format!("{year}-{month:02}-{:02}", left + 1);
        }
        left -= 365 + leap;
        year += 1;
    }
}

/// The name of a product, counted from 0.
pub fn product_name(product: u64) -> String {
    let index = usize::try_from(product).unwrap_or(usize::MAX);
    PRODUCTS.get(index).map_or_else(|| format!("product{product}"), |name| (*name).to_owned())
}

/// The name of a country: two letters.
fn country_name(country: u64) -> String {
    let letter = |number: u64| char::from(b'a' + u8::try_from(number % 26).unwrap_or_default());
    format!("{}{}", letter(country / 26 + country), letter(country * 7 + 3))
}

/// Places of an event's names among those of the log, and its numbers.
struct Event {
    day: usize,
    product: usize,
    country: usize,
    url: usize,
    xfer: u64,
    xtime: u64,
}

/// The names in a log.
struct Names {
    days: Vec<String>,
    products: Vec<String>,
    countries: Vec<String>,
    urls: Vec<String>,
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
fn each<E>(spec: &EventSpec, mut take: impl FnMut(&Names, &Event) -> Result<(), E>) -> Result<EventSummary, E> {
    let mut dice = Dice::new(spec.seed);
    let url = |dice: &mut Dice, url: u64| {
        format!("/{}/{}", SECTIONS[dice.index(SECTIONS.len())], 100_000 + url * 7919 % 900_000)
    };
    let names = Names {
        days: (0..spec.days).map(day_name).collect(),
        products: (0..spec.products).map(product_name).collect(),
        countries: (0..spec.countries).map(country_name).collect(),
        urls: (0..spec.urls).map(|number| url(&mut dice, number)).collect(),
    };
    let mut summary =
        EventSummary { by_day: vec![0; names.days.len()], bytes_by_product: vec![0; names.products.len()] };
    for number in 0..spec.events {
        // Few countries and urls have most of the events.
        let skewed = |dice: &mut Dice, count: usize, power: i32| (dice.unit().powi(power) * count as f64) as usize;
        let event = Event {
            day: (number * spec.days / spec.events.max(1)) as usize,
            product: dice.index(names.products.len()),
            country: skewed(&mut dice, names.countries.len(), 2),
            url: skewed(&mut dice, names.urls.len(), 3),
            xfer: 200 + dice.below(40_000),
            xtime: 1 + dice.below(30) * dice.below(30),
        };
        summary.by_day[event.day] += 1;
        summary.bytes_by_product[event.product] += event.xfer;
        take(&names, &event)?;
    }
    Ok(summary)
}

/// Writes events as JSON lines, in the order of time.
///
/// # Errors
/// The output fails.
pub fn write_events(spec: &EventSpec, out: &mut impl Write) -> io::Result<EventSummary> {
    each(spec, |names, event| {
        writeln!(
            out,
            "{{\"date\":\"{}\",\"product\":\"{}\",\"country\":\"{}\",\"url\":\"{}\",\"xfer\":{},\"xtime\":{}}}",
            names.days[event.day],
            names.products[event.product],
            names.countries[event.country],
            names.urls[event.url],
            event.xfer,
            event.xtime,
        )
    })
}

/// Rows of a batch.
const BATCH: usize = 65_536;

/// Writes the same events as a Parquet file.
///
/// # Errors
/// The output fails.
pub fn write_event_table(spec: &EventSpec, out: &mut (impl Write + Send)) -> Result<EventSummary, ParquetError> {
    let texts = ["date", "product", "country", "url"].map(|name| Field::new(name, DataType::Utf8, false));
    let ints = ["xfer", "xtime"].map(|name| Field::new(name, DataType::Int64, false));
    let schema = Arc::new(Schema::new(texts.into_iter().chain(ints).collect::<Vec<_>>()));
    let compression = Compression::ZSTD(ZstdLevel::try_new(1)?);
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
    let mut texts: [StringBuilder; 4] = std::array::from_fn(|_| StringBuilder::new());
    let mut ints: [Int64Builder; 2] = std::array::from_fn(|_| Int64Builder::new());
    let mut flush = |texts: &mut [StringBuilder; 4], ints: &mut [Int64Builder; 2]| -> Result<(), ParquetError> {
        let mut columns: Vec<ArrayRef> = vec![];
        columns.extend(texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        columns.extend(ints.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)
    };
    let summary = each(spec, |names, event| {
        let of = [
            &names.days[event.day],
            &names.products[event.product],
            &names.countries[event.country],
            &names.urls[event.url],
        ];
        texts.iter_mut().zip(of).for_each(|(builder, name)| builder.append_value(name));
        for (builder, value) in ints.iter_mut().zip([event.xfer, event.xtime]) {
            builder.append_value(value as i64);
        }
        if ints[0].len() == BATCH { flush(&mut texts, &mut ints) } else { Ok(()) }
    })?;
    flush(&mut texts, &mut ints)?;
    writer.close()?;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_names() {
        let names =
            [(0, "2024-01-01"), (59, "2024-02-29"), (365, "2024-12-31"), (366, "2025-01-01"), (425, "2025-03-01")];
        assert!(names.iter().all(|(day, name)| day_name(*day) == *name));
    }

    #[test]
    fn a_log_is_what_its_summary_says() {
        let spec = EventSpec { events: 5_000, days: 3, products: 4, ..EventSpec::default() };
        let mut out = vec![];
        let summary = write_events(&spec, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!((text.lines().count(), summary.by_day.iter().sum::<u64>()), (5_000, 5_000));
        let of_day = |day: &str| text.lines().filter(|line| line.contains(day)).count() as u64;
        assert_eq!(summary.by_day[1], of_day("2024-01-02"));
    }
}
