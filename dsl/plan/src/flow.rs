//! The flow plan: what the engine renders, and nothing else.
//!
//! Flat, in dependency order, columns by position. A node is described completely by its operator and its inputs;
//! names, aliases and the text it came from are for people and take no part in its [`Fingerprint`].
//!
//! *Invariant:* `nodes[i]` refers only to nodes before `i`. Two nodes of one plan never have the same fingerprint.
//!
//! Every node gives two streams, rows and errors. The errors of a node are read through [`Operator::Errors`]; what
//! they look like is said at each operator.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;

use crate::change::ChangeBatch;
use crate::connector::SourceSpec;
use crate::span::Span;

/// Position of a node in its plan.
pub type NodeId = usize;

/// Identity of what a node computes: equal fingerprints, equal contents, in every program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", (self.0 >> 96) as u32)
    }
}

/// A scalar expression over the columns of its input, by position.
#[derive(Clone, Debug)]
pub struct FlowExpr {
    /// The vectorised evaluator. Its columns are DataFusion's `Column`, of which only the index counts.
    pub physical: Arc<dyn PhysicalExpr>,
    /// True if a row can make it fail. An expression that is not fallible never returns an error.
    pub fallible: bool,
}

impl PartialEq for FlowExpr {
    fn eq(&self, other: &Self) -> bool {
        self.fallible == other.fallible && self.physical.as_ref() == other.physical.as_ref()
    }
}
impl Eq for FlowExpr {}

impl Hash for FlowExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fallible.hash(state);
        self.physical.hash(state);
    }
}

/// One step of a fused linear node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Keeps the rows for which the expression is true.
    Filter(FlowExpr),
    /// Computes the columns anew.
    Project(Vec<FlowExpr>),
}

/// How two inputs are joined. Rows match where all key columns are equal; NaN equals NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// Left columns, then right columns, for each pair that matches.
    Inner,
    /// As inner, and each left row without a match once, with nulls on the right.
    Left,
    /// Left rows that have a match, as often as they stand on the left.
    Semi,
    /// Left rows that have none.
    Anti,
}

/// An aggregate kept as a sum: any change of the input changes it in constant time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SumFunction {
    /// Number of rows.
    CountRows,
    /// Number of values that are not null.
    Count,
    /// Sum of int, float, decimal or duration; null without values; an error row where it does not fit its type.
    Sum,
    /// Mean of int, float or decimal as float; null without values.
    Avg,
}

/// One such aggregate of a reduce node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SumAggregate {
    /// What is kept.
    pub function: SumFunction,
    /// Column of the input; `None` for [`SumFunction::CountRows`].
    pub input: Option<usize>,
    /// Boolean column of the input; only rows where it is true count.
    pub filter: Option<usize>,
    /// Type of the result.
    pub output: DataType,
}

/// A column to order by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderKey {
    /// Position.
    pub column: usize,
    /// Largest first. Nulls are larger than every value, NaN larger than every number.
    pub descending: bool,
}

/// Rows of a `rows … then …` literal: one element an epoch.
#[derive(Clone, Debug, Default)]
pub struct ConstantStep {
    /// Rows added and taken back.
    pub changes: Vec<ChangeBatch>,
    /// Errors of the step, in the columns of the node's errors.
    pub errors: Vec<ChangeBatch>,
}

/// What a node does. Positions in `NodeId` fields point into the plan.
#[derive(Clone, Debug)]
pub enum Operator {
    /// The rows of a source. Errors: [`crate::connector::source_error_schema`].
    Get {
        /// Which source.
        source: Arc<SourceSpec>,
    },
    /// Literal rows; step `i` enters in the `i`th epoch after the program's installation, never merged.
    /// Errors: the columns of the rows.
    Constant {
        /// One element an epoch.
        steps: Arc<Vec<ConstantStep>>,
        /// Hash of the steps' contents.
        digest: u128,
    },
    /// Fused stateless stages. Only the first stage may be fallible.
    /// Errors: the columns of the input.
    Linear {
        /// The input.
        input: NodeId,
        /// In order.
        stages: Vec<Stage>,
    },
    /// A join of two inputs on equal key columns (none: every pair). No errors.
    Join {
        /// Left input.
        left: NodeId,
        /// Right input.
        right: NodeId,
        /// Inner, left, semi or anti.
        kind: JoinKind,
        /// Key columns of the left input.
        left_keys: Vec<usize>,
        /// Key columns of the right input, of the same types.
        right_keys: Vec<usize>,
        /// True if null equals null (set operations, internal joins); SQL's joins say false.
        null_equals_null: bool,
    },
    /// Groups by key columns (null is a group) and sums. Output: keys, then aggregates. Without keys there is always
    /// exactly one row; with keys and no aggregates it is `distinct`. Errors: the key columns.
    Reduce {
        /// The input.
        input: NodeId,
        /// Group columns.
        keys: Vec<usize>,
        /// Aggregates.
        aggregates: Vec<SumAggregate>,
    },
    /// `Reduce` over an inner join (null keys never match), with partial sums of the left input formed below the join.
    /// Output and errors as `Reduce`. Columns of `keys` and `aggregates` are those of the join's output, left columns first;
    /// every aggregate's input and filter lies in the left input.
    ReduceJoin {
        /// Left input: the one that is summed.
        left: NodeId,
        /// Right input.
        right: NodeId,
        /// Key columns of the left input.
        left_keys: Vec<usize>,
        /// Key columns of the right input.
        right_keys: Vec<usize>,
        /// Group columns, positions in the join's output.
        keys: Vec<usize>,
        /// Aggregates.
        aggregates: Vec<SumAggregate>,
    },
    /// The first rows of each group in an order; ties go by the remaining columns in their order, ascending.
    /// Output: the input's columns. No errors.
    TopK {
        /// The input.
        input: NodeId,
        /// Group columns; none for one group.
        group: Vec<usize>,
        /// The order.
        order: Vec<OrderKey>,
        /// Rows to pass over.
        offset: u64,
        /// Rows to keep after them.
        limit: u64,
    },
    /// All rows of all inputs, which have the same column types; of a negated input the opposite. No errors.
    Union {
        /// Inputs, each with whether it is negated.
        inputs: Vec<(NodeId, bool)>,
    },
    /// Rows whose key stands once; all rows of a key that stands more often are errors until one remains.
    /// Errors: the columns of the input.
    Unique {
        /// The input.
        input: NodeId,
        /// Key columns.
        keys: Vec<usize>,
    },
    /// The errors of a node, as rows: its error columns, then `_error` (text) and `_step` (text).
    Errors {
        /// Whose errors.
        of: NodeId,
    },
}

impl Operator {
    /// The nodes that it reads.
    pub fn inputs(&self) -> Vec<NodeId> {
        match self {
            Operator::Get { .. } | Operator::Constant { .. } => vec![],
            Operator::Linear { input, .. }
            | Operator::Reduce { input, .. }
            | Operator::TopK { input, .. }
            | Operator::Unique { input, .. } => vec![*input],
            Operator::Errors { of } => vec![*of],
            Operator::Join { left, right, .. } | Operator::ReduceJoin { left, right, .. } => vec![*left, *right],
            Operator::Union { inputs } => inputs.iter().map(|(input, _)| *input).collect(),
        }
    }

    /// Its name in explanations.
    pub fn name(&self) -> &'static str {
        match self {
            Operator::Get { .. } => "get",
            Operator::Constant { .. } => "constant",
            Operator::Linear { .. } => "linear",
            Operator::Join { .. } => "join",
            Operator::Reduce { .. } => "reduce",
            Operator::ReduceJoin { .. } => "reduce-join",
            Operator::TopK { .. } => "top-k",
            Operator::Union { .. } => "union",
            Operator::Unique { .. } => "unique",
            Operator::Errors { .. } => "errors",
        }
    }
}

/// An operator with what it gives and where it came from.
#[derive(Clone, Debug)]
pub struct FlowNode {
    /// What it does.
    pub operator: Operator,
    /// Types of its columns; the fields' names are `c0`, `c1`, ….
    pub schema: SchemaRef,
    /// Identity.
    pub fingerprint: Fingerprint,
    /// The text that it came from, in its cell.
    pub span: Span,
    /// The step as the user wrote it (`derive unit: total / qty`): the `_step` of its errors.
    pub step: String,
}

/// A program for the engine.
#[derive(Clone, Debug, Default)]
pub struct FlowPlan {
    /// In dependency order.
    pub nodes: Vec<FlowNode>,
    /// The nodes whose rows leave the program, in the order of its output ports.
    pub outputs: Vec<NodeId>,
}

/// An Arrow schema with positional names for the given column types.
pub fn positional_schema<'a>(types: impl IntoIterator<Item = &'a DataType>) -> SchemaRef {
    let fields = types.into_iter().enumerate().map(|(i, ty)| Field::new(format!("c{i}"), ty.clone(), true));
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}

/// Builds a plan, sharing nodes that compute the same.
#[derive(Debug, Default)]
pub struct FlowBuilder {
    plan: FlowPlan,
    known: HashMap<Fingerprint, NodeId>,
}

impl FlowBuilder {
    /// Adds a node, or finds the one that computes the same.
    pub fn add(&mut self, operator: Operator, types: Vec<DataType>, span: Span, step: impl Into<String>) -> NodeId {
        let step = step.into();
        let fingerprint = self.fingerprint(&operator, &types, &step);
        if let Some(id) = self.known.get(&fingerprint) {
            return *id;
        }
        let schema = positional_schema(&types);
        self.plan.nodes.push(FlowNode { operator, schema, fingerprint, span, step });
        let id = self.plan.nodes.len() - 1;
        self.known.insert(fingerprint, id);
        id
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &FlowNode {
        &self.plan.nodes[id]
    }

    /// The column types of a node.
    pub fn types(&self, id: NodeId) -> Vec<DataType> {
        self.plan.nodes[id].schema.fields().iter().map(|f| f.data_type().clone()).collect()
    }

    /// Declares `outputs` and gives the plan, without nodes that no output needs.
    pub fn finish(self, outputs: Vec<NodeId>) -> FlowPlan {
        let mut plan = self.plan;
        let mut needed = vec![false; plan.nodes.len()];
        for id in &outputs {
            needed[*id] = true;
        }
        for id in (0..plan.nodes.len()).rev() {
            if needed[id] {
                for input in plan.nodes[id].operator.inputs() {
                    needed[input] = true;
                }
            }
        }
        let mut place = vec![0; plan.nodes.len()];
        let mut nodes = Vec::new();
        for (id, mut node) in plan.nodes.drain(..).enumerate() {
            if needed[id] {
                renumber(&mut node.operator, &place);
                place[id] = nodes.len();
                nodes.push(node);
            }
        }
        FlowPlan { nodes, outputs: outputs.into_iter().map(|id| place[id]).collect() }
    }

    fn fingerprint(&self, operator: &Operator, types: &[DataType], step: &str) -> Fingerprint {
        let half = |seed: u64| {
            let mut state = Fnv(0xcbf2_9ce4_8422_2325 ^ seed);
            operator.name().hash(&mut state);
            types.hash(&mut state);
            for input in operator.inputs() {
                self.plan.nodes[input].fingerprint.hash(&mut state);
            }
            match operator {
                Operator::Get { source } => source.identity().hash(&mut state),
                Operator::Constant { digest, .. } => digest.hash(&mut state),
                Operator::Linear { stages, .. } => {
                    stages.hash(&mut state);
                    // The step's text is part of the rows of its errors.
                    if matches!(stages.first(), Some(stage) if stage.is_fallible()) {
                        step.hash(&mut state);
                    }
                }
                Operator::Join { kind, left_keys, right_keys, null_equals_null, .. } => {
                    (kind, left_keys, right_keys, null_equals_null).hash(&mut state);
                }
                Operator::Reduce { keys, aggregates, .. } => (keys, aggregates, step).hash(&mut state),
                Operator::ReduceJoin { left_keys, right_keys, keys, aggregates, .. } => {
                    (left_keys, right_keys, keys, aggregates, step).hash(&mut state);
                }
                Operator::TopK { group, order, offset, limit, .. } => (group, order, offset, limit).hash(&mut state),
                Operator::Union { inputs } => {
                    inputs.iter().map(|(_, negated)| *negated).collect::<Vec<_>>().hash(&mut state);
                }
                Operator::Unique { keys, .. } => (keys, step).hash(&mut state),
                Operator::Errors { .. } => {}
            }
            state.finish()
        };
        Fingerprint((u128::from(half(0)) << 64) | u128::from(half(0x9e37_79b9_7f4a_7c15)))
    }
}

impl Stage {
    /// True if a row can make the stage fail.
    pub fn is_fallible(&self) -> bool {
        match self {
            Stage::Filter(expr) => expr.fallible,
            Stage::Project(exprs) => exprs.iter().any(|expr| expr.fallible),
        }
    }
}

fn renumber(operator: &mut Operator, place: &[NodeId]) {
    match operator {
        Operator::Get { .. } | Operator::Constant { .. } => {}
        Operator::Linear { input, .. }
        | Operator::Reduce { input, .. }
        | Operator::TopK { input, .. }
        | Operator::Unique { input, .. }
        | Operator::Errors { of: input } => *input = place[*input],
        Operator::Join { left, right, .. } | Operator::ReduceJoin { left, right, .. } => {
            *left = place[*left];
            *right = place[*right];
        }
        Operator::Union { inputs } => inputs.iter_mut().for_each(|(input, _)| *input = place[*input]),
    }
}

/// FNV-1a with a finishing mix: a hash that is the same in every process, which the standard one is not.
/// (Fowler, Noll, Vo; the finish is the one of MurmurHash3.)
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        let mut h = self.0;
        h ^= h >> 33;
        h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
        h ^= h >> 33;
        h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl fmt::Display for FlowPlan {
    /// One line a node, ` %3 = join inner %1 %2 on [0] = [0]  # text`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, node) in self.nodes.iter().enumerate() {
            write!(f, "%{id} = {}", node.operator.name())?;
            for input in node.operator.inputs() {
                write!(f, " %{input}")?;
            }
            match &node.operator {
                Operator::Get { source } => write!(f, " {}", source.connector)?,
                Operator::Constant { steps, .. } => write!(f, " {} step(s)", steps.len())?,
                Operator::Linear { stages, .. } => {
                    for stage in stages {
                        match stage {
                            Stage::Filter(expr) => write!(f, " filter({})", expr.physical)?,
                            Stage::Project(exprs) => {
                                let list: Vec<_> = exprs.iter().map(|e| e.physical.to_string()).collect();
                                write!(f, " project({})", list.join(", "))?;
                            }
                        }
                    }
                }
                Operator::Join { kind, left_keys, right_keys, .. } => {
                    write!(f, " {} on {left_keys:?} = {right_keys:?}", format!("{kind:?}").to_lowercase())?;
                }
                Operator::Reduce { keys, aggregates, .. } => {
                    write!(f, " by {keys:?}")?;
                    fmt_aggregates(f, aggregates)?;
                }
                Operator::ReduceJoin { left_keys, right_keys, keys, aggregates, .. } => {
                    write!(f, " on {left_keys:?} = {right_keys:?} by {keys:?}")?;
                    fmt_aggregates(f, aggregates)?;
                }
                Operator::TopK { group, order, offset, limit, .. } => {
                    let list: Vec<_> = order
                        .iter()
                        .map(|o| format!("{}{}", o.column, if o.descending { " desc" } else { "" }))
                        .collect();
                    write!(f, " {limit} by [{}] per {group:?}", list.join(", "))?;
                    if *offset > 0 {
                        write!(f, " after {offset}")?;
                    }
                }
                Operator::Union { inputs } => {
                    let minus: Vec<_> = inputs.iter().filter(|(_, n)| *n).map(|(i, _)| format!("%{i}")).collect();
                    if !minus.is_empty() {
                        write!(f, " negated: {}", minus.join(", "))?;
                    }
                }
                Operator::Unique { keys, .. } => write!(f, " key {keys:?}")?,
                Operator::Errors { .. } => {}
            }
            let types: Vec<_> = node.schema.fields().iter().map(|field| field.data_type().to_string()).collect();
            writeln!(f, " : ({})", types.join(", "))?;
        }
        let outputs: Vec<_> = self.outputs.iter().map(|id| format!("%{id}")).collect();
        write!(f, "output {}", outputs.join(", "))
    }
}

fn fmt_aggregates(f: &mut fmt::Formatter<'_>, aggregates: &[SumAggregate]) -> fmt::Result {
    for aggregate in aggregates {
        let input = aggregate.input.map_or("*".to_string(), |column| column.to_string());
        write!(f, " {}({input})", format!("{:?}", aggregate.function).to_lowercase())?;
        if let Some(filter) = aggregate.filter {
            write!(f, " where {filter}")?;
        }
    }
    Ok(())
}
