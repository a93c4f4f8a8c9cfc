//! Random runs: the same path with different types in different runs, values at the edges of their types, paths that are
//! rare and paths that are not.

use super::dice::Dice;
use lakeql_eval::{Dict, Limits, Meter, Value};
use std::fmt::Write as _;
use std::sync::Arc;

/// A stored value.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Data>),
    Dict(Vec<(String, Data)>),
    /// A dict whose keys are not all texts.
    Map(Vec<(Data, Data)>),
}

impl Data {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// One of these texts.
    pub(super) fn one_of(dice: &mut Dice, texts: &[&str]) -> Self {
        Self::text(texts[dice.below(texts.len())])
    }

    /// In the notation of the run export.
    pub(super) fn json(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) if value.is_nan() => r#"{"$float":"nan"}"#.into(),
            Self::Float(value) if value.is_infinite() => {
                format!(r#"{{"$float":"{}inf"}}"#, if *value < 0.0 { "-" } else { "" })
            }
            Self::Float(value) => format!("{value:?}"),
            Self::Text(text) => serde_json::to_string(text).unwrap(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::json).collect::<Vec<_>>().join(",")),
            Self::Dict(entries) => {
                let members: Vec<_> =
                    entries.iter().map(|(key, value)| format!("{}:{}", Self::text(key).json(), value.json())).collect();
                format!("{{{}}}", members.join(","))
            }
            Self::Map(entries) => {
                let pairs: Vec<_> = entries.iter().map(|(k, v)| format!("[{},{}]", k.json(), v.json())).collect();
                format!(r#"{{"$map":[{}]}}"#, pairs.join(","))
            }
        }
    }

    /// As a Python literal.
    pub(super) fn python(&self) -> String {
        match self {
            Self::Null => "None".into(),
            Self::Bool(true) => "True".into(),
            Self::Bool(false) => "False".into(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) if value.is_nan() => "float('nan')".into(),
            Self::Float(value) if value.is_infinite() => if *value < 0.0 { "-1e999" } else { "1e999" }.into(),
            Self::Float(value) => format!("{value:?}"),
            Self::Text(text) => {
                let mut out = String::from("'");
                for c in text.chars() {
                    match c {
                        '\'' | '\\' => out.extend(['\\', c]),
                        '\n' => out.push_str("\\n"),
                        c if c < ' ' => write!(out, "\\x{:02x}", u32::from(c)).unwrap(),
                        c => out.push(c),
                    }
                }
                out + "'"
            }
            Self::List(items) => format!("[{}]", items.iter().map(Self::python).collect::<Vec<_>>().join(", ")),
            Self::Dict(entries) => {
                let members: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", Self::text(key).python(), value.python()))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
            Self::Map(entries) => {
                let pairs: Vec<_> = entries.iter().map(|(k, v)| format!("{}: {}", k.python(), v.python())).collect();
                format!("{{{}}}", pairs.join(", "))
            }
        }
    }

    /// As the evaluator has it.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Null => Value::None,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::integer((*value).into()),
            Self::Float(value) => Value::Float(*value),
            Self::Text(text) => Value::text(text.as_str()),
            Self::List(items) => Value::list(items.iter().map(Self::value).collect()),
            Self::Dict(entries) => {
                Value::dict(entries.iter().map(|(key, value)| (Arc::from(key.as_str()), value.value())))
            }
            Self::Map(entries) => {
                let meter = Meter::new(&Limits::default());
                let mut dict = Dict::default();
                for (key, value) in entries {
                    dict.insert(key.value(), value.value(), &meter).unwrap();
                }
                Value::Dict(Arc::new(dict))
            }
        }
    }
}

/// Texts that are worth comparing.
pub(super) const TEXTS: [&str; 14] = [
    "",
    "a",
    "resnet18",
    "ResNet",
    "adam",
    "1",
    "1.0",
    "True",
    "None",
    "a.b",
    "100%_x",
    "naïve Ünï",
    "学习🚀",
    "q'\"\\\n",
];

/// Numbers at which types meet or end.
pub(super) const INTS: [i128; 14] = [
    0,
    1,
    -1,
    2,
    3,
    5,
    64,
    200,
    1 << 53,
    (1 << 53) + 1,
    i64::MAX as i128,
    i64::MIN as i128,
    1 << 63,
    -1_000_000_000_000_000_000_000_000,
];

/// Floats likewise.
pub(super) const FLOATS: [f64; 13] = [
    0.0,
    -0.0,
    0.5,
    1.0,
    -1.5,
    2.5,
    64.0,
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_808.0,
    1e300,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

/// A scalar of any type.
pub(super) fn scalar(dice: &mut Dice) -> Data {
    match dice.below(10) {
        0 => Data::Null,
        1 => Data::Bool(dice.one_in(2)),
        2..=4 => Data::Int(if dice.one_in(3) { *dice.pick(&INTS) } else { dice.below(6) as i128 }),
        5..=6 => Data::Float(if dice.one_in(2) { *dice.pick(&FLOATS) } else { dice.below(8) as f64 / 2.0 }),
        _ => Data::one_of(dice, &TEXTS),
    }
}

/// A list or dict, or a scalar after all.
pub(super) fn anything(dice: &mut Dice, depth: usize) -> Data {
    match dice.below(if depth == 0 { 6 } else { 10 }) {
        0..=5 => scalar(dice),
        6 => Data::List((0..dice.below(4)).map(|_| Data::Int(dice.below(5) as i128 * 64)).collect()),
        7 => Data::List((0..dice.below(4)).map(|_| anything(dice, depth - 1)).collect()),
        8 => {
            let mut keys = vec!["k", "a b", "lr", "name", "keys", "x.y"];
            let entries = (0..dice.below(3)).map(|_| {
                let key = keys.remove(dice.below(keys.len()));
                (key.to_owned(), anything(dice, depth - 1))
            });
            Data::Dict(entries.collect())
        }
        _ if dice.one_in(3) => Data::Map(vec![
            (Data::Int(0), anything(dice, depth - 1)),
            (Data::text("0"), anything(dice, depth - 1)),
            (Data::Int(7), Data::text("seven")),
        ]),
        _ => Data::List((0..dice.below(3)).map(|_| Data::one_of(dice, &TEXTS)).collect()),
    }
}

/// What a path mostly holds.
#[derive(Clone, Copy)]
enum Usual {
    Int,
    Float,
    Text,
    Bool,
    List,
    Any,
}

/// Paths of params: how many runs of a hundred have one, and what it mostly holds there.
const PARAMS: [(&[&str], usize, Usual); 22] = [
    (&["seed"], 90, Usual::Int),
    (&["lr"], 80, Usual::Float),
    (&["model"], 80, Usual::Text),
    (&["flag"], 60, Usual::Bool),
    (&["layers"], 70, Usual::List),
    (&["mixed"], 90, Usual::Any),
    (&["hp", "lr"], 70, Usual::Float),
    (&["hp", "name"], 60, Usual::Text),
    (&["hp", "keys"], 30, Usual::Int),
    (&["hp", "opt", "beta"], 50, Usual::Float),
    (&["hp", "opt", "any"], 60, Usual::Any),
    (&["hp", "n"], 60, Usual::Int),
    (&["hp.lr"], 30, Usual::Float),
    (&["weight-decay"], 50, Usual::Any),
    (&["学习率"], 30, Usual::Float),
    (&["a[0]", "q\"uote"], 30, Usual::Text),
    (&["name"], 20, Usual::Text),
    (&["d"], 40, Usual::Any),
    (&["rare_int"], 3, Usual::Int),
    (&["rare_any"], 3, Usual::Any),
    (&["rare", "deep"], 2, Usual::Text),
    (&["hp", "rare x"], 2, Usual::Any),
];

/// The paths that expressions ask for; some are in no run.
pub(super) fn path(dice: &mut Dice) -> Vec<String> {
    const MORE: [&[&str]; 8] = [
        &["hp"],
        &["hp", "opt"],
        &["nosuch"],
        &["hp", "nosuch"],
        &["seed", "deeper"],
        &["nosuch", "x"],
        &["mixed", "k"],
        &["hp", "opt", "any", "k"],
    ];
    let path = if dice.one_in(4) { *dice.pick(&MORE) } else { dice.pick(&PARAMS).0 };
    path.iter().map(|key| (*key).to_owned()).collect()
}

fn usual(dice: &mut Dice, kind: Usual) -> Data {
    if dice.one_in(4) {
        return anything(dice, 2);
    }
    match kind {
        Usual::Int => Data::Int(if dice.one_in(6) { *dice.pick(&INTS) } else { dice.below(6) as i128 }),
        Usual::Float => Data::Float(if dice.one_in(4) { *dice.pick(&FLOATS) } else { dice.below(8) as f64 / 4.0 }),
        Usual::Text => Data::one_of(dice, &TEXTS),
        Usual::Bool => Data::Bool(dice.one_in(2)),
        Usual::List => Data::List((0..dice.below(4)).map(|_| Data::Int(dice.below(4) as i128 * 64)).collect()),
        Usual::Any => anything(dice, 2),
    }
}

/// A run as it is exported.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) hash: String,
    pub(super) name: String,
    pub(super) experiment: String,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) archived: bool,
    /// Microseconds since 1970.
    pub(super) created: i64,
    /// Microseconds from the beginning to the end; none while active.
    pub(super) lasted: Option<i64>,
    pub(super) params: Data,
    pub(super) sequences: Vec<Sequence>,
}

/// A sequence of a run.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    /// The field of the export it stands in.
    pub(super) field: &'static str,
    pub(super) name: String,
    pub(super) context: Data,
    /// Stands for Aim's hash: names the sequence in this test.
    pub(super) id: i64,
    pub(super) summaries: Vec<(&'static str, Data)>,
}

/// Midnight of the first of February 2022.
pub(super) const FEBRUARY: i64 = 1_643_673_600_000_000;

/// Names of sequences.
pub(super) const SEQUENCES: [&str; 5] = ["loss", "accuracy", "val/acc", "μ", "rare"];

/// Contexts; a run has no two that Python calls equal under one name.
pub(super) fn contexts() -> Vec<Data> {
    let dict = |entries: &[(&str, Data)]| {
        Data::Dict(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    vec![
        dict(&[]),
        dict(&[("subset", Data::text("train"))]),
        dict(&[("subset", Data::text("val"))]),
        dict(&[("subset", Data::text("val")), ("fold", Data::Int(1))]),
        dict(&[("subset", Data::Null)]),
        dict(&[("fold", Data::Float(2.0))]),
        dict(&[("fold", Data::Bool(false))]),
        dict(&[("fold", Data::text("2"))]),
        dict(&[("split", dict(&[("name", Data::text("dev")), ("i", Data::Int(3))]))]),
        dict(&[("layers", Data::List(vec![Data::Int(1), Data::Float(2.5)]))]),
        dict(&[("a.b", Data::text("x")), ("get", Data::Int(1))]),
        dict(&[("fold", Data::Int(1 << 63))]),
        dict(&[("split", Data::text("name"))]),
        dict(&[("rare", dict(&[("deep", Data::List(vec![])), ("x", Data::Float(f64::NAN))]))]),
        dict(&[("rare", Data::text("deep"))]),
    ]
}

/// A random run.
pub(super) fn run(dice: &mut Dice, hash: &str) -> Run {
    let mut params = Data::Dict(vec![]);
    for (path, share, kind) in PARAMS {
        if dice.below(100) < share {
            let value = usual(dice, kind);
            put(&mut params, path, value);
        }
    }
    let text = |dice: &mut Dice| (*dice.pick(&TEXTS)).to_owned();
    let mut sequences = vec![];
    for name in SEQUENCES {
        for (index, context) in contexts().into_iter().enumerate() {
            if dice.one_in(if name == "rare" || index > 10 { 80 } else { 7 }) {
                let id = sequences.len() as i64 + 1;
                sequences.push(sequence(dice, name, context, id));
            }
        }
    }
    Run {
        hash: hash.to_owned(),
        name: if dice.one_in(3) { text(dice) } else { format!("Run: {hash}") },
        experiment: if dice.one_in(3) { text(dice) } else { "sweep".into() },
        description: dice.one_in(2).then(|| text(dice)),
        tags: (0..dice.below(3)).map(|_| text(dice)).collect(),
        archived: dice.one_in(6),
        created: FEBRUARY + dice.below(40) as i64 * 43_200_000_000 + dice.below(3) as i64,
        lasted: (!dice.one_in(6)).then(|| dice.below(4) as i64 * 500_000),
        params,
        sequences,
    }
}

fn put(params: &mut Data, path: &[&str], value: Data) {
    let Data::Dict(entries) = params else { return };
    let Some((key, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        entries.retain(|(known, _)| known != key);
        entries.push(((*key).to_owned(), value));
        return;
    }
    if !entries.iter().any(|(known, _)| known == key) {
        entries.push(((*key).to_owned(), Data::Dict(vec![])));
    }
    let inner = entries.iter_mut().find(|(known, _)| known == key).map(|(_, inner)| inner);
    put(inner.unwrap(), rest, value);
}

fn sequence(dice: &mut Dice, name: &str, context: Data, id: i64) -> Sequence {
    let field = if dice.one_in(6) { "images" } else { "metrics" };
    let mut summaries = vec![];
    let mut add = |name: &'static str, absent: usize, value: Data, dice: &mut Dice| {
        if !dice.one_in(absent) {
            summaries.push((name, value));
        }
    };
    let number = |dice: &mut Dice| match dice.below(4) {
        0 => Data::Float(*dice.pick(&FLOATS)),
        1 => Data::Int(dice.pick(&INTS).clamp(&i64::MIN.into(), &i64::MAX.into()).to_owned()),
        _ => Data::Float(dice.below(8) as f64 / 4.0),
    };
    let step = |dice: &mut Dice| Data::Int(dice.below(4) as i128 * 50 - 1);
    if field == "metrics" {
        for field in ["first", "last", "min", "max"] {
            let value = number(dice);
            add(field, 5, value, dice);
        }
        add("dtype", 9, Data::one_of(dice, &["int", "float", "number"]), dice);
        add("version", 20, Data::Int(2), dice);
    } else {
        let last = Data::Dict(vec![("caption".into(), Data::one_of(dice, &TEXTS))]);
        add("last", 2, last, dice);
        add("dtype", 9, Data::text("aim.image"), dice);
        add("version", 20, Data::Int(1), dice);
        add("record_max_length", 2, Data::Int(3), dice);
    }
    let (first, last) = (step(dice), step(dice));
    add("first_step", 9, first, dice);
    add("last_step", 9, last, dice);
    Sequence { field, name: name.to_owned(), context, id, summaries }
}

/// A time as the export writes it.
fn iso(micros: i64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(micros).unwrap();
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

impl Run {
    /// A line of the export.
    pub(super) fn line(&self) -> String {
        let text = |text: &str| Data::text(text).json();
        let mut line = format!(
            r#"{{"hash":{},"name":{},"experiment":{},"tags":{},"archived":{},"created_at":"{}","params":{}"#,
            text(&self.hash),
            text(&self.name),
            text(&self.experiment),
            Data::List(self.tags.iter().map(|tag| Data::text(tag)).collect()).json(),
            self.archived,
            iso(self.created),
            self.params.json(),
        );
        if let Some(description) = &self.description {
            write!(line, r#","description":{}"#, text(description)).unwrap();
        }
        write!(line, r#","active":{}"#, self.lasted.is_none()).unwrap();
        if let (Some(lasted), Some(end)) = (self.lasted, self.end()) {
            let (end_time, duration) = (Data::Float(end as f64 / 1e6), Data::Float(lasted as f64 / 1e6));
            write!(
                line,
                r#","finalized_at":"{}","end_time":{},"duration":{}"#,
                iso(end),
                end_time.json(),
                duration.json()
            )
            .unwrap();
        }
        for field in ["metrics", "images"] {
            let sequences: Vec<_> =
                self.sequences.iter().filter(|sequence| sequence.field == field).map(Sequence::json).collect();
            write!(line, r#","{field}":[{}]"#, sequences.join(",")).unwrap();
        }
        line + "}"
    }

    /// When it ended, in microseconds since 1970.
    pub(super) fn end(&self) -> Option<i64> {
        Some(self.created + self.lasted?)
    }
}

impl Sequence {
    fn json(&self) -> String {
        let mut out = format!(
            r#"{{"name":{},"context":{},"context_hash":{},"steps":[]"#,
            Data::text(&self.name).json(),
            self.context.json(),
            self.id
        );
        if self.field == "metrics" {
            out.push_str(r#","values":[]"#);
        }
        for (name, value) in &self.summaries {
            write!(out, r#","{name}":{}"#, value.json()).unwrap();
        }
        out + "}"
    }
}
