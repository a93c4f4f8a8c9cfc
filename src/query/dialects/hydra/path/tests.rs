use super::*;
use crate::diagnostic::{Diagnostic, Kind};
use crate::source::Source;

fn read(text: &str) -> Result<Path, Diagnostic> {
    parse(&Source::query(text))
}

fn one(text: &str) -> Element {
    read(text).unwrap().elements.remove(0)
}

fn children(text: &str) -> Children {
    match one(text).node {
        Node::Children(children) => children,
        Node::Parent => panic!("{text} is `..`"),
    }
}

#[test]
fn slashes_and_windows() {
    assert!(read("//").unwrap().elements.is_empty());
    assert_eq!(read("/a//b/").unwrap().elements.len(), 2);
    let element = one("(5-10)~+a");
    assert_eq!((element.skip, element.limit, element.lenient, element.collect), (5, 10, true, true));
    assert_eq!((one("(-2)+").skip, one("(-2)+").limit), (0, 2));
    assert_eq!(children("(2+").names, ["(2 "]);
    assert_eq!(children("~(2)+").names, ["(2) "]);
    for wrong in ["(x)+", "()a", "(1-x)"] {
        assert_eq!(read(wrong).unwrap_err().kind, Kind::Syntax, "{wrong}");
    }
}

#[test]
fn forms_of_the_node_part() {
    assert!(children("+").all() && children("*").all() && children("++").all() && children("+{c}").all());
    assert_eq!(children("b,a,b").names, ["b", "a", "b"]);
    assert_eq!(children(",b,a,b").names, ["a", "b"]);
    assert_eq!(children("+,b,a").names, ["b", "a"]);
    assert_eq!((children("++p,q").by, children("++p,q").names), (By::Prefix, vec!["p".into(), "q".into()]));
    assert_eq!((children("+@a,b").by, children("@a").by), (By::Range, By::Range));
    assert_eq!(children("|+fo%2B.*,b").names, ["fo+.*", "b"]);
    assert_eq!(children("!|+a").by, By::Regex { negated: true });
    assert!(!children("|+").all());
    assert_eq!(children("+|re").names, ["|re"]);
    assert_eq!(children("+{1}@@a%2Fb").names_of, Some(vec!["a".into(), "b".into()]));
    assert_eq!(one("+{day}x").column.as_deref(), Some("day"));
    assert_eq!(one("..").node, Node::Parent);
    assert!(one("+..").collect && !one("..").collect);
}

#[test]
fn attachments_escapes_and_flat_lists() {
    let of = |name: &str, argument: Option<&str>| AttachmentNodes::Of {
        name: name.into(),
        argument: argument.map(str::to_owned),
    };
    assert_eq!(children("+%top==hit").attachments, [of("top", Some("=hit"))]);
    assert_eq!(children("+%24cash").attachments, [of("24cash", None)]);
    assert_eq!(children("+%2dx").names, ["-x"]);
    assert_eq!(children("+%?").attachments, [AttachmentNodes::Names]);
    assert_eq!(children("foo,%top").names, ["foo"]);
    assert_eq!(children("*foo").names, ["foo"]);
    assert_eq!(children("+a%2Cb").names, ["a,b"]);
    assert!(children("+a;b").flat && !children(";+a").flat);
    assert_eq!(children(";+a").names, [";+a".replace('+', " ")]);
    assert_eq!(children("+a;b,c").names, ["a", "b", "c"]);
}

#[test]
fn defaults() {
    let default = |name: &str, hits| Some(DefaultNode { name: name.into(), hits });
    assert_eq!(children("+[none|7]a,b").default, default("none", 7));
    assert_eq!(children("+[none|7]a,b").names, ["a", "b"]);
    assert_eq!(children("+%[none]top=x").default, default("none", 0));
    assert_eq!(children("+%[none]top=x").attachments.len(), 1);
    assert!(read("+[none|x]a").is_err());
    assert_eq!(children("|+[ab]c").default, None);
}

#[test]
fn properties_and_fields() {
    let element = one("+x:+hits>5<3,nodes=1=2$+v=sum:count$?t$w=a>1,b$+v=num=199");
    assert_eq!(element.properties.len(), 3);
    assert_eq!(element.properties[0].bounds, Bounds { less: Some(3), greater: Some(5), equal: None });
    assert_eq!(element.properties[1].bounds.equal, Some(2));
    assert!(element.properties[0].show && !element.properties[1].show);
    assert_eq!(element.fields.iter().map(|field| field.attachment.as_str()).collect::<Vec<_>>(), ["v", "t", "w", "v"]);
    assert!(element.fields[1].size && element.fields[1].show);
    assert_eq!(element.fields[2].keys.len(), 2);
    assert_eq!(element.fields[3].keys[0].bounds.equal, Some(199));
    assert!(!one("+:+hits>").properties[0].bounds.any());
    assert!(one("+:").properties.is_empty());
    let problem = read("a/+:+hits>abc").unwrap_err();
    assert_eq!(problem.labels[0].span.range(), 10..13);
}

#[test]
fn hostile_texts() {
    assert_eq!(read(&"a/".repeat(10_000)).unwrap_err().kind, Kind::Limit);
    assert!(read(&"a".repeat(2 << 20)).is_err());
    for text in [
        "(", "~", "+[", "+{", "%", "+%", ":", "$", "$+", ":+,", "+{}", "+[]", ";", ";;", "!", "|", "!|", "@", "@@",
        "é(1)", "(1)é",
    ] {
        assert!(read(text).is_ok(), "{text}");
    }
}
