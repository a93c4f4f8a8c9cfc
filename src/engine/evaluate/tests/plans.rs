//! The function inside of plans.

use super::super::{Evaluate, call, udf};
use super::{ColumnType, ints, now, param, program};
use arrow::array::{AsArray, RecordBatch};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ScalarUDF, col, lit};
use datafusion::prelude::SessionContext;
use lakeql_query::model::Entity;

async fn holds(context: &SessionContext, batch: &RecordBatch, predicate: Expr) -> Vec<bool> {
    let frame = context.read_batch(batch.clone()).unwrap().select(vec![predicate.alias("holds")]).unwrap();
    assert!(!frame.schema().field(0).is_nullable());
    let batches = frame.collect().await.unwrap();
    batches
        .iter()
        .flat_map(|batch| batch.column(0).as_boolean().iter().map(Option::unwrap).collect::<Vec<_>>())
        .collect()
}

#[tokio::test]
async fn inside_of_plans() {
    let context = SessionContext::new();
    context.register_udf(udf());
    let batch = RecordBatch::try_from_iter([("x", ints(&[Some(1), Some(2), None]))]).unwrap();
    let x = || (param("x", ColumnType::Int), col("x"));
    let is_one = call(&program("run.x == 1", Entity::Run), true, now(), None, vec![x()]).unwrap();
    assert_eq!(holds(&context, &batch, is_one.clone()).await, [true, false, false]);
    let y = (param("y", ColumnType::Text), lit(ScalarValue::Utf8(Some("t".into()))));
    let both =
        call(&program("run.x == 2 and run.y == 't'", Entity::Run), true, now(), None, vec![x(), y.clone()]).unwrap();
    assert_eq!(holds(&context, &batch, both).await, [false, true, false]);
    let constant = call(&program("run.y == 't'", Entity::Run), true, now(), None, vec![y]).unwrap();
    assert_eq!(holds(&context, &batch, constant).await, [true, true, true]);
    // A function of another process has no programs ready.
    let Expr::ScalarFunction(function) = is_one else { panic!() };
    let fresh = ScalarUDF::from(Evaluate::default()).call(function.args);
    assert_eq!(holds(&context, &batch, fresh).await, [true, false, false]);
    // Rows that the guard keeps out are false, and cannot fail.
    let guarded =
        call(&program("run.x >= 1", Entity::Run), true, now(), Some(col("x").eq(lit(2_i64))), vec![x()]).unwrap();
    assert_eq!(holds(&context, &batch, guarded).await, [false, true, false]);
    let never = Some(col("x").is_null().and(lit(false)));
    let spared = call(&program("run.x in run.metrics", Entity::Run), true, now(), never, vec![x()]).unwrap();
    assert_eq!(holds(&context, &batch, spared).await, [false, false, false]);
    let endless = call(&program("run.x in run.metrics", Entity::Run), true, now(), None, vec![x()]).unwrap();
    let error = context.read_batch(batch).unwrap().filter(endless).unwrap().collect().await.unwrap_err();
    assert!(matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)), "{error}");
}
