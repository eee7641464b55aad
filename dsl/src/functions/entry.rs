//! What an entry of the library is: names, types, documentation, examples and evaluation in one value.

use std::fmt::Write;

use tidebook_plan::{ColumnType, Type};

use super::convert::{coerce, common_type};
use super::kernel::{Evaluate, Kernel};
use super::typed::{CallFault, FaultKind, Typed};

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any type.
    Any,
    /// Bool.
    Bool,
    /// Int.
    Int,
    /// Float; an int or decimal is converted.
    Float,
    /// Int, float or decimal, as it is.
    Number,
    /// Text.
    Text,
    /// Date.
    Date,
    /// Timestamp; a date is converted.
    Timestamp,
    /// Duration.
    Duration,
    /// A JSON document.
    Json,
    /// Any list.
    List,
    /// Any type that the other parameters of this kind share with it.
    Same,
}

impl Takes {
    fn word(self) -> &'static str {
        match self {
            Takes::Any => "any",
            Takes::Bool => "bool",
            Takes::Int => "int",
            Takes::Float => "float",
            Takes::Number => "number",
            Takes::Text => "text",
            Takes::Date => "date",
            Takes::Timestamp => "timestamp",
            Takes::Duration => "duration",
            Takes::Json => "json",
            Takes::List => "list",
            Takes::Same => "T",
        }
    }

    /// The argument as this parameter takes it.
    fn accept(self, arg: Typed, shared: Option<&Type>) -> Option<Typed> {
        match self {
            Takes::Any => Some(arg),
            Takes::Bool => coerce(arg, &Type::Bool),
            Takes::Int => coerce(arg, &Type::Int),
            Takes::Float => coerce(arg, &Type::Float),
            Takes::Number if arg.is_null_type() => coerce(arg, &Type::Int),
            Takes::Number => arg.ty.ty.is_numeric().then_some(arg),
            Takes::Text => coerce(arg, &Type::Text),
            Takes::Date => coerce(arg, &Type::Date),
            Takes::Timestamp => coerce(arg, &Type::Timestamp),
            Takes::Duration => coerce(arg, &Type::Duration),
            Takes::Json => coerce(arg, &Type::Json),
            Takes::List => matches!(arg.ty.ty, Type::List(_)).then_some(arg),
            Takes::Same => coerce(arg, shared?),
        }
    }
}

/// A type without parts, for entries that are constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simple {
    /// Bool.
    Bool,
    /// Int.
    Int,
    /// Float.
    Float,
    /// Text.
    Text,
    /// Timestamp.
    Timestamp,
    /// Duration.
    Duration,
}

impl Simple {
    fn ty(self) -> Type {
        match self {
            Simple::Bool => Type::Bool,
            Simple::Int => Type::Int,
            Simple::Float => Type::Float,
            Simple::Text => Type::Text,
            Simple::Timestamp => Type::Timestamp,
            Simple::Duration => Type::Duration,
        }
    }
}

/// What a call gives.
#[derive(Clone, Copy, Debug)]
pub enum Gives {
    /// This type; null where an argument is null.
    Value(Simple),
    /// This type, and possibly null even where no argument is.
    Nullable(Simple),
    /// The type of the first argument; null where an argument is null.
    First,
    /// The type that the [`Takes::Same`] arguments share; null only if all of them are.
    Shared,
    /// A list of texts.
    Texts,
}

/// One way to call a function.
#[derive(Debug)]
pub struct Overload {
    /// Names and kinds of the parameters.
    pub parameters: &'static [(&'static str, Takes)],
    /// True if the last parameter may be given any number of times more.
    pub repeats: bool,
    /// Type of the result.
    pub gives: Gives,
    /// True if a row can make it fail.
    pub fallible: bool,
    /// How rows are computed.
    pub evaluate: Evaluate,
}

/// What a function is about: its chapter in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Text.
    Text,
    /// Numbers.
    Numbers,
    /// Dates, timestamps and durations.
    Time,
    /// Regular expressions.
    Patterns,
    /// Lists, records and documents.
    Nested,
    /// Choice, null and failure.
    Choice,
    /// Type names as functions.
    Casts,
}

/// A function of the library.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its chapter.
    pub group: Group,
    /// One or two sentences.
    pub doc: &'static str,
    /// Expressions with their results, as `text(…)` shows them (`null` for null).
    pub examples: &'static [(&'static str, &'static str)],
    /// The ways to call it, tried in order.
    pub overloads: &'static [Overload],
}

impl Function {
    /// The ways to call it, `name(x: text) -> int`.
    pub fn signatures(&self) -> Vec<String> {
        self.overloads.iter().map(|overload| overload.signature(self.name)).collect()
    }

    /// True if some call of it can fail on a row.
    pub fn is_fallible(&self) -> bool {
        self.overloads.iter().any(|overload| overload.fallible)
    }

    /// The call with these arguments.
    pub fn bind(&self, args: Vec<Typed>) -> Result<Typed, CallFault> {
        let fitting: Vec<&Overload> = self.overloads.iter().filter(|overload| overload.takes(args.len())).collect();
        if fitting.is_empty() {
            let plural = if args.len() == 1 { "" } else { "s" };
            let message = format!("`{}` does not take {} argument{plural}", self.name, args.len());
            return Err(CallFault::new(FaultKind::Arity, message).with_help(self.usage()));
        }
        // An exact match wins over one that converts.
        let exact = fitting.iter().find(|overload| overload.accept(&args).is_ok_and(|accepted| accepted == args));
        let mut fault = None;
        for overload in exact.into_iter().chain(&fitting) {
            match overload.accept(&args) {
                Ok(accepted) => return Ok(overload.call(self.name, accepted)),
                Err(index) => fault = fault.or(Some(index)),
            }
        }
        let index = fault.unwrap_or(0);
        let message = format!("`{}` does not take {} here", self.name, args[index].ty.ty);
        Err(CallFault::new(FaultKind::Type, message).at(index).with_help(self.usage()))
    }

    fn usage(&self) -> String {
        format!(
            "it is called as {}",
            self.signatures().iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(" or ")
        )
    }
}

impl Overload {
    fn takes(&self, count: usize) -> bool {
        count == self.parameters.len() || (self.repeats && count > self.parameters.len())
    }

    fn kind(&self, index: usize) -> Takes {
        self.parameters[index.min(self.parameters.len() - 1)].1
    }

    /// The arguments as the parameters take them, or the first that does not fit.
    fn accept(&self, args: &[Typed]) -> Result<Vec<Typed>, usize> {
        let mut shared: Option<ColumnType> = None;
        for (index, arg) in args.iter().enumerate() {
            if self.kind(index) == Takes::Same {
                shared = Some(match shared {
                    Some(ty) => common_type(&ty, &arg.ty).ok_or(index)?,
                    None => arg.ty.clone(),
                });
            }
        }
        let shared = shared.map(|ty| ty.ty);
        let accept = |(index, arg): (usize, &Typed)| self.kind(index).accept(arg.clone(), shared.as_ref()).ok_or(index);
        args.iter().enumerate().map(accept).collect()
    }

    fn call(&self, name: &'static str, args: Vec<Typed>) -> Typed {
        let some_null = args.iter().any(|arg| arg.ty.nullable);
        let first = args.first().map_or(Type::Null, |arg| arg.ty.ty.clone());
        let (ty, nullable) = match self.gives {
            Gives::Value(ty) => (ty.ty(), some_null),
            Gives::Nullable(ty) => (ty.ty(), true),
            Gives::First => (first, some_null),
            Gives::Shared => (first, args.iter().all(|arg| arg.ty.nullable)),
            Gives::Texts => (Type::List(Box::new(ColumnType::required(Type::Text))), some_null),
        };
        Kernel::new(name, ty.to_arrow(), self.fallible, self.evaluate).call(args, ColumnType { ty, nullable })
    }

    fn signature(&self, name: &str) -> String {
        let mut text = format!("{name}(");
        for (index, (parameter, takes)) in self.parameters.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma}{parameter}: {}", takes.word());
        }
        let result = match self.gives {
            Gives::Value(ty) => ty.ty().to_string(),
            Gives::Nullable(ty) => format!("{}?", ty.ty()),
            Gives::First => self.parameters.first().map_or("any", |(_, takes)| takes.word()).to_string(),
            Gives::Shared => "T".to_string(),
            Gives::Texts => "[text]".to_string(),
        };
        let _ = write!(text, "{}) -> {result}", if self.repeats { ", …" } else { "" });
        text
    }
}
