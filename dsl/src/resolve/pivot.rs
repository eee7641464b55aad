//! `pivot`: a `summarize` whose aggregates stand once for each of some values, over the rows that have it.

use crate::diagnostics::names;
use crate::functions::Typed;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::summarize::Item;
use crate::resolve::{Reach, Resolver, show};
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Literal, NamedExpr, Pivot, Step, Summarize};

impl Resolver<'_> {
    pub(crate) fn pivot(&self, input: Relation, pivot: &Pivot, step: &Step) -> Resolved<Relation> {
        let (of, values) = self.pivot_values(&pivot.on)?;
        let reach = Reach::columns(&input.scope);
        let conditions = values.iter().map(|(name, value)| {
            let condition = self.condition(&equals(of, value), reach)?;
            let name = match name {
                Some(name) => (*name).to_string(),
                None => {
                    let (value, ty) = self.constant(value, "`pivot`")?;
                    show(&value, &ty)
                }
            };
            Ok((name, condition))
        });
        let conditions: Vec<(String, Typed)> = self.all(conditions)?;
        let several = pivot.aggregates.len() > 1;
        let items = conditions.iter().flat_map(|(value, condition)| {
            pivot.aggregates.iter().map(move |item| {
                let name = self.pivot_name(item, value, several);
                Item { name, expr: &item.expr, span: item.span, only: Some(condition.clone()) }
            })
        });
        let keys = Summarize { aggregates: Vec::new(), by: pivot.by.clone(), emit: None, late: None, keep: None };
        self.grouped(input, &keys, items.collect(), step)
    }

    /// What is compared, and with which values; some have names.
    #[allow(clippy::type_complexity)]
    fn pivot_values<'t>(&self, on: &'t Expr) -> Resolved<(&'t Expr, Vec<(Option<&'t str>, &'t Expr)>)> {
        let values = match &on.kind {
            ExprKind::In { value, options, negated: false } => match &options.kind {
                ExprKind::List(items) => Some((&**value, items.iter().map(|item| (None, item)).collect::<Vec<_>>())),
                ExprKind::Record(fields) => {
                    let named = fields.iter().map(|field| (Some(field.name.text.as_str()), &field.value));
                    Some((&**value, named.collect()))
                }
                _ => None,
            },
            _ => None,
        };
        values.filter(|(_, values)| !values.is_empty()).ok_or_else(|| {
            let of = if let ExprKind::In { value, .. } = &on.kind { value } else { on };
            let text = super::collapse(of.span.of(self.text));
            let help =
                format!("list them, `on {text} in [\"a\", \"b\"]`, or name them, `in {{first: \"a\", second: \"b\"}}`");
            let message = "`pivot` needs its values: the columns of a table are known before any row is";
            names::WRONG_VALUE.error(message, on.span).with_help(help).into()
        })
    }

    /// The name of a column: the value, and with it the aggregate's where there are several or it has one.
    fn pivot_name(&self, item: &NamedExpr, value: &str, several: bool) -> Resolved<String> {
        match (&item.name, several) {
            (Some(name), _) => Ok(format!("{value}_{}", name.text)),
            (None, false) => Ok(value.to_string()),
            (None, true) => Ok(format!("{value}_{}", super::columns::item_name(self, item)?)),
        }
    }
}

/// `of == value`, where null is a value as well.
fn equals(of: &Expr, value: &Expr) -> Expr {
    let tested = Box::new(of.clone());
    let kind = match &value.kind {
        ExprKind::Literal(Literal::Null) => ExprKind::IsNull { value: tested, negated: false },
        _ => ExprKind::Binary {
            operator: BinaryOperator::Equal,
            operator_span: of.span,
            left: tested,
            right: Box::new(value.clone()),
        },
    };
    Expr { kind, span: value.span }
}
