//! Constant arguments, read once: a pattern, a format, a time zone, a path.
//!
//! A constant is looked at when the call is bound, so that a wrong one is a diagnostic; what was read travels with
//! the kernel. A value that comes from the data is read where it is needed, and a wrong one is a row error.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Expr;

use super::arguments::{Arguments, Texts};
use super::evaluate::evaluate;
use super::kernel::row_error;
use super::typed::{CallFault, FaultKind, Typed};

/// What a constant was read into.
pub type Prepared = Arc<dyn Any + Send + Sync>;

/// How a text argument is read, if it is a constant.
#[derive(Clone, Copy, Debug)]
pub struct Prepare {
    /// Which argument.
    pub argument: usize,
    /// The value that its text stands for, or what is wrong with it.
    pub read: fn(&str) -> std::result::Result<Prepared, String>,
}

/// A value read from a text, as [`Prepare`] wants it.
pub fn prepared<T: Any + Send + Sync>(read: std::result::Result<T, String>) -> std::result::Result<Prepared, String> {
    read.map(|value| Arc::new(value) as Prepared)
}

/// The value of an argument that is known now: a literal, or an expression without columns that cannot fail.
pub fn constant(arg: &Typed) -> Option<ScalarValue> {
    match &arg.expr {
        Expr::Literal(value, _) => Some(value.clone()),
        expr if !arg.fallible && expr.column_refs().is_empty() => evaluate(arg).ok(),
        _ => None,
    }
}

/// What the constants among the arguments are read into, by argument; and whether all of them were constants.
pub fn prepare(prepares: &[Prepare], args: &[Typed]) -> std::result::Result<(Vec<(usize, Prepared)>, bool), CallFault> {
    let (mut ready, mut complete) = (Vec::new(), true);
    for prepare in prepares {
        // An overload may leave out its last parameters, and a constant null is null in every row.
        let Some(arg) = args.get(prepare.argument) else { continue };
        match constant(arg) {
            Some(ScalarValue::Utf8(Some(text))) => {
                let value = (prepare.read)(&text);
                let fault = |message| CallFault::new(FaultKind::Value, message).at(prepare.argument);
                ready.push((prepare.argument, value.map_err(fault)?));
            }
            Some(value) if value.is_null() => {}
            _ => complete = false,
        }
    }
    Ok((ready, complete))
}

/// Values read from the texts of an argument: the constant's, or each where it is needed. Of those from the data the
/// last few different ones are kept.
pub struct Readings<'a, T> {
    ready: Option<&'a T>,
    texts: Texts,
    read: fn(&str) -> std::result::Result<T, String>,
    kept: RefCell<HashMap<String, Rc<std::result::Result<T, String>>>>,
}

/// A value of [`Readings`].
pub enum Reading<'a, T> {
    /// Read when the call was bound.
    Ready(&'a T),
    /// Read from the data.
    Kept(Rc<std::result::Result<T, String>>),
}

impl<T> std::ops::Deref for Reading<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Reading::Ready(value) => value,
            Reading::Kept(value) => match value.as_ref() {
                Ok(value) => value,
                Err(message) => unreachable!("a text that cannot be read gives no reading: {message}"),
            },
        }
    }
}

impl<'a, T: Any> Readings<'a, T> {
    /// The readings of argument `index`.
    pub fn new(
        args: &'a Arguments<'_>,
        index: usize,
        read: fn(&str) -> std::result::Result<T, String>,
    ) -> Result<Self> {
        Ok(Readings { ready: args.prepared(index), texts: args.text(index)?, read, kept: RefCell::default() })
    }

    /// The value that the text of a row stands for.
    ///
    /// # Errors
    /// The row error of a text that stands for none.
    pub fn get(&self, row: usize) -> Result<Reading<'_, T>> {
        /// Few are used at a time; a compiled pattern takes up to some megabytes.
        const MOST_KEPT: usize = 32;
        if let Some(ready) = self.ready {
            return Ok(Reading::Ready(ready));
        }
        let text = self.texts.value(row);
        if let Some(kept) = self.kept.borrow().get(text) {
            return Self::checked(Rc::clone(kept));
        }
        let value = Rc::new((self.read)(text));
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(text.to_string(), Rc::clone(&value));
        Self::checked(value)
    }

    fn checked(value: Rc<std::result::Result<T, String>>) -> Result<Reading<'a, T>> {
        match value.as_ref() {
            Ok(_) => Ok(Reading::Kept(value)),
            Err(message) => Err(row_error(message.clone())),
        }
    }
}
