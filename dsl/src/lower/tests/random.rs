//! Random plans: with and without rules they give the same rows and the same errors.

use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{Fraction, Frame};

use super::super::lower;
use super::interpreter::{Rows, outputs};
use super::plans::{column, int, ints, is, math, origin};
use crate::functions::tests::values::Random;
use crate::functions::{self, AggregateFunction, Arithmetic, Comparison, Typed};
use crate::logical::{self, AggregateColumn, JoinType, SortColumn, WindowColumn, WindowKind};

/// A plan being made; columns are ints or bools made on the way, and every name is used once.
struct Maker {
    random: Random,
    names: usize,
    /// Every plan that was made on the way: their errors count too.
    steps: Vec<LogicalPlan>,
}

fn names(plan: &LogicalPlan) -> Vec<String> {
    plan.schema().fields().iter().map(|field| field.name().clone()).collect()
}

impl Maker {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("x#{}", self.names)
    }

    fn rows(&mut self) -> LogicalPlan {
        let width = 1 + self.random.below(3);
        let names: Vec<String> = (0..width).map(|_| self.name()).collect();
        let edges = [None, Some(0), Some(1), Some(1), Some(2), Some(3), Some(-1), Some(i64::MAX)];
        let rows: Vec<Vec<Option<i64>>> =
            (0..self.random.below(7)).map(|_| (0..width).map(|_| *self.random.pick(&edges)).collect()).collect();
        ints(&names.iter().map(String::as_str).collect::<Vec<_>>(), &rows)
    }

    fn value(&mut self, plan: &LogicalPlan, depth: usize) -> Typed {
        let name = self.random.pick(&names(plan)).clone();
        if depth == 0 || self.random.below(3) == 0 {
            return column(&name);
        }
        match self.random.below(7) {
            0 => int(self.random.below(4) as i64),
            1 => math(Arithmetic::Add, self.value(plan, depth - 1), self.value(plan, depth - 1)),
            2 => math(Arithmetic::Divide, self.value(plan, depth - 1), self.value(plan, depth - 1)),
            3 => math(Arithmetic::Divide, self.value(plan, depth - 1), int(2)),
            4 => functions::coalesce(self.value(plan, depth - 1), int(7)).unwrap(),
            5 => functions::attempt(math(Arithmetic::Multiply, self.value(plan, depth - 1), column(&name)), None)
                .unwrap(),
            _ => {
                let when = self.condition(plan, depth - 1);
                functions::case(vec![(when, self.value(plan, depth - 1))], Some(column(&name))).unwrap()
            }
        }
    }

    fn condition(&mut self, plan: &LogicalPlan, depth: usize) -> Typed {
        let ops = [Comparison::Equal, Comparison::Less, Comparison::GreaterOrEqual, Comparison::NotEqual];
        let op = *self.random.pick(&ops);
        let compared = is(self.value(plan, depth), op, self.value(plan, depth));
        match self.random.below(4) {
            0 => functions::and(compared, self.condition(plan, 0)).unwrap(),
            1 => functions::or(compared, functions::is_null(self.value(plan, 0), false)).unwrap(),
            _ => compared,
        }
    }

    fn plan(&mut self, depth: usize) -> LogicalPlan {
        let made = if depth == 0 { self.rows() } else { self.step(depth - 1) };
        self.steps.push(made.clone());
        made
    }

    /// Fresh names for the columns, so that a plan can be joined with itself.
    fn renamed(&mut self, plan: LogicalPlan) -> LogicalPlan {
        let columns = names(&plan).into_iter().map(|name| (column(&name), self.name())).collect();
        logical::project(plan, columns, origin("rename")).unwrap()
    }

    fn step(&mut self, depth: usize) -> LogicalPlan {
        let input = self.plan(depth);
        match self.random.below(11) {
            10 => self.window(input),
            0 | 1 => {
                let mut columns: Vec<_> = names(&input).into_iter().map(|name| (column(&name), name)).collect();
                columns.retain(|_| self.random.below(3) > 0);
                for _ in 0..1 + self.random.below(2) {
                    columns.push((self.value(&input, 2), self.name()));
                }
                logical::project(input, columns, origin("derive")).unwrap()
            }
            2 | 3 => {
                let predicate = self.condition(&input, 1);
                logical::filter(input, predicate, origin("where")).unwrap()
            }
            4 | 5 => {
                let right = if self.random.below(3) == 0 { input.clone() } else { self.plan(depth) };
                let right = self.renamed(right);
                let kinds = [JoinType::Inner, JoinType::Inner, JoinType::Left, JoinType::Semi, JoinType::Anti];
                let kind = *self.random.pick(&kinds);
                let on: Vec<(String, String)> = (0..self.random.below(3))
                    .map(|_| (self.random.pick(&names(&input)).clone(), self.random.pick(&names(&right)).clone()))
                    .collect();
                let nulls = self.random.below(3) == 0;
                logical::join(input, right, kind, &on, nulls).unwrap()
            }
            6 | 7 => self.summarize(input),
            8 => {
                let group = names(&input).into_iter().filter(|_| self.random.below(3) == 0).collect();
                let order = names(&input).into_iter().filter(|_| self.random.below(2) == 0);
                let order: Vec<_> = order.map(|column| SortColumn { column, descending: false }).collect();
                let (offset, limit) = (self.random.below(2) as u64, 1 + self.random.below(3) as u64);
                logical::top_k(input, group, order, offset, limit, origin("top")).unwrap()
            }
            _ => {
                let width = names(&input).len();
                let other = self.plan(depth);
                let first = names(&other).into_iter().cycle().take(width).collect::<Vec<_>>();
                let other = first.into_iter().map(|name| (column(&name), self.name())).collect::<Vec<_>>();
                let source = self.steps.last().cloned().unwrap();
                let other = logical::project(source, other, origin("select")).unwrap();
                let fresh: Vec<String> = (0..width).map(|_| self.name()).collect();
                logical::union(vec![(input, false), (other, false)], &fresh).unwrap()
            }
        }
    }

    fn window(&mut self, input: LogicalPlan) -> LogicalPlan {
        let partition = names(&input).into_iter().filter(|_| self.random.below(3) == 0).collect();
        let order = names(&input).into_iter().filter(|_| self.random.below(2) == 0);
        let order: Vec<_> = order.map(|column| SortColumn { column, descending: false }).collect();
        let kinds = [
            WindowKind::RowNumber,
            WindowKind::Neighbour(-1),
            WindowKind::Neighbour(2),
            WindowKind::Aggregate(AggregateFunction::Sum, Frame::Rows(2)),
            WindowKind::Aggregate(AggregateFunction::CountRows, Frame::Partition),
        ];
        let functions: Vec<WindowColumn> = (0..1 + self.random.below(2))
            .map(|_| {
                let kind = self.random.pick(&kinds).clone();
                let rows =
                    matches!(kind, WindowKind::RowNumber | WindowKind::Aggregate(AggregateFunction::CountRows, _));
                let input = (!rows).then(|| self.random.pick(&names(&input)).clone());
                WindowColumn { kind, input, default: None, filter: None, order: vec![], output: self.name() }
            })
            .collect();
        logical::window(input, partition, order, functions, origin("derive")).unwrap()
    }

    fn summarize(&mut self, input: LogicalPlan) -> LogicalPlan {
        let keys: Vec<String> = names(&input).into_iter().filter(|_| self.random.below(3) == 0).collect();
        // The filter is a column of its own.
        let filter = (self.random.below(3) == 0).then(|| self.name());
        let input = match &filter {
            Some(name) => {
                let mut columns: Vec<_> = names(&input).into_iter().map(|name| (column(&name), name)).collect();
                columns.push((functions::is_null(self.value(&input, 0), true), name.clone()));
                logical::project(input, columns, origin("filter (where …)")).unwrap()
            }
            None => input,
        };
        let summed: Vec<String> = names(&input).into_iter().filter(|name| filter.as_ref() != Some(name)).collect();
        use AggregateFunction::{
            Avg, Count, CountDistinct, CountRows, First, Last, List, Max, Min, Quantile, Set, StandardDeviation, Sum,
            Variance,
        };
        let functions = [
            CountRows,
            Count,
            CountDistinct,
            Sum,
            Avg,
            Variance,
            StandardDeviation,
            Min,
            Max,
            First,
            Last,
            List,
            Set,
            Quantile(Fraction::HALF),
        ];
        let count = self.random.below(4);
        let aggregates: Vec<AggregateColumn> = (0..count)
            .map(|_| {
                let function = self.random.pick(&functions).clone();
                let input = (function != CountRows).then(|| self.random.pick(&summed).clone());
                let filter = filter.clone().filter(|_| self.random.below(2) == 0);
                let ordered = match function {
                    First | Last => true,
                    List | Set => self.random.below(2) == 0,
                    _ => false,
                };
                let key = ordered.then(|| self.random.pick(&summed).clone());
                let order = key.map(|column| SortColumn { column, descending: self.random.below(2) == 0 });
                AggregateColumn { function, input, filter, order: order.into_iter().collect(), output: self.name() }
            })
            .collect();
        // Floats and lists are not known to the other steps of these tests: they are not read further.
        let is_int = |aggregate: &&AggregateColumn| {
            !matches!(aggregate.function, Avg | Variance | StandardDeviation | Quantile(_) | List | Set)
        };
        let kept: Vec<_> = keys
            .iter()
            .chain(aggregates.iter().filter(is_int).map(|aggregate| &aggregate.output))
            .map(|name| (column(name), name.clone()))
            .collect();
        let all_kept = kept.len() == keys.len() + aggregates.len();
        let summarized = logical::aggregate(input, keys, aggregates, origin("summarize")).unwrap();
        self.steps.push(summarized.clone());
        if kept.is_empty() {
            return logical::project(summarized, vec![(int(1), self.name())], origin("select")).unwrap();
        }
        if all_kept { summarized } else { logical::project(summarized, kept, origin("select")).unwrap() }
    }
}

fn shown(rows: &Rows) -> Vec<(String, i64)> {
    rows.iter().map(|(text, (_, diff))| (text.clone(), *diff)).collect()
}

#[test]
fn rules_change_neither_rows_nor_errors() {
    let (mut fused, mut summed_below) = (0, 0);
    for seed in 1..2_400u64 {
        let mut maker = Maker { random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), names: 0, steps: vec![] };
        let depth = 1 + maker.random.below(4);
        let plan = maker.plan(depth);
        let mut roots = vec![plan];
        for step in &maker.steps {
            if let Some(columns) = logical::error_columns(step) {
                let names: Vec<String> = (0..columns.len() + 2).map(|i| format!("e#{i}")).collect();
                roots.push(logical::errors(step, &names).unwrap());
            }
        }
        let explain = |error: super::super::LowerError| panic!("seed {seed}: {error}\n{}", roots[0].display_indent());
        let plain = lower(&roots, false).unwrap_or_else(explain).plan;
        let ruled = lower(&roots, true).unwrap_or_else(explain).plan;
        let (expected, found) = (outputs(&plain), outputs(&ruled));
        for (place, (expected, found)) in expected.iter().zip(&found).enumerate() {
            assert_eq!(
                shown(found),
                shown(expected),
                "seed {seed}, root {place}\n{}\n{plain}\n{ruled}",
                roots[place].display_indent()
            );
        }
        fused += usize::from(ruled.nodes.len() < plain.nodes.len());
        // The same with the rows alone, where rules have more room.
        let alone = lower(&roots[..1], true).unwrap_or_else(explain).plan;
        assert_eq!(shown(&outputs(&alone)[0]), shown(&expected[0]), "seed {seed}, rows alone\n{alone}");
        summed_below += alone.nodes.iter().filter(|node| node.operator.name() == "reduce-join").count();
    }
    assert!(fused > 300, "only {fused} plans became smaller");
    assert!(summed_below > 5, "only {summed_below} sums were formed below a join");
}
