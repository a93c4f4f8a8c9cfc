//! Trees in the lake: the recorded answers, what is read for them, and what is wrong with events.

use crate::hydra::cases;
use crate::program::{Place, json_lines};
use crate::support::repository;
use lakeql_lake::ingest::events::{Definitions, EventOptions, EventReport, import_events};
use lakeql_lake::trees::TreeView;
use lakeql_lake::{AsOf, Lake};
use lakeql_rows::tree::{Fields, Plan, Spec};
use lakeql_rows::{Columns, Row};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

/// Builds trees in a lake and opens them.
async fn built(
    lake: &Lake,
    spec: &str,
    sources: &[String],
    options: &EventOptions,
) -> (EventReport, BTreeMap<String, TreeView>) {
    let definitions = Definitions::parse(spec, "spec.json").unwrap();
    let report = import_events(lake, &definitions, sources, options, &|_| ()).await.unwrap();
    (report, opened(lake).await)
}

async fn opened(lake: &Lake) -> BTreeMap<String, TreeView> {
    let snapshot = lake.snapshot(AsOf::Latest).await.unwrap();
    let mut trees = BTreeMap::new();
    for name in snapshot.trees().await.unwrap().trees.keys() {
        trees.insert(name.clone(), snapshot.open_tree(name).await.unwrap().view());
    }
    trees
}

/// All rows of a path.
fn walk(tree: &TreeView, path: &str) -> Vec<Row> {
    let path = lakeql_query::dialects::hydra::path::parse(&lakeql_query::source::Source::query(path)).unwrap();
    let mut rows = vec![];
    lakeql_rows::tree::walk(tree, &path, &Columns::new(), None, &mut rows).unwrap();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_trees_and_paths_through_the_lake() {
    let folder = tempfile::tempdir().unwrap();
    let gold = |name: &str| repository("tests/gold/hydra").join(name);
    let spec = std::fs::read_to_string(gold("treespec.json")).unwrap();
    let sources = [gold("events.jsonl").display().to_string()];
    // Once in memory, once through temporary files wherever the definition allows that.
    for memory in [None, Some(20_000)] {
        let lake =
            Lake::open_or_create(&folder.path().join(format!("{memory:?}")).display().to_string()).await.unwrap();
        let mut spec: Value = serde_json::from_str(&spec).unwrap();
        if memory.is_some() {
            let all = Spec::parse(&spec.to_string()).unwrap();
            let unites = |name: &str| Plan::new(&all.trees[name], &mut Fields::default()).unwrap().mergeable().is_ok();
            spec["trees"].as_object_mut().unwrap().retain(|name, _| unites(name));
            assert!(spec["trees"].as_object().unwrap().len() > 2, "{spec}");
        }
        let options = EventOptions { memory, threads: Some(3), ..EventOptions::default() };
        let (report, trees) = built(&lake, &spec.to_string(), &sources, &options).await;
        assert_eq!((report.bad, report.spilled > 0), (0, memory.is_some()));
        let (mut wrong, nodes) = cases::different_nodes(&trees);
        if memory.is_some() {
            wrong.retain(|wrong| trees.keys().any(|name| wrong.starts_with(&format!("{name}\n"))));
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            continue;
        }
        let paths = cases::paths(&trees);
        let mut out = std::io::stdout();
        writeln!(out, "hydra trees in the lake: {} of {nodes} nodes as recorded", nodes - wrong.len()).unwrap();
        writeln!(out, "{}", paths.counts("hydra paths in the lake")).unwrap();
        assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(10)].join("\n"));
        assert!(paths.wrong.is_empty(), "{}", paths.wrong.join("\n"));
        // The same again changes nothing.
        let (again, _) = built(&lake, &spec.to_string(), &sources, &options).await;
        assert_eq!(again.version, report.version);
        assert!(again.trees.iter().all(|(.., changed)| !changed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_tree_is_read_a_few_pages_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&events).unwrap());
    for number in 0..300_000_u64 {
        let dice = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        writeln!(file, r#"{{"a":"a{}","b":"b{}","c":"name {:06}"}}"#, dice % 7, dice % 11, dice % 50_000).unwrap();
    }
    file.into_inner().unwrap();
    let lake = Lake::open_or_create(&folder.path().join("lake").display().to_string()).await.unwrap();
    let spec = r#"{"trees": {"t": {"root": [{"field": "a"}, {"field": "b"}, {"field": "c"}]}}}"#;
    let (report, _) = built(&lake, spec, &[events.display().to_string()], &EventOptions::default()).await;
    assert!(report.trees[0].1.nodes > 200_000, "{report:?}");

    let fresh = || async { opened(&Lake::open(lake.url()).await.unwrap()).await.remove("t").unwrap() };
    let tree = fresh().await;
    let all = walk(&tree, "a3/b4/+:+hits");
    let levels = tree.read().levels();
    assert!(all.len() > 2_000 && all.windows(2).all(|pair| pair[0].get(0).to_text() < pair[1].get(0).to_text()));
    assert_eq!(levels.iter().map(|level| level.row_groups.len()).collect::<Vec<_>>(), [1, 1, 1], "{levels:?}");
    assert!(levels[2].blocks <= 2 * (all.len() as u64 / 2_048 + 2), "{levels:?}");

    // A page of the children, by place and by name, and single names.
    let tree = fresh().await;
    let some = walk(&tree, "a3/b4/(1000-100)+:+hits");
    assert_eq!(some, all[1_000..1_100]);
    let text = |row: &Row| row.get(0).to_text().unwrap().into_owned();
    for index in [0, 1, 999, 1_500, all.len() - 1] {
        let tree = fresh().await;
        assert_eq!(
            walk(&tree, &format!("a3/b4/+{}:+hits", text(&all[index]).replace(' ', "%20"))),
            [all[index].clone()]
        );
        let levels = tree.read().levels();
        assert!(levels[2].blocks <= 4, "{levels:?}");
        let from = format!("a3/b4/(3)+@{}:+hits", text(&all[index]).replace(' ', "%20"));
        assert_eq!(walk(&tree, &from), all[index..(index + 3).min(all.len())]);
    }
    assert!(walk(&fresh().await, "a3/b4/name%20nope").is_empty() && walk(&fresh().await, "a9/b4/+").is_empty());
    let prefix = walk(&fresh().await, "a3/b4/++name%2001:+hits");
    let expected: Vec<Row> = all.iter().filter(|row| text(row).starts_with("name 01")).cloned().collect();
    assert_eq!(prefix, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_merged_where_they_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(&folder.path().join("lake").display().to_string()).await.unwrap();
    let spec = r#"{"trees": {
        "t": {"root": [{"field": "a", "attach": {"s": {"kind": "sum", "field": "n"}, "u": {"kind": "count", "field": "b"}, "k": {"kind": "key.top", "field": "b", "size": 9}}}, {"field": "b", "attach": {"f": {"kind": "sumf", "field": "n"}}}]},
        "o": {"root": [{"field": "a", "once": true}]}
    }}"#;
    let mut parts = vec![];
    for part in 0..3 {
        let path = folder.path().join(format!("{part}.jsonl"));
        let lines = (0..500).map(|number| {
            let number = number * 3 + part;
            format!("{{\"a\": {}, \"b\": \"b{}\", \"n\": {number}}}\n", number % 13, number % 5)
        });
        std::fs::write(&path, lines.collect::<String>()).unwrap();
        parts.push(path.display().to_string());
    }
    let workers = EventOptions { worker_trees: true, ..EventOptions::default() };
    let (_, trees) = built(&lake, spec, &parts, &workers).await;
    assert_eq!(trees.keys().collect::<Vec<_>>(), ["o.0", "o.1", "o.2", "t.0", "t.1", "t.2"]);
    let merged = lakeql_lake::ingest::events::merge_trees(&lake, &["t".to_owned()], "t").await.unwrap();
    assert_eq!((merged.1.nodes, merged.1.events), (13 + 13 * 5, 1500));
    let whole = Lake::open_or_create(&folder.path().join("whole").display().to_string()).await.unwrap();
    let (_, wanted) = built(&whole, spec, &parts, &EventOptions::default()).await;
    let trees = opened(&lake).await;
    let path = "+:+hits,+nodes$+s=sum$+u=count$+k=k1$+k=v1/+:+hits$+f=sum";
    assert_eq!(walk(&trees["t"], path), walk(&wanted["t"], path));
    assert_eq!(walk(&trees["t"], path).len(), 65);

    let refused = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let lake = lake.clone();
        async move { lakeql_lake::ingest::events::merge_trees(&lake, &names, "x").await.unwrap_err().to_string() }
    };
    assert!(refused(&["o"]).await.contains("`once` depends on the order of events"));
    assert!(refused(&["t", "nope"]).await.contains("there is no tree `nope`"));
}

#[test]
fn bad_events_leave_the_lake_as_it_was() {
    let place = Place::new();
    place.write("spec.json", r#"{"trees": {"web": {"root": [{"field": "country"}, {"field": "url"}]}}}"#);
    place.write("good.jsonl", "{\"country\": \"de\", \"url\": \"/a\"}\n{\"country\": \"fr\", \"url\": \"/b\"}\n");
    place.write("bad.jsonl", "{\"country\": \"de\", \"url\": \"/a\"}\n\n[1]\n{\"country\": \n{\"country\": \"it\"}\n");
    let said = place.run(["import", "events", "--tree", "spec.json", "good.jsonl"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("web: 4 nodes on 2 levels of 2 events"), "{}", said.err);
    let hits = |place: &Place| {
        let said = place.run(["query", "+:+hits", "--lang", "hydra", "--format", "jsonl"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        json_lines(&said.out)
    };
    assert_eq!(hits(&place), [json!(["de", 1]), json!(["fr", 1])]);

    let wrong = |arguments: &[&str]| {
        let said = place.run([arguments, &["--error-format", "json"]].concat());
        assert_eq!(said.code, Some(1), "{said:?}");
        serde_json::from_str::<Value>(said.err.lines().last().unwrap_or_default()).unwrap()["message"].to_string()
    };
    let message = wrong(&["import", "events", "--tree", "spec.json", "bad.jsonl"]);
    assert!(message.contains("bad.jsonl, line 3: an event is a JSON object"), "{message}");
    assert_eq!(hits(&place), [json!(["de", 1]), json!(["fr", 1])]);
    for (spec, expected) in [
        (r#"{"trees": {"web": {"root": [{"fild": "country"}]}}}"#, "trees.web.root[0]"),
        (r#"{"trees": {}}"#, "defines no trees"),
        ("{", "EOF"),
    ] {
        place.write("wrong.json", spec);
        let message = wrong(&["import", "events", "--tree", "wrong.json", "good.jsonl"]);
        assert!(message.contains(expected), "{message}");
    }
    assert!(wrong(&["import", "events", "--tree", "spec.json", "nope.jsonl"]).contains("nope.jsonl"));
    place.write("cut.jsonl.gz", b"\x1f\x8b\x08\0\0");
    assert!(wrong(&["import", "events", "--tree", "spec.json", "cut.jsonl.gz"]).contains("cut.jsonl.gz"));

    let said =
        place.run(["import", "events", "--tree", "spec.json", "bad.jsonl", "--skip-bad", "--report", "left.jsonl"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("2 bad lines were left out, listed in left.jsonl"), "{}", said.err);
    assert_eq!(hits(&place), [json!(["de", 1]), json!(["it", 1])]);
}

#[test]
fn queries_over_trees_from_the_command_line() {
    let place = Place::new();
    place.write(
        "spec.json",
        r#"{"trees": {"web": {"root": [{"field": "day"}, {"field": "url", "attach": {"bytes": {"kind": "sum", "field": "n"}}}]}}}"#,
    );
    let event = |day: &str, url: &str, n: i64| format!("{{\"day\": \"{day}\", \"url\": \"{url}\", \"n\": {n}}}\n");
    place.write("a.jsonl", event("1", "/x", 5) + &event("1", "/y", 7) + &event("2", "/x", 1));
    place.write("b.jsonl", event("2", "/x", 2) + &event("3", "/z", 1));
    let ok = |arguments: &[&str]| {
        let said = place.run(arguments.to_vec());
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        said.out
    };
    ok(&["import", "events", "--tree", "spec.json", "a.jsonl", "b.jsonl", "--worker-trees"]);
    let query = |rest: &[&str]| json_lines(&ok(&[&["query", "--lang", "hydra", "--format", "jsonl"], rest].concat()));
    assert_eq!(query(&["+:+hits"]), [json!(["1", 2]), json!(["2", 1]), json!(["2", 1]), json!(["3", 1])]);
    assert_eq!(query(&["+:+hits", "--tree", "web.1"]), [json!(["2", 1]), json!(["3", 1])]);
    let summed = ["+:+hits", "--rops", "gather=ks", "--ops", "gather=ksu;sort=0"];
    assert_eq!(query(&summed), [json!(["1", 2, 1]), json!(["2", 2, 2]), json!(["3", 1, 1])]);
    assert_eq!(query(&["1/+$+bytes=sum", "--limit", "1", "--offset", "1"]), [json!(["/y", 7])]);
    assert_eq!(
        ok(&["query", "+/+:+hits", "--lang", "hydra", "--tree", "web.0", "--format", "csv"]),
        "\"1\",/x,1\n\"1\",/y,1\n\"2\",/x,1\n"
    );
    // Sorted by column as every other answer.
    let sorted = query(&["+:+hits", "--tree", "web.0", "--sort", "-1,0", "--select", "1,0"]);
    assert_eq!(sorted, [json!({"1": 2, "0": "1"}), json!({"1": 1, "0": "2"})]);
    ok(&["tree", "merge", "web", "--into", "all"]);
    let listed = ok(&["tree", "list", "--format", "csv"]);
    assert!(listed.starts_with("tree,levels,nodes,events,bytes\nall,2,7,5,"), "{listed}");
    let shown = ok(&["tree", "show", "--tree", "all", "--format", "csv"]);
    assert!(shown.starts_with("key,count,nodes,mem,merge\n\"1\",2,2,"), "{shown}");
    assert!(ok(&["tree", "show", "2", "--tree", "web", "--format", "table"]).contains("/x"));
    assert!(ok(&["tables", "--format", "csv"]).contains("\nnodes,"));
    let explained = ok(&["explain", "1/+:+hits", "--lang", "hydra", "--tree", "all", "--analyze"]);
    assert!(explained.contains("level 2: 1 row groups") && explained.contains("children \"1\""), "{explained}");

    let wrong = |arguments: &[&str]| {
        let said = place.run([&["query", "--lang", "hydra", "--error-format", "json"], arguments].concat());
        assert_eq!(said.code, Some(1), "{said:?}");
        serde_json::from_str::<Value>(said.err.trim()).unwrap()
    };
    let unknown = wrong(&["+", "--tree", "webb"]);
    assert_eq!((&unknown["kind"], &unknown["hints"][0]), (&json!("not-found"), &json!("did you mean `web`?")));
    assert!(wrong(&["+"])["message"].to_string().contains("several trees"));
    let op = wrong(&["+", "--tree", "all", "--ops", "gather=ks;srt=0"]);
    assert_eq!(op["hints"][0], "did you mean `sort`?");
    let number = wrong(&["1/+:+hits", "--tree", "all", "--rops", "gather=s"]);
    assert!(number["message"].to_string().contains("is not a number"), "{number}");
    let long = vec!["+"; 20_000].join("/");
    assert_eq!(wrong(&[long.as_str(), "--tree", "all"])["kind"], "limit");
}
