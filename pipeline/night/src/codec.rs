//! The operator on its way to another process: a physical extension codec for Ballista and anything
//! else that sends plans.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::scan::{
    BY_VALUE, ByRow, ByValue, ONE_DICTIONARY, OneDictionary, ROW_FAILS, VALUE_OF_ROW,
};
use crate::{NightExec, NightSpec, ShardNumbers};
use tagmill_engine::external;
use tagmill_warehouse::store::Store;

/// Writes a [`NightExec`] as the JSON of its [`NightSpec`]. Only one whose shards are told by rows
/// travels, [`ShardNumbers::OfRow`]: an engine may number partitions anew. The functions of the scan travel by
/// name, and [`crate::scan::register_functions`] makes them known; except for [`ByValue`], which
/// has an expression, and [`OneDictionary`], of which every column has its own.
#[derive(Debug, Default)]
pub struct NightCodec;

impl PhysicalExtensionCodec for NightCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let spec: NightSpec =
            serde_json::from_slice(bytes).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let store = Store::open(&spec.store).map_err(external)?;
        Ok(Arc::new(NightExec::try_new(
            Arc::new(spec),
            store,
            ShardNumbers::OfRow,
            inputs.to_vec(),
        )?))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(night) = (node.as_ref() as &dyn std::any::Any).downcast_ref::<NightExec>() else {
            return Err(DataFusionError::NotImplemented(format!(
                "{} has no codec here",
                node.name()
            )));
        };
        if night.numbers() == ShardNumbers::OfPartition {
            return Err(DataFusionError::Plan(
                "the shards of this plan are numbered by partition: it runs in its own process \
                 only"
                    .to_owned(),
            ));
        }
        serde_json::to_writer(bytes, night.spec().as_ref())
            .map_err(|e| DataFusionError::External(Box::new(e)))
    }

    fn try_encode_udf(&self, node: &ScalarUDF, bytes: &mut Vec<u8>) -> Result<()> {
        let function = node.inner().as_ref() as &dyn std::any::Any;
        if let Some(function) = function.downcast_ref::<ByValue>() {
            bytes.extend_from_slice(&function.encode()?);
        } else if let Some(function) = function.downcast_ref::<ByRow>() {
            bytes.extend_from_slice(&function.encode()?);
        } else if function.is::<OneDictionary>() {
            // Without bytes it would be looked up by its name.
            bytes.push(1);
        }
        Ok(())
    }

    fn try_decode_udf(&self, name: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
        match name {
            BY_VALUE => Ok(Arc::new(ScalarUDF::from(ByValue::decode(bytes)?))),
            VALUE_OF_ROW | ROW_FAILS => Ok(Arc::new(ScalarUDF::from(ByRow::decode(name, bytes)?))),
            ONE_DICTIONARY => Ok(Arc::new(ScalarUDF::from(OneDictionary::default()))),
            _ => Err(DataFusionError::Plan(format!(
                "the function {name} is not known here"
            ))),
        }
    }
}
