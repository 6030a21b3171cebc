"""Roaring bitmap functions for the Python package datafusion: register_all(ctx), then SQL as in the manual.

The table function bitmap_explode is unnest(bitmap_to_array(...)) here, and SET tagmill.dialect does not exist: names that
several systems share follow tagmill's rules, names that one system owns follow that system's.
"""

from datafusion import AggregateUDF, ScalarUDF, SessionContext

from ._native import aggregate_functions, scalar_functions

__all__ = ["aggregate_functions", "register_all", "scalar_functions"]


def register_all(ctx: SessionContext) -> None:
    """Makes every function known to the session, under each of its names."""
    for function in scalar_functions():
        ctx.register_udf(ScalarUDF.from_pycapsule(function))
    for function in aggregate_functions():
        ctx.register_udaf(AggregateUDF.from_pycapsule(function))
