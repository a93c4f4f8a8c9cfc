//! SQL against a small lake: what it answers, what it refuses, and where it points.

use super::*;
use crate::config::{self, Limits};
use crate::explain::ScanReport;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::physical_plan::{ExecutionPlan, collect};
use lakeql_lake::ingest::{ImportOptions, aim::import_aim};
use lakeql_lake::{AsOf, Lake};
use object_store::memory::InMemory;
use std::fmt::Write;
use std::time::Duration;

/// A run with parameters and one metric, as JSONL.
fn run(hash: &str, minute: u32, params: &str, values: &[f64]) -> String {
    let steps: Vec<_> = (0..values.len()).collect();
    format!(
        r#"{{"hash": "{hash}", "name": "Run {hash}", "description": null, "experiment": "e", "tags": ["t"],
        "archived": false, "active": false, "created_at": "2024-05-01T10:{minute:02}:00.000000Z",
        "finalized_at": null, "end_time": null, "duration": 1.5, "params": {params},
        "metrics": [{{"name": "loss", "context": {{"subset": "val"}}, "dtype": "float", "version": 2,
        "first": 1.0, "last": {last}, "first_step": 0, "last_step": 2, "min": 0.5, "max": 1.0, "context_hash": 7,
        "steps": {steps:?}, "values": {values:?}, "times": null, "epochs": null}}],
        "images": [], "texts": [], "audios": [], "distributions": [], "figures": []}}"#,
        last = values.last().unwrap(),
    )
    .replace('\n', " ")
}

async fn import(lake: &Lake, runs: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.jsonl");
    std::fs::write(&file, runs.join("\n")).unwrap();
    import_aim(lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
}

/// A lake with three runs of which one has been replaced.
async fn lake() -> Lake {
    let lake = Lake::with_store(Arc::new(InMemory::new()), object_store::path::Path::default()).await.unwrap();
    let old = r#"{"hparams": {"lr": 9.0, "gone": 1}}"#;
    let kept = r#"{"hparams": {"lr": 5.0}, "seed": 1}"#;
    import(&lake, &[run("a", 1, old, &[9.0]), run("kept", 0, kept, &[4.0])]).await;
    let mut runs = vec![
        run("a", 1, r#"{"hparams": {"lr": 0.5, "C": 1, "layers": [64, 32]}, "mixed": "x", "name": "n"}"#, &[1.0, 0.5]),
        run("b", 2, r#"{"hparams": {"lr": 1, "C": 2, "layers": [0.5]}, "mixed": 7, "flag": true}"#, &[2.0]),
        run("c", 3, r#"{"hparams": {"lr": null}, "mixed": [1, "y"], "text only": "é"}"#, &[3.0]),
    ];
    // Enough others for a path of one run to be rare.
    runs.extend((0..39).map(|number| run(&format!("z{number:02}"), 0, kept, &[4.0])));
    import(&lake, &runs).await;
    lake
}

async fn context(lake: &Lake) -> SessionContext {
    let snapshot = lake.snapshot(AsOf::Latest).await.unwrap();
    let ctx = SessionContext::new_with_config(config::session(&Limits::default()));
    let store = ObjectStoreUrl::parse("lake://lake/").unwrap();
    ctx.register_object_store(store.as_ref(), Arc::clone(snapshot.store()));
    lakeql_udfs::all().into_iter().for_each(|function| ctx.register_udf(function));
    register(&ctx, &snapshot, &store).unwrap();
    ctx
}

async fn physical(ctx: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    let plan = match plan_sql(ctx, &Source::query(sql)).await {
        Ok(plan) => plan,
        Err(error) => panic!("{sql}: {error:?}"),
    };
    deep(ctx.state().create_physical_plan(&plan)).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Rows as lines, cells divided by `|`.
async fn answer(ctx: &SessionContext, sql: &str) -> String {
    let plan = physical(ctx, sql).await;
    let batches = collect(plan, ctx.task_ctx()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut text = String::new();
    for batch in batches {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
            let _ = writeln!(text, "{}", cells.join("|"));
        }
    }
    text
}

#[tokio::test]
async fn tables_and_views_leave_replaced_runs_out() {
    let lake = lake().await;
    assert!(lake.snapshot(AsOf::Latest).await.unwrap().has_dead_runs());
    let ctx = context(&lake).await;
    for (sql, expected) in [
        ("select count(*) from runs", "43\n"),
        ("select count(*) from metrics", "43\n"),
        ("select count(*) from points", "44\n"),
        ("select count(*) from raw.points", "44\n"),
        ("select count(*), sum(n) from series", "43|44\n"),
        ("select count(*) from attributes where path = 'hparams.gone'", "0\n"),
        ("select count(*) from raw.attributes where path = 'hparams.lr'", "43\n"),
        ("select hash from runs where \"hparams.lr:float\" < 1", "a\n"),
        (
            "select hash, \"hparams.lr:int\" from runs where created_at > '2024-05-01T10:01:30Z' order by 1 limit 1",
            "b|1\n",
        ),
        (
            "select hash, run_name, experiment, name, context, last, \"hparams.lr:float\" from metrics where hash = 'a'",
            "a|Run a|e|loss|{\"subset\":\"val\"}|0.5|0.5\n",
        ),
        ("select step, value from points where hash = 'a' and name = 'loss' order by step", "0|1.0\n1|0.5\n"),
        ("select count from raw.paths where owner = 'run' and path = 'mixed' and kind = 'text'", "1\n"),
        ("from runs select hash where hash in ('b', 'q')", "b\n"),
        ("select any_match([1, 2], x -> x > 1)", "true\n"),
        ("select json_value(params, 'hparams', 'layers', 0) from runs where hash = 'a'", "64\n"),
        ("with t as (select * from runs) select count(*) from t where archived", "0\n"),
        ("values (1, 'a')", "1|a\n"),
    ] {
        assert_eq!(answer(&ctx, sql).await, expected, "{sql}");
    }
    for sql in
        ["show tables", "describe metrics", "explain select 1", "explain analyze select * from points", "show all"]
    {
        assert!(!answer(&ctx, sql).await.is_empty(), "{sql}");
    }
    let columns = ctx.table("runs").await.unwrap();
    assert!(!columns.schema().has_column_with_unqualified_name("digest"));
}

#[tokio::test]
async fn parameters_are_columns_of_runs_wide() {
    let ctx = context(&lake().await).await;
    for (sql, expected) in [
        (
            "select hash, \"hparams.lr\", \"hparams.C\", mixed, flag, \"name:text\" from runs_wide() where hash < 'd' order by hash",
            "a|0.5|1|x|NULL|n\nb|1.0|2|7|true|NULL\nc|NULL|NULL|[1,\"y\"]|NULL|NULL\n",
        ),
        (
            "select \"hparams.layers\" from runs_wide('hparams.layers') where hash < 'c' order by hash",
            "[64,32]\n[0.5]\n",
        ),
        ("select hash from runs_wide('hparams.*') where \"hparams.C\" = 2", "b\n"),
        ("select hash from runs_wide('flag', 'seed') where flag and seed is null", "b\n"),
        ("select count(*) from runs_wide()", "43\n"),
        ("select count(seed), count(flag) from runs_wide()", "40|1\n"),
        ("select w.\"text only\" from runs_wide() w where w.\"text only\" is not null", "é\n"),
        (
            "select arrow_typeof(\"hparams.lr\"), arrow_typeof(flag), arrow_typeof(mixed) from runs_wide() limit 1",
            "Float64|Boolean|Utf8View\n",
        ),
        ("select max(\"hparams.lr\") from runs_wide('hparams.lr') where created_at < '2024-05-01T10:00:30Z'", "5.0\n"),
        ("select hash from runs_wide('mixed') where mixed = '7' limit 1", "b\n"),
    ] {
        assert_eq!(answer(&ctx, sql).await, expected, "{sql}");
    }
    // More rare parameters than are joined one by one.
    let all = answer(&ctx, "select * from runs_wide() where hash = 'b'").await;
    assert!(all.starts_with("b|Run b|e|2024-05-01T10:02:00Z|true|2|[0.5]|1.0|7|"), "{all}");
}

#[tokio::test]
async fn only_what_is_asked_for_is_read() {
    let ctx = context(&lake().await).await;
    let plan = physical(&ctx, "select \"hparams.lr\" from runs_wide() where hash = 'a'").await;
    collect(Arc::clone(&plan), ctx.task_ctx()).await.unwrap();
    let report = ScanReport::collect(plan.as_ref(), Duration::from_millis(2));
    assert!(report.scans.iter().all(|scan| scan.table == "runs"), "{report}");
    assert_eq!((report.total.output_rows, report.total.elapsed), (1, Duration::from_millis(2)));
    assert!(report.total.bytes_scanned > 0 && report.total.bytes_scanned < report.total.bytes_total / 4, "{report}");
    assert!(report.total.row_groups >= 1, "{report}");

    let plan = physical(&ctx, "select count(*) from attributes where path = 'hparams.lr'").await;
    collect(Arc::clone(&plan), ctx.task_ctx()).await.unwrap();
    let text = crate::explain::analyzed_text(plan.as_ref());
    assert!(text.contains("bytes_scanned"), "{text}");
    let logical = plan_sql(&ctx, &Source::query("select hash from metrics where last > 1")).await.unwrap();
    let sql = crate::explain::unparse_sql(&logical);
    assert!(sql.contains("JOIN"), "{sql}");
}

async fn wrong(ctx: &SessionContext, sql: &str) -> Diagnostic {
    match plan_sql(ctx, &Source::query(sql)).await {
        Err(Error::Query(mut found)) => found.remove(0),
        other => panic!("{sql}: {other:?}"),
    }
}

#[tokio::test]
async fn mistakes_have_places_and_hints() {
    let ctx = context(&lake().await).await;
    for (sql, kind, place, message, hint) in [
        ("select * frm runs", Kind::Syntax, "frm", "expected end of statement", ""),
        ("select hash from runs where", Kind::Syntax, "", "found the end of the query", ""),
        ("select 'abc", Kind::Syntax, "'", "unterminated", ""),
        ("select hsh from runs", Kind::NotFound, "hsh", "no column `hsh`", "did you mean `hash`?"),
        ("select hash from runz", Kind::NotFound, "runz", "no table `runz`", "did you mean `runs`?"),
        ("select * from runs_wide", Kind::NotFound, "runs_wide", "no table", "runs_wide()"),
        ("select * from 'x.parquet'", Kind::NotFound, "'x.parquet'", "no table", "no files"),
        (
            "select hash from runs where\n hparams.lr > 1",
            Kind::NotFound,
            "hparams.lr",
            "`hparams.lr`",
            "`\"hparams.lr:float\"`",
        ),
        ("select seed from runs", Kind::NotFound, "seed", "`seed`", "`\"seed:int\"`"),
        (
            "select \"hparams.%43:int\" from runs",
            Kind::NotFound,
            "\"hparams.%43:int\"",
            "no column",
            "runs_wide('hparams.C')",
        ),
        ("select flag from runs", Kind::NotFound, "flag", "`flag`", "runs_wide('flag')"),
        (
            "select hparams.C from runs_wide()",
            Kind::NotFound,
            "hparams.C",
            "`hparams.c`",
            "double quotes: \"hparams.C\"",
        ),
        ("select 'ü', hash + 1 from runs", Kind::Type, "", "", ""),
        (
            "select jsn_value(params) from runs",
            Kind::NotFound,
            "jsn_value",
            "no function",
            "did you mean `json_value`?",
        ),
        ("select run from runs, series", Kind::Semantic, "run", "several tables", "table.run"),
        (
            "select * from runs_wide('hparams.lrr')",
            Kind::NotFound,
            "'hparams.lrr'",
            "no run has",
            "did you mean `hparams.lr`?",
        ),
        ("select * from runs_wide('hparams')", Kind::NotFound, "'hparams'", "group", "hparams.*"),
        ("select * from runs_wide('nope*')", Kind::NotFound, "'nope*'", "matches", ""),
        ("select 1; select 2", Kind::Semantic, "select", "one query", ""),
        ("  -- nothing\n", Kind::Syntax, "", "empty", "select"),
    ] {
        let found = wrong(&ctx, sql).await;
        let shown = format!("{sql}: {found:?}");
        assert_eq!(found.kind, kind, "{shown}");
        assert!(found.message.to_lowercase().contains(&message.to_lowercase()), "{shown}");
        assert!(hint.is_empty() || found.hints.iter().any(|it| it.contains(hint)), "{shown}");
        if !place.is_empty() {
            let found = found.labels.first().map(|label| &sql[label.span.range()]);
            assert_eq!(found, Some(place), "{shown}");
        }
    }
}

#[tokio::test]
async fn queries_only_read() {
    let ctx = context(&lake().await).await;
    for sql in [
        "create table t as select 1",
        "create external table t stored as parquet location '/etc'",
        "create view v as select 1",
        "drop table runs",
        "delete from runs",
        "update runs set hash = 'x'",
        "insert into runs values (1)",
        "copy runs to 'x.parquet'",
        "explain copy runs to 'x.parquet'",
        "explain analyze insert into runs select * from runs",
        "set datafusion.execution.batch_size = 1",
        "reset datafusion.execution.batch_size",
        "select 1 into t",
        "prepare p as select 1",
        "pragma x",
        "INSTALL httpfs",
        "attach 'x'",
        "begin",
        "truncate table runs",
        "use raw",
    ] {
        let found = wrong(&ctx, sql).await;
        assert_eq!(found.kind, Kind::Forbidden, "{sql}: {found:?}");
        assert!(!found.labels.is_empty(), "{sql}");
    }
    for file in ["/etc/passwd", "file:///etc/passwd", "s3://b/x.parquet"] {
        assert_eq!(wrong(&ctx, &format!("select * from \"{file}\"")).await.kind, Kind::NotFound);
    }
}

/// On a thread with the stack that the threads of the program have.
fn on_a_worker(test: impl AsyncFnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test());
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn long_and_deep_texts_are_refused_or_answered() {
    on_a_worker(async || {
        let ctx = context(&lake().await).await;
        let nested = format!("select {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert_eq!(wrong(&ctx, &nested).await.kind, Kind::Limit);
        let queries = format!("{}select 1{}", "select * from (".repeat(2_000), ")".repeat(2_000));
        assert_eq!(wrong(&ctx, &queries).await.kind, Kind::Limit);
        let chain = format!("select 1{}", " + 1".repeat(300_000));
        assert_eq!(wrong(&ctx, &chain).await.kind, Kind::Limit);
        let unions = format!("select 1{}", " union all select 1".repeat(50_000));
        assert_eq!(wrong(&ctx, &unions).await.kind, Kind::Limit);
        let joins = format!("select 1 from runs{}", ", runs".repeat(1_000));
        assert_eq!(wrong(&ctx, &joins).await.kind, Kind::Limit);
        let list = (0..100_000).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
        let long = format!("select count(*) from runs where run not in ({list})");
        assert_eq!(answer(&ctx, &long).await, "43\n");
        let longest = format!("select count(*) from runs where hash = ''{}", " or hash = 'a'".repeat(490));
        assert_eq!(answer(&ctx, &longest).await, "1\n");
        let sum = format!("select run{} from runs limit 1", " + run".repeat(990));
        assert!(!answer(&ctx, &sum).await.is_empty());
        let nested_chains = |depth: usize, length: usize| {
            (0..depth).fold("1".to_owned(), |sql, _| format!("abs({sql}){}", " + 1".repeat(length)))
        };
        assert_eq!(wrong(&ctx, &format!("select {}", nested_chains(8, 300))).await.kind, Kind::Limit);
        assert_eq!(answer(&ctx, &format!("select {}", nested_chains(3, 60))).await, "181\n");
        let cases = format!("select case {} else 0 end", "when 1 = 2 then 3 ".repeat(1_000));
        assert_eq!(answer(&ctx, &cases).await, "0\n");
        let excepts = format!("select 1{}", " except select 2".repeat(250));
        assert_eq!(answer(&ctx, &excepts).await, "1\n");
        let names = (1..250).map(|number| format!(", c{number} as (select * from c{})", number - 1));
        let steps = format!("with c0 as (select 1){} select * from c249", names.collect::<String>());
        assert_eq!(answer(&ctx, &steps).await, "1\n");
        let too_long = " ".repeat(Source::MAX_BYTES + 1);
        assert_eq!(wrong(&ctx, &too_long).await.kind, Kind::Limit);
    });
}
