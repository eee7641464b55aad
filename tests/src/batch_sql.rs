//! SQL in batch: DataFusion's own planner and executor over rows that are there.
//!
//! The language's `sql` heads share the parser with it and nothing else: names, types, subqueries and plans are made
//! independently, and DataFusion's rules run here as they do for everybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, TableReference, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::FunctionRegistry;
use datafusion::functions::core::planner::CoreFunctionPlanner;
use datafusion::functions::datetime::planner::DatetimeFunctionPlanner;
use datafusion::functions::unicode::planner::UnicodeFunctionPlanner;
use datafusion::functions_aggregate::planner::AggregateFunctionPlanner;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_sql::planner::{ParserOptions, SqlToRel};
use datafusion_sql::sqlparser::dialect::GenericDialect;
use datafusion_sql::sqlparser::parser::Parser;
use tokio::runtime::Runtime;

use crate::contents::Contents;

/// DataFusion with tables.
pub struct BatchSql {
    context: SessionContext,
    runtime: Runtime,
    tables: BTreeMap<String, Arc<dyn TableSource>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    options: ConfigOptions,
}

impl BatchSql {
    /// DataFusion without tables.
    ///
    /// # Errors
    /// Where the operating system gives no runtime.
    pub fn new() -> std::io::Result<Self> {
        let config = SessionConfig::new().with_target_partitions(1);
        let planners: Vec<Arc<dyn ExprPlanner>> = vec![
            Arc::new(CoreFunctionPlanner::default()),
            Arc::new(DatetimeFunctionPlanner),
            Arc::new(UnicodeFunctionPlanner),
            Arc::new(AggregateFunctionPlanner),
        ];
        Ok(BatchSql {
            context: SessionContext::new_with_config(config),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            tables: BTreeMap::new(),
            planners,
            options: ConfigOptions::default(),
        })
    }

    /// Adds a table, or puts another in its place.
    ///
    /// # Errors
    /// Where the batches differ in their columns.
    pub fn table(&mut self, name: &str, batches: Vec<RecordBatch>) -> Result<()> {
        let Some(first) = batches.first() else { return plan_err!("a table has a batch") };
        let table = MemTable::try_new(first.schema(), vec![batches])?;
        self.tables.insert(name.to_string(), provider_as_source(Arc::new(table)));
        Ok(())
    }

    /// The rows of a query.
    ///
    /// # Errors
    /// Where DataFusion cannot plan or compute it.
    pub fn query(&self, text: &str) -> Result<Contents> {
        let parsed = Parser::parse_sql(&GenericDialect {}, text)
            .map_err(|error| DataFusionError::Plan(format!("not parsed: {error}")))?;
        let Some(statement) = parsed.into_iter().next() else { return plan_err!("a query is one statement") };
        let options = ParserOptions { enable_ident_normalization: false, ..ParserOptions::default() };
        let plan = SqlToRel::new_with_options(self, options).sql_statement_to_plan(statement)?;
        self.computed(plan)
    }

    fn computed(&self, plan: LogicalPlan) -> Result<Contents> {
        let batches = self.runtime.block_on(async {
            let frame = self.context.execute_logical_plan(plan).await?;
            frame.collect().await
        })?;
        let plain = batches.iter().map(plain).collect::<Result<Vec<_>>>()?;
        Ok(Contents::of(&plain))
    }
}

/// The batch with one Arrow type for each type of the language.
fn plain(batch: &RecordBatch) -> Result<RecordBatch> {
    let names = batch.schema();
    let columns = batch.columns().iter().zip(names.fields()).enumerate().map(|(place, (array, field))| {
        let ty = match array.data_type() {
            DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
            ty if ty.is_integer() => DataType::Int64,
            DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal256(..) | DataType::Float32 => {
                DataType::Float64
            }
            ty => ty.clone(),
        };
        Ok((format!("{place}:{}", field.name()), cast(array, &ty)?))
    });
    Ok(RecordBatch::try_from_iter(columns.collect::<Result<Vec<_>>>()?)?)
}

impl ContextProvider for BatchSql {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        match self.tables.get(name.table()) {
            Some(table) => Ok(Arc::clone(table)),
            None => plan_err!("no table {name}"),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.context.state().udf(name).ok()
    }

    fn get_higher_order_meta(&self, _: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.context.state().udaf(name).ok()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.context.state().udwf(name).ok()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.context.state().scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.context.state().aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.context.state().window_functions().keys().cloned().collect()
    }
}
