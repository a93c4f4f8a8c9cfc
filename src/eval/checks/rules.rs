//! The rules for parameters, summaries, contexts and what is missing.

use super::json::JsonRow;
use crate::row::canonical_context;
use crate::{Entity, Limits, Outcome, Program};
use lakeql_query::syntax::python::parse_parenthesized;
use serde_json::json;

fn row() -> JsonRow {
    let series = json!({
        "name": "loss", "context": {"subset": "train", "fold": 2, "split": {"name": "dev"}, "ids": [1, 2]},
        "dtype": "float", "version": 2, "first": 1.0, "last": 0.5, "first_step": 0, "last_step": 9, "min": 0.5,
        "max": 1.0, "context_hash": 7
    });
    let run = json!({
        "hash": "abc", "name": "my run", "description": null, "experiment": "exp", "tags": ["a", "b"],
        "archived": false, "active": false, "created_at": "2022-02-14T09:15:00.000000Z",
        "finalized_at": "2022-02-14T09:16:00.000000Z", "end_time": 1_644_830_160.0, "duration": 60.0,
        "params": {
            "lr": 0.1, "seed": 3, "text": "Hello", "none": null, "layers": [64, 128], "big": 9_007_199_254_740_993_i64,
            "hp": {"lr": 0.01, "name": "adam", "keys": "k", "opt": {"betas": [0.9, 0.99]}},
            "ints": {"$map": [[0, "zero"], ["0", "text"]]}, "name": "param-name", "true": true
        },
        "metrics": [series], "images": [], "texts": [], "audios": [], "distributions": [], "figures": []
    });
    JsonRow::new(&run, Some(&series), 0)
}

fn check(entity: Entity, texts: &[&str], expected: Option<bool>) {
    for text in texts {
        let tree = parse_parenthesized(text).unwrap();
        let outcome = Program::compile(&tree, entity).outcome(&row(), &Limits::default());
        let answer = match &outcome {
            Outcome::True => Some(true),
            Outcome::False => Some(false),
            Outcome::Raised(_) => None,
        };
        assert_eq!(answer, expected, "{text}: {outcome:?}");
    }
}

#[test]
fn parameters() {
    let yes = [
        "run.hp.lr == run['hp', 'lr'] == run['hp']['lr'] == run.hp['lr'] == 0.01",
        "run.hp.opt.betas[1] == 0.99 and run['hp', 'opt', 'betas', 0] == 0.9",
        "run['name'] == 'param-name' and run.name == 'my run'",
        "run.ints[0] == 'zero' and run.ints['0'] == 'text' and run.ints[False] == 'zero'",
        "not run.lr > 'a' and not 'a' > run.lr and not run.text < 5",
        "run.lr is not None and not run.none is None and run.none == None",
        "isinstance(run.seed, int) and isinstance(run.text, str) and callable(run.seed)",
        "run.big == 9007199254740993 and run.big != 9007199254740992 and run.big > 9007199254740992.0",
        "run.true == 1 and run.true == 1.0 and run.seed in [3.0] and run.seed in {3}",
        "str(run.text) == 'Hello' and f'{run.text}' == 'Hello' and '%s' % run.lr == '0.1' and repr(run.seed) != '3'",
        "'lr' in run.hp and run.hp.get('nosuch', 5) == 5 and list(run.hp.opt.keys()) == ['betas']",
        "run.hp.keys != 'k' and run['hp', 'keys'] == 'k' and run.hp['keys'] == 'k'",
        "[x for x in run.layers] == [64, 128] and sum(run.layers) == 192 and run.layers == [64, 128]",
        "any(run.seed == v for v in [3])",
        "(lambda r: r.hp.lr)(run) == 0.01 and (run if run.seed else 0).lr == 0.1",
        "max(run.lr, 0.05) == 0.1 and run.seed // 2 == 1 and -run.seed == -3 and 2 ** run.seed == 8",
        "math.isclose(run.lr, 0.1) and round(run.lr) == 0 and divmod(run.seed, 2) == (1, 1)",
        "run.hp == run['hp'] and run.hp.opt == {'betas': [0.9, 0.99]}",
    ];
    check(Entity::Run, &yes, Some(true));
}

#[test]
fn natural_answers_where_the_original_is_silent() {
    let yes = [
        "run.text.lower() == 'hello' and run.text.startswith('He') and run.text[1:3] == 'el' and run.text[0] == 'H'",
        "run.layers[-1] == 128 and run.layers.count(64) == 1 and run.layers[:1] == [64] and run['text', -1] == 'o'",
        "run.hp.values() and run.hp.copy() == run.hp and round(run.lr, 3) == 0.1 and f'{run.lr:.2f}' == '0.10'",
        "run.text in 'Hello world'",
        "re.match('H.*o', run.text) and datetime.strptime('2022', '%Y') < run.created_at",
    ];
    check(Entity::Run, &yes, Some(true));
    let metric = ["metric.context.subset.upper() == 'TRAIN' and metric.context.get('nosuch', 1) == 1"];
    check(Entity::Metric, &metric, Some(true));
}

#[test]
fn two_kinds_of_missing() {
    let first = [
        "run.x == None",
        "run['x'] == None",
        "run['hp', 'x'] == None",
        "run.x != 1",
        "not run.x",
        "not (run.x > 1)",
        "run.x in [1, None]",
        "'a' not in run.x",
        "sorted(run.x) == []",
        "str(run.x) == 'None'",
        "run.x == run.y",
        "run.x() == None",
        "run.metrics['m'] == None",
        "run.metrics['loss', None] == None",
        "run.x is not None",
    ];
    check(Entity::Run, &first, Some(true));
    let deeper = [
        "run.hp.x == None",
        "run['hp']['x'] == None",
        "run.x.y == None",
        "run.x[0] == None",
        "run.hp.x in [1, None]",
        "run.hp.x",
        "run.hp.x < 1 or run.hp.x >= 1",
        "str(run.hp.x) == 'None'",
        "run.hp.x == run.hp.x",
        "run.metrics['m'].last == None",
        "run.lr.foo == None",
    ];
    check(Entity::Run, &deeper, Some(false));
    let raising = [
        "run.x + 1",
        "len(run.x)",
        "-run.x",
        "hash(run.x)",
        "run.x in {1}",
        "int(run.x)",
        "list(run.hp.x)",
        "'a' in run.hp.x",
        "run.hp.x()",
        "run[None]",
        "run['hp', 1.5]",
        "run.seed.nope()",
        "f'{run.x:.2f}'",
        "run.text.nope() or True",
        "not run.seed.nope()",
    ];
    check(Entity::Run, &raising, None);
    check(Entity::Run, &["True or run.seed.nope()", "run.seed == 3 or 1 / 0"], Some(true));
}

#[test]
fn summaries_and_contexts() {
    let context = "{'fold': True + 1, 'ids': (1.0, 2), 'subset': 'train', 'split': {'name': 'dev'}}";
    let texts = [
        format!("run.metrics['loss', {context}].last == 0.5 and not run.metrics['loss', {context}]"),
        format!("run.metrics['loss', {context}] == None and run.metrics['loss', {context}]['last_step'] == 9"),
        format!("run.metrics['loss', {context}].mean != None and run.metrics['loss', 7].max == 1"),
        "run.metrics['loss'].last != 0.5 and not run.metrics['loss', {'subset': 'train'}].last".to_owned(),
    ];
    check(Entity::Run, &texts.iter().map(String::as_str).collect::<Vec<_>>(), Some(true));
    let yes = [
        "metric.name == 'loss' and metric.context.subset == 'train' and metric.context['fold'] == 2.0",
        "metric.context.split.name == 'dev' and metric.context.ids[1] == 2 and len(metric.context) == 4",
        "'fold' in metric.context and sorted(metric.context)[0] == 'fold' and metric.context is not None",
        "metric.last == 0.5 and metric.nosuch == None and metric.last is not None and metric.run.seed == 3",
        "not metric.context.subset > 5 and metric.context.split == {'name': 'dev'}",
        "run.metrics[metric.name, metric.context].last == metric.last",
        // Asked of the original: a path finds nothing in a context, but its first key has to be there.
        "metric.context['split', 'name'] != 'dev' and not metric.context['split', 'name'] == None",
        // Nothing is found behind a method of the storage, and the wrapper's `cache` is None.
        "run.hp.keys.foo != None and not run.hp.keys.foo > 2 and run.hp.keys['x'] != 1 and metric.last.cache is None",
    ];
    check(Entity::Metric, &yes, Some(true));
    let raising = [
        "metric.context.nosuch == 1 or True",
        "metric.context['nosuch']",
        "metric.context['nosuch', 'name'] != 'dev'",
        "metric.context[()] != 1",
        "metric['last']",
        "images.name == 'x'",
    ];
    check(Entity::Metric, &raising, None);
    check(Entity::Images, &["images.last", "images.last != None"], Some(true));
}

#[test]
fn canonical_contexts() {
    let canonical = |json| canonical_context(&super::json::value(&json)).unwrap();
    assert_eq!(canonical(json!({"b": 1.0, "a": true})), r#"{"a":1,"b":1}"#);
    assert_eq!(canonical(json!({"x": [1, 0.5, null, "q\"\n"]})), r#"{"x":[1,0.5,null,"q\"\n"]}"#);
    assert_eq!(
        canonical(json!({"$map": [[1, "a"], ["k", {"$float": "nan"}]]})),
        r#"{"$map":[[1,"a"],["k",{"$float":"nan"}]]}"#
    );
    assert_eq!(canonical(json!({})), "{}");
}

/// What the wrapper around params and summaries does by itself: found by asking the original.
#[test]
fn wrappers() {
    let yes = [
        // A missing param equals a plain None; a stored None equals it, but not the other way round.
        "run.nosuch == None and None == run.nosuch",
        "run.none == run.nosuch and not run.nosuch == run.none and run.nosuch != run.none",
        "run.nosuch == run.other_nosuch",
        // What is missing further down can be looked for in a set or dict.
        "run.nosuch.deeper not in {1, 2} and run.nosuch.deeper not in {'a': 1}",
        "run.nosuch.deeper not in run.hp",
        // Elements that cannot be ordered are caught by the wrapper too.
        "not run.layers < ['a'] and not ['a'] > run.layers and not run.layers >= [None]",
        // A wrapper may be a mapping, so a format need not use it.
        "'x' % run.seed == 'x' and 'x' % run.nosuch == 'x'",
        // Rounding asks for the float.
        "math.floor(run.big) == 9007199254740992 and math.ceil(run.lr) == 1",
    ];
    check(Entity::Run, &yes, Some(true));
    let raises = ["run.nosuch in {1, 2}", "[1] < ['a']", "'x' % 3", "math.floor(run.text)"];
    check(Entity::Run, &raises, None);
}
