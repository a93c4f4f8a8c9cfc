//! Trees that grew in parts.

use super::cases;
use crate::tree::{Events, Fields, MemoryTree, NameRange, Plan, Spec, Tree, read_event};
use std::sync::Arc;

/// Names, hits and attachments of all nodes.
fn listed(tree: &MemoryTree, node: usize, depth: usize, out: &mut String) {
    for name in tree.attachments(&node).unwrap() {
        let attachment = tree.attachment(&node, &name).unwrap().unwrap();
        out.push_str(&format!("{depth} {name} {attachment:?}\n"));
    }
    for child in tree.children(&node, &NameRange::all(), usize::MAX).unwrap() {
        out.push_str(&format!("{depth} {} {} {}\n", tree.name(&child), tree.hits(&child), tree.child_count(&child)));
        listed(tree, child, depth + 1, out);
    }
}

fn text(tree: &MemoryTree) -> String {
    let mut out = String::new();
    listed(tree, tree.root(), 0, &mut out);
    out
}

const SPEC: &str = r#"{"trees": {"t": {"root": [
    {"field": "a", "attach": {"s": {"kind": "sum", "field": "n"}, "t": {"kind": "time", "field": "n"}}},
    {"branch": [
        [{"const": "x"}, {"field": "b", "attach": {"d": {"kind": "distribution", "field": "n"}}}],
        [{"field": "c", "label": "label", "attach": {"u": {"kind": "count", "field": "b"}, "h": {"kind": "count-min-sketch", "field": "b"}}}],
        [{"field": "b", "attach": {"f": {"kind": "bloom", "field": "c", "max": 100}}}]
    ]},
    {"field": "a", "count": false, "attach": {"s": {"kind": "sum", "field": "n", "count_missing": false}}}
]}}}"#;

#[test]
fn parts_of_the_events_make_the_same_tree() {
    let spec = Spec::parse(SPEC).unwrap();
    let mut fields = Fields::default();
    let plan = Arc::new(Plan::new(&spec.trees["t"], &mut fields).unwrap());
    assert!(!plan.is_ordered() && plan.mergeable().is_ok());
    let mut events = Events::new(fields.names().len());
    for number in 0_u64..2_000 {
        let dice = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let list = format!("[\"{}\", {}, null, {{}}]", dice % 7, dice % 5);
        let b = if dice % 11 == 0 { "null".to_owned() } else { list };
        let event = format!(r#"{{"a": {}, "b": {b}, "c": "x{}", "n": {}, "z": [1]}}"#, dice % 13, dice % 3, dice % 101);
        read_event(&event, &fields, &mut events).unwrap();
    }
    let whole = text(&cases::grown(&plan, &events, std::slice::from_ref(&(0..2_000))));
    assert!(whole.lines().count() > 200, "{whole}");
    assert_eq!(text(&cases::grown(&plan, &events, &[0..700, 700..701, 701..2_000])), whole);
    assert_eq!(text(&cases::grown(&plan, &events, &[0..0, 0..2_000])), whole);
}

#[test]
fn what_depends_on_the_order_of_events_is_not_united() {
    let plan = |root: &str| {
        let spec = Spec::parse(&format!(r#"{{"trees": {{"t": {{"root": {root}}}}}}}"#)).unwrap();
        Plan::new(&spec.trees["t"], &mut Fields::default()).unwrap()
    };
    for (root, reason) in [
        (r#"[{"field": "a", "once": true}]"#, "`once` depends on the order of events"),
        (
            r#"[{"field": "a", "attach": {"c": {"kind": "copy", "fields": {"x": "y"}}}}]"#,
            "`c` (copy) keeps what came last",
        ),
        (
            r#"[{"field": "a", "attach": {"c": {"kind": "limit.hot", "size": 2}}}]"#,
            "`c` (limit.hot) has deleted nodes that another part still has",
        ),
    ] {
        assert_eq!((plan(root).is_ordered(), plan(root).mergeable()), (true, Err(reason.to_owned())));
    }
    let top = plan(r#"[{"field": "a", "attach": {"c": {"kind": "key.top", "size": 2, "field": "b"}}}]"#);
    assert!(top.is_ordered() && top.mergeable().is_ok());
    let deep = format!("[{}]", vec![r#"{"const": "a"}"#; 201].join(","));
    let spec = Spec::parse(&format!(r#"{{"trees": {{"t": {{"root": {deep}}}}}}}"#)).unwrap();
    assert!(Plan::new(&spec.trees["t"], &mut Fields::default()).unwrap_err().contains("200 levels"));
}

#[test]
fn what_is_no_event_is_refused() {
    let mut fields = Fields::default();
    let spec = Spec::parse(r#"{"trees": {"t": {"root": [{"field": "a"}]}}}"#).unwrap();
    Plan::new(&spec.trees["t"], &mut fields).unwrap();
    let mut events = Events::new(1);
    for text in ["", "[]", "1", "{", "{\"a\": }", "{} {}", "{\"a\": \"\\ud800\"}", "nul"] {
        assert!(read_event(text, &fields, &mut events).is_err(), "{text}");
        assert!(events.is_empty());
    }
    let deep = format!("{{\"a\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read_event(&deep, &fields, &mut events).is_err());
    read_event(r#"{"b": {"c": [{}]}, "a": {"x": 1}, "a": "\u00e9"}"#, &fields, &mut events).unwrap();
    assert_eq!(events.len(), 1);
}
