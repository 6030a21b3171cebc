//! The module `tagmill_udfs._native`: every function as an object that the Python package
//! `datafusion` can register.
//!
//! Such an object hands its function over as a PyCapsule of a struct of `datafusion-ffi`; the
//! package's DataFusion and the one in here share nothing else, so both need the same major
//! version.

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion_ffi::udaf::FFI_AggregateUDF;
use datafusion_ffi::udf::FFI_ScalarUDF;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::sync::Arc;

/// A scalar function, for `datafusion.ScalarUDF.from_pycapsule`.
#[pyclass(frozen, module = "tagmill_udfs")]
struct ScalarFunction(Arc<ScalarUDF>);

#[pymethods]
impl ScalarFunction {
    fn __datafusion_scalar_udf__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        PyCapsule::new_with_value(
            py,
            FFI_ScalarUDF::from(Arc::clone(&self.0)),
            c"datafusion_scalar_udf",
        )
    }
}

/// An aggregate function, for `datafusion.AggregateUDF.from_pycapsule`.
#[pyclass(frozen, module = "tagmill_udfs")]
struct AggregateFunction(Arc<AggregateUDF>);

#[pymethods]
impl AggregateFunction {
    fn __datafusion_aggregate_udf__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        PyCapsule::new_with_value(
            py,
            FFI_AggregateUDF::from(Arc::clone(&self.0)),
            c"datafusion_aggregate_udf",
        )
    }
}

/// All scalar functions.
#[pyfunction]
fn scalar_functions() -> Vec<ScalarFunction> {
    tagmill_udfs::scalar_functions()
        .into_iter()
        .map(|function| ScalarFunction(Arc::new(function)))
        .collect()
}

/// All aggregate functions.
#[pyfunction]
fn aggregate_functions() -> Vec<AggregateFunction> {
    tagmill_udfs::aggregate_functions()
        .into_iter()
        .map(|function| AggregateFunction(Arc::new(function)))
        .collect()
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ScalarFunction>()?;
    module.add_class::<AggregateFunction>()?;
    module.add_function(wrap_pyfunction!(scalar_functions, module)?)?;
    module.add_function(wrap_pyfunction!(aggregate_functions, module)?)
}
