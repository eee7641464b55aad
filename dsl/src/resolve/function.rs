//! `fn`: expanded where it is called.

use std::collections::HashMap;

use tidebook_plan::{ColumnType, Diagnostic, Span};

use crate::catalog::{Catalog, FunctionDefinition};
use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::resolve::aggregate::Aggregation;
use crate::resolve::expression::Local;
use crate::resolve::fault::{self, Fault, Resolved};
use crate::resolve::scope::Scope;
use crate::resolve::types::{TYPE_NAMES, column_type};
use crate::resolve::window::{WindowPlace, Windows};
use crate::resolve::{Reach, Resolver, aggregate};
use crate::syntax::tree::{Call, Expr, FnParam, Name, TypeExpr};

impl Resolver<'_> {
    /// The parameters and the result of a definition, checked: its body is resolved once with values of the declared
    /// types, if all of them are declared.
    pub(crate) fn function(
        &self,
        name: &Name,
        params: &[FnParam],
        returns: Option<&TypeExpr>,
        body: &Expr,
    ) -> Resolved<(Vec<(String, Option<ColumnType>)>, Option<ColumnType>)> {
        let known = functions::names().any(|known| known == name.text)
            || aggregate::kind(&name.text).is_some()
            || aggregate::unavailable(&name.text).is_some()
            || name.text == "session"
            || functions::WINDOWS.iter().any(|window| window.name == name.text)
            || TYPE_NAMES.contains(&name.text.as_str())
            || matches!(name.text.as_str(), "env" | "cast");
        if known {
            let message = format!("`{}` is a function of the language", name.text);
            return Err(names::SAME_NAME.error(message, name.span).with_help("give yours another name").into());
        }
        let mut typed: Vec<(String, Option<ColumnType>)> = Vec::with_capacity(params.len());
        for param in params {
            if typed.iter().any(|(other, _)| *other == param.name.text) {
                let message = format!("`{}` has two parameters called `{}`", name.text, param.name.text);
                return Err(names::SAME_NAME.error(message, param.name.span).into());
            }
            typed.push((param.name.text.clone(), param.ty.as_ref().map(column_type).transpose()?));
        }
        let returns = returns.map(column_type).transpose()?;
        self.expanding.borrow_mut().push(name.text.clone());
        let checked = match typed.iter().map(|(n, ty)| Some((n.clone(), ty.clone()?))).collect::<Option<Vec<_>>>() {
            None => Ok(()),
            Some(values) => {
                let locals = values.into_iter().map(|(n, ty)| (n.clone(), Local::new(Typed::column(n, ty)))).collect();
                // One with aggregates is called in a `summarize`; where another one is called, there may be window functions.
                let (input, ordering, windows) = (Scope::default(), Vec::new(), Windows::default());
                let aggregation = Aggregation::new(&input, &ordering, false, Vec::new());
                let aggregation = holds_aggregates(self.catalog, body).then_some(&aggregation);
                let reach = Reach { aggregation, windows: WindowPlace::Step(&windows), ..Reach::columns(&input) };
                self.body(body, &locals, reach)
                    .and_then(|value| give_back(&name.text, value, returns.as_ref(), body.span).map(|_| ()))
            }
        };
        self.expanding.borrow_mut().pop();
        checked?;
        Ok((typed, returns))
    }

    /// A call of a function of `fn`.
    pub(crate) fn expand(
        &self,
        name: &str,
        function: &FunctionDefinition,
        call: &Call,
        span: Span,
        reach: Reach<'_>,
    ) -> Resolved<Typed> {
        self.uses.borrow_mut().functions.insert(name.to_string());
        let arguments = self.arguments(name, function, call, span)?;
        let mut locals = HashMap::new();
        // Without aggregates of its own, its arguments mean the same all over its body.
        let aggregation = reach.aggregation.filter(|_| function.aggregates);
        for ((param, ty), argument) in function.params.iter().zip(arguments) {
            let local = self.local(argument, reach, aggregation, |value| match ty {
                Some(ty) => taken(name, param, ty, value, argument.span),
                None => Ok(value),
            })?;
            locals.insert(param.clone(), local);
        }
        self.expanding.borrow_mut().push(name.to_string());
        let told = (self.also.borrow().len(), self.warnings.borrow().len());
        let value = self.body(&function.body, &locals, Reach { aggregation, ..reach });
        self.also.borrow_mut().truncate(told.0);
        self.warnings.borrow_mut().truncate(told.1);
        self.expanding.borrow_mut().pop();
        // The body stands in another place, maybe in another cell: the fault is shown at the call.
        let value = value.map_err(|fault| match fault {
            Fault::Said(inner) => {
                let message = format!("in `{name}`: {}", inner.message);
                let outer = Diagnostic::error(inner.code.clone(), message, span);
                match inner.help.clone() {
                    Some(help) => outer.with_help(help).into(),
                    None => outer.into(),
                }
            }
            Fault::Quiet => Fault::Quiet,
        })?;
        self.measured(give_back(name, value, function.returns.as_ref(), span)?, span)
    }

    fn body(&self, body: &Expr, locals: &HashMap<String, Local>, reach: Reach<'_>) -> Resolved<Typed> {
        let scope = Scope::default();
        let Reach { aggregation, windows, .. } = reach;
        self.expression(body, Reach { locals: Some(locals), aggregation, windows, ..Reach::columns(&scope) })
    }

    /// An argument. In a `summarize` it may stand inside of an aggregate of the body, where it is one of columns, and outside,
    /// where it is one of keys and aggregates: it need not make sense in both.
    fn local(
        &self,
        argument: &Expr,
        reach: Reach<'_>,
        aggregation: Option<&Aggregation<'_>>,
        taken: impl Fn(Typed) -> Resolved<Typed>,
    ) -> Resolved<Local> {
        let Some(aggregation) = aggregation else {
            return Ok(Local { value: Ok(taken(self.expression(argument, reach)?)?), inside: None });
        };
        let told = (self.also.borrow().len(), self.warnings.borrow().len());
        let value = self.expression(argument, reach).and_then(&taken);
        let told_of_value = self.also.borrow().len();
        let inner = aggregation.inner(reach, |inner| self.expression(argument, inner)).and_then(&taken);
        match (&value, &inner) {
            (Err(_), Err(_)) => self.also.borrow_mut().truncate(told_of_value),
            _ => self.also.borrow_mut().truncate(told.0),
        }
        self.warnings.borrow_mut().truncate(told.1);
        match (value, inner) {
            (Err(fault), Err(_)) => Err(fault),
            (value, inner) => Ok(Local { value, inside: Some(inner) }),
        }
    }

    /// The arguments of a call in the order of the parameters.
    fn arguments<'c>(
        &self,
        name: &str,
        function: &FunctionDefinition,
        call: &'c Call,
        span: Span,
    ) -> Resolved<Vec<&'c Expr>> {
        let mut given: Vec<Option<&Expr>> = call.arguments.positional.iter().map(Some).collect();
        let count = function.params.len();
        let shape = || {
            let list: Vec<&str> = function.params.iter().map(|(param, _)| param.as_str()).collect();
            format!("it is called as `{name}({})`", list.join(", "))
        };
        if given.len() > count {
            let message =
                format!("`{name}` takes {count} argument{}, found {}", if count == 1 { "" } else { "s" }, given.len());
            return Err(names::ARGUMENT_COUNT.error(message, span).with_help(shape()).into());
        }
        given.resize(count, None);
        for argument in &call.arguments.named {
            let Some(place) = function.params.iter().position(|(param, _)| *param == argument.name.text) else {
                let candidates: Vec<&str> = function.params.iter().map(|(param, _)| param.as_str()).collect();
                let message = format!("`{name}` has no argument called `{}`", argument.name.text);
                let diagnostic = names::ARGUMENT_COUNT.error(message, argument.name.span);
                return Err(fault::suggest(diagnostic, &argument.name.text, &candidates, "its arguments are").into());
            };
            if given[place].is_some() {
                let message = format!("the argument `{}` is given twice", argument.name.text);
                return Err(names::ARGUMENT_COUNT.error(message, argument.name.span).into());
            }
            given[place] = Some(&argument.value);
        }
        let missing = function.params.iter().zip(&given).find(|(_, value)| value.is_none());
        if let Some(((param, _), _)) = missing {
            let message = format!("`{name}` needs the argument `{param}`");
            return Err(names::ARGUMENT_COUNT.error(message, span).with_help(shape()).into());
        }
        Ok(given.into_iter().flatten().collect())
    }
}

/// True if an aggregate stands in the body of a function, or in that of a function that it calls.
pub(crate) fn holds_aggregates(catalog: &Catalog, body: &Expr) -> bool {
    body.calls().into_iter().any(|call| {
        let name = call.function.text();
        (call.over.is_none() && aggregate::kind(&name).is_some())
            || catalog.functions.get(&name).is_some_and(|function| function.aggregates)
    })
}

/// An argument as the parameter of a declared type takes it.
fn taken(name: &str, param: &str, ty: &ColumnType, value: Typed, span: Span) -> Resolved<Typed> {
    let found = value.ty.clone();
    let coerced = functions::coerce(value, &ty.ty)
        .filter(|_| ty.nullable || !found.nullable || found.ty != tidebook_plan::Type::Null);
    coerced.ok_or_else(|| {
        let message = format!("`{param}` of `{name}` is {}, found {found}", ty.ty);
        names::WRONG_TYPE.error(message, span).into()
    })
}

/// D0221: a call inside of the function's own body.
pub(crate) fn recursive(name: &str, span: Span) -> Diagnostic {
    names::RECURSIVE_FUNCTION
        .error(format!("`{name}` calls itself"), span)
        .with_help("a function is put in the place of its call, which would never end here")
}

/// The value of a body as the declared type.
fn give_back(name: &str, value: Typed, returns: Option<&ColumnType>, span: Span) -> Resolved<Typed> {
    let Some(returns) = returns else { return Ok(value) };
    let found = value.ty.clone();
    match functions::coerce(value, &returns.ty) {
        Some(value) => Ok(value),
        None => {
            let message = format!("`{name}` gives {}, but its body is {found}", returns.ty);
            Err(names::WRONG_TYPE.error(message, span).into())
        }
    }
}
