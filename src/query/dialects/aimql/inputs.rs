//! Which values an expression can look at, so that nothing else is read for it.

use super::access::{Access, Chain, PROPERTIES, Root, STORAGE_NAMES, SUMMARIES, Step, access, chain};
use crate::model::{Entity, Inputs, Key, SummaryRef};
use crate::syntax::python::{PyExpr, PyKind};

/// The values the expression can look at; rather too many than too few.
pub(super) fn inputs(expr: &PyExpr, entity: Entity) -> Inputs {
    let mut collector = Collector { entity, inputs: Inputs::default() };
    collector.expr(expr, false);
    collector.inputs
}

struct Collector {
    entity: Entity,
    inputs: Inputs,
}

impl Collector {
    /// `called` if the expression is what a call calls: then its last attribute is a method, not a key.
    fn expr(&mut self, expr: &PyExpr, called: bool) {
        if let Some(chain) = chain(expr, self.entity) {
            for step in &chain.steps {
                if let Step::Computed(index) = step {
                    self.expr(index, false);
                }
            }
            match chain.root {
                Root::Run => self.run(expr, &chain, called),
                Root::Series => self.series(&chain),
            }
            return;
        }
        if let PyKind::Call { func, args, keywords } = &expr.kind {
            self.expr(func, true);
            args.iter().for_each(|arg| self.expr(arg, false));
            keywords.iter().for_each(|(_, value)| self.expr(value, false));
            return;
        }
        expr.children(&mut |child| self.expr(child, false));
    }

    fn run(&mut self, expr: &PyExpr, chain: &Chain<'_>, called: bool) {
        let steps = chain.steps.as_slice();
        match steps.first() {
            None => {
                // The run itself: anything may be asked of it.
                self.whole_run();
            }
            Some(Step::Attribute("metrics")) => match access(expr, self.entity) {
                Some(Access::Summary { series, context, field }) => {
                    self.inputs.summaries.insert(SummaryRef { series, context, field });
                }
                _ => self.inputs.all_series = true,
            },
            Some(Step::Attribute("get")) => {
                self.inputs.params.insert(vec![]);
            }
            Some(Step::Attribute(name)) if PROPERTIES.iter().any(|(property, _)| property == name) => {
                self.property(name);
            }
            Some(_) => self.param(steps, called),
        }
    }

    fn property(&mut self, name: &str) {
        let columns = PROPERTIES.iter().find(|(property, _)| *property == name).map(|(_, columns)| *columns);
        self.inputs.run.extend(columns.into_iter().flatten().map(|column| (*column).to_owned()));
    }

    /// The longest path of text keys; a list or mapping with integer keys is read whole.
    fn param(&mut self, steps: &[Step<'_>], called: bool) {
        let mut path = vec![];
        'steps: for (depth, step) in steps.iter().enumerate() {
            match step {
                Step::Attribute(name) => {
                    if depth > 0 && (STORAGE_NAMES.contains(name) || (called && depth + 1 == steps.len())) {
                        break;
                    }
                    path.push(Key::Text((*name).to_owned()));
                }
                Step::Keys(keys) => {
                    for key in keys {
                        if matches!(key, Key::Int(_)) {
                            break 'steps;
                        }
                        path.push(key.clone());
                    }
                }
                Step::Computed(_) => break,
            }
        }
        self.inputs.params.insert(path);
    }

    fn whole_run(&mut self) {
        PROPERTIES.iter().for_each(|(property, _)| self.property(property));
        self.inputs.params.insert(vec![]);
        self.inputs.all_series = true;
    }

    fn series(&mut self, chain: &Chain<'_>) {
        match chain.steps.first() {
            Some(Step::Attribute(name)) if ["name", "context"].contains(name) || SUMMARIES.contains(name) => {
                self.inputs.series.insert((*name).to_owned());
            }
            Some(_) => {}
            None => {
                self.inputs
                    .series
                    .extend(["name", "context"].into_iter().chain(SUMMARIES.iter().copied()).map(str::to_owned));
                self.whole_run();
            }
        }
    }
}
