use super::*;
use lakeql_output::Format;
use std::time::Duration;

fn cli(arguments: &[&str]) -> Result<Cli, clap::Error> {
    parse(std::iter::once("lakeql").chain(arguments.iter().copied()).map(OsString::from).collect())
}

fn query(arguments: &[&str]) -> (Global, QueryArgs) {
    let cli = cli(arguments).unwrap();
    match cli.command {
        Command::Query(args) => (cli.global, args),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_description_is_consistent() {
    command().debug_assert();
}

#[test]
fn flags_come_in_any_order() {
    let expected = ["--format", "json", "--lake", "x", "query", "run.a", "--lang", "aim", "--limit", "3"];
    let others: [&[&str]; 3] = [
        &["query", "--limit", "3", "--lang", "aim", "--format", "json", "run.a", "--lake", "x"],
        &["query", "run.a", "--lake", "x", "--limit=3", "--format=json", "--lang=aim"],
        &["--lake=x", "query", "--lang", "aim", "--format", "json", "--limit", "3", "--", "run.a"],
    ];
    let (global, args) = query(&expected);
    assert_eq!((global.lake.as_str(), global.format), ("x", Some(Format::Json)));
    assert_eq!((args.text.text.as_deref(), args.text.lang.as_str(), args.shape.limit), (Some("run.a"), "aim", Some(3)));
    for other in others {
        assert_eq!(format!("{:?}", query(other)), format!("{:?}", (&global, &args)));
    }
}

#[test]
fn a_lake_given_as_a_flag_is_told_from_the_default() {
    assert!(!cli(&["tables"]).unwrap().global.lake_from_flag);
    assert!(cli(&["tables", "--lake", "x"]).unwrap().global.lake_from_flag);
    assert!(cli(&["--lake", "x", "import", "aim", "f"]).unwrap().global.lake_from_flag);
    assert!(cli(&["import", "aim", "f", "--lake", "x"]).unwrap().global.lake_from_flag);
}

#[test]
fn a_query_needs_one_text_and_a_language() {
    for wrong in [
        &["query", "--lang", "aim"][..],
        &["query", "run.a"],
        &["query", "run.a", "-f", "x", "--lang", "aim"],
        &["query", "run.a", "--lang", "cobol"],
        &["query", "run.a", "--lang", "aim", "--entity", "gifs"],
        &["query", "run.a", "--lang", "aim", "--format", "excel"],
        &["query", "run.a", "--lang", "aim", "--threads", "0"],
        &["query", "run.a", "--lang", "aim", "--select", "a,,b"],
        &["import", "aim"],
        &["import", "aim", "f", "--report", "r"],
        &[],
    ] {
        assert_eq!(cli(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
}

#[test]
fn all_languages_are_offered() {
    for lang in lakeql_query::dialects::ALL.iter().map(|dialect| dialect.name()).chain(["sql"]) {
        assert_eq!(query(&["query", "x", "--lang", lang]).1.text.lang, lang);
    }
}

#[test]
fn descending_keys_and_negative_offsets_are_values() {
    let (_, args) =
        query(&["query", "True", "--lang", "aim", "--sort", "-loss.last,hash", "--tz-offset-minutes", "-60"]);
    assert_eq!(args.shape.sort, Some(values::Columns(vec!["-loss.last".into(), "hash".into()])));
    assert_eq!(args.language.tz_offset_minutes, -60);
}

#[test]
fn stdin_and_files() {
    assert_eq!(query(&["query", "-", "--lang", "sql"]).1.text.text.as_deref(), Some("-"));
    assert_eq!(query(&["query", "-f", "q.sql", "--lang", "sql"]).1.text.file, Some("q.sql".into()));
}

#[test]
fn limits_have_units() {
    let global = cli(&["tables", "--memory", "1GiB", "--timeout", "1m30s", "--threads", "2"]).unwrap().global;
    assert_eq!(global.memory, Some(1 << 30));
    assert_eq!(global.timeout, Some(Duration::from_secs(90)));
    assert_eq!(global.threads.map(usize::from), Some(2));
}

#[test]
fn every_verb_has_an_example_in_its_help() {
    let mut all = command();
    all.build();
    for verb in all.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let help = verb.clone().render_help().to_string();
        assert!(help.contains("Example") && help.contains("  lakeql "), "{}", verb.get_name());
    }
}

#[test]
fn colour_is_known_before_the_rest() {
    let choice = |arguments: &[&str]| color_of(&arguments.iter().map(OsString::from).collect::<Vec<_>>());
    assert_eq!(choice(&["query", "--color", "never"]), clap::ColorChoice::Never);
    assert_eq!(choice(&["--color=always", "query"]), clap::ColorChoice::Always);
    assert_eq!(choice(&["query", "--", "--color=always"]), clap::ColorChoice::Auto);
    assert_eq!(choice(&["query", "--color"]), clap::ColorChoice::Auto);
}
