//! Pipelines and their heads.

use pest::iterators::Pair;

use super::super::grammar::Rule;
use super::super::tree::{
    ConnectorUse, FieldDecl, Head, HeadKind, Name, OperandTable, Pipeline, RowField, RowLiteral, TableOperand,
};
use super::{Builder, Built, Parts, misplaced};

impl Builder<'_> {
    /// The tree of a `pipeline`.
    pub fn pipeline(&self, pair: Pair<'_, Rule>) -> Built<Pipeline> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let head = self.head(parts.must())?;
        let steps = parts.map(|step| self.step(step)).collect::<Built<_>>()?;
        Ok(Pipeline { head, steps, span })
    }

    fn head(&self, pair: Pair<'_, Rule>) -> Built<Head> {
        let span = self.span(&pair);
        let inner = Parts::of(pair).must();
        let kind = match inner.as_rule() {
            Rule::path => HeadKind::Table(self.path(&inner)),
            Rule::nested => HeadKind::Nested(Box::new(self.pipeline(Parts::of(inner).must())?)),
            Rule::read => {
                let mut parts = Parts::of(inner);
                parts.pass(Rule::kw_read);
                HeadKind::Read(self.connector(parts.must())?)
            }
            Rule::served => {
                let mut parts = Parts::of(inner);
                parts.pass(Rule::kw_serve);
                HeadKind::Serve(self.connector(parts.must())?)
            }
            Rule::sql => {
                let mut parts = Parts::of(inner);
                parts.pass(Rule::kw_sql);
                let text = parts.must();
                HeadKind::Sql { text: self.text(&text)?, span: self.span(&text) }
            }
            Rule::rows => {
                let lists = Parts::of(inner).filter(|part| part.as_rule() == Rule::row_list);
                HeadKind::Rows(lists.map(|list| self.row_list(list)).collect::<Built<_>>()?)
            }
            _ => misplaced(&inner, "a head"),
        };
        Ok(Head { kind, span })
    }

    fn row_list(&self, pair: Pair<'_, Rule>) -> Built<Vec<RowLiteral>> {
        let mut rows = Vec::new();
        for row in Parts::of(pair) {
            let span = self.span(&row);
            let mut parts = Parts::of(row);
            let negated = parts.maybe(Rule::minus).is_some();
            let mut fields = Vec::new();
            for field in Parts::of(parts.must()) {
                let mut field = Parts::of(field);
                let name = self.name(&field.must());
                fields.push(RowField { name, value: self.expr(field.must())? });
            }
            let fields = self.bounded(fields, "columns of a table", span)?;
            rows.push(RowLiteral { negated, fields, span });
        }
        Ok(rows)
    }

    /// The tree of a `connector`.
    pub fn connector(&self, pair: Pair<'_, Rule>) -> Built<ConnectorUse> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let connector = self.path(&parts.must());
        let arguments = self.arguments(parts.must())?.plain()?;
        let schema = match parts.maybe(Rule::schema) {
            Some(schema) => {
                let fields = Parts::of(schema).map(|field| self.field_decl(field)).collect::<Built<_>>()?;
                Some(self.bounded(fields, "columns of a table", span)?)
            }
            None => None,
        };
        Ok(ConnectorUse { connector, arguments, schema, span })
    }

    fn field_decl(&self, pair: Pair<'_, Rule>) -> Built<FieldDecl> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = self.name(&parts.must());
        let ty = self.type_expr(parts.must())?;
        let mut field = FieldDecl { name, ty, key: None, default: None, from: None, span };
        for part in parts {
            let place = self.span(&part);
            let rule = part.as_rule();
            let mut inner = Parts::of(part);
            inner.must();
            match rule {
                Rule::field_key => field.key = Some(place),
                Rule::field_default => field.default = Some(self.expr(inner.must())?),
                Rule::field_from => {
                    let text = inner.must();
                    field.from = Some(Name { text: self.text(&text)?, span: self.span(&text) });
                }
                rule => panic!("the grammar gives no {rule:?} in a column of a schema"),
            }
        }
        Ok(field)
    }

    /// The tree of an `operand_table`.
    pub fn operand(&self, pair: Pair<'_, Rule>) -> Built<TableOperand> {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let inner = parts.must();
        let table = match inner.as_rule() {
            Rule::path => OperandTable::Name(self.path(&inner)),
            Rule::nested => OperandTable::Pipeline(Box::new(self.pipeline(Parts::of(inner).must())?)),
            _ => misplaced(&inner, "a table"),
        };
        Ok(TableOperand { table, alias: parts.maybe(Rule::alias).map(|alias| self.alias(alias)), span })
    }

    /// The name of an `alias`.
    pub fn alias(&self, pair: Pair<'_, Rule>) -> Name {
        let mut parts = Parts::of(pair);
        parts.pass(Rule::kw_as);
        self.name(&parts.must())
    }
}
