//! Functions of the library that DataFusion has as well, under whatever name and with whatever null, so that each can be
//! written both ways.

use datafusion::functions::expr_fn;
use datafusion::logical_expr::{Expr, cast, lit};

use super::{Expression, Kind, Random};

/// A function with what it takes and gives.
pub struct LibraryFunction {
    /// Its name in Tide.
    pub name: &'static str,
    /// The kinds of its arguments.
    pub takes: &'static [Kind],
    /// The kind of its result.
    pub gives: Kind,
    /// The same for DataFusion.
    pub oracle: fn(Vec<Expr>) -> Expr,
}

const fn function(
    name: &'static str,
    takes: &'static [Kind],
    gives: Kind,
    oracle: fn(Vec<Expr>) -> Expr,
) -> LibraryFunction {
    LibraryFunction { name, takes, gives, oracle }
}

/// Takes the arguments of a call apart.
fn parts<const N: usize>(arguments: Vec<Expr>) -> [Expr; N] {
    match arguments.try_into() {
        Ok(parts) => parts,
        Err(arguments) => panic!("a call has {} arguments, not {N}", arguments.len()),
    }
}

/// Adding zero takes the sign off a zero: Tide has only one.
fn one_zero(value: Expr) -> Expr {
    value + lit(0.0_f64)
}

fn whole(value: Expr) -> Expr {
    cast(value, arrow_schema::DataType::Int64)
}

/// All of them.
pub static LIBRARY: [LibraryFunction; 16] = [
    function("abs", &[Kind::Int], Kind::Int, |a| {
        let [x] = parts(a);
        expr_fn::abs(x)
    }),
    function("abs", &[Kind::Float], Kind::Float, |a| {
        let [x] = parts(a);
        one_zero(expr_fn::abs(x))
    }),
    function("floor", &[Kind::Float], Kind::Float, |a| {
        let [x] = parts(a);
        one_zero(expr_fn::floor(x))
    }),
    function("ceil", &[Kind::Float], Kind::Float, |a| {
        let [x] = parts(a);
        one_zero(expr_fn::ceil(x))
    }),
    function("greatest", &[Kind::Int, Kind::Int], Kind::Int, |a| expr_fn::greatest(a)),
    function("least", &[Kind::Text, Kind::Text], Kind::Text, |a| expr_fn::least(a)),
    function("nullif", &[Kind::Int, Kind::Int], Kind::Int, |a| {
        let [x, y] = parts(a);
        expr_fn::nullif(x, y)
    }),
    function("nullif", &[Kind::Text, Kind::Text], Kind::Text, |a| {
        let [x, y] = parts(a);
        expr_fn::nullif(x, y)
    }),
    function("length", &[Kind::Text], Kind::Int, |a| {
        let [x] = parts(a);
        whole(expr_fn::character_length(x))
    }),
    function("byte_length", &[Kind::Text], Kind::Int, |a| {
        let [x] = parts(a);
        whole(expr_fn::octet_length(x))
    }),
    function("lower", &[Kind::Text], Kind::Text, |a| {
        let [x] = parts(a);
        expr_fn::lower(x)
    }),
    function("upper", &[Kind::Text], Kind::Text, |a| {
        let [x] = parts(a);
        expr_fn::upper(x)
    }),
    function("md5", &[Kind::Text], Kind::Text, |a| {
        let [x] = parts(a);
        // DataFusion gives it in another type of text.
        cast(expr_fn::md5(x), arrow_schema::DataType::Utf8)
    }),
    function("contains", &[Kind::Text, Kind::Text], Kind::Bool, |a| {
        let [x, y] = parts(a);
        expr_fn::contains(x, y)
    }),
    function("starts_with", &[Kind::Text, Kind::Text], Kind::Bool, |a| {
        let [x, y] = parts(a);
        expr_fn::starts_with(x, y)
    }),
    function("ends_with", &[Kind::Text, Kind::Text], Kind::Bool, |a| {
        let [x, y] = parts(a);
        expr_fn::ends_with(x, y)
    }),
];

/// A call that gives the kind, of arguments that `argument` makes; `None` where no function gives it.
pub fn random_call(
    random: &mut Random,
    gives: Kind,
    mut argument: impl FnMut(&mut Random, Kind) -> Expression,
) -> Option<Expression> {
    let fitting: Vec<usize> = (0..LIBRARY.len()).filter(|place| LIBRARY[*place].gives == gives).collect();
    if fitting.is_empty() {
        return None;
    }
    let place = *random.pick(&fitting);
    Some(Expression::Call(place, LIBRARY[place].takes.iter().map(|kind| argument(random, *kind)).collect()))
}
