//! Aggregates over few but large rows read their file on all threads.
//!
//! DataFusion splits the input of an operator only if it has more rows than a batch. 7,000 bitmaps are one batch, and
//! 100 MiB: here what an aggregate reads is split by its bytes, from `datafusion.optimizer.repartition_file_min_size` on.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// The rule; it comes before the one that gives operators the distribution they ask for.
#[derive(Debug)]
pub(super) struct SplitScans;

impl PhysicalOptimizerRule for SplitScans {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let threads = config.execution.target_partitions;
        if threads < 2 || !config.optimizer.repartition_file_scans {
            return Ok(plan);
        }
        let split = plan.transform_down(|plan| if plan.is::<AggregateExec>() { split_leaves(plan, threads, config) } else { Ok(Transformed::no(plan)) })?;
        Ok(split.data)
    }

    fn name(&self) -> &str {
        "split_scans"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn split_leaves(plan: Arc<dyn ExecutionPlan>, threads: usize, config: &ConfigOptions) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    plan.transform_up(|plan| {
        let is_whole = plan.children().is_empty() && plan.output_partitioning().partition_count() == 1;
        let split = if is_whole { plan.repartitioned(threads, config)? } else { None };
        Ok(split.map_or_else(|| Transformed::no(plan), Transformed::yes))
    })
}
