//! What a parameter takes, and what a call gives: the types of an entry, as constants.

use tidebook_plan::{ColumnType, Type};

use super::convert::{coerce, common_type};
use super::typed::{CallFault, Typed};

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
    /// Bytes.
    Bytes,
    /// Date.
    Date,
    /// Timestamp.
    Timestamp,
    /// Duration.
    Duration,
    /// A JSON document.
    Json,
}

impl Simple {
    /// The type itself.
    pub fn ty(self) -> Type {
        match self {
            Simple::Bool => Type::Bool,
            Simple::Int => Type::Int,
            Simple::Float => Type::Float,
            Simple::Text => Type::Text,
            Simple::Bytes => Type::Bytes,
            Simple::Date => Type::Date,
            Simple::Timestamp => Type::Timestamp,
            Simple::Duration => Type::Duration,
            Simple::Json => Type::Json,
        }
    }
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any type.
    Any,
    /// Any type but a list.
    Single,
    /// Values of this type, and what becomes one silently (an int a float, a date a timestamp).
    Value(Simple),
    /// Int, float or decimal, as it is.
    Number,
    /// Decimal, as it is.
    Decimal,
    /// Any type that the other parameters of this kind share with it, and with the elements of [`Takes::Items`].
    Same,
    /// As [`Takes::Same`], of a type whose values have an order.
    Ordered,
    /// A list of the shared type.
    Items,
    /// A list, as it is.
    List,
    /// A list of lists, as it is.
    Lists,
    /// A list of values of this type.
    ListOf(Simple),
    /// A record.
    Record,
    /// A vector.
    Vector,
}

impl Takes {
    /// How a signature writes it.
    pub fn word(self) -> String {
        match self {
            Takes::Any | Takes::Single => "any".to_string(),
            Takes::Value(simple) => simple.ty().to_string(),
            Takes::Number => "number".to_string(),
            Takes::Decimal => "decimal".to_string(),
            Takes::Same | Takes::Ordered => "T".to_string(),
            Takes::Items => "[T]".to_string(),
            Takes::List => "list".to_string(),
            Takes::Lists => "[[T]]".to_string(),
            Takes::ListOf(simple) => format!("[{}]", simple.ty()),
            Takes::Record => "record".to_string(),
            Takes::Vector => "vector".to_string(),
        }
    }

    /// What an argument says of the shared type; `None` if it does not fit.
    pub fn share(self, arg: &Typed, shared: Option<ColumnType>) -> Option<Option<ColumnType>> {
        let said = match (self, &arg.ty.ty) {
            (Takes::Ordered, Type::Json | Type::List(_) | Type::Record(_) | Type::Vector(_)) => return None,
            (Takes::Same | Takes::Ordered, _) => arg.ty.clone(),
            (Takes::Items, Type::List(item)) => (**item).clone(),
            (Takes::Items, Type::Null) => return Some(shared),
            (Takes::Items, _) => return None,
            _ => return Some(shared),
        };
        Some(Some(match shared {
            Some(shared) => common_type(&shared, &said)?,
            None => said,
        }))
    }

    /// The argument as this parameter takes it.
    pub fn accept(self, arg: Typed, shared: Option<&ColumnType>) -> Option<Typed> {
        match self {
            Takes::Any => Some(arg),
            Takes::Single => (!matches!(arg.ty.ty, Type::List(_))).then_some(arg),
            Takes::Value(simple) => coerce(arg, &simple.ty()),
            Takes::Number if arg.is_null_type() => coerce(arg, &Type::Int),
            Takes::Number => arg.ty.ty.is_numeric().then_some(arg),
            Takes::Decimal => matches!(arg.ty.ty, Type::Decimal { .. }).then_some(arg),
            // What is only known to be null is compared as ints.
            Takes::Ordered if shared?.ty == Type::Null => coerce(arg, &Type::Int),
            Takes::Same | Takes::Ordered => coerce(arg, &shared?.ty),
            Takes::Items => {
                let item = shared.cloned().unwrap_or_else(|| ColumnType::nullable(Type::Null));
                coerce(arg, &Type::List(Box::new(item)))
            }
            Takes::List => matches!(arg.ty.ty, Type::List(_)).then_some(arg),
            Takes::Lists => {
                let nested = matches!(&arg.ty.ty, Type::List(item) if matches!(item.ty, Type::List(_)));
                nested.then_some(arg)
            }
            Takes::ListOf(simple) => {
                matches!(arg.ty.ty, Type::List(_) | Type::Null).then_some(())?;
                coerce(arg, &Type::List(Box::new(ColumnType::nullable(simple.ty()))))
            }
            Takes::Record => matches!(arg.ty.ty, Type::Record(_)).then_some(arg),
            Takes::Vector => matches!(arg.ty.ty, Type::Vector(_)).then_some(arg),
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
    /// An element of the lists, null where there is none.
    Item,
    /// A list like the ones given; null where an argument is null.
    Items,
    /// A list of values of this type; null where an argument is null.
    ListOf(Simple),
    /// How a signature writes it, and the type of the result for these arguments.
    Found(&'static str, fn(&[Typed]) -> Result<ColumnType, CallFault>),
}

impl Gives {
    /// How a signature writes it, where the first parameter takes `first`.
    pub fn word(self, first: Option<Takes>) -> String {
        match self {
            Gives::Value(ty) => ty.ty().to_string(),
            Gives::Nullable(ty) => format!("{}?", ty.ty()),
            Gives::First => first.map_or("any".to_string(), Takes::word),
            Gives::Shared => "T".to_string(),
            Gives::Item => "T?".to_string(),
            Gives::Items => "[T]".to_string(),
            Gives::ListOf(ty) => format!("[{}]", ty.ty()),
            Gives::Found(word, _) => word.to_string(),
        }
    }

    /// The type of the result of a call with these arguments, as the parameters took them.
    pub fn result(self, args: &[Typed], shared: Option<&ColumnType>) -> Result<ColumnType, CallFault> {
        let some_null = args.iter().any(|arg| arg.ty.nullable);
        let first = args.first().map_or(Type::Null, |arg| arg.ty.ty.clone());
        let item = || shared.cloned().unwrap_or_else(|| ColumnType::nullable(Type::Null));
        let (ty, nullable) = match self {
            Gives::Value(ty) => (ty.ty(), some_null),
            Gives::Nullable(ty) => (ty.ty(), true),
            Gives::First => (first, some_null),
            Gives::Shared => (first, args.iter().all(|arg| arg.ty.nullable)),
            Gives::Item => (item().ty, true),
            Gives::Items => (Type::List(Box::new(item())), some_null),
            Gives::ListOf(ty) => (Type::List(Box::new(ColumnType::required(ty.ty()))), some_null),
            Gives::Found(_, find) => return find(args),
        };
        Ok(ColumnType { ty, nullable })
    }
}
