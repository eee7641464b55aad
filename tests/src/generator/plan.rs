//! Random programs: inputs, and definitions that stand on them and on each other.

use super::aggregate::random_aggregate;
use super::expression::{random_column_value, random_expression};
use super::interval::random_interval;
use super::window::random_window;
use super::{Aggregate, Column, Expression, Kind, Random, Window};

/// An input table.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// True if the first column is a key: a later row replaces the earlier one.
    pub keyed: bool,
}

/// How two tables are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `join`
    Inner,
    /// `left join`
    Left,
    /// `semi join`
    Semi,
    /// `anti join`
    Anti,
    /// `right join`
    Right,
    /// `full join`
    Full,
    /// `cross join`
    Cross,
}

/// What rows are sorted by, each with whether it is descending.
pub type Order = Vec<(Expression, bool)>;

/// A step of a pipeline. Tables are positions in the program: inputs first, then definitions.
#[derive(Clone, Debug)]
pub enum Step {
    /// `where`
    Where(Expression),
    /// `select`: all columns of the result.
    Select(Vec<(Column, Expression)>),
    /// `derive`: columns replaced or added, no expression reading another's result.
    Derive(Vec<(Column, Expression)>),
    /// `derive q: a / b` of whole numbers, which fails where b is zero.
    Divide(Column, Expression, Expression),
    /// A join. The other table's columns get new names.
    Join {
        /// Which join.
        kind: JoinKind,
        /// The other table.
        table: usize,
        /// New columns and the other table's columns that they rename.
        renamed: Vec<(Column, String)>,
        /// Pairs that must be equal: left over the columns so far, right over the renamed ones.
        keys: Vec<(Expression, Expression)>,
        /// A further condition over both.
        residual: Option<Expression>,
    },
    /// `join … using (k)`: the other table's column takes the name of ours; the key stands first.
    JoinUsing {
        /// True for `left join`.
        left: bool,
        /// The other table.
        table: usize,
        /// The key's name on both sides.
        key: Column,
        /// The other table's column that becomes the key.
        other_key: String,
        /// The other new columns.
        renamed: Vec<(Column, String)>,
    },
    /// `summarize … by …`
    Summarize(Vec<(Column, Expression)>, Vec<Aggregate>),
    /// `union` with a projection of another table onto our names, in an order of its own.
    Union(usize, Vec<(Column, Expression)>),
    /// `except` (true) or `intersect` with a projection of another table onto our names.
    Subset(bool, usize, Vec<(Column, Expression)>),
    /// `distinct`
    Distinct,
    /// `sort … | limit n`. An empty order is a bare `limit`.
    Limit(Order, usize),
    /// `top n by … per …`
    Top(usize, Order, Vec<String>),
    /// `key by`
    Key(Vec<String>),
    /// `derive c: [a, b, …] | flatten c`, where the list is null unless the condition holds.
    Flatten(Column, Option<Expression>, Vec<Expression>),
    /// `dedupe by k keep first|last of c`; true for `last`.
    Dedupe(Vec<String>, bool, Option<String>),
    /// `dedupe by k when` a row is larger than the kept one, by all other columns: what is kept in the end is the largest
    /// row of the key, in whatever order rows came.
    DedupeWhen(String),
    /// `changes`, added up to the table that they are of: the differences of each row, and the row as often as they say.
    Changes(String),
    /// `key by k | update (… | key by k)`, or (true) `patch`: the key, and a projection of another table onto it and
    /// some of our other names.
    Update(bool, String, usize, Vec<(Column, Expression)>),
    /// `derive` (true) or `select` of all columns and window functions.
    Windows(bool, Vec<Window>),
    /// `where` a window function of ints is at most so large.
    WindowWhere(Box<Window>, i64),
    /// `rename`: new and old names.
    Rename(Vec<(Column, String)>),
    /// `drop`
    Drop(Vec<String>),
}

impl Step {
    /// True if it leaves an order of its own.
    fn orders(&self) -> bool {
        match self {
            Step::Limit(order, _) => !order.is_empty(),
            Step::Top(..) => true,
            _ => false,
        }
    }
}

/// A definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The table that it starts from.
    pub head: usize,
    /// The steps, each with the columns that come out of it.
    pub steps: Vec<(Step, Vec<Column>)>,
}

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Input tables.
    pub inputs: Vec<Input>,
    /// Definitions; each reads only what stands before it.
    pub definitions: Vec<Definition>,
}

impl Program {
    /// Name and columns of a table.
    pub fn table(&self, position: usize) -> (&str, &[Column]) {
        match self.inputs.get(position) {
            Some(input) => (&input.name, &input.columns),
            None => {
                let definition = &self.definitions[position - self.inputs.len()];
                (&definition.name, self.columns_before(definition, definition.steps.len()))
            }
        }
    }

    /// True if a step on the way to the table has put it in an order.
    fn is_ordered(&self, position: usize) -> bool {
        let Some(definition) = position.checked_sub(self.inputs.len()).map(|place| &self.definitions[place]) else {
            return false;
        };
        self.is_ordered(definition.head) || definition.steps.iter().any(|(step, _)| step.orders())
    }

    /// The columns that step `step` of a definition receives; its result's, past the last step.
    pub fn columns_before<'a>(&'a self, definition: &'a Definition, step: usize) -> &'a [Column] {
        match step.checked_sub(1) {
            Some(before) => &definition.steps[before].1,
            None => self.table(definition.head).1,
        }
    }
}

/// Joins that a program has at most: each one more multiplies the rows.
const MOST_JOINS: usize = 3;

struct Builder {
    random: Random,
    program: Program,
    names: usize,
    joins: usize,
}

/// The program of a seed.
pub fn generate(seed: u64) -> Program {
    let program = Program { inputs: Vec::new(), definitions: Vec::new() };
    let mut builder = Builder { random: Random::new(seed), program, names: 0, joins: 0 };
    for number in 0..2 + builder.random.below(2) {
        builder.input(number);
    }
    for number in 0..2 + builder.random.below(4) {
        builder.definition(number);
    }
    builder.program
}

impl Builder {
    fn column(&mut self, kind: Kind) -> Column {
        self.names += 1;
        Column { name: format!("c{}", self.names), kind }
    }

    fn input(&mut self, number: usize) {
        let mut columns = vec![self.column(Kind::Int), self.column(Kind::Int)];
        for _ in 0..1 + self.random.below(3) {
            let kind = *self.random.pick(&Kind::ALL);
            columns.push(self.column(kind));
        }
        let keyed = self.random.percent(25);
        self.program.inputs.push(Input { name: format!("input{number}"), columns, keyed });
    }

    fn table_position(&mut self) -> usize {
        let count = self.program.inputs.len() + self.program.definitions.len();
        // Later tables are likelier, so that programs grow deep rather than wide.
        self.random.below(count).max(self.random.below(count))
    }

    fn definition(&mut self, number: usize) {
        let head = self.table_position();
        let mut columns = self.program.table(head).1.to_vec();
        let mut steps = Vec::new();
        let mut ordered = self.program.is_ordered(head);
        for _ in 0..1 + self.random.below(3) {
            let (mut step, after) = self.step(&columns);
            if let Step::Dedupe(_, _, of @ None) = &mut step
                && ordered
            {
                // So does a `dedupe` that names no order.
                *of = Some(columns[0].name.clone());
            }
            if let Step::Limit(order, _) = &mut step
                && order.is_empty()
                && ordered
            {
                // A bare `limit` goes by an order that an earlier step has left; here it is to stand for itself.
                order.push((Expression::Column(columns[0].name.clone(), columns[0].kind), false));
            }
            ordered |= step.orders();
            columns.clone_from(&after);
            steps.push((step, after));
        }
        self.program.definitions.push(Definition { name: format!("t{number}"), head, steps });
    }

    fn step(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        match self.random.below(28) {
            23 => (Step::DedupeWhen(self.random.pick(columns).name.clone()), columns.to_vec()),
            24 => {
                self.names += 1;
                (Step::Changes(format!("c{}", self.names)), columns.to_vec())
            }
            25..=27 if self.joins < 2 => self.windows(columns),
            18 => self.flatten(columns),
            19 => self.dedupe(columns),
            20 => self.update(columns),
            21 | 22 => self.renamed_or_dropped(columns),
            0 | 1 => {
                let depth = 1 + self.random.below(3);
                (Step::Where(random_expression(&mut self.random, columns, Kind::Bool, depth)), columns.to_vec())
            }
            2 => {
                let count = 1 + self.random.below(4);
                let items = self.computed(columns, count);
                let after = items.iter().map(|(column, _)| column.clone()).collect();
                (Step::Select(items), after)
            }
            3 | 4 => self.derive(columns),
            5 => self.divide(columns),
            6..=8 if self.joins < MOST_JOINS => self.join(columns),
            9 if self.joins < MOST_JOINS => self.join_using(columns),
            6..=12 => self.summarize(columns),
            13 => self.union(columns),
            16 => self.subset(columns),
            14 if self.random.percent(50) => (Step::Distinct, columns.to_vec()),
            14 => {
                let key = vec![self.random.pick(columns).name.clone()];
                (Step::Key(key), columns.to_vec())
            }
            17 => {
                let per = (0..self.random.below(2)).map(|_| self.random.pick(columns).name.clone()).collect();
                let mut order = self.order(columns);
                if order.is_empty() {
                    order.push((Expression::Column(columns[0].name.clone(), columns[0].kind), true));
                }
                (Step::Top(1 + self.random.below(3), order, per), columns.to_vec())
            }
            _ => {
                let limit = if self.random.percent(8) { 0 } else { 1 + self.random.below(9) };
                (Step::Limit(self.order(columns), limit), columns.to_vec())
            }
        }
    }

    /// At most two columns or expressions.
    fn order(&mut self, columns: &[Column]) -> Order {
        let mut order: Order = Vec::new();
        for _ in 0..self.random.below(3) {
            let column = self.random.pick(columns).clone();
            let key = match self.random.percent(25) {
                true => random_column_value(&mut self.random, columns, column.kind),
                false => Expression::Column(column.name, column.kind),
            };
            if order.iter().all(|(other, _)| *other != key) {
                order.push((key, self.random.percent(50)));
            }
        }
        order
    }

    /// So many new columns with their expressions.
    fn computed(&mut self, columns: &[Column], count: usize) -> Vec<(Column, Expression)> {
        (0..count)
            .map(|_| {
                let kind = *self.random.pick(&Kind::ALL);
                let value = random_column_value(&mut self.random, columns, kind);
                (self.column(kind), value)
            })
            .collect()
    }

    fn derive(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let count = 1 + self.random.below(2);
        let mut items = self.computed(columns, count);
        let mut after = columns.to_vec();
        if self.random.percent(40) {
            // The first one takes the place and the name of a column that is there.
            let place = self.random.below(columns.len());
            items[0].0.name.clone_from(&columns[place].name);
            after[place] = items[0].0.clone();
            after.extend(items[1..].iter().map(|(column, _)| column.clone()));
        } else {
            after.extend(items.iter().map(|(column, _)| column.clone()));
        }
        (Step::Derive(items), after)
    }

    /// By a column: a literal that is not zero could not fail.
    fn divide(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let numbers: Vec<Column> = columns.iter().filter(|column| column.kind == Kind::Int).cloned().collect();
        if numbers.is_empty() {
            return self.derive(columns);
        }
        let above = random_expression(&mut self.random, columns, Kind::Int, 1);
        let divisor = self.random.pick(&numbers).name.clone();
        let column = self.column(Kind::Int);
        let mut after = columns.to_vec();
        after.push(column.clone());
        (Step::Divide(column, above, Expression::Column(divisor, Kind::Int)), after)
    }

    /// A list of values, made and taken apart.
    fn flatten(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let kind = *self.random.pick(&Kind::ALL);
        let elements =
            (0..1 + self.random.below(3)).map(|_| random_column_value(&mut self.random, columns, kind)).collect();
        let condition = self.random.percent(50).then(|| random_expression(&mut self.random, columns, Kind::Bool, 1));
        let column = self.column(kind);
        let mut after = columns.to_vec();
        after.push(column.clone());
        (Step::Flatten(column, condition, elements), after)
    }

    fn windows(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let count = 1 + self.random.below(3);
        let mut windows: Vec<Window> = (0..count).map(|_| self.window(columns)).collect();
        // Which of several equal rows is which is known within one order alone.
        let (mut apart, _): (Vec<&mut Window>, Vec<_>) =
            windows.iter_mut().partition(|window| window.tells_equal_rows_apart());
        if let [first, others @ ..] = &mut apart[..] {
            for other in others {
                other.partition.clone_from(&first.partition);
                other.order.clone_from(&first.order);
            }
        }
        if windows[0].column.kind == Kind::Int && self.random.percent(30) {
            let most = self.random.between(1, 4);
            return (Step::WindowWhere(Box::new(windows[0].clone()), most), columns.to_vec());
        }
        let mut after = columns.to_vec();
        after.extend(windows.iter().map(|window| window.column.clone()));
        (Step::Windows(self.random.percent(50), windows), after)
    }

    fn window(&mut self, columns: &[Column]) -> Window {
        self.names += 1;
        let name = format!("c{}", self.names);
        random_window(&mut self.random, columns, |kind| Column { name, kind })
    }

    fn dedupe(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let keys = vec![self.random.pick(columns).name.clone()];
        let of = self.random.percent(60).then(|| self.random.pick(columns).name.clone());
        (Step::Dedupe(keys, self.random.percent(50), of), columns.to_vec())
    }

    fn update(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let table = self.table_position();
        let theirs = self.program.table(table).1.to_vec();
        let key = self.random.pick(columns).clone();
        let mut items = Vec::new();
        for column in columns {
            if column.name == key.name || self.random.percent(60) {
                items.push((column.clone(), random_column_value(&mut self.random, &theirs, column.kind)));
            }
        }
        (Step::Update(self.random.percent(50), key.name, table, items), columns.to_vec())
    }

    fn renamed_or_dropped(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let place = self.random.below(columns.len());
        let mut after = columns.to_vec();
        if columns.len() > 2 && self.random.percent(50) {
            after.remove(place);
            return (Step::Drop(vec![columns[place].name.clone()]), after);
        }
        after[place] = self.column(columns[place].kind);
        (Step::Rename(vec![(after[place].clone(), columns[place].name.clone())]), after)
    }

    fn renamed(&mut self, table: usize) -> Vec<(Column, String)> {
        let others = self.program.table(table).1.to_vec();
        others.into_iter().map(|other| (self.column(other.kind), other.name)).collect()
    }

    fn join(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        self.joins += 1;
        let kind = *self.random.pick(&[
            JoinKind::Inner,
            JoinKind::Inner,
            JoinKind::Left,
            JoinKind::Semi,
            JoinKind::Anti,
            JoinKind::Right,
            JoinKind::Full,
            JoinKind::Cross,
        ]);
        let table = self.table_position();
        let renamed = self.renamed(table);
        let theirs: Vec<Column> = renamed.iter().map(|(column, _)| column.clone()).collect();
        let mut keys = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let ours = self.random.pick(columns).clone();
            let same: Vec<Column> = theirs.iter().filter(|column| column.kind == ours.kind).cloned().collect();
            if same.is_empty() {
                continue;
            }
            let other = self.random.pick(&same).clone();
            let right = Expression::Column(other.name, other.kind);
            let left = if self.random.percent(25) {
                random_expression(&mut self.random, columns, ours.kind, 1)
            } else {
                Expression::Column(ours.name, ours.kind)
            };
            keys.push((left, right));
        }
        let both: Vec<Column> = columns.iter().chain(&theirs).cloned().collect();
        let interval = if self.random.percent(20) { random_interval(&mut self.random, columns, &theirs) } else { None };
        let residual = interval.or_else(|| {
            (keys.is_empty() || self.random.percent(25))
                .then(|| random_expression(&mut self.random, &both, Kind::Bool, 2))
        });
        if kind == JoinKind::Cross {
            return (Step::Join { kind, table, renamed, keys: Vec::new(), residual: None }, both);
        }
        let after = match kind {
            JoinKind::Cross | JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => both,
            JoinKind::Semi | JoinKind::Anti => columns.to_vec(),
        };
        (Step::Join { kind, table, renamed, keys, residual }, after)
    }

    fn join_using(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let table = self.table_position();
        let mut renamed = self.renamed(table);
        let pair = columns.iter().find_map(|ours| {
            let place = renamed.iter().position(|(theirs, _)| theirs.kind == ours.kind)?;
            Some((ours.clone(), place))
        });
        let Some((key, place)) = pair else { return self.join(columns) };
        self.joins += 1;
        let (_, other_key) = renamed.remove(place);
        let mut after = vec![key.clone()];
        after.extend(columns.iter().filter(|column| column.name != key.name).cloned());
        after.extend(renamed.iter().map(|(column, _)| column.clone()));
        (Step::JoinUsing { left: self.random.percent(50), table, key, other_key, renamed }, after)
    }

    fn summarize(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let count = self.random.below(3);
        let mut keys: Vec<(Column, Expression)> = Vec::new();
        for _ in 0..count {
            let source = self.random.pick(columns).clone();
            let plain = self.random.percent(60) && keys.iter().all(|(column, _)| column.name != source.name);
            if plain {
                keys.push((source.clone(), Expression::Column(source.name, source.kind)));
            } else {
                let value = random_column_value(&mut self.random, columns, source.kind);
                keys.push((self.column(source.kind), value));
            }
        }
        let aggregates: Vec<Aggregate> = (0..1 + self.random.below(3)).map(|_| self.aggregate(columns)).collect();
        let after =
            keys.iter().map(|(c, _)| c).chain(aggregates.iter().map(|aggregate| &aggregate.column)).cloned().collect();
        (Step::Summarize(keys, aggregates), after)
    }

    fn aggregate(&mut self, columns: &[Column]) -> Aggregate {
        self.names += 1;
        let name = format!("c{}", self.names);
        random_aggregate(&mut self.random, columns, |kind| Column { name, kind })
    }

    fn union(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let table = self.table_position();
        (Step::Union(table, self.onto(columns, table)), columns.to_vec())
    }

    fn subset(&mut self, columns: &[Column]) -> (Step, Vec<Column>) {
        let table = self.table_position();
        let items = self.onto(columns, table);
        (Step::Subset(self.random.percent(50), table, items), columns.to_vec())
    }

    /// A projection of a table onto the given columns, in an order of its own.
    fn onto(&mut self, columns: &[Column], table: usize) -> Vec<(Column, Expression)> {
        let theirs = self.program.table(table).1.to_vec();
        let mut items: Vec<(Column, Expression)> = columns
            .iter()
            .map(|column| (column.clone(), random_column_value(&mut self.random, &theirs, column.kind)))
            .collect();
        self.random.shuffle(&mut items);
        items
    }
}
