//! Every query of MetaCat's first manual, over a catalogue small enough to tell the answers by hand.

use crate::support::{empty_lake, rows, session};
use lakeql::{Session, Settings, Shape};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::metacat::import_metacat;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Name, datasets, metadata. All files are in the namespace `f`.
fn files() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("my1", "MyScope:MyDataset", json!({"x": 0.7, "run": 123, "type": "MC"})),
        ("my2", "MyScope:MyDataset", json!({"x": 0.4, "run": 123, "type": "MC"})),
        ("my3", "MyScope:MyDataset", json!({"x": 0.9, "run": 123, "type": "Other"})),
        ("mc1", "MyScope:MC1 MC:All", json!({"run": 1234, "data_type": "mc", "p": 1.0, "e": 10})),
        ("mc2", "MyScope:MC2 MC:All", json!({"p": 2.0, "e": 10})),
        ("other", "AnotherScope:MC", json!({"p": 1.0, "run": 1234})),
        ("cosmic", "MC:Cosmics", json!({"p": 1.0})),
        ("beam", "MC:Beam", json!({"e": 10, "e1": 11})),
        ("beam2", "MC:Beam MC:Exotics", json!({"e": 9, "e1": 12, "type": "abcd"})),
        ("both", "MC:Cosmics MC:Beam", json!({"e": 10, "p": 0.6})),
        ("a1", "s:A", json!({})),
        ("a2", "s:A s:B", json!({})),
        ("b1", "s:B s:C", json!({})),
        ("c1", "s:C", json!({})),
        ("d1", "s:D s:B", json!({})),
        ("xa", "x:A", json!({})),
        ("xc", "x:C x:D", json!({})),
        ("yb", "y:B y:C", json!({})),
        ("yc", "y:C", json!({})),
        (
            "dune1",
            "dune:all",
            json!({
                "DUNE_data.comment": null, "DUNE_data.detector_config": "FELIX:wib",
                "DUNE_data.detector_config.list": ["felix"]
            }),
        ),
        ("dune2", "dune:all", json!({"DUNE_data.detector_config": "FELIX:wib"})),
        ("dune3", "dune:mc", json!({"core.events": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]})),
        ("nowhere", "", json!({"run": 1234, "data_type": "mc"})),
        ("nc1", "mc:near", json!({"beam": "on", "version": 4})),
        ("nc2", "mc:near", json!({"beam": "on", "version": 3})),
        ("nc3", "mc:far", json!({"beam": "on", "version": 4})),
        (
            "calib",
            "e:one",
            json!({
                "run_type": "calibration", "trigger_mask": [0, 1, 0, 0, 1], "trigger_bits": {"muon": 1, "electron": 0}
            }),
        ),
        (
            "numbers",
            "e:two",
            json!({
                "run_type": "calibration", "sequence": [1, 1, 2, 3, 5, 8, 13], "bits": [0, 1, 1, 0, 0], "pi": 3.15,
                "application.version": "1.5"
            }),
        ),
    ]
}

async fn catalogue() -> Session {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = vec![];
    let mut datasets = BTreeSet::new();
    for (name, of, metadata) in files() {
        datasets.extend(of.split_whitespace());
        let of = of.split_whitespace().map(|did| did.split_once(':').unwrap());
        let of: Vec<Value> = of.map(|(namespace, name)| json!({"namespace": namespace, "name": name})).collect();
        lines.push(json!({
            "fid": name, "namespace": "f", "name": name, "size": 1, "metadata": metadata, "created_timestamp": 1,
            "retired": false, "parents": [], "datasets": of
        }));
    }
    datasets.extend(["test:one", "test:two", "prod:XYZ1_3", "prod:XYZ_4", "mc:XYZ7_4", "prod:ABC_3"]);
    for did in datasets {
        let (namespace, name) = did.split_once(':').unwrap();
        let metadata = match did {
            "mc:near" => json!({"type": "nc", "detector": "near"}),
            "mc:far" => json!({"type": "nc", "detector": "far"}),
            "test:one" => json!({"type": "mc", "detector": "near"}),
            _ => json!({}),
        };
        lines.push(json!({"namespace": namespace, "name": name, "metadata": metadata, "children": []}));
    }
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(folder.path().join("all.jsonl"), lines.join("\n")).unwrap();
    let lake = empty_lake().await;
    import_metacat(&lake, &[folder.path().to_owned()], &ImportOptions::default(), &|_| {}).await.unwrap();
    session(&lake).await
}

async fn names(session: &Session, text: &str) -> Result<BTreeSet<String>, lakeql::Error> {
    let rows = rows(session, text, "mql", &Settings::default(), &Shape::default()).await?;
    Ok(rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_first_manual() {
    let session = catalogue().await;
    let queries: &[(&str, &str)] = &[
        ("files from MyScope:MyDataset", "my1 my2 my3"),
        ("files from MyScope:MC1, MyScope:MC2, AnotherScope:MC", "mc1 mc2 other"),
        ("files from MyScope:\"MC%\", AnotherScope:MC", "mc1 mc2 other"),
        ("files from \"%\"\n        where run=1234", "mc1 other"),
        ("files where data_type=\"mc\"", "mc1 nowhere"),
        ("files from MyScope:MyDataset\n        where x > 0.5", "my1 my3"),
        (
            "files from MyScope:MyDataset\n where x > 0.5 and x < 1.5 \n and run = 123 \n and ( type=\"MC\" or type=\"Data\" )",
            "my1",
        ),
        // Without a comma between them, as the manual writes it.
        (
            "union(\n files from MC:Cosmics\n where p > 0.5 and p < 1.5 \n files from MC:Beam where e = 10\n)",
            "cosmic both beam",
        ),
        ("join(\n files from MC:All\n where p > 0.5 and p < 1.5 \n files from MC:All\n where e = 10\n)", "mc1"),
        ("files from MC:All\n where p > 0.5 and p < 1.5 and e = 10", "mc1"),
        ("files from MC:Beam where e1 > 10 - files from MC:Exotics", "beam"),
        ("(files from MC:Beam where e1 > 10) \n- (files from MC:Exotics where type = \"abcd\")", "beam"),
        ("union (\n files from s:A,\n join(\n files from s:B,\n files from s:C\n )\n)", "a1 a2 b1"),
        ("[\n files from s:A,\n {\n files from s:B,\n files from s:C\n }\n]", "a1 a2 b1"),
        ("with namespace=\"s\"\n{\n files from B,\n files from C\n}", "b1"),
        ("{\n files from s:B,\n files from s:C\n}", "b1"),
        ("with namespace=\"s\"\n (files from A - files from B)", "a1"),
        (
            "with namespace = \"x\"\n union (\n files from A,\n with namespace = \"y\"\n join(\n files from B,\n \
             files from C\n ),\n files from D\n )",
            "xa yb xc",
        ),
        ("with namespace = \"x\"\n union (\n files from A,\n files from y:B,\n files from C\n )", "xa yb xc"),
        (
            "files from dune:all where \n DUNE_data.comment present \n and DUNE_data.detector_config ~ \"FELIX\"",
            "dune1",
        ),
        ("files from dune:all where \n DUNE_data.detector_config.list present \n limit 100", "dune1"),
        (
            "union (\n files from dune:all where \n DUNE_data.detector_config.list present \n limit 100\n ,\n \
             files from dune:mc where \n len(core.events) > 10 \n) limit 200",
            "dune1 dune3",
        ),
        ("datasets test:\"%\"", "one two"),
        ("datasets test:\"%\"\n having type=\"mc\" and detector=\"near\"", "one"),
        ("union (\n datasets prod:\"XYZ%_3\",\n datasets mc:\"XYZ%_4\"\n)", "XYZ1_3 XYZ7_4"),
        ("[datasets prod:\"XYZ%_3\", datasets mc:\"XYZ%_4\"]", "XYZ1_3 XYZ7_4"),
        ("join(datasets prod:\"XYZ%\", datasets prod:\"%_3\")", "XYZ1_3"),
        ("{datasets prod:\"XYZ%\", datasets prod:\"%_3\"}", "XYZ1_3"),
        ("datasets prod:\"%\" - datasets prod:\"XYZ%\"", "ABC_3"),
        (
            "files from mc:\"%\" \n having type=\"nc\" and detector=\"near\"            # dataset selection\n \
             where beam=\"on\" and version>3                   # files selection",
            "nc1",
        ),
    ];
    for (text, expected) in queries {
        let found = names(&session, text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(found, expected.split_whitespace().map(str::to_owned).collect(), "{text}");
    }

    // `sample` keeps every second file of two; which programs there are is not the language's to say.
    assert_eq!(names(&session, "filter sample(0.5)( files from s:A )").await.unwrap().len(), 1);
    let sampled =
        "filter sample(0.1) (\n files from dune:all where \n DUNE_data.detector_config.list present \n limit 10000\n)";
    assert_eq!(names(&session, sampled).await.unwrap().len(), 0);
    let process = "filter process(0.5, 1, 3.1415)\n ( files from s:A, files from s:B - files from s:D )";
    let lakeql::Error::Query(found) = names(&session, process).await.unwrap_err() else { panic!("no diagnostic") };
    assert_eq!(found[0].message, "there is no filter `process`");
    // The manual calls this one invalid: the second query has no namespace.
    assert!(names(&session, "with namespace=\"s\"\n files from A - files from B").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_of_the_first_manual() {
    let session = catalogue().await;
    for (condition, file, holds) in [
        ("trigger_bits[\"muon\"] == 1", "calib", true),
        ("trigger_bits[\"proton\"] == 1", "calib", false),
        ("trigger_mask[3] == 0", "calib", true),
        ("trigger_bits[any] == 1", "calib", true),
        ("trigger_bits[any] != 1", "calib", true),
        ("trigger_bits[all] == 1", "calib", false),
        ("trigger_bits[all] != 1", "calib", false),
        ("trigger_bits[all] < 2", "calib", true),
        ("!(trigger_bits[all] == 1)", "calib", true),
        ("trigger_mask[all] != 7", "calib", true),
        ("!(trigger_mask[any] == 7)", "calib", true),
        ("trigger_mask[any] != 0", "calib", true),
        ("!(trigger_mask[all] == 0)", "calib", true),
        ("len(trigger_mask) > 2", "calib", true),
        ("len(trigger_mask) > 5", "calib", false),
        ("run_type ~ \"cal\"", "calib", true),
        ("run_type ~* \"CAL\"", "calib", true),
        ("run_type !~ \"cal\"", "calib", false),
        ("run_type !~* \"CAL\"", "calib", false),
        ("application.version in \"1.0\":\"2.3\"", "numbers", true),
        ("application.version in \"2.0\":\"2.3\"", "numbers", false),
        ("pi in 3.131:3.152", "numbers", true),
        ("pi in 3.2:3.3", "numbers", false),
        ("sequence[any] in 6:7", "numbers", false),
        ("(sequence[any] >= 6 and sequence[any] <= 7)", "numbers", true),
        ("sequence[any] in 3:5", "numbers", true),
        ("(bits[all] == 0 or bits[all] == 1)", "numbers", false),
        ("bits[all] in (0,1)", "numbers", true),
    ] {
        let of = if file == "calib" { "e:one" } else { "e:two" };
        let text = format!("files from {of} where {condition}");
        let found = names(&session, &text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(found.contains(file), holds, "{condition}");
    }
    for (condition, expected) in [("run in 100:200", 3), ("run in (123, 5)", 3), ("run in (124,5)", 0)] {
        let text = format!("files from MyScope:MyDataset where {condition}");
        assert_eq!(names(&session, &text).await.unwrap().len(), expected, "{condition}");
    }
}
