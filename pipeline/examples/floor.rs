//! The floor of a night: DataFusion decoding the columns that the night needs, and decoding them
//! with the exchange by shard. Prints one line of JSON: `{"decode_s": .., "decode_exchange_s": ..,
//! "rows": ..}`.
//!
//! Usage: `floor warehouse.toml 2026-11-19 [threads]`

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tagmill_night::scan::{RawTable, find_files};
use tagmill_pipeline::{Request, Resources, night_session};
use tagmill_schemas::Config;
use tagmill_schemas::config::{AppColumn, Source, SourceKind};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, date, rest @ ..] = arguments.as_slice() else {
        return Err("usage: floor warehouse.toml DATE [THREADS]".into());
    };
    let request = Request {
        config: Config::parse(&std::fs::read_to_string(config)?, config)?,
        date: date.parse()?,
        sources: Vec::new(),
        wait: None,
        memory: None,
        threads: rest.first().map(|threads| threads.parse()).transpose()?,
        stage_only: false,
        force: false,
    };
    let session = night_session(&Resources::of(&request), None)?;
    let mut plans = Vec::new();
    for source in &request.config.sources {
        let files = find_files(source, request.date, request.config.warehouse.time_zone).await?;
        if !files.files.is_empty() {
            let columns = needed_columns(
                &request.config,
                source,
                &files
                    .schema
                    .fields()
                    .iter()
                    .map(|f| f.name().clone())
                    .collect::<Vec<_>>(),
            );
            let plan = LogicalPlanBuilder::scan(
                source.name.clone(),
                provider_as_source(Arc::new(RawTable::new(files))),
                None,
            )?;
            let plan = plan
                .project(columns.iter().map(datafusion::logical_expr::ident))?
                .build()?;
            plans.push((
                session.state().create_physical_plan(&plan).await?,
                source.columns.user.clone(),
            ));
        }
    }
    let started = Instant::now();
    let rows = drain(
        plans.iter().map(|(plan, _)| Arc::clone(plan)).collect(),
        &session,
    )
    .await?;
    let decode = started.elapsed().as_secs_f64();
    let shards = request.config.warehouse.shards.get() as usize;
    let mut exchanged: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
    for (plan, user) in plans {
        let key = Arc::new(Column::new_with_schema(&user, &plan.schema())?);
        exchanged.push(Arc::new(RepartitionExec::try_new(
            plan.reset_state()?,
            Partitioning::Hash(vec![key], shards),
        )?));
    }
    let started = Instant::now();
    drain(exchanged, &session).await?;
    let exchange = started.elapsed().as_secs_f64();
    println!(
        "{{\"decode_s\": {decode:.3}, \"decode_exchange_s\": {exchange:.3}, \"rows\": {rows}}}"
    );
    Ok(())
}

/// The columns of a source that the night reads, found by name in its expressions.
fn needed_columns(config: &Config, source: &Source, columns: &[String]) -> Vec<String> {
    let mut texts: Vec<String> = vec![source.columns.user.clone()];
    if let AppColumn::Column(app) = &source.columns.app {
        texts.push(app.clone());
    }
    texts.extend(
        config
            .tags
            .iter()
            .filter(|tag| tag.source == source.name)
            .filter_map(|tag| tag.value.clone()),
    );
    match &source.kind {
        SourceKind::Attributes { dedupe } => texts.extend(dedupe.clone()),
        SourceKind::GroupTags { tag, value, .. } => texts.extend([tag.clone(), value.clone()]),
        SourceKind::Behaviour(events) | SourceKind::CustomEvents(events) => {
            texts.push(events.event.clone());
            texts.extend(events.dimensions.iter().map(|(_, sql)| sql.clone()));
            texts.extend(events.measures.iter().map(|m| m.value.clone()));
            texts.extend(events.properties.clone());
        }
    }
    let words: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    columns
        .iter()
        .filter(|column| words.contains(&column.as_str()))
        .cloned()
        .collect()
}

/// Reads every partition of every plan and keeps nothing.
async fn drain(
    plans: Vec<Arc<dyn ExecutionPlan>>,
    session: &SessionContext,
) -> Result<u64, Box<dyn Error>> {
    let mut tasks = tokio::task::JoinSet::new();
    for plan in plans {
        for partition in 0..plan.properties().output_partitioning().partition_count() {
            let mut stream = plan.execute(partition, session.task_ctx())?;
            tasks.spawn(async move {
                let mut rows = 0;
                while let Some(batch) = stream.next().await {
                    rows += batch?.num_rows() as u64;
                }
                Ok::<u64, datafusion::error::DataFusionError>(rows)
            });
        }
    }
    let mut rows = 0;
    while let Some(done) = tasks.join_next().await {
        rows += done??;
    }
    Ok(rows)
}
