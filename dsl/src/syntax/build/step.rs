//! Steps.

use pest::iterators::Pair;
use tidebook_plan::Span;

use super::super::grammar::Rule;
use super::super::tree::{
    DedupeRule, Emit, Expr, Iterate, Join, JoinCondition, JoinKind, Keep, Match, MatchElement, NamedExpr, Path, Pivot,
    Quantifier, Rename, Sample, Search, SelectItem, SetOperation, SortKey, Step, StepKind, Summarize, Top,
};
use super::{Builder, Built, Parts, misplaced, words};
use crate::diagnostics::syntax as codes;

impl Builder<'_> {
    /// The tree of a `step`.
    pub fn step(&self, pair: Pair<'_, Rule>) -> Built<Step> {
        let span = self.span(&pair);
        let inner = Parts::of(pair).must();
        let rule = inner.as_rule();
        let mut parts = Parts::of(inner);
        let first = parts.must();
        let mut keyword = self.span(&first);
        let kind = match rule {
            Rule::where_step => StepKind::Where(self.expr(parts.must())?),
            Rule::select_step => StepKind::Select(self.select_items(parts.must())?),
            Rule::derive_step => {
                let items = parts.map(|item| self.named_expr(item)).collect::<Built<_>>()?;
                StepKind::Derive(self.bounded(items, "columns of a table", span)?)
            }
            Rule::drop_step => StepKind::Drop(self.paths(parts)),
            Rule::rename_step => StepKind::Rename(parts.map(|item| self.rename(item)).collect()),
            Rule::summarize_step => StepKind::Summarize(self.summarize(parts, keyword)?),
            Rule::join_step => StepKind::Join(self.join(first, parts)?),
            Rule::combine_step => {
                let operation = match first.as_rule() {
                    Rule::kw_union => SetOperation::Union,
                    Rule::kw_except => SetOperation::Except,
                    Rule::kw_intersect => SetOperation::Intersect,
                    _ => misplaced(&first, "a set operation"),
                };
                StepKind::Combine { operation, operand: self.operand(parts.must())? }
            }
            Rule::distinct_step => StepKind::Distinct,
            Rule::update_step => StepKind::Update(self.operand(parts.must())?),
            Rule::patch_step => StepKind::Patch(self.operand(parts.must())?),
            Rule::flatten_step => StepKind::Flatten(self.named_expr(parts.must())?),
            Rule::sort_step => {
                parts.maybe(Rule::kw_by);
                StepKind::Sort(self.sort_keys(parts.must())?)
            }
            Rule::limit_step => StepKind::Limit(self.expr(parts.must())?),
            Rule::top_step => StepKind::Top(self.top(parts)?),
            Rule::dedupe_step => self.dedupe(parts)?,
            Rule::key_step => {
                keyword = keyword.to(self.span(&parts.must()));
                StepKind::Key(self.paths(parts))
            }
            Rule::pivot_step => StepKind::Pivot(self.pivot(parts)?),
            Rule::sample_step => StepKind::Sample(self.sample(parts)?),
            Rule::iterate_step => StepKind::Iterate(self.iterate(parts)?),
            Rule::match_step => StepKind::Match(self.match_rows(parts)?),
            Rule::search_step => StepKind::Search(self.search(parts, span)?),
            Rule::changes_step => StepKind::Changes,
            Rule::watermark_step => {
                let column = self.path(&parts.must());
                let delay = self.after(Rule::kw_delay, &mut parts)?;
                StepKind::Watermark { column, delay, idle: self.after(Rule::kw_idle, &mut parts)? }
            }
            Rule::show_step => self.show(parts)?,
            Rule::plot_step => {
                let chart = self.name(&parts.must());
                StepKind::Plot { chart, arguments: self.arguments(parts.must())?.plain()? }
            }
            Rule::write_step => StepKind::Write(self.connector(parts.must())?),
            Rule::index_step => StepKind::Index(self.connector(parts.must())?),
            Rule::serve_step => StepKind::Serve(self.connector(parts.must())?),
            rule => panic!("the grammar gives no {rule:?} as a step"),
        };
        Ok(Step { kind, span, keyword })
    }

    /// The expression after an optional keyword.
    fn after(&self, keyword: Rule, parts: &mut Parts<'_>) -> Built<Option<Expr>> {
        match parts.maybe(keyword) {
            Some(_) => Ok(Some(self.expr(parts.must())?)),
            None => Ok(None),
        }
    }

    /// The duration of a `within`.
    pub(super) fn within(&self, mut parts: Parts<'_>) -> Built<Expr> {
        parts.pass(Rule::kw_within);
        self.expr(parts.must())
    }

    fn paths(&self, parts: Parts<'_>) -> Vec<Path> {
        parts.map(|path| self.path(&path)).collect()
    }

    fn select_items(&self, pair: Pair<'_, Rule>) -> Built<Vec<SelectItem>> {
        let span = self.span(&pair);
        let mut items = Vec::new();
        for item in Parts::of(pair) {
            let item = Parts::of(item).must();
            items.push(match item.as_rule() {
                Rule::select_all => {
                    let span = self.span(&item);
                    let mut parts = Parts::of(item);
                    let table = parts.maybe(Rule::table_star).map(|table| self.path(&table));
                    let except = parts.filter(|part| part.as_rule() == Rule::path);
                    SelectItem::All { table, except: except.map(|path| self.path(&path)).collect(), span }
                }
                Rule::named_expr => SelectItem::Item(self.named_expr(item)?),
                _ => misplaced(&item, "an item of `select`"),
            });
        }
        self.bounded(items, "columns of a table", span)
    }

    fn named_expr(&self, pair: Pair<'_, Rule>) -> Built<NamedExpr> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = parts.maybe(Rule::name).map(|name| self.name(&name));
        Ok(NamedExpr { name, expr: self.expr(parts.must())?, span })
    }

    fn rename(&self, pair: Pair<'_, Rule>) -> Rename {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let new = self.name(&parts.must());
        Rename { new, old: self.path(&parts.must()), span }
    }

    fn summarize(&self, parts: Parts<'_>, keyword: Span) -> Built<Summarize> {
        let mut summarize = Summarize { aggregates: Vec::new(), by: Vec::new(), emit: None, late: None, keep: None };
        for part in parts {
            let span = self.span(&part);
            let rule = part.as_rule();
            let mut inner = Parts::of(part);
            match rule {
                Rule::aggregates => {
                    let items = inner.map(|item| self.named_expr(item)).collect::<Built<_>>()?;
                    summarize.aggregates = self.bounded(items, "columns of a table", span)?;
                }
                Rule::groups => {
                    inner.pass(Rule::kw_by);
                    summarize.by = inner.map(|item| self.named_expr(item)).collect::<Built<_>>()?;
                }
                Rule::emit => {
                    inner.pass(Rule::kw_emit);
                    let when = inner.must();
                    summarize.emit = Some(match when.as_rule() {
                        Rule::kw_live => Emit::Live(span),
                        Rule::kw_final => Emit::Final(span),
                        Rule::emit_every => {
                            let mut every = Parts::of(when);
                            every.pass(Rule::kw_every);
                            Emit::Every(self.expr(every.must())?, span)
                        }
                        _ => misplaced(&when, "a kind of `emit`"),
                    });
                }
                Rule::late => {
                    inner.pass(Rule::kw_late);
                    summarize.late = Some(self.expr(inner.must())?);
                }
                Rule::keep => {
                    inner.pass(Rule::kw_keep);
                    summarize.keep = Some(self.expr(inner.must())?);
                }
                rule => panic!("the grammar gives no {rule:?} in `summarize`"),
            }
        }
        if summarize.aggregates.is_empty() && summarize.by.is_empty() {
            let fault = codes::UNEXPECTED.error("expected an aggregate or `by` after `summarize`", keyword);
            return Err(Box::new(fault.with_help("write `summarize n: count() by name`")));
        }
        Ok(summarize)
    }

    fn pivot(&self, mut parts: Parts<'_>) -> Built<Pivot> {
        let items = parts.must();
        let span = self.span(&items);
        let aggregates = Parts::of(items).map(|item| self.named_expr(item)).collect::<Built<_>>()?;
        let aggregates = self.bounded(aggregates, "columns of a table", span)?;
        parts.pass(Rule::kw_on);
        let on = self.expr(parts.must())?;
        let by = match parts.next() {
            Some(groups) => {
                let mut inner = Parts::of(groups);
                inner.pass(Rule::kw_by);
                inner.map(|item| self.named_expr(item)).collect::<Built<_>>()?
            }
            None => Vec::new(),
        };
        Ok(Pivot { aggregates, on, by })
    }

    fn sample(&self, mut parts: Parts<'_>) -> Built<Sample> {
        let size = self.expr(parts.must())?;
        let rows = parts.maybe(Rule::sample_rows).is_some();
        let per = match parts.maybe(Rule::kw_per) {
            Some(_) => self.expr_list(parts.must())?,
            None => Vec::new(),
        };
        Ok(Sample { size, rows, per })
    }

    fn join(&self, kind_pair: Pair<'_, Rule>, mut parts: Parts<'_>) -> Built<Join> {
        let step = self.span(&kind_pair);
        let kind = match words(&kind_pair).as_slice() {
            ["join"] | ["inner", "join"] => JoinKind::Inner,
            ["left", "join"] => JoinKind::Left,
            ["right", "join"] => JoinKind::Right,
            ["full", "join"] => JoinKind::Full,
            ["semi", "join"] => JoinKind::Semi,
            ["anti", "join"] => JoinKind::Anti,
            ["cross", "join"] => JoinKind::Cross,
            ["asof", "join"] => JoinKind::Asof,
            ["left", "asof", "join"] => JoinKind::LeftAsof,
            words => panic!("the grammar gives no {words:?} as a join"),
        };
        let right = self.operand(parts.must())?;
        let condition = match parts.next() {
            Some(part) if part.as_rule() == Rule::join_on => {
                let mut inner = Parts::of(part);
                inner.pass(Rule::kw_on);
                JoinCondition::On(self.expr(inner.must())?)
            }
            Some(part) => {
                let mut inner = Parts::of(part);
                inner.pass(Rule::kw_using);
                JoinCondition::Using(inner.map(|name| self.name(&name)).collect())
            }
            None => JoinCondition::None,
        };
        let fault = |message: &str, help: &str| {
            Err(Box::new(codes::JOIN_CONDITION.error(message, step.to(right.span)).with_help(help)))
        };
        match (kind, &condition) {
            (JoinKind::Cross, JoinCondition::None) => {}
            (JoinKind::Cross, _) => {
                return fault("a cross join takes no condition", "leave out `cross`, or the condition");
            }
            (_, JoinCondition::None) => {
                return fault(
                    "expected `on` or `using` after the table of a join",
                    "say what rows are matched on: `on left.k == right.k`, or `using (k)`; for every pair, write `cross join`",
                );
            }
            _ => {}
        }
        Ok(Join { kind, right, condition })
    }

    /// The tree of `sort_keys`.
    pub fn sort_keys(&self, pair: Pair<'_, Rule>) -> Built<Vec<SortKey>> {
        let mut keys = Vec::new();
        for key in Parts::of(pair) {
            let span = self.span(&key);
            let mut parts = Parts::of(key);
            let expr = self.expr(parts.must())?;
            keys.push(SortKey { expr, descending: parts.maybe(Rule::kw_desc).is_some(), span });
        }
        Ok(keys)
    }

    /// The tree of an `expr_list`.
    pub fn expr_list(&self, pair: Pair<'_, Rule>) -> Built<Vec<Expr>> {
        Parts::of(pair).map(|expr| self.expr(expr)).collect()
    }

    fn top(&self, mut parts: Parts<'_>) -> Built<Top> {
        let count = self.expr(parts.must())?;
        parts.pass(Rule::kw_by);
        let by = self.sort_keys(parts.must())?;
        let per = match parts.maybe(Rule::kw_per) {
            Some(_) => self.expr_list(parts.must())?,
            None => Vec::new(),
        };
        Ok(Top { count, by, per })
    }

    fn dedupe(&self, mut parts: Parts<'_>) -> Built<StepKind> {
        parts.pass(Rule::kw_by);
        let by = self.expr_list(parts.must())?;
        let part = parts.must();
        let rule = part.as_rule();
        let mut inner = Parts::of(part);
        let rule = if rule == Rule::dedupe_when {
            inner.pass(Rule::kw_when);
            DedupeRule::When(self.expr(inner.must())?)
        } else {
            inner.pass(Rule::kw_keep);
            let keep = if inner.must().as_rule() == Rule::kw_first { Keep::First } else { Keep::Last };
            DedupeRule::Keep { keep, of: self.after(Rule::kw_of, &mut inner)? }
        };
        Ok(StepKind::Dedupe { by, rule })
    }

    fn iterate(&self, mut parts: Parts<'_>) -> Built<Iterate> {
        let name = self.name(&parts.must());
        let body = self.pipeline(parts.must())?;
        Ok(Iterate { name, body, max: self.after(Rule::kw_max, &mut parts)? })
    }

    fn match_rows(&self, mut parts: Parts<'_>) -> Built<Match> {
        let by = match parts.maybe(Rule::kw_by) {
            Some(_) => self.expr_list(parts.must())?,
            None => Vec::new(),
        };
        parts.pass(Rule::kw_sort);
        parts.maybe(Rule::kw_by);
        let sort = self.sort_keys(parts.must())?;
        let within = match parts.maybe(Rule::within) {
            Some(within) => Some(self.within(Parts::of(within))?),
            None => None,
        };
        let elements = parts.every(Rule::element);
        let pattern = elements.into_iter().map(|element| self.element(element)).collect::<Built<_>>()?;
        parts.pass(Rule::kw_select);
        Ok(Match { by, sort, within, pattern, select: self.select_items(parts.must())? })
    }

    fn element(&self, pair: Pair<'_, Rule>) -> Built<MatchElement> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = self.name(&parts.must());
        let quantifier = match parts.maybe(Rule::quantifier).map(|quantifier| quantifier.as_str()) {
            None => Quantifier::One,
            Some("?") => Quantifier::Optional,
            Some("*") => Quantifier::Any,
            Some("+") => Quantifier::Many,
            Some(counted) => counted_rows(counted),
        };
        Ok(MatchElement { name, quantifier, condition: self.expr(parts.must())?, span })
    }

    fn search(&self, mut parts: Parts<'_>, span: Span) -> Built<Search> {
        let index = self.path(&parts.must());
        parts.pass(Rule::kw_for);
        let query = self.expr(parts.must())?;
        let (mut top, mut mode, mut filter, mut alias, mut options) = (None, None, None, None, Vec::new());
        for part in parts {
            let rule = part.as_rule();
            match rule {
                Rule::alias => alias = Some(self.alias(part)),
                Rule::named_argument => options.push(self.named_argument(part)?),
                _ => {
                    let mut inner = Parts::of(part);
                    inner.must();
                    let value = inner.must();
                    match rule {
                        Rule::search_top => top = Some(self.expr(value)?),
                        Rule::search_mode => mode = Some(self.name(&value)),
                        Rule::search_where => filter = Some(self.expr(value)?),
                        rule => panic!("the grammar gives no {rule:?} in `search`"),
                    }
                }
            }
        }
        let Some(top) = top else {
            let fault = codes::UNEXPECTED.error("expected `top` and a number in `search`", span);
            return Err(Box::new(fault.with_help("say how many entries you want of each row: `top 5`")));
        };
        Ok(Search { index, query, top, mode, filter, alias, options })
    }

    fn show(&self, parts: Parts<'_>) -> Built<StepKind> {
        let (mut limit, mut every) = (None, None);
        for part in parts {
            let rule = part.as_rule();
            let mut inner = Parts::of(part);
            inner.must();
            let value = Some(self.expr(inner.must())?);
            if rule == Rule::show_limit { limit = value } else { every = value }
        }
        Ok(StepKind::Show { limit, every })
    }
}

/// `{2}`, `{2,}`, `{,3}`, `{2,3}`.
fn counted_rows(text: &str) -> Quantifier {
    let number = |text: &str| text.replace('_', "").trim().parse::<u64>().ok();
    let inner = text.trim_matches(['{', '}']);
    match inner.split_once(',') {
        Some((least, most)) => Quantifier::Counted(number(least).unwrap_or(0), number(most)),
        None => Quantifier::Counted(number(inner).unwrap_or(0), Some(number(inner).unwrap_or(0))),
    }
}
