//! The recorded chunks of Mixtera 1.0, from ranges that are computed here sample by sample.

use crate::{Component, Distributor, Key, MixtureFile, Order, Plan, Range};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

fn corpus(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gold/mixtera").join(path)
}

fn lines(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(corpus(path)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The properties of every sample of a file.
fn samples(path: &Path) -> Vec<Map<String, Value>> {
    if path.extension().is_some_and(|it| it == "parquet") {
        let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
        let value = |field: &Field| match field {
            Field::Str(text) => json!(text),
            Field::ListInternal(list) => {
                let text = |it: &Field| if let Field::Str(text) = it { text.clone() } else { panic!("{it:?}") };
                list.elements().iter().map(text).collect::<Vec<_>>().into()
            }
            Field::Null => Value::Null,
            other => panic!("{other:?}"),
        };
        let row = |row: parquet::record::Row| {
            row.get_column_iter()
                .map(|(name, field)| (name.clone(), value(field)))
                .filter(|it| it.0 != "text")
                .collect()
        };
        return reader.get_row_iter(None).unwrap().map(|it| row(it.unwrap())).collect();
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    if path.extension().is_some_and(|it| it == "gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text).unwrap();
    }
    let meta = |line: &str| serde_json::from_str::<Value>(line).unwrap()["meta"].as_object().unwrap().clone();
    text.lines().map(meta).collect()
}

/// The conditions that the recorded queries of chunks have.
fn chosen(query: &Value, sample: &Map<String, Value>) -> bool {
    if let Some(parts) = query.get("union") {
        return parts.as_array().unwrap().iter().any(|part| chosen(part, sample));
    }
    query["select"].as_array().unwrap().iter().all(|condition| {
        let value = &sample.get(condition[0].as_str().unwrap()).cloned().unwrap_or_default();
        match (condition[1].as_str().unwrap(), &condition[2]) {
            ("==", wanted) => value == wanted,
            ("!=", Value::Null) => !value.is_null(),
            (">", wanted) => value.as_str().unwrap() > wanted.as_str().unwrap(),
            other => panic!("{other:?}"),
        }
    })
}

struct Collection {
    components: Vec<Component>,
    /// Names of data set and file by the number of the file.
    names: HashMap<u32, (String, String)>,
    total: u64,
}

fn collection(catalog: &Value, name: &str, query: &Value) -> Collection {
    let mut ranges: BTreeMap<Key, Vec<Range>> = BTreeMap::new();
    let mut names = HashMap::new();
    let mut total = 0;
    for dataset in catalog[name]["datasets"].as_array().unwrap() {
        let number = u32::try_from(dataset["dataset_id"].as_u64().unwrap()).unwrap();
        for file in dataset["files"].as_array().unwrap() {
            let file_number = u32::try_from(file["file_id"].as_u64().unwrap()).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            names.insert(file_number, (text(&dataset["name"]), text(&file["file"])));
            let path = corpus("data").join(text(&dataset["dir"])).join(text(&file["file"]));
            for (start, sample) in (0..).zip(samples(&path)) {
                if !chosen(query, &sample) {
                    continue;
                }
                let values = |value: &Value| match value {
                    Value::Array(list) => list.iter().map(text).collect(),
                    other => vec![text(other)],
                };
                let properties = sample.iter().filter(|(_, value)| !value.is_null());
                let key = Key::new(properties.map(|(name, value)| (name.clone(), values(value))));
                let range = Range { dataset: number, file: file_number, start, end: start + 1 };
                ranges.entry(key).or_default().push(range);
                total += 1;
            }
        }
    }
    let components = ranges.into_iter().map(|(key, ranges)| Component::new(key, ranges)).collect();
    Collection { components, names, total }
}

type Shown = Value;

fn shown(chunk: &crate::Chunk, names: &HashMap<u32, (String, String)>) -> Shown {
    let mut keys = Map::new();
    for part in &chunk.parts {
        let datasets = keys.entry(part.key.to_string()).or_insert_with(|| json!({}));
        for range in &part.ranges {
            let (dataset, file) = &names[&range.file];
            let file = &mut datasets.as_object_mut().unwrap().entry(dataset.clone()).or_insert_with(|| json!({}))
                [file.as_str()];
            if file.is_null() {
                *file = json!([]);
            }
            file.as_array_mut().unwrap().push(json!([range.start, range.end]));
        }
    }
    Value::Object(keys)
}

fn counts(chunk: &crate::Chunk) -> Value {
    chunk.parts.iter().map(|part| (part.key.to_string(), json!(part.total()))).collect::<Map<_, _>>().into()
}

/// What differs from the record.
fn check(case: &Value, catalog: &Value) -> Result<(), String> {
    let size = case["chunk_size"].as_u64().unwrap();
    let expect = &case["expect"];
    let file = match (MixtureFile::of_json(case), case["error"]["kind"].as_str()) {
        (Err(error), Some(kind)) if error.kind() == kind => return Ok(()),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(_), Some(kind)) => return Err(format!("not refused: {kind}")),
        (Ok(file), None) => file,
    };
    let query = &case["query_json"];
    let Collection { components, names, total } = collection(catalog, case["collection"].as_str().unwrap(), query);
    let plan = Plan::new(components, file, size, Order::Keys).map_err(|error| error.to_string())?;
    let plan = std::sync::Arc::new(plan);
    let mut draw = plan.draw();
    let mut chunks = vec![];
    while let Some(chunk) = draw.next_chunk().map_err(|error| error.to_string())? {
        chunks.push(chunk);
    }
    let same = |what: &str, found: Value, expected: &Value| match found == *expected {
        true => Ok(()),
        false => Err(format!("{what}: {found} instead of {expected}")),
    };
    same("chunks", json!(chunks.len()), &expect["n_chunks"])?;
    if let Some(distribution) = case.get("distribution") {
        let mut distributor = Distributor::new();
        let number = |request: &Value, index: usize| request[index].as_u64().unwrap();
        let requests = distribution["requests"].as_array().unwrap().iter();
        let given: Vec<_> =
            requests.map(|it| distributor.request(number(it, 0), number(it, 1), number(it, 2))).collect();
        return same("requests", json!(given), &expect["chunk_index_per_request"]);
    }
    if let Some(ids) = case.get("key_ids") {
        let found: Map<_, _> =
            plan.key_ids().iter().enumerate().map(|(id, key)| (key.to_string(), json!(id))).collect();
        same("key ids", found.into(), ids)?;
    }
    let delivered: u64 = chunks.iter().map(crate::Chunk::total).sum();
    same("total", json!(delivered), &expect["total"])?;
    same("query total", json!(total), &expect["query_total"])?;
    same("leftover", json!(total - delivered), &expect["leftover"])?;
    if let Some(ids) = expect.get("mixture_ids") {
        same("mixture ids", chunks.iter().map(|it| it.mixture_id).collect::<Vec<_>>().into(), ids)?;
    }
    let all: Vec<Value> = chunks.iter().map(|chunk| shown(chunk, &names)).collect();
    if case["check"] != "exact" {
        let of_key = |chunks: &[Value]| {
            let mut keys: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for chunk in chunks {
                let object = chunk.as_object().unwrap();
                assert_eq!(object.len(), 1);
                for (key, datasets) in object {
                    let files = datasets.as_object().unwrap().values().flat_map(|it| it.as_object().unwrap().values());
                    let ranges = files.flat_map(|it| it.as_array().unwrap());
                    let total = ranges.map(|it| it[1].as_u64().unwrap() - it[0].as_u64().unwrap()).sum();
                    keys.entry(key.clone()).or_default().push(total);
                }
            }
            keys
        };
        let found = of_key(&all);
        let full = |totals: &Vec<u64>| totals.iter().rev().skip(1).all(|total| *total == size);
        if !found.values().all(full) {
            return Err("a chunk is not full".to_owned());
        }
        let listed = expect["chunks"].as_array().unwrap();
        if expect["chunks_listed"] == "all" && found != of_key(listed) {
            return Err(format!("{found:?}"));
        }
        // The same chunks, whatever the order of keys.
        let set = |chunks: &[Value]| chunks.iter().map(Value::to_string).collect::<BTreeSet<_>>();
        if expect["chunks_listed"] == "all" && set(&all) != set(listed) {
            return Err("other chunks".to_owned());
        }
        return Ok(());
    }
    match expect["counts"].get("every_chunk") {
        Some(every) => chunks.iter().try_for_each(|chunk| same("counts", counts(chunk), every))?,
        None => same("counts", chunks.iter().map(counts).collect::<Vec<_>>().into(), &expect["counts"])?,
    }
    for (found, expected) in all.iter().zip(expect["chunks"].as_array().unwrap()) {
        same("chunk", found.clone(), expected)?;
    }
    let digest = format!("sha256:{}", sha256(Value::from(all.clone()).to_string().as_bytes()));
    same("digest", json!(digest), &expect["digest"])?;
    // Any chunk by itself, and from a saved state.
    if plan.is_direct() {
        same("direct chunks", json!(plan.chunks()), &json!(chunks.len()))?;
        let direct: Vec<_> = (0..).map_while(|number| plan.chunk(number)).collect();
        if direct != chunks {
            return Err("direct chunks differ".to_owned());
        }
    }
    for stop in [0, 1, chunks.len() / 2, chunks.len()] {
        let mut first = plan.draw();
        first.skip(stop as u64).unwrap();
        let saved = serde_json::to_string(first.state()).unwrap();
        let mut second = plan.resume(serde_json::from_str(&saved).unwrap()).map_err(|error| error.to_string())?;
        let mut rest = vec![];
        while let Some(chunk) = second.next_chunk().unwrap() {
            rest.push(chunk);
        }
        if rest != chunks[stop.min(chunks.len())..] {
            return Err(format!("resumed at {stop}: other chunks"));
        }
    }
    Ok(())
}

#[test]
fn recorded_chunks() {
    let catalog: Value =
        serde_json::from_str(&std::fs::read_to_string(corpus("data/collections.json")).unwrap()).unwrap();
    let mut passed: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = vec![];
    for case in lines("chunk_cases.jsonl") {
        let kind = case["mixture"]["type"].as_str().unwrap().to_owned();
        let count = passed.entry(kind).or_default();
        count.1 += 1;
        match check(&case, &catalog) {
            Ok(()) => count.0 += 1,
            Err(reason) => wrong.push(format!("{}: {}", case["id"], reason.chars().take(600).collect::<String>())),
        }
    }
    for (kind, (passed, total)) in &passed {
        println!("mixtera chunks, {kind}: {passed} of {total} as recorded");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Seeds change order and nothing else.
#[test]
fn seeds_shuffle_reproducibly() {
    let catalog: Value =
        serde_json::from_str(&std::fs::read_to_string(corpus("data/collections.json")).unwrap()).unwrap();
    let draw = |order: Order, reverse: bool| {
        let mut found = collection(&catalog, "mix", &json!({"select": []}));
        if reverse {
            found.components.reverse();
        }
        let file = json!({"type": "static", "components": [
            {"key": {"language": ["en"]}, "weight": 0.5}, {"key": {"language": ["de"]}, "weight": 0.5}]});
        let plan = Plan::new(found.components, MixtureFile::of_json(&file).unwrap(), 100, order).unwrap();
        assert!(plan.is_direct());
        (0..).map_while(|number| plan.chunk(number)).collect::<Vec<_>>()
    };
    let (one, other) = (draw(Order::Seed(7), false), draw(Order::Seed(8), false));
    assert_eq!(one, draw(Order::Seed(7), true));
    assert_ne!(one, other);
    let plain = draw(Order::Keys, false);
    assert_eq!((one.len(), draw(Order::Files, false).len()), (plain.len(), plain.len()));
    let mut seen = BTreeSet::new();
    for range in one.iter().flat_map(|chunk| &chunk.parts).flat_map(|part| &part.ranges) {
        (range.start..range.end).for_each(|at| assert!(seen.insert((range.file, at))));
    }
}

/// SHA-256 of FIPS 180-4, for the digests of the record.
fn sha256(message: &[u8]) -> String {
    fn primes() -> impl Iterator<Item = u64> {
        (2_u64..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
    }
    // The first 32 bits of the fractions of roots, by whole numbers.
    fn root(n: u64, cube: bool) -> u32 {
        let wanted = if cube { u128::from(n) << 96 } else { u128::from(n) << 64 };
        let (mut low, mut high) = (0_u128, 1 << 40);
        while low + 1 < high {
            let middle = (low + high) / 2;
            let power = if cube { middle * middle * middle } else { middle * middle };
            if power <= wanted { low = middle } else { high = middle }
        }
        (low & 0xffff_ffff) as u32
    }
    let constants: Vec<u32> = primes().take(64).map(|prime| root(prime, true)).collect();
    let mut hash: Vec<u32> = primes().take(8).map(|prime| root(prime, false)).collect();
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut w: Vec<u32> = block.chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
            w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
        }
        let mut v = hash.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let first = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(constants[i]).wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let second = s0.wrapping_add((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(first);
            v[0] = first.wrapping_add(second);
        }
        hash.iter_mut().zip(v).for_each(|(hash, v)| *hash = hash.wrapping_add(v));
    }
    hash.iter().map(|word| format!("{word:08x}")).collect()
}

#[test]
fn digests_are_those_of_the_standard() {
    assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
