"""What engines give out, in the types that were asked for."""

from __future__ import annotations

import pyarrow as pa


def typed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give a batch the types of a schema: engines have narrower integers and other widths of text than Ibis says."""
    if batch.schema.equals(schema):
        return batch
    columns = [batch.column(index).cast(field.type) for index, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def nullable(schema: pa.Schema) -> pa.Schema:
    """Give a schema in which every column may be null, as every column of a file may."""
    return pa.schema([field.with_nullable(True) for field in schema])
