//! Programs as a function of DataFusion: an expression of Python is asked of every row of a batch.
//!
//! The first argument is a literal that holds the program and says what the other arguments, all columns, mean to it
//! ([`Binding`]). The second says of which rows the answer matters: the others are not evaluated and answered with false.
//! The answer is a Boolean that is never null.
//!
//! | file | what it does |
//! |---|---|
//! | `bindings.rs` | what columns mean; the literal; the program made ready |
//! | `columns.rs` | columns with their types settled |
//! | `row.rs` | the evaluator's view of one row |
//! | `sequences.rs` | look-ups among all sequences of a run |
//! | `limit.rs` | the error of a row that asks for too much |
//! | `json.rs` | parameter documents and contexts as values |

mod bindings;
mod columns;
mod json;
mod limit;
mod row;
mod sequences;
#[cfg(test)]
mod tests;

pub(crate) use bindings::{Binding, ListColumn};
pub(crate) use limit::limit_of;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder};
use arrow::datatypes::{DataType, Field, FieldRef};
use bindings::{Call, Compiled};
use chrono::{DateTime, Utc};
use columns::Argument;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNode;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use lakeql_eval::{Limits, Outcome};
use lakeql_query::model::Program;
use row::{Cells, CellsRow};
use std::any::Any;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

const NAME: &str = "evaluate_program";

/// Programs that are kept ready; when there are more, all are forgotten.
const KEPT: usize = 256;

/// One for the process, so that all plans share the programs that are ready.
static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Evaluate::default())));

/// The function, for the registry: plans refer to it by name.
pub(crate) fn udf() -> ScalarUDF {
    ScalarUDF::clone(&UDF)
}

/// The predicate that holds where the guard does, the program's value counts as true (`outcome`) or as false, and nothing
/// is raised.
pub(crate) fn call(
    program: &Program,
    outcome: bool,
    now: DateTime<Utc>,
    guard: Option<Expr>,
    args: Vec<(Binding, Expr)>,
) -> crate::Result<Expr> {
    let (bindings, columns): (Vec<_>, Vec<_>) = args.into_iter().unzip();
    let call = Call { program: program.clone(), outcome, now: now.timestamp_micros(), bindings };
    let text = call.encode()?;
    // Ready before the first batch asks for it.
    if let Some(function) = (UDF.inner().as_ref() as &dyn Any).downcast_ref::<Evaluate>() {
        function.keep(text.clone(), Arc::new(Compiled::new(&call)?));
    }
    let args = [lit(text), guard.unwrap_or_else(|| lit(true))].into_iter().chain(columns).collect();
    Ok(UDF.call(args))
}

/// Whether an expression runs a program.
pub(crate) fn runs_program(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(matches!(expr, Expr::ScalarFunction(call) if call.func.name() == NAME))).unwrap_or(true)
}

#[derive(Debug)]
struct Evaluate {
    signature: Signature,
    ready: Mutex<HashMap<String, Arc<Compiled>>>,
}

impl Default for Evaluate {
    fn default() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable), ready: Mutex::default() }
    }
}

/// There is only one such function: what it keeps ready makes no difference.
impl PartialEq for Evaluate {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Evaluate {}

impl Hash for Evaluate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl Evaluate {
    fn keep(&self, text: String, compiled: Arc<Compiled>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= KEPT {
            ready.clear();
        }
        ready.insert(text, compiled);
    }

    /// The program of a literal. One that was written by another process is read first.
    fn compiled(&self, text: &str) -> Result<Arc<Compiled>> {
        if let Some(compiled) = self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(Compiled::new(&Call::decode(text)?)?);
        self.keep(text.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }
}

impl ScalarUDFImpl for Evaluate {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(NAME, DataType::Boolean, false)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut columns = args.args.into_iter();
        let compiled = match columns.next() {
            Some(ColumnarValue::Scalar(literal)) => match literal.try_as_str() {
                Some(Some(text)) => self.compiled(text)?,
                _ => return Err(DataFusionError::Internal(format!("{NAME} expects a program as text"))),
            },
            _ => return Err(DataFusionError::Internal(format!("{NAME} expects a program that is a literal"))),
        };
        let guard = match columns.next() {
            Some(ColumnarValue::Array(array)) => Some(Guard::new(&array)?),
            Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))) => None,
            Some(ColumnarValue::Scalar(_)) => return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(false)))),
            None => return Err(DataFusionError::Internal(format!("{NAME} expects to be told which rows matter"))),
        };
        let arguments = columns
            .map(|column| match column {
                ColumnarValue::Array(array) => Ok(Argument { array, single: false }),
                ColumnarValue::Scalar(value) => Ok(Argument { array: value.to_array_of_size(1)?, single: true }),
            })
            .collect::<Result<Vec<_>>>()?;
        if guard.is_none() && arguments.iter().all(|argument| argument.single) {
            let holds = evaluate(&compiled, &arguments, None, args.number_rows.min(1))?;
            let holds = holds.iter().flatten().next().unwrap_or(false);
            return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(holds))));
        }
        Ok(ColumnarValue::Array(Arc::new(evaluate(&compiled, &arguments, guard.as_ref(), args.number_rows)?)))
    }
}

/// The rows whose answers matter.
struct Guard(BooleanArray);

impl Guard {
    fn new(array: &ArrayRef) -> Result<Self> {
        let array = array
            .as_boolean_opt()
            .ok_or_else(|| DataFusionError::Internal(format!("{NAME} is guarded by {}", array.data_type())))?;
        Ok(Self(array.clone()))
    }

    fn lets_pass(&self, row: usize) -> bool {
        self.0.is_valid(row) && self.0.value(row)
    }
}

/// Asks the program of so many rows.
fn evaluate(compiled: &Compiled, arguments: &[Argument], guard: Option<&Guard>, rows: usize) -> Result<BooleanArray> {
    let cells = Cells::new(compiled, arguments)?;
    let limits = Limits::default();
    let mut holds = BooleanBufferBuilder::new(rows);
    for row in 0..rows {
        if guard.is_some_and(|guard| !guard.lets_pass(row)) {
            holds.append(false);
            continue;
        }
        let outcome = compiled.evaluator.outcome(&CellsRow { cells: &cells, row }, &limits);
        cells.problem()?;
        holds.append(match outcome {
            Outcome::True => compiled.outcome,
            Outcome::False => !compiled.outcome,
            Outcome::Raised(raised) if raised.is_limit() => return Err(limit::error(&raised.message, compiled.span)),
            Outcome::Raised(_) => false,
        });
    }
    Ok(BooleanArray::new(holds.finish(), None))
}
