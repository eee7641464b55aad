//! What an entry of the library is: names, types, documentation, examples and evaluation in one value.

use std::fmt::Write;

use tidebook_plan::ColumnType;

use super::convert::with_decimal_literals;
use super::group::Group;
use super::kernel::{Evaluate, Kernel};
use super::prepare::{Prepare, prepare};
use super::takes::{Gives, Takes};
use super::typed::{CallFault, FaultKind, Typed};

/// Names and kinds of parameters.
pub type Parameters = &'static [(&'static str, Takes)];

/// How a call is computed.
#[derive(Clone, Copy, Debug)]
pub enum Compute {
    /// Row by row, from the values of the arguments.
    Rows(Evaluate),
    /// As another expression of the arguments, which it may leave uncomputed for some rows.
    Rewrite(fn(Vec<Typed>) -> Result<Typed, CallFault>),
}

/// Whether a row can make a call fail.
#[derive(Clone, Copy, Debug)]
pub enum Fails {
    /// No row can.
    Never,
    /// Some row may.
    Sometimes,
    /// Only by an argument that is read ([`Overload::prepares`]) and is not a constant.
    UnlessConstant,
    /// As these arguments say.
    If(fn(&[Typed]) -> bool),
}

/// One way to call a function.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    /// Names and kinds of the parameters.
    pub parameters: Parameters,
    /// True if the last parameter may be given any number of times more.
    pub repeats: bool,
    /// Type of the result.
    pub gives: Gives,
    /// Whether a row can make it fail.
    pub fails: Fails,
    /// Arguments that are read once where they are constants.
    pub prepares: &'static [Prepare],
    /// How it is computed.
    pub compute: Compute,
}

/// A way to call that no row can make fail.
pub const fn total(parameters: Parameters, gives: Gives, evaluate: Evaluate) -> Overload {
    let compute = Compute::Rows(evaluate);
    Overload { parameters, repeats: false, gives, fails: Fails::Never, prepares: &[], compute }
}

/// A way to call that a row may make fail.
pub const fn fallible(parameters: Parameters, gives: Gives, evaluate: Evaluate) -> Overload {
    Overload { fails: Fails::Sometimes, ..total(parameters, gives, evaluate) }
}

/// A way to call that stands for another expression; `gives` is what the signature says.
pub const fn rewritten(
    parameters: Parameters,
    gives: Gives,
    rewrite: fn(Vec<Typed>) -> Result<Typed, CallFault>,
) -> Overload {
    let compute = Compute::Rewrite(rewrite);
    Overload { parameters, repeats: false, gives, fails: Fails::Sometimes, prepares: &[], compute }
}

impl Overload {
    /// The last parameter may be given any number of times more.
    pub const fn repeating(self) -> Overload {
        Overload { repeats: true, ..self }
    }

    /// These arguments are read once where they are constants.
    pub const fn reading(self, prepares: &'static [Prepare]) -> Overload {
        Overload { prepares, ..self }
    }

    /// Whether a row can make it fail is found from the arguments.
    pub const fn failing_if(self, can_fail: fn(&[Typed]) -> bool) -> Overload {
        Overload { fails: Fails::If(can_fail), ..self }
    }

    /// It fails only by an argument that is read and is not a constant.
    pub const fn unless_constant(self) -> Overload {
        Overload { fails: Fails::UnlessConstant, ..self }
    }
}

/// A function of the library.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its chapter.
    pub group: Group,
    /// One to three sentences.
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
        self.overloads.iter().any(|overload| !matches!(overload.fails, Fails::Never))
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
        let is_exact = |accepted: Accepted| accepted.args.iter().zip(&args).all(|(taken, arg)| taken.expr == arg.expr);
        let exact = fitting.iter().find(|overload| overload.accept(&args).is_ok_and(is_exact));
        let mut fault = None;
        for overload in exact.into_iter().chain(&fitting) {
            match overload.accept(&args) {
                Ok(accepted) => return overload.call(self.name, accepted),
                // The overload that went furthest was likely meant.
                Err(index) => fault = fault.max(Some(index)),
            }
        }
        let index = fault.unwrap_or(0);
        let message = format!("`{}` does not take {} here", self.name, args[index].ty.ty);
        Err(CallFault::new(FaultKind::Type, message).at(index).with_help(self.usage()))
    }

    /// The places of a call's arguments, `positional` of them without a name: at which of them each parameter is
    /// found. `None` if no overload has parameters of these names.
    pub fn arrange(&self, positional: usize, named: &[&str]) -> Option<Vec<usize>> {
        self.overloads.iter().find_map(|overload| {
            let names: Vec<&str> = overload.parameters.iter().map(|(name, _)| *name).collect();
            if names.len() != positional + named.len() {
                return None;
            }
            let place = |name: &&str| Some(positional + named.iter().position(|given| given == name)?);
            let rest = names[positional..].iter().map(place).collect::<Option<Vec<_>>>()?;
            Some((0..positional).chain(rest).collect())
        })
    }

    /// The ways to call it, as a sentence.
    pub fn usage(&self) -> String {
        format!(
            "it is called as {}",
            self.signatures().iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(" or ")
        )
    }
}

/// Arguments as the parameters take them.
struct Accepted {
    args: Vec<Typed>,
    shared: Option<ColumnType>,
}

impl Overload {
    fn takes(&self, count: usize) -> bool {
        count == self.parameters.len() || (self.repeats && count > self.parameters.len())
    }

    fn kind(&self, index: usize) -> Takes {
        self.parameters[index.min(self.parameters.len() - 1)].1
    }

    /// The arguments as the parameters take them, or the first that does not fit.
    fn accept(&self, args: &[Typed]) -> Result<Accepted, usize> {
        let shares = self.parameters.iter().any(|(_, takes)| matches!(takes, Takes::Same | Takes::Ordered));
        let args = if shares { with_decimal_literals(args.to_vec()) } else { args.to_vec() };
        let mut shared: Option<ColumnType> = None;
        for (index, arg) in args.iter().enumerate() {
            shared = self.kind(index).share(arg, shared).ok_or(index)?;
        }
        let accept = |(index, arg): (usize, &Typed)| self.kind(index).accept(arg.clone(), shared.as_ref()).ok_or(index);
        let args = args.iter().enumerate().map(accept).collect::<Result<_, _>>()?;
        Ok(Accepted { args, shared })
    }

    fn call(&self, name: &'static str, accepted: Accepted) -> Result<Typed, CallFault> {
        let Accepted { args, shared } = accepted;
        let evaluate = match self.compute {
            Compute::Rewrite(rewrite) => return rewrite(args),
            Compute::Rows(evaluate) => evaluate,
        };
        let result = self.gives.result(&args, shared.as_ref())?;
        let (ready, complete) = prepare(self.prepares, &args)?;
        let fallible = match self.fails {
            Fails::Never => false,
            Fails::Sometimes => true,
            Fails::UnlessConstant => !complete,
            Fails::If(can_fail) => can_fail(&args),
        };
        Ok(Kernel::new(name, result.ty.to_arrow(), fallible, evaluate).with(ready).call(args, result))
    }

    fn signature(&self, name: &str) -> String {
        let mut text = format!("{name}(");
        for (index, (parameter, takes)) in self.parameters.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma}{parameter}: {}", takes.word());
        }
        let result = self.gives.word(self.parameters.first().map(|(_, takes)| *takes));
        let _ = write!(text, "{}) -> {result}", if self.repeats { ", …" } else { "" });
        text
    }
}
