//! Statements.

use pest::iterators::Pair;

use super::super::grammar::Rule;
use super::super::tree::{Expect, ExpectCondition, FnParam, Statement, StatementKind};
use super::{Builder, Built, Parts, misplaced};

impl Builder<'_> {
    /// The tree of a `statement`.
    pub fn statement(&self, pair: Pair<'_, Rule>) -> Built<Statement> {
        let span = self.span(&pair);
        let inner = Parts::of(pair).must();
        let mut parts = Parts::of(inner.clone());
        let kind = match inner.as_rule() {
            Rule::define => {
                let name = self.name(&parts.must());
                parts.pass(Rule::assign);
                StatementKind::Define { name, pipeline: self.pipeline(parts.must())? }
            }
            Rule::shown => StatementKind::Show(self.pipeline(parts.must())?),
            Rule::param => {
                parts.pass(Rule::kw_param);
                let name = self.name(&parts.must());
                let ty = self.type_expr(parts.must())?;
                let default = match parts.maybe(Rule::assign) {
                    Some(_) => Some(self.expr(parts.must())?),
                    None => None,
                };
                StatementKind::Param { name, ty, default }
            }
            Rule::setting => {
                parts.pass(Rule::kw_set);
                let name = self.name(&parts.must());
                parts.pass(Rule::assign);
                StatementKind::Set { name, value: self.expr(parts.must())? }
            }
            Rule::function => self.function(parts)?,
            Rule::expect => StatementKind::Expect(self.expect(parts)?),
            Rule::reply => {
                parts.pass(Rule::kw_reply);
                let table = self.path(&parts.must());
                parts.pass(Rule::kw_with);
                StatementKind::Reply { table, with: self.path(&parts.must()) }
            }
            Rule::drop_tables => {
                parts.pass(Rule::kw_drop);
                StatementKind::Drop(parts.map(|name| self.name(&name)).collect())
            }
            _ => misplaced(&inner, "a statement"),
        };
        Ok(Statement { kind, span })
    }

    fn function(&self, mut parts: Parts<'_>) -> Built<StatementKind> {
        parts.pass(Rule::kw_fn);
        let name = self.name(&parts.must());
        let mut params = Vec::new();
        for pair in parts.every(Rule::fn_param) {
            let span = self.span(&pair);
            let mut inner = Parts::of(pair);
            let name = self.name(&inner.must());
            let ty = inner.next().map(|ty| self.type_expr(ty)).transpose()?;
            params.push(FnParam { name, ty, span });
        }
        let returns = match parts.maybe(Rule::returns) {
            Some(pair) => Some(self.type_expr(Parts::of(pair).must())?),
            None => None,
        };
        parts.pass(Rule::assign);
        Ok(StatementKind::Fn { name, params, returns, body: self.expr(parts.must())? })
    }

    fn expect(&self, mut parts: Parts<'_>) -> Built<Expect> {
        parts.pass(Rule::kw_expect);
        let subject = self.pipeline(parts.must())?;
        let mut within = None;
        let mut condition = None;
        for pair in parts {
            let rule = pair.as_rule();
            let mut inner = Parts::of(pair);
            match rule {
                Rule::within => within = Some(self.within(inner)?),
                Rule::is_empty => {
                    inner.pass(Rule::kw_is);
                    condition = Some(ExpectCondition::IsEmpty { negated: inner.maybe(Rule::kw_not).is_some() });
                }
                Rule::equals => {
                    inner.pass(Rule::kw_equals);
                    condition = Some(ExpectCondition::Equals(self.pipeline(inner.must())?));
                }
                Rule::all_rows => {
                    inner.pass(Rule::kw_all);
                    condition = Some(ExpectCondition::All(self.expr(inner.must())?));
                }
                rule => panic!("the grammar gives no {rule:?} in an expectation"),
            }
        }
        let Some(condition) = condition else { panic!("the grammar demands a condition of an expectation") };
        Ok(Expect { subject, within, condition })
    }
}
