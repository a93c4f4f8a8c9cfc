//! Arguments of functions: texts in any of Arrow's layouts, and literals that stand for every row.

use arrow::array::{Array, ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::ColumnarValue;

/// The layout in which a function takes a text: as it comes, and dictionaries unpacked.
pub(crate) fn text_type(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(given.clone()),
        DataType::Null => Ok(DataType::Utf8View),
        DataType::Dictionary(_, values) => text_type(function, values),
        other => plan_err!("{function} takes a text, not {other}"),
    }
}

/// Refuses any other number of arguments.
pub(crate) fn expect_count(function: &str, given: &[DataType], expected: usize) -> Result<()> {
    if given.len() == expected {
        return Ok(());
    }
    let plural = if expected == 1 { "" } else { "s" };
    plan_err!("{function} takes {expected} argument{plural}, not {}", given.len())
}

/// An argument as an array: one row for a literal, which then stands for every row.
pub(crate) struct Argument {
    array: ArrayRef,
    literal: bool,
}

impl Argument {
    /// Takes an argument as it is, without repeating literals.
    pub(crate) fn new(value: &ColumnarValue) -> Result<Self> {
        match value {
            ColumnarValue::Array(array) => Ok(Self { array: array.clone(), literal: false }),
            ColumnarValue::Scalar(value) => Ok(Self { array: value.to_array()?, literal: true }),
        }
    }

    /// Whether it is the same for every row.
    pub(crate) fn is_literal(&self) -> bool {
        self.literal
    }

    /// The values.
    pub(crate) fn array(&self) -> &ArrayRef {
        &self.array
    }

    /// The place of a row's value in the array.
    pub(crate) fn index(&self, row: usize) -> usize {
        if self.literal { 0 } else { row }
    }
}

/// A column of texts in any layout.
#[derive(Clone, Copy)]
pub(crate) enum Texts<'a> {
    /// 32-bit offsets.
    Small(&'a StringArray),
    /// 64-bit offsets.
    Large(&'a LargeStringArray),
    /// Views.
    View(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    /// The texts of an array.
    pub(crate) fn new(array: &'a dyn Array) -> Result<Self> {
        match array.data_type() {
            DataType::Utf8 => Ok(Self::Small(array.as_string())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string())),
            DataType::Utf8View => Ok(Self::View(array.as_string_view())),
            other => exec_err!("expected texts, not {other}"),
        }
    }

    /// The text at this place, or nothing for a null.
    pub(crate) fn get(self, index: usize) -> Option<&'a str> {
        match self {
            Self::Small(array) => array.is_valid(index).then(|| array.value(index)),
            Self::Large(array) => array.is_valid(index).then(|| array.value(index)),
            Self::View(array) => array.is_valid(index).then(|| array.value(index)),
        }
    }
}

/// The result of a function all of whose arguments are literals is one value.
pub(crate) fn finish(array: ArrayRef, literal: bool) -> Result<ColumnarValue> {
    if literal {
        return Ok(ColumnarValue::Scalar(datafusion_common::ScalarValue::try_from_array(&array, 0)?));
    }
    Ok(ColumnarValue::Array(array))
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{ArrayRef, ColumnarValue, Result};
    use arrow::datatypes::Field;
    use datafusion_common::config::ConfigOptions;
    use datafusion_expr::{ScalarFunctionArgs, ScalarUDF};
    use std::sync::Arc;

    /// Calls a function as the engine does: arguments coerced, result checked.
    pub(crate) fn call(function: &ScalarUDF, args: Vec<ColumnarValue>, rows: usize) -> Result<ArrayRef> {
        let types: Vec<_> = args.iter().map(ColumnarValue::data_type).collect();
        let types = function.coerce_types(&types)?;
        let args = args.iter().zip(&types).map(|(arg, to)| arg.cast_to(to, None)).collect::<Result<Vec<_>>>()?;
        let returned = function.return_type(&types)?;
        let fields = types.into_iter().map(|it| Arc::new(Field::new("a", it, true))).collect();
        let value = function.invoke_with_args(ScalarFunctionArgs {
            args,
            arg_fields: fields,
            number_rows: rows,
            return_field: Arc::new(Field::new("r", returned.clone(), true)),
            config_options: Arc::new(ConfigOptions::default()),
        })?;
        let array = value.into_array(rows)?;
        assert_eq!(array.data_type(), &returned);
        Ok(array)
    }
}
