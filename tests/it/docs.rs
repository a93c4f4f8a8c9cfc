//! What the documents promise.

use crate::program::Place;
use crate::support::repository;
use std::process::Command;

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap()
}

/// The command lines of the `sh` blocks, continuation lines joined, comments kept for the shell.
fn commands(markdown: &str) -> Vec<String> {
    let mut commands: Vec<String> = vec![];
    let (mut inside, mut continues) = (false, false);
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = !inside && line == "```sh";
            continue;
        }
        if !inside || line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match commands.last_mut().filter(|_| continues) {
            Some(command) => {
                command.push('\n');
                command.push_str(line);
            }
            None => commands.push(line.to_owned()),
        }
        continues = line.ends_with('\\');
    }
    commands
}

/// A catalogue of samples, their files, a schema and a mixture, as the documents name them.
fn samples(place: &Place, folder: &str, catalog: &str) {
    std::fs::create_dir_all(place.path(folder).join("web")).unwrap();
    let mut rows = vec![];
    for language in ["en", "de", "en"] {
        let meta = serde_json::json!({"language": language, "license": "MIT", "year": "2020"});
        rows.extend(vec![format!("{}\n", serde_json::json!({"text": "…", "meta": meta})); 700]);
    }
    std::fs::write(place.path(folder).join("web/part-0.jsonl"), rows.concat()).unwrap();
    let names = ["language", "license", "year"];
    let property =
        |path: &str, name: &str| serde_json::json!({"name": name, "dtype": "string", "path": format!("{path}{name}")});
    let properties = names.map(|name| property("meta.", name));
    place.write("schema.json", serde_json::json!({"properties": properties}).to_string());
    let files = serde_json::json!([{"file": "part-0.jsonl"}]);
    let dataset = serde_json::json!({"name": "web", "dir": format!("{folder}/web"), "files": files});
    let catalog_text = serde_json::json!({"web": {"properties": properties, "datasets": [dataset]}});
    std::fs::write(place.path(catalog), catalog_text.to_string()).unwrap();
    let share = |language: &str, weight: f64| serde_json::json!({"key": {"language": [language]}, "weight": weight});
    let mixture = serde_json::json!({"type": "static", "components": [share("en", 0.7), share("de", 0.3)]});
    place.write("mixture.json", mixture.to_string());
}

#[test]
fn the_first_two_commands() {
    let readme = read("README.md");
    let commands = commands(&readme);
    assert!(commands[0].starts_with("cargo run --release -- demo "), "{}", commands[0]);
    assert!(commands[1].starts_with("cargo test --workspace "), "{}", commands[1]);
    let place = Place::new();
    let datasets = repository("datasets");
    let said = place.run(["demo", "--datasets", datasets.to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("imported 203 runs"), "{}", said.err);
    // The one run of the tutorial with a batch size of 32, and the one whose curves end at 15 or more and whose learning
    // rate is at least 0.001.
    assert!(said.out.contains("a32c910") && said.out.contains("a32c912"), "{}", said.out);
    assert!(said.out.contains("--lang=sql") && said.out.contains("--lang=aim"), "{}", said.out);
    // A second time it finds everything there.
    assert!(place.run(["demo", "--datasets", datasets.to_str().unwrap()]).err.contains("nothing new"));
}

#[cfg(unix)]
#[test]
fn every_command_of_the_readme_works() {
    let place = Place::new();
    std::fs::copy(repository("datasets/sklearn_runs.jsonl.gz"), place.path("runs.jsonl.gz")).unwrap();
    samples(&place, "corpus", "collections.json");
    std::fs::create_dir(place.path("datasets")).unwrap();
    for name in ["datasets/views.jsonl", "datasets/views_tree.json"] {
        std::fs::copy(repository(name), place.path(name)).unwrap();
    }
    crate::neptune::copy_folder(&repository("tests/gold/mql/dataset"), &place.path("catalogue"));
    crate::neptune::copy_folder(&repository("tests/gold/nql/exporter_sample"), &place.path("exports"));
    // Its run without a first part is worth a note at every question.
    for part in crate::neptune::files_below(&place.path("exports/data"), "SAN-99") {
        std::fs::remove_file(part).unwrap();
    }
    let program = std::path::Path::new(crate::program::PROGRAM);
    let folders = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let readme = read("README.md");
    let commands: Vec<_> = commands(&readme).into_iter().filter(|line| line.starts_with("lakeql ")).collect();
    assert!(commands.len() >= 5, "{commands:?}");
    for command in &commands {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(place.path("")).env("PATH", &folders).env_remove("LAKEQL_LAKE");
        let output = shell.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{command}\n{err}");
        assert!(!err.contains("note: "), "{command}\n{err}");
        if command.contains("query") && !command.contains("baseline") {
            assert!(!out.trim().is_empty(), "{command} answers nothing");
        }
    }
}

#[test]
fn verbs_and_flags_of_the_readme_exist() {
    let place = Place::new();
    let readme = read("README.md");
    let inline: Vec<_> = readme.split('`').skip(1).step_by(2).filter(|text| !text.contains('\n')).collect();
    let help = place.ok(["--help"]);
    let query = ["query", "points", "explain", "chunks"].map(|verb| place.ok([verb, "--help"])).concat()
        + &place.ok(["import", "aim", "--help"])
        + &place.ok(["import", "samples", "--help"])
        + &place.ok(["import", "events", "--help"])
        + &place.ok(["import", "neptune", "--help"]);
    for text in inline.into_iter().filter(|text| !text.starts_with("cargo ")) {
        if let Some(rest) = text.strip_prefix("lakeql ") {
            let verb = rest.split_whitespace().next().unwrap();
            let asked = if verb == "help" { vec!["help", "query"] } else { vec![verb, "--help"] };
            assert_eq!(place.run(asked).code, Some(0), "{text}");
        }
        for flag in text.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(query.contains(flag), "`{text}`: {flag}");
        }
    }
    for format in lakeql::output::Format::ALL {
        assert!(query.contains(format.name()) && readme.contains(format.name()), "{format}");
    }
    for verb in [
        "points", "ops", "plot", "chunks", "show", "diff", "tables", "describe", "history", "compact", "vacuum",
        "bench",
    ] {
        assert!(help.contains(verb), "{verb}");
    }
}

/// The examples of the help texts are command lines that parse.
#[test]
fn examples_of_the_help_parse() {
    let place = Place::new();
    place.ok(["import", "aim", repository("datasets/tutorial_runs.jsonl").to_str().unwrap()]);
    place.write("rows.jsonl", "[\"a\", 1]\n[\"b\", 2]\n");
    place.write("rows.csv", "a,1\nb,2\n");
    crate::neptune::copy_folder(&repository("tests/gold/nql/exporter_sample"), &place.path("exports"));
    place.ok(["import", "metacat", repository("tests/gold/mql/dataset").to_str().unwrap()]);
    place.write("top_ten.sql", "select hash from runs limit 10");
    place.write("runs.jsonl.gz", std::fs::read(repository("datasets/tutorial_runs.jsonl")).unwrap());
    place.write("more.jsonl.zst", std::fs::read(repository("datasets/tutorial_runs.jsonl")).unwrap());
    samples(&place, "corpus", "collections.json");
    place.ok(["import", "samples", "collections.json"]);
    let views = |name: &str| repository("datasets").join(name).display().to_string();
    place.ok(["import", "events", "--tree", &views("views_tree.json"), &views("views.jsonl")]);
    place.write(
        "queries.jsonl",
        r#"{"id": "a", "lang": "aim", "text": "run.batch_size > 1", "options": {"limit": 10}}"#,
    );
    std::fs::create_dir(place.path("taxi")).unwrap();
    let mut taxi = std::fs::File::create(place.path("taxi/trips.parquet")).unwrap();
    let spec = lakeql_datasets::TaxiSpec { trips: 100, ..Default::default() };
    lakeql_datasets::write_taxi(&spec, &mut taxi).unwrap();
    let mut seen = 0;
    for verb in [
        &["--help"][..],
        &["query", "--help"],
        &["points", "--help"],
        &["import", "samples", "--help"],
        &["chunks", "--help"],
        &["explain", "--help"],
        &["plot", "--help"],
        &["show", "--help"],
        &["diff", "--help"],
        &["bench", "--help"],
        &["import", "aim", "--help"],
        &["import", "neptune", "--help"],
        &["attributes", "--help"],
        &["ops", "--help"],
        &["tables", "--help"],
        &["describe", "--help"],
        &["history", "--help"],
        &["compact", "--help"],
        &["vacuum", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ] {
        let help = place.ok(verb);
        for line in help.lines().map(str::trim).filter(|line| line.starts_with("lakeql ") || line.starts_with("echo "))
        {
            // Other programs and machines, and the demo, which has a test of its own.
            let elsewhere = ["man -l", "~/", "s3://"].iter().any(|part| line.contains(part));
            if elsewhere || line == "lakeql demo" {
                continue;
            }
            seen += 1;
            #[cfg(unix)]
            {
                let line = line.replace("lakeql", crate::program::PROGRAM).replace("--as-of 3", "--as-of 1");
                let output = place.command_of_shell(&line);
                let err = String::from_utf8_lossy(&output.stderr);
                // Columns of somebody else's runs are not in this lake: that is for the query to say, not the parser.
                let known =
                    output.status.success() || (output.status.code() == Some(1) && err.contains("there is no column"));
                assert!(known, "{line}\n{err}");
            }
        }
    }
    assert!(seen > 10, "{seen} examples");
}

#[cfg(unix)]
impl Place {
    fn command_of_shell(&self, line: &str) -> std::process::Output {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.path("")).env_remove("LAKEQL_LAKE").output().unwrap()
    }
}

/// The table of stages is part of the crate's documentation, and what it names is there.
#[test]
fn architecture_is_true() {
    assert!(read("src/lib.rs").contains(r#"#![doc = include_str!("../ARCHITECTURE.md")]"#));
    for document in [
        "ARCHITECTURE.md",
        "README.md",
        "CONTRIBUTING.md",
        "src/query/dialects/aimql/README.md",
        "src/query/dialects/hydra/README.md",
    ] {
        let text = read(document);
        for piece in text.split('`').skip(1).step_by(2) {
            let looks_like_path = ["src/", "tests/", "benches/", "datasets/", "scripts/", "udfs/"];
            if !looks_like_path.iter().any(|prefix| piece.starts_with(prefix)) || piece.contains(' ') {
                continue;
            }
            // `<language>` stands for any of them.
            let path = piece.replace("<language>", "aimql").replace("<dialect>", "aimql");
            assert!(repository(&path).exists(), "{document} names {piece}");
        }
    }
}

/// Links of the README lead somewhere.
#[test]
fn links_lead_somewhere() {
    for document in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let text = read(document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = !link.contains("://") && !link.starts_with('#');
            let file = link.split('#').next().unwrap_or(link);
            assert!(!local || repository(file).exists(), "{document} links to {link}");
        }
    }
}
