//! Steps: what is done with the rows of a pipeline.

use tidebook_plan::Span;

use super::{Arguments, ConnectorUse, Expr, Name, NamedArgument, Path, Pipeline, SortKey};

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Its text without the `|`.
    pub span: Span,
    /// The word or words that name it (`where`, `left join`, `key by`).
    pub keyword: Span,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// `where c`
    Where(Expr),
    /// `select a, n: e, *, * except (b)`
    Select(Vec<SelectItem>),
    /// `derive n: e, …`; the name is always given.
    Derive(Vec<NamedExpr>),
    /// `drop a, b`
    Drop(Vec<Path>),
    /// `rename new: old, …`
    Rename(Vec<Rename>),
    /// `summarize …`
    Summarize(Summarize),
    /// Every join.
    Join(Join),
    /// `union T`, `except T`, `intersect T`
    Combine {
        /// Which of the three.
        operation: SetOperation,
        /// The other table.
        operand: TableOperand,
    },
    /// `distinct`
    Distinct,
    /// `update T`
    Update(TableOperand),
    /// `patch T`
    Patch(TableOperand),
    /// `flatten c`, `flatten n: e`
    Flatten(NamedExpr),
    /// `sort a desc, b`
    Sort(Vec<SortKey>),
    /// `limit n`
    Limit(Expr),
    /// `top n by … per …`
    Top(Top),
    /// `dedupe by k …`
    Dedupe {
        /// The key.
        by: Vec<Expr>,
        /// Which of several rows stays.
        rule: DedupeRule,
    },
    /// `key by a, b`
    Key(Vec<Path>),
    /// `pivot …`
    Pivot(Pivot),
    /// `sample …`
    Sample(Sample),
    /// `iterate r { … } max n`
    Iterate(Iterate),
    /// `match …`
    Match(Match),
    /// `search …`
    Search(Search),
    /// `changes`
    Changes,
    /// `watermark at delay 10s idle 1m`
    Watermark {
        /// The column of event time.
        column: Path,
        /// How late rows may come; nothing where it is left out.
        delay: Option<Expr>,
        /// How long it holds others back without rows.
        idle: Option<Expr>,
    },
    /// `show limit n every d`
    Show {
        /// How many rows to show.
        limit: Option<Expr>,
        /// How often to refresh.
        every: Option<Expr>,
    },
    /// `plot line(x: …, y: …)`
    Plot {
        /// The kind of chart.
        chart: Name,
        /// Its channels and options.
        arguments: Arguments,
    },
    /// `write connector(…)`
    Write(ConnectorUse),
    /// `index lance(…)`
    Index(ConnectorUse),
    /// `serve connector(…)`
    Serve(ConnectorUse),
}

/// `pivot total: sum(qty) on month in ["jan", "feb"] by name`
#[derive(Clone, Debug, PartialEq)]
pub struct Pivot {
    /// What is computed for each value.
    pub aggregates: Vec<NamedExpr>,
    /// Which values of what: `e in [v, …]`, or `e in {name: v, …}`.
    pub on: Expr,
    /// The keys.
    pub by: Vec<NamedExpr>,
}

/// `sample 0.1`, `sample 0.1 per user`, `sample 100 rows per city`
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The share, from 0 to 1, or the number of rows.
    pub size: Expr,
    /// True with `rows`.
    pub rows: bool,
    /// With a share: what is drawn, each with all its rows. With a number: from which groups.
    pub per: Vec<Expr>,
}

/// An item of `select`.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem {
    /// `*`, `orders.*`, `* except (a, b)`
    All {
        /// The table whose columns they are; all, if none is named.
        table: Option<Path>,
        /// Columns left out.
        except: Vec<Path>,
        /// The whole text.
        span: Span,
    },
    /// `a`, `orders.id`, `n: e`
    Item(NamedExpr),
}

/// `name: expression`, or the expression alone.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedExpr {
    /// The name, where one is given. (Without one, a column keeps its own; any other expression needs one.)
    pub name: Option<Name>,
    /// The expression.
    pub expr: Expr,
    /// The whole text.
    pub span: Span,
}

/// `new: old`
#[derive(Clone, Debug, PartialEq)]
pub struct Rename {
    /// The name from now on.
    pub new: Name,
    /// The name so far.
    pub old: Path,
    /// The whole text.
    pub span: Span,
}

/// `summarize aggregates by keys emit … keep …`
#[derive(Clone, Debug, PartialEq)]
pub struct Summarize {
    /// What is computed of each group; may be empty, if there are keys.
    pub aggregates: Vec<NamedExpr>,
    /// What the rows are grouped by.
    pub by: Vec<NamedExpr>,
    /// When windows are shown; `live` where it is left out.
    pub emit: Option<Emit>,
    /// `late d`: how long after its end a window still takes rows.
    pub late: Option<Expr>,
    /// `keep d`: how long after its end a window's state is kept.
    pub keep: Option<Expr>,
}

/// When the rows of a `summarize` are shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Emit {
    /// `emit live`: at every moment.
    Live(Span),
    /// `emit final`: once.
    Final(Span),
    /// `emit every d`: at most so often.
    Every(Expr, Span),
}

/// The table that a step takes beside its input.
#[derive(Clone, Debug, PartialEq)]
pub struct TableOperand {
    /// A name or a pipeline.
    pub table: OperandTable,
    /// `as alias`
    pub alias: Option<Name>,
    /// The whole text.
    pub span: Span,
}

/// How a [`TableOperand`] is given.
#[derive(Clone, Debug, PartialEq)]
pub enum OperandTable {
    /// `products`
    Name(Path),
    /// `(products | where price > 1)`
    Pipeline(Box<Pipeline>),
}

/// Any join.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Which join.
    pub kind: JoinKind,
    /// The right table.
    pub right: TableOperand,
    /// What rows are matched on.
    pub condition: JoinCondition,
}

/// The kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `join`
    Inner,
    /// `left join`
    Left,
    /// `right join`
    Right,
    /// `full join`
    Full,
    /// `semi join`
    Semi,
    /// `anti join`
    Anti,
    /// `cross join`
    Cross,
    /// `asof join`
    Asof,
    /// `left asof join`
    LeftAsof,
}

/// What rows are matched on.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinCondition {
    /// `on c`
    On(Expr),
    /// `using (k, …)`
    Using(Vec<Name>),
    /// A cross join has none.
    None,
}

/// The operations on whole tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperation {
    /// `union`: all rows of both.
    Union,
    /// `except`: set difference.
    Except,
    /// `intersect`: set intersection.
    Intersect,
}

/// `top n by … per …`
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    /// How many rows.
    pub count: Expr,
    /// The order.
    pub by: Vec<SortKey>,
    /// So many rows of each of these groups; of the whole table where it is empty.
    pub per: Vec<Expr>,
}

/// Which of several rows of a key stays.
#[derive(Clone, Debug, PartialEq)]
pub enum DedupeRule {
    /// `keep first|last of e`
    Keep {
        /// First or last.
        keep: Keep,
        /// In the order of this; of the remaining columns where it is left out.
        of: Option<Expr>,
    },
    /// `when e`, where `previous.c` is the kept row.
    When(Expr),
}

/// One end of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The first.
    First,
    /// The last.
    Last,
}

/// `iterate r { body } max n`
#[derive(Clone, Debug, PartialEq)]
pub struct Iterate {
    /// What the table is called in the body.
    pub name: Name,
    /// The pipeline that is applied.
    pub body: Pipeline,
    /// The most rounds.
    pub max: Option<Expr>,
}

/// `match by k sort at within d { a: c  b+: c } select …`
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The partition.
    pub by: Vec<Expr>,
    /// The order in a partition.
    pub sort: Vec<SortKey>,
    /// The longest time from the first row to the last.
    pub within: Option<Expr>,
    /// What a match consists of, in order.
    pub pattern: Vec<MatchElement>,
    /// The columns of a match.
    pub select: Vec<SelectItem>,
}

/// `b+: condition`
#[derive(Clone, Debug, PartialEq)]
pub struct MatchElement {
    /// What the rows are called in conditions and in `select`.
    pub name: Name,
    /// How many rows.
    pub quantifier: Quantifier,
    /// What each of them fulfils.
    pub condition: Expr,
    /// The whole text.
    pub span: Span,
}

/// How many rows an element of a pattern takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// Exactly one.
    One,
    /// `?`: none or one.
    Optional,
    /// `*`: any number.
    Any,
    /// `+`: at least one.
    Many,
    /// `{2,3}`: at least so many, and at most so many where it says so.
    Counted(u64, Option<u64>),
}

/// `search I for e top k mode m where c as hit`
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The index.
    pub index: Path,
    /// What is searched for.
    pub query: Expr,
    /// How many entries.
    pub top: Expr,
    /// `vector`, `text` or `hybrid`.
    pub mode: Option<Name>,
    /// Which entries count.
    pub filter: Option<Expr>,
    /// What the record of an entry is called; `hit` where it is left out.
    pub alias: Option<Name>,
    /// Further options (`approx: true`).
    pub options: Vec<NamedArgument>,
}
