//! Types as written.

use pest::iterators::Pair;

use super::super::grammar::Rule;
use super::super::tree::{Literal, TypeExpr, TypeExprKind, TypeField};
use super::{Builder, Built, Parts, misplaced};
use crate::diagnostics::syntax as codes;

impl Builder<'_> {
    /// The tree of a `type_expr`.
    pub fn type_expr(&self, pair: Pair<'_, Rule>) -> Built<TypeExpr> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let inner = parts.must();
        let nullable = parts.maybe(Rule::nullable).is_some();
        let kind = match inner.as_rule() {
            Rule::named_type => {
                let mut inner = Parts::of(inner);
                let name = self.name(&inner.must());
                let mut parameters = Vec::new();
                for number in inner {
                    match self.number(&number, false)? {
                        Literal::Int(value) => parameters.push(value),
                        _ => {
                            let message = format!("a type takes whole numbers, found `{}`", number.as_str());
                            return Err(Box::new(codes::BAD_LITERAL.error(message, self.span(&number))));
                        }
                    }
                }
                TypeExprKind::Named { name, parameters }
            }
            Rule::list_type => TypeExprKind::List(Box::new(self.type_expr(Parts::of(inner).must())?)),
            Rule::record_type => {
                let mut fields = Vec::new();
                for field in Parts::of(inner) {
                    let mut field = Parts::of(field);
                    let name = self.name(&field.must());
                    fields.push(TypeField { name, ty: self.type_expr(field.must())? });
                }
                TypeExprKind::Record(fields)
            }
            _ => misplaced(&inner, "a type"),
        };
        Ok(TypeExpr { kind, nullable, span })
    }
}
