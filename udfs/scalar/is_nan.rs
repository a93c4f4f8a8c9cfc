//! `is_nan(number)`: whether a float is not a number, whatever its sign. Null where it is null, false for integers.
//!
//! Comparisons order floats totally (−NaN < −∞ < … < ∞ < NaN), and statistics of Parquet files leave NaN out: what asks
//! for it by a comparison is pruned away. A function is not.
//!
//! ```sql
//! select hash from runs where is_nan("loss:float")
//! ```

use super::arguments::expect_count;
use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use datafusion_common::{Result, exec_err, plan_err};
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
        match given {
            [DataType::Float16 | DataType::Float32 | DataType::Float64] => Ok(given.to_vec()),
            [other] if other.is_numeric() || *other == DataType::Null => Ok(vec![DataType::Float64]),
            _ => plan_err!("is_nan takes a number"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [number] = args.args.as_slice() else { return exec_err!("is_nan needs one number") };
        let numbers = number.to_array(args.number_rows)?;
        let found = match numbers.data_type() {
            DataType::Float16 => BooleanArray::from_unary(numbers.as_primitive::<Float16Type>(), half_is_nan),
            DataType::Float32 => BooleanArray::from_unary(numbers.as_primitive::<Float32Type>(), f32::is_nan),
            DataType::Float64 => BooleanArray::from_unary(numbers.as_primitive::<Float64Type>(), f64::is_nan),
            other => return exec_err!("is_nan of {other}"),
        };
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

fn half_is_nan(number: <Float16Type as arrow::datatypes::ArrowPrimitiveType>::Native) -> bool {
    number.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{ArrayRef, Float32Array, Float64Array, Int64Array};
    use datafusion_expr::ScalarUDF;

    #[test]
    fn both_signs_are_nan() {
        let function = ScalarUDF::from(IsNan::new());
        let expected = [Some(true), Some(true), Some(false), Some(false), None];
        let wide: ArrayRef =
            Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(-f64::NAN), Some(f64::INFINITY), Some(-0.0), None]));
        let single: ArrayRef =
            Arc::new(Float32Array::from(vec![Some(f32::NAN), Some(-f32::NAN), Some(f32::INFINITY), Some(-0.0), None]));
        for numbers in [wide, single] {
            let found = call(&function, vec![ColumnarValue::Array(numbers)], 5).unwrap();
            assert_eq!(found.as_boolean().iter().collect::<Vec<_>>(), expected);
        }
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let found = call(&function, vec![ColumnarValue::Array(whole)], 2).unwrap();
        assert_eq!(found.as_boolean().iter().collect::<Vec<_>>(), [Some(false), None]);
    }
}
