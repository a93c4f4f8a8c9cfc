//! `is_nan(float)`: whether a float is not a number. Null stays null.
//!
//! A comparison would not do: statistics of files leave NaN out, so `x > 'inf'` skips files that hold some.
//!
//! ```sql
//! select run, name from raw.series where is_nan(last)
//! ```

use super::arguments::{Argument, expect_count, finish};
use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// The function `is_nan`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct IsNan {
    signature: Signature,
}

impl IsNan {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for IsNan {
    fn name(&self) -> &'static str {
        "is_nan"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 1)?;
        // Other numbers are converted by the engine.
        Ok(vec![DataType::Float64])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else { return exec_err!("is_nan takes one number") };
        let value = Argument::new(value)?;
        let floats = value.array().as_primitive::<Float64Type>();
        let found =
            BooleanArray::new(floats.values().iter().map(|float| float.is_nan()).collect(), floats.nulls().cloned());
        finish(Arc::new(found), value.is_literal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::Float64Array;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn nan_of_either_sign_and_nothing_else() {
        let floats = Float64Array::from(vec![Some(f64::NAN), Some(-f64::NAN), Some(f64::INFINITY), Some(0.0), None]);
        let found = call(&ScalarUDF::from(IsNan::new()), vec![ColumnarValue::Array(Arc::new(floats))], 5).unwrap();
        let found: Vec<_> = found.as_boolean().iter().collect();
        assert_eq!(found, [Some(true), Some(true), Some(false), Some(false), None]);
    }
}
