//! Stands for `tagmill_pipeline::job` until that is there.

use std::fmt;
use std::time::Duration;

use chrono::NaiveDate;
use serde::Serialize;
use tagmill_schemas::{Config, Constants, Error, Result};

pub struct Request {
    pub config: Config,
    pub date: NaiveDate,
    pub sources: Vec<String>,
    pub wait: Option<Duration>,
    pub memory: Option<u64>,
    pub threads: Option<usize>,
    pub stage_only: bool,
    pub force: bool,
}

pub trait Observer: Send + Sync {
    fn stage(&self, name: &'static str, detail: &str);
    fn progress(&self, done: u64, total: u64);
    fn warn(&self, line: &str);
}

#[derive(Serialize)]
pub struct Report {
    pub release: Option<u64>,
}

#[derive(Serialize)]
pub struct Plan;
#[derive(Serialize)]
pub struct Validation;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "release {:?}", self.release)
    }
}
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plan")
    }
}
impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ok")
    }
}

fn absent() -> Error {
    Error::setup("run", "the pipeline is not linked")
}

pub async fn run(request: &Request, observer: &dyn Observer) -> Result<Report> {
    observer.stage("run", &request.date.to_string());
    observer.progress(0, 1);
    observer.warn("the pipeline is not linked");
    tokio::time::sleep(Duration::from_secs(std::env::var("TAGMILL_SHIM_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(0))).await;
    Err(absent())
}
pub async fn plan(_: &Request) -> Result<Plan> {
    Err(absent())
}
pub async fn validate(_: &Config) -> Result<Validation> {
    Ok(Validation)
}
pub async fn init(config: &Config) -> Result<Constants> {
    let store = crate::engine::store::Store::open(&config.warehouse.url)?;
    crate::engine::publish::init_warehouse(&store, &config.warehouse).await?;
    crate::engine::publish::load_constants(&store).await
}
