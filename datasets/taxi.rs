//! Taxi trips as one Parquet file, such as people have lying around: no lake, no importer, columns of all sorts.
//!
//! Trips are sorted by `pickup_at`, so that times prune pages; `trip_id` is random and has a bloom filter. The columns have
//! what trips up naive readers: nulls, NaN, both zeros, infinities, a dictionary, a decimal, an unsigned integer beyond
//! `i64`, a list and a struct.

use crate::dice::Dice;
use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, StringDictionaryBuilder, StructArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

/// The shape of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxiSpec {
    /// Rows.
    pub trips: u64,
    /// Rows of a row group.
    pub trips_per_group: usize,
    /// Rows of a page.
    pub trips_per_page: usize,
    /// The same seed gives the same rows.
    pub seed: u64,
}

impl Default for TaxiSpec {
    fn default() -> Self {
        Self { trips: 1_000_000, trips_per_group: 131_072, trips_per_page: 8_192, seed: 2024 }
    }
}

/// A question in two languages, and how many rows answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxiAnswer {
    /// A short name.
    pub id: &'static str,
    /// In NQL, typed where `typed` is set.
    pub nql: String,
    /// The same predicate behind `WHERE` in SQL.
    pub sql: String,
    /// Rows for which it holds.
    pub rows: u64,
}

/// 2024-01-01T00:00:00Z in microseconds since 1970.
const START: i64 = 1_704_067_200_000_000;

/// A trip starts every so many microseconds: a million of them fill the year.
const GAP: i64 = 31_536_000;

const PAYMENTS: [&str; 4] = ["card", "cash", "dispute", "no charge"];
const BOROUGHS: [&str; 5] = ["Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island"];
const TAGS: [&str; 4] = ["airport", "night", "rush hour", "shared"];

/// One trip.
struct Trip {
    id: String,
    pickup_at: i64,
    minutes: i64,
    passengers: Option<i64>,
    distance: f64,
    payment: Option<&'static str>,
    fare: f64,
    tip: Option<f64>,
    toll: i128,
    rating: Option<f32>,
    odometer: u64,
    flagged: bool,
    borough: Option<&'static str>,
    zone: u64,
    tags: Vec<&'static str>,
}

impl Trip {
    fn roll(dice: &mut Dice, number: u64) -> Self {
        let distance = (dice.unit() * dice.unit() * 3_000.0).round() / 100.0;
        let fare = (300.0 + distance * 250.0 + dice.unit() * 500.0).round() / 100.0;
        let tip = match dice.below(100) {
            0 => None,
            1 => Some(f64::NAN),
            2 => Some(-f64::NAN),
            3 => Some(-0.0),
            4 => Some(f64::INFINITY),
            5..40 => Some(0.0),
            _ => Some((fare * dice.unit() * 30.0).round() / 100.0),
        };
        Self {
            id: format!("{:016x}", dice.bits()),
            pickup_at: START + i64::try_from(number).unwrap_or_default() * GAP,
            minutes: 3 + i64::try_from(dice.below(60)).unwrap_or_default(),
            passengers: (!dice.chance(0.04)).then(|| 1 + i64::try_from(dice.below(6)).unwrap_or_default()),
            distance,
            payment: match dice.below(100) {
                0..60 => Some("card"),
                60..90 => Some("cash"),
                90..97 => PAYMENTS.get(2 + dice.index(2)).copied(),
                _ => None,
            },
            fare,
            tip,
            toll: i128::from(dice.below(4) * 325),
            rating: dice.chance(0.5).then(|| 0.1 * (10 + dice.below(41)) as f32),
            // Some meters have overflown.
            odometer: if dice.chance(0.001) { u64::MAX - dice.below(1_000) } else { dice.below(900_000) },
            flagged: dice.chance(0.01),
            borough: BOROUGHS.get(dice.index(6)).copied(),
            zone: dice.below(265),
            tags: TAGS.into_iter().filter(|_| dice.chance(0.1)).collect(),
        }
    }
}

/// Questions, and what counts them.
struct Question {
    id: &'static str,
    nql: String,
    sql: String,
    holds: Box<dyn Fn(&Trip) -> bool>,
    rows: u64,
}

/// A time as both languages read it.
fn time(micros: i64) -> String {
    // Whole hours of 2024, which is all that is asked for.
    let hours = (micros - START) / 3_600_000_000;
    let (mut day, mut month) = (hours / 24, 0);
    let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while let Some(length) = lengths.get(month).filter(|length| day >= **length) {
        day -= length;
        month += 1;
    }
    format!("2024-{:02}-{:02}T{:02}:00:00", month + 1, day + 1, hours % 24)
}

fn questions(spec: &TaxiSpec) -> Vec<Question> {
    let mut dice = Dice::new(spec.seed);
    let wanted = dice.below(spec.trips.max(1));
    let id = (0..=wanted).map(|number| Trip::roll(&mut dice, number).id).last().unwrap_or_default();
    // An hour in the middle of the file.
    let middle = START + i64::try_from(spec.trips / 2).unwrap_or_default() * GAP;
    let from = middle - (middle - START) % 3_600_000_000;
    let to = from + 3_600_000_000;
    let mut all = vec![];
    let mut add = |id, nql: String, sql: String, holds: Box<dyn Fn(&Trip) -> bool>| {
        all.push(Question { id, nql, sql, holds, rows: 0 });
    };
    let own = id.clone();
    add("one_id", format!("trip_id = \"{id}\""), format!("trip_id = '{id}'"), Box::new(move |trip| trip.id == own));
    add("no_id", "trip_id = \"none\"".into(), "trip_id = 'none'".into(), Box::new(|trip| trip.id == "none"));
    add(
        "one_hour",
        format!("pickup_at >= \"{}\" and pickup_at < \"{}\"", time(from), time(to)),
        format!("pickup_at >= timestamp '{}' and pickup_at < timestamp '{}'", time(from), time(to)),
        Box::new(move |trip| trip.pickup_at >= from && trip.pickup_at < to),
    );
    add(
        "six_passengers",
        "passenger_count = 6".into(),
        "passenger_count = 6".into(),
        Box::new(|trip| trip.passengers == Some(6)),
    );
    add(
        "large_groups",
        "passenger_count > 4".into(),
        "passenger_count > 4".into(),
        Box::new(|trip| trip.passengers.is_some_and(|count| count > 4)),
    );
    add(
        "paid_by_card",
        "payment_type = card".into(),
        "payment_type = 'card'".into(),
        Box::new(|trip| trip.payment == Some("card")),
    );
    add(
        "not_by_card",
        "payment_type != card".into(),
        "payment_type <> 'card' or payment_type is null".into(),
        Box::new(|trip| trip.payment != Some("card")),
    );
    add(
        "dear_and_by_card",
        "fare_amount > 50 and payment_type = card".into(),
        "fare_amount > 50 and fare_amount <= double precision 'infinity' and payment_type = 'card'".into(),
        Box::new(|trip| trip.fare > 50.0 && trip.payment == Some("card")),
    );
    add(
        "tipped",
        "tip_amount > 0".into(),
        "tip_amount > double precision '0' and tip_amount <= double precision 'infinity'".into(),
        Box::new(|trip| trip.tip.is_some_and(|tip| tip > 0.0)),
    );
    add(
        "airport",
        "tags contains airport".into(),
        "array_has(tags, 'airport')".into(),
        Box::new(|trip| trip.tags.contains(&"airport")),
    );
    add(
        "from_queens",
        "pickup.borough = Queens".into(),
        "pickup['borough'] = 'Queens'".into(),
        Box::new(|trip| trip.borough == Some("Queens")),
    );
    all
}

/// Writes the table and counts the answers.
///
/// # Errors
/// The sink refuses.
pub fn write_taxi(spec: &TaxiSpec, out: &mut (impl Write + Send)) -> Result<Vec<TaxiAnswer>> {
    let mut questions = questions(spec);
    let mut dice = Dice::new(spec.seed);
    dice.below(spec.trips.max(1));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(spec.trips_per_group))
        .set_data_page_row_count_limit(spec.trips_per_page)
        .set_write_batch_size(spec.trips_per_page.min(1_024))
        .set_column_bloom_filter_enabled("trip_id".into(), true)
        .set_column_bloom_filter_max_ndv("trip_id".into(), spec.trips_per_group as u64)
        .set_column_dictionary_enabled("trip_id".into(), false)
        .build();
    let mut writer: Option<ArrowWriter<_>> = None;
    let mut out = Some(out);
    let mut number = 0;
    loop {
        let many = (spec.trips - number).min(32_768);
        let trips: Vec<_> = (number..number + many).map(|number| Trip::roll(&mut dice, number)).collect();
        number += many;
        for question in &mut questions {
            question.rows += trips.iter().filter(|trip| (question.holds)(trip)).count() as u64;
        }
        let batch = batch(&trips)?;
        if writer.is_none()
            && let Some(out) = out.take()
        {
            writer = Some(ArrowWriter::try_new(out, batch.schema(), Some(properties.clone()))?);
        }
        if let Some(writer) = &mut writer {
            writer.write(&batch)?;
        }
        if number == spec.trips {
            break;
        }
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    let answer = |q: Question| TaxiAnswer { id: q.id, nql: q.nql, sql: q.sql, rows: q.rows };
    Ok(questions.into_iter().map(answer).collect())
}

fn batch(trips: &[Trip]) -> Result<RecordBatch> {
    let all = || trips.iter();
    let mut payments = StringDictionaryBuilder::<Int32Type>::new();
    let mut tags = ListBuilder::new(StringBuilder::new());
    for trip in trips {
        payments.append_option(trip.payment);
        for tag in &trip.tags {
            tags.values().append_value(tag);
        }
        tags.append(true);
    }
    let tolls: Decimal128Array = all().map(|trip| Some(trip.toll)).collect();
    let text = |name| Arc::new(Field::new(name, DataType::Utf8, true));
    let boroughs: ArrayRef = Arc::new(all().map(|trip| trip.borough).collect::<StringArray>());
    let zones: ArrayRef = Arc::new(all().map(|trip| i64::try_from(trip.zone).ok()).collect::<Int64Array>());
    let pickup = StructArray::from(vec![
        (text("borough"), boroughs),
        (Arc::new(Field::new("zone", DataType::Int64, true)), zones),
    ]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("trip_id", Arc::new(StringArray::from_iter_values(all().map(|trip| &trip.id)))),
        ("pickup_at", Arc::new(TimestampMicrosecondArray::from_iter_values(all().map(|trip| trip.pickup_at)))),
        (
            "dropoff_at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                all().map(|trip| trip.pickup_at + trip.minutes * 60_000_000),
            )),
        ),
        ("passenger_count", Arc::new(all().map(|trip| trip.passengers).collect::<Int64Array>())),
        ("trip_distance", Arc::new(Float64Array::from_iter_values(all().map(|trip| trip.distance)))),
        ("payment_type", Arc::new(payments.finish())),
        ("fare_amount", Arc::new(Float64Array::from_iter_values(all().map(|trip| trip.fare)))),
        ("tip_amount", Arc::new(all().map(|trip| trip.tip).collect::<Float64Array>())),
        ("tolls", Arc::new(tolls.with_precision_and_scale(10, 2)?)),
        ("rating", Arc::new(all().map(|trip| trip.rating).collect::<Float32Array>())),
        ("odometer", Arc::new(UInt64Array::from_iter_values(all().map(|trip| trip.odometer)))),
        ("flagged", Arc::new(all().map(|trip| Some(trip.flagged)).collect::<BooleanArray>())),
        ("pickup", Arc::new(pickup)),
        ("tags", Arc::new(tags.finish())),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let spec = TaxiSpec { trips: 3_000, trips_per_group: 1_000, trips_per_page: 100, seed: 5 };
        let (mut one, mut two) = (vec![], vec![]);
        let answers = write_taxi(&spec, &mut one).unwrap();
        assert_eq!(answers, write_taxi(&spec, &mut two).unwrap());
        assert_eq!(one, two);
        let rows = |id: &str| answers.iter().find(|answer| answer.id == id).unwrap().rows;
        assert_eq!((rows("one_id"), rows("no_id")), (1, 0));
        assert!(rows("paid_by_card") + rows("not_by_card") == 3_000);
        assert!(answers.iter().filter(|answer| answer.rows > 0).count() == answers.len() - 1, "{answers:?}");
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (hours, text) in
            [(0, "2024-01-01T00:00:00"), (24 * 60 - 1, "2024-02-29T23:00:00"), (24 * 60, "2024-03-01T00:00:00")]
        {
            assert_eq!(time(START + hours * 3_600_000_000), text);
        }
    }
}
