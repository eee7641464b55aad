//! Random programs and random changes of their inputs.
//!
//! A [`Program`] is a small tree of definitions. It is written twice from the same tree: as Tide text ([`tide`]), which
//! goes through the whole of Tidebook, and as data frames ([`frame`]), which DataFusion computes in batch. The two
//! share no code beyond the tree, so that they agree only if both are right. What DataFusion has not, or means otherwise,
//! is computed by hand ([`grouping`], [`around`]).
//!
//! Two restrictions keep the second reading simple. Whole numbers stay small (every computed column is a remainder), so
//! that nothing overflows; floats are multiples of small powers of two, so that DataFusion's sums are exact as ours are.
//! Failing rows come from one step only, a checked division, whose failures are known beforehand.

pub mod aggregate;
pub mod around;
pub mod change;
pub mod expression;
pub mod fallible;
pub mod frame;
pub mod grouping;
pub mod interval;
pub mod library;
pub mod plan;
pub mod random;
pub mod tide;
pub mod value;
pub mod window;

pub use aggregate::{Aggregate, AggregateFunction};
pub use change::{Change, InputState};
pub use expression::{Arithmetic, Comparison, Expression};
pub use library::LIBRARY;
pub use plan::{Definition, Input, JoinKind, Order, Program, Step, generate};
pub use random::Random;
pub use value::{Column, Kind, Value};
pub use window::{Window, WindowFrame, WindowFunction};
