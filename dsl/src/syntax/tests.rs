//! The grammar over a corpus, and poor inputs with what is said about them.

use super::*;

mod broken;
pub(super) mod corpus;
mod shapes;
