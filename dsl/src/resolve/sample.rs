//! `sample`: rows drawn by a hash of what they hold, so that the same table always gives the same sample and a row that goes
//! takes no other with it.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{Expr, Sample, Step};

impl Resolver<'_> {
    pub(crate) fn sample(&self, input: Relation, sample: &Sample, step: &Step) -> Resolved<Relation> {
        let per = sample.per.iter().map(|key| self.expression(key, Reach::columns(&input.scope)));
        let per: Vec<Typed> = self.all(per)?.into_iter().map(functions::of_equals).collect();
        let origin = self.origin(step.span);
        if !sample.rows {
            let share = self.share(&sample.size)?;
            let drawn = if per.is_empty() { whole_row(&input) } else { record(per) };
            let share = Typed::literal(ScalarValue::Float64(Some(share)), ColumnType::required(Type::Float));
            let condition = functions::compare(functions::Comparison::Less, uniform(drawn), share);
            let Ok(condition) = condition else { unreachable!("floats can be compared") };
            return Ok(self.filter(input, condition, origin));
        }
        let count = self.count(&sample.size, "`sample … rows`")?;
        let mut added = Vec::new();
        let order = self.as_column(&input, uniform(whole_row(&input)), &mut added);
        let groups: Vec<String> = per.into_iter().map(|typed| self.as_column(&input, typed, &mut added)).collect();
        let kept: Vec<_> = input.scope.columns.iter().map(super::columns::kept).collect();
        let ordering = input.ordering.clone();
        let mut drawn = self.extend(input, added, origin.clone());
        drawn.plan = build::top_k(drawn.plan, groups, &[(order, false)], count, origin.clone());
        drawn.retracts = true;
        let mut drawn = self.project(drawn, kept, origin);
        drawn.ordering = ordering;
        Ok(drawn)
    }

    /// A share from 0 to 1.
    fn share(&self, size: &Expr) -> Resolved<f64> {
        let (value, ty) = self.constant(size, "`sample`")?;
        let share = match value {
            ScalarValue::Float64(Some(share)) if (0.0..=1.0).contains(&share) => return Ok(share),
            ScalarValue::Int64(Some(0)) => return Ok(0.0),
            ScalarValue::Int64(Some(1)) => return Ok(1.0),
            ScalarValue::Float64(Some(share)) => share.to_string(),
            ScalarValue::Int64(Some(share)) => share.to_string(),
            _ => {
                let message = format!("`sample` takes a share from 0 to 1 or a number of rows, found {ty}");
                return Err(names::WRONG_TYPE.error(message, size.span).into());
            }
        };
        let text = size.span.of(self.text);
        let message = format!("`sample` takes a share from 0 to 1, not {share}");
        let help =
            format!("for so many rows write `sample {text} rows`, for so many hundredths `sample {text} / 100.0`");
        Err(names::WRONG_VALUE.error(message, size.span).with_help(help).into())
    }
}

/// All columns of a row together.
fn whole_row(input: &Relation) -> Typed {
    let columns = input.scope.columns.iter().filter(|column| !column.hidden);
    record(columns.map(|column| functions::of_equals(Typed::column(column.id.clone(), column.ty.clone()))).collect())
}

fn record(values: Vec<Typed>) -> Typed {
    functions::record(values.into_iter().enumerate().map(|(at, typed)| (at.to_string(), typed)).collect())
}

fn uniform(drawn: Typed) -> Typed {
    match functions::call("uniform", vec![drawn]) {
        Ok(typed) => typed,
        Err(_) => unreachable!("`uniform` takes everything"),
    }
}
