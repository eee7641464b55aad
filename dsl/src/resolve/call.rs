//! Calls: aggregates, functions of `fn` and of the library, casts, `env`.

use datafusion_common::ScalarValue;
use tidebook_plan::diagnostic::near_names;
use tidebook_plan::{ColumnType, Diagnostic, Span};

use crate::diagnostics::{names, sources};
use crate::functions::{self, Typed};
use crate::resolve::expression::{call_fault, literal, spans};
use crate::resolve::fault::{self, Fault, Resolved};
use crate::resolve::names::later;
use crate::resolve::types::{self, TYPE_NAMES};
use crate::resolve::{Reach, Resolver, aggregate, function, session, window};
use crate::syntax::tree::{Call, Expr, ExprKind, Literal, TypeExprKind};

impl Resolver<'_> {
    /// A call.
    pub(crate) fn call(&self, call: &Call, span: Span, reach: Reach<'_>) -> Resolved<Typed> {
        let name = call.function.text();
        if let Some(over) = &call.over {
            return self.window(call, over, span, reach);
        }
        if name == "env" {
            return self.variable(call, span);
        }
        if name == "cast" {
            return self.cast(call, span, reach);
        }
        if let Some(aggregate) = aggregate::kind(&name) {
            if let Some(matched) = reach.matched {
                return matched.call(self, aggregate, call, span);
            }
            let Some(aggregation) = reach.aggregation else {
                if reach.aggregated {
                    let message = format!("the aggregate `{name}` stands inside of another");
                    return Err(names::MISPLACED_AGGREGATE
                        .error(message, call.function.span)
                        .with_help("aggregate twice: `| summarize n: … by … | summarize m: …`")
                        .into());
                }
                let message = format!("the aggregate `{name}` stands outside of `summarize`");
                let what = &name;
                return Err(names::MISPLACED_AGGREGATE
                    .error(message, call.function.span)
                    .with_help(format!(
                        "group first, `| summarize n: {what}(…) by …`, or say of which rows: `{what}(…) over (by …)`"
                    ))
                    .into());
            };
            return aggregation.call(self, aggregate, call, span, reach);
        }
        let own = call.function.single().and_then(|name| self.catalog.functions.get(&name.text));
        if own.is_none()
            && let Some(what) = aggregate::unavailable(&name)
        {
            return Err(fault::not_available(&what, call.function.span).into());
        }
        if own.is_none() && name == "session" {
            return Err(session::misplaced(span).into());
        }
        if own.is_none() && functions::WINDOWS.iter().any(|window| window.name == name) {
            return Err(window::without_over(&name, call.function.span).into());
        }
        if let Some(filter) = &call.filter {
            let message = format!("`{name}` is not an aggregate, so it takes no `filter`");
            return Err(names::MISPLACED_AGGREGATE.error(message, filter.span).into());
        }
        if let Some(key) = call.by.first().or(call.sort.first()) {
            let message = format!("`{name}` is not an aggregate, so it takes no order");
            return Err(names::MISPLACED_AGGREGATE.error(message, key.span).into());
        }
        if self.expanding.borrow().contains(&name) {
            return Err(function::recursive(&name, call.function.span).into());
        }
        if let Some(function) = own {
            return self.expand(&name, function, call, span, reach);
        }
        if TYPE_NAMES.contains(&name.as_str()) {
            if let Some(argument) = call.arguments.named.first() {
                let message = format!("the cast `{name}` has no argument called `{}`", argument.name.text);
                let fault = names::ARGUMENT_COUNT.error(message, argument.name.span);
                return Err(fault.with_help("give its arguments by position").into());
            }
            let arguments = &call.arguments.positional;
            let typed = self.all(arguments.iter().map(|e| self.expression(e, reach)))?;
            return convert(&name, typed, span, &spans(arguments));
        }
        let Some(function) = functions::function(&name) else {
            if self.failed.contains(&name) {
                return Err(Fault::Quiet);
            }
            // Before its arguments are looked at: a misspelt aggregate is the fault, not the column inside of it.
            return Err(self.unknown_function(&name, call.function.span).into());
        };
        let arguments = library_arguments(function, call)?;
        let typed = self.all(arguments.iter().map(|e| self.expression(e, reach)))?;
        let spans: Vec<Span> = arguments.iter().map(|argument| argument.span).collect();
        function.bind(typed).map_err(|f| call_fault(f, span, &spans))
    }

    /// `cast(e, type)`: the cast to a type that is not one word, `cast(document, [{name: text, price: float?}])`.
    fn cast(&self, call: &Call, span: Span, reach: Reach<'_>) -> Resolved<Typed> {
        let ([value, written], []) = (call.arguments.positional.as_slice(), call.arguments.named.as_slice()) else {
            return Err(names::ARGUMENT_COUNT
                .error("`cast` takes a value and a type", span)
                .with_help("write `cast(e, [int])` or `cast(e, {name: text, price: float?})`")
                .into());
        };
        let Some(ty) = written.as_type() else {
            return Err(names::WRONG_TYPE
                .error("`cast` takes a type here", written.span)
                .with_help("write `int`, `decimal(10, 2)`, `[text]` or `{name: text, price: float?}`")
                .into());
        };
        let typed = self.expression(value, reach)?;
        let ty = match &ty.kind {
            TypeExprKind::Named { name, parameters } if name.text == "decimal" && parameters.is_empty() => {
                ColumnType::required(functions::natural_decimal(&typed))
            }
            _ => types::column_type(&ty)?,
        };
        functions::cast(typed, &ty.ty).map_err(|f| call_fault(f, span, &[value.span]))
    }

    /// `env("NAME")`.
    fn variable(&self, call: &Call, span: Span) -> Resolved<Typed> {
        if !self.env_allowed.get() {
            return Err(names::MISPLACED_ENV
                .error("`env` stands only in the options of a connector and in `set`", span)
                .with_help("a value from the environment is never part of a table; use a `param`")
                .into());
        }
        let [Expr { kind: ExprKind::Literal(Literal::Text(variable)), .. }] = call.arguments.positional.as_slice()
        else {
            return Err(names::ARGUMENT_COUNT
                .error("`env` takes the name of a variable: `env(\"NAME\")`", span)
                .into());
        };
        let Some(value) = self.env.variable(variable) else {
            let message = format!("the environment has no variable `{variable}`");
            return Err(sources::MISSING_VARIABLE
                .error(message, span)
                .with_help(format!("set `{variable}` before the kernel starts"))
                .into());
        };
        self.env_used.set(true);
        Ok(literal(&Literal::Text(value)))
    }

    pub(crate) fn unknown_function(&self, name: &str, span: Span) -> Diagnostic {
        let library: Vec<&str> = functions::names()
            .chain(aggregate::names())
            .chain(functions::WINDOWS.iter().map(|f| f.name))
            .chain(["session"])
            .collect();
        let own = self.catalog.functions.keys().map(String::as_str);
        let names: Vec<&str> = own.chain(library.iter().copied()).collect();
        let diagnostic = names::UNKNOWN_FUNCTION.error(format!("unknown function `{name}`"), span);
        if let Some(foreign) = functions::foreign(name)
            && !names.iter().any(|known| known.eq_ignore_ascii_case(name))
        {
            let diagnostic = diagnostic.with_help(format!(
                "{}{}",
                if foreign.help.starts_with('`') { "write " } else { "" },
                foreign.help
            ));
            return match foreign.ours {
                Some(ours) => diagnostic.with_edit(span, ours),
                None => diagnostic,
            };
        }
        if self.is_later(name) {
            return diagnostic.with_help(later(name));
        }
        // `math.abs`, `s.upper`: a function of ours behind a module or a value of another language.
        let bare = name.rsplit('.').next().unwrap_or(name);
        if bare != name && names.contains(&bare) {
            return diagnostic.with_help(format!("did you mean `{bare}(…)`? a function stands before its arguments"));
        }
        let near = near_names(name, names.iter().copied().chain(TYPE_NAMES.iter().copied()));
        match fault::did_you_mean(&near) {
            Some(help) => diagnostic.with_help(help).with_edit(span, near[0]),
            None => diagnostic.with_help("`%help functions` lists them"),
        }
    }
}

/// The arguments of a call of the library in the order of the parameters, those with a name after the others.
fn library_arguments<'c>(function: &functions::Function, call: &'c Call) -> Resolved<Vec<&'c Expr>> {
    let positional = &call.arguments.positional;
    let named = &call.arguments.named;
    if named.is_empty() {
        return Ok(positional.iter().collect());
    }
    let given: Vec<&str> = named.iter().map(|argument| argument.name.text.as_str()).collect();
    if let Some(places) = function.arrange(positional.len(), &given) {
        let all: Vec<&Expr> = positional.iter().chain(named.iter().map(|argument| &argument.value)).collect();
        return Ok(places.into_iter().map(|place| all[place]).collect());
    }
    let known = |name: &str| function.overloads.iter().any(|way| way.parameters.iter().any(|(own, _)| *own == name));
    let wrong = named.iter().find(|argument| !known(&argument.name.text));
    let (message, span) = match wrong {
        Some(argument) => {
            (format!("`{}` has no argument called `{}`", function.name, argument.name.text), argument.name.span)
        }
        None => (format!("`{}` does not take these arguments together", function.name), named[0].name.span),
    };
    Err(names::ARGUMENT_COUNT.error(message, span).with_help(function.usage()).into())
}

/// A cast, written as a call of the type's name: `int("7")`, `decimal(price, 10, 2)`.
fn convert(name: &str, mut arguments: Vec<Typed>, span: Span, spans: &[Span]) -> Resolved<Typed> {
    let number = |typed: &Typed| match typed.constant() {
        Some(ScalarValue::Int64(Some(number))) => Some(*number),
        _ => None,
    };
    let parameters: Option<Vec<i64>> = arguments.iter().skip(1).map(number).collect();
    let (takes, example) = match name {
        "decimal" => (0..=2, "decimal(e)` or `decimal(e, 10, 2)".to_string()),
        "vector" => (1..=1, "vector(e, 384)".to_string()),
        _ => (0..=0, format!("{name}(e)")),
    };
    let given = arguments.len().checked_sub(1).filter(|given| takes.contains(given));
    let (Some(parameters), Some(given)) = (parameters, given) else {
        let message = match *takes.end() {
            0 => format!("the cast `{name}` takes one value"),
            _ => format!("the cast `{name}` takes a value and numbers"),
        };
        return Err(names::ARGUMENT_COUNT.error(message, span).with_help(format!("write `{example}`")).into());
    };
    if name == "decimal" && given == 0 {
        let ty = functions::natural_decimal(&arguments[0]);
        return functions::cast(arguments.swap_remove(0), &ty).map_err(|f| call_fault(f, span, spans));
    }
    let ty = types::named(name, &parameters, span, span)?;
    functions::cast(arguments.swap_remove(0), &ty).map_err(|f| call_fault(f, span, spans))
}
