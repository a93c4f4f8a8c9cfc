//! Functions for any DataFusion: one function, one file.
//!
//! Functions are named after what they compute. They take and return Arrow arrays, and nothing in them knows a lake, a
//! query language or a file, so that any DataFusion can have them:
//!
//! ```
//! let names: Vec<_> = lakeql_udfs::all().iter().map(|function| function.name().to_owned()).collect();
//! assert!(names.contains(&"json_value".to_owned()));
//! ```
//!
//! | function | value |
//! |---|---|
//! | `json_value(json, key…)` | the JSON text of what lies in a JSON text at a path |
//! | `json_text(json, key…)` | the same, a text without its quotes and null as null |
//! | `json_list(list)` | the JSON text of a list of numbers, texts or booleans |
//! | `size_bytes('20MB')` | the number of bytes that a size stands for |
//! | `glob_match(text, pattern)` | whether a text matches a pattern with `*` and `?` |
//! | `regex_found(text, regex)` | whether a text contains a match of a regular expression |
//! | `contains_folded(text, piece)` | whether a text contains a piece, whatever the case of letters |
//! | `is_in(value, list)` | whether a value is in a list, however long |
//! | `has_any(list, values)` | whether a list has one of these values |
//! | `list_any_compare(list, op, value)` | whether some element of a list, or value of a map, compares so with a value |
//! | `list_any_between(list, low, high)`, `list_any_not_between` | whether some element lies between two values, or does not |
//! | `list_any_in(list, values)`, `list_any_not_in` | whether some element is among other values, or is not |
//! | `list_any_matches(list, regex)`, `list_any_not_matches` | whether some text matches a regular expression, or does not |
//! | `list_all_compare`, `list_all_between`, `list_all_in`, `list_all_match` | the same for every element; true of an empty list |
//! | `json_any(json, question)` | whether some item of a JSON value passes a test |
//! | `is_nan(float)` | whether a float is not a number |

pub mod scalar;

use datafusion_expr::ScalarUDF;
use datafusion_expr::registry::FunctionRegistry;
use std::sync::Arc;

/// All functions.
pub fn all() -> Vec<ScalarUDF> {
    vec![
        ScalarUDF::from(scalar::json_value::JsonValue::json()),
        ScalarUDF::from(scalar::json_value::JsonValue::text()),
        ScalarUDF::from(scalar::json_list::JsonList::new()),
        ScalarUDF::from(scalar::size_bytes::SizeBytes::new()),
        ScalarUDF::from(scalar::glob_match::GlobMatch::new()),
        ScalarUDF::from(scalar::regex_found::RegexFound::new()),
        ScalarUDF::from(scalar::contains_folded::ContainsFolded::new()),
        ScalarUDF::from(scalar::is_in::IsIn::new()),
        ScalarUDF::from(scalar::is_nan::IsNan::new()),
        ScalarUDF::from(scalar::has_any::HasAny::new()),
        ScalarUDF::from(scalar::list_any::compare::ListAnyCompare::new()),
        ScalarUDF::from(scalar::list_any::compare::ListAnyCompare::all()),
        ScalarUDF::from(scalar::list_any::between::ListAnyBetween::inside()),
        ScalarUDF::from(scalar::list_any::between::ListAnyBetween::outside()),
        ScalarUDF::from(scalar::list_any::between::ListAnyBetween::all()),
        ScalarUDF::from(scalar::list_any::within::ListAnyIn::inside()),
        ScalarUDF::from(scalar::list_any::within::ListAnyIn::outside()),
        ScalarUDF::from(scalar::list_any::within::ListAnyIn::all()),
        ScalarUDF::from(scalar::list_any::matches::ListAnyMatches::found()),
        ScalarUDF::from(scalar::list_any::matches::ListAnyMatches::missed()),
        ScalarUDF::from(scalar::list_any::matches::ListAnyMatches::all()),
        ScalarUDF::from(scalar::json_any::JsonAny::new()),
    ]
}

/// Makes all functions known to a session.
///
/// # Errors
/// The registry refuses a function.
pub fn register(registry: &mut dyn FunctionRegistry) -> datafusion_common::Result<()> {
    for function in all() {
        registry.register_udf(Arc::new(function))?;
    }
    Ok(())
}
