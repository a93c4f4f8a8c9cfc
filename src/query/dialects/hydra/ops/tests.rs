use super::*;

fn read(text: &str) -> Result<Pipeline, Diagnostic> {
    parse(&Source::query(text), Strictness::default())
}

fn wrong(text: &str) -> (String, String, String) {
    let problem = read(text).unwrap_err();
    let marked = problem.labels.first().map_or("", |label| text.get(label.span.range()).unwrap());
    (problem.message.clone(), marked.to_owned(), problem.hints.join("; "))
}

#[test]
fn names_are_found_in_any_case_and_cut_before_decoding() {
    let pipeline = read(";gather=ks;;DSORT=1%3An%3Ad;t;").unwrap();
    assert_eq!(pipeline.ops.iter().map(|call| call.name).collect::<Vec<_>>(), ["gather", "sort", "t"]);
    assert!(
        matches!(&pipeline.ops[1].op, Op::Sort(keys) if keys[0].descending && keys[0].as_type == SortType::Integer)
    );
    assert_eq!(pipeline.ops[1].span.range(), 12..27);
    assert!(wrong("gather%3Dks").2.contains("%3D"));
}

#[test]
fn complaints_point_at_the_place() {
    assert_eq!(
        wrong("gather=ks;gahter=ks"),
        ("there is no op `gahter`".into(), "gahter".into(), "did you mean `gather`?".into())
    );
    assert_eq!(wrong("limit=1:x").1, "x");
    assert_eq!(wrong("num=c1,bogsu,out").1, "bogsu");
    assert_eq!(wrong("num=c1,divv,out").2.split("; ").last(), Some("did you mean `div`?"));
    assert!(wrong("num=c0,c1,+").2.contains("%2B"));
    assert_eq!(wrong("groupby=k:sort=0%3Blimit=%30").1, "%30");
    assert_eq!(wrong("fill=none").2.split("; ").last(), Some("a text is written snone"));
    assert_eq!(wrong(" sort=0").2, "did you mean `sort`?");
    assert_eq!(wrong("filter={from.index:0, bogus:1}").1, "{from.index:0, bogus:1}");
    assert_eq!(wrong("map=0::{a}").1, "}");
}

#[test]
fn hostile_texts_are_refused_and_do_not_recurse() {
    assert_eq!(read(&"t;".repeat(MOST_OPS + 1)).unwrap_err().kind, Kind::Limit);
    let mut nested = "t".to_owned();
    for _ in 0..20 {
        nested = format!("groupby=k:{nested}");
    }
    assert_eq!(read(&nested).unwrap_err().kind, Kind::Limit);
    let deep = format!("map=0::{}", "{a:".repeat(100_000));
    assert!(read(&deep).is_err());
    let lists = format!("filter={{require:{}", "[".repeat(100_000));
    assert!(read(&lists).is_err());
    for text in [
        "=",
        "=x",
        "pad=0:99999999999",
        "histo=0,1",
        "seen=0:0",
        "gather=t",
        "gather=kts",
        "sum=",
        "sum=S",
        "%",
        "gather=%zz",
    ] {
        let _ = read(text);
    }
}

#[test]
fn relaxed_objects() {
    let entries =
        relaxed::object(&Piece::raw(r#"{from.index:0, require {contains:"h", value=[a, "b c"]}}"#, 0)).unwrap();
    assert_eq!(entries[0], ("from.index".into(), Relaxed::Text("0".into())));
    assert_eq!(entries[1].1.to_text(), "{contains:h,value:[a,b c]}");
}

#[test]
fn places_are_whole_characters() {
    let (_, marked, _) = wrong("rmap=2::{\"❷");
    assert_eq!(marked, "❷");
}

#[test]
fn every_op_has_a_name_of_its_own() {
    for info in CATALOGUE {
        for name in std::iter::once(info.name).chain(info.aliases.iter().copied()) {
            assert_eq!(find(name).map(|found| found.name), Some(info.name));
            assert!(info.grammar.starts_with(info.name), "{name}");
        }
    }
}
