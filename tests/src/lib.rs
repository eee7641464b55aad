//! What the end-to-end tests stand on.
//!
//! - [`harness`] runs Tide text through the language and the engine, without the session, and keeps what is shown;
//! - [`corpus`] reads the scripts of `tests/corpus` with what they must give, [`treatment`] varies how they run;
//! - [`generator`] makes random programs and changes, [`oracle`] asks DataFusion what they must give;
//! - [`batch_sql`] asks DataFusion in SQL, [`tpch`] has the rows and queries of TPC-H;
//! - [`feed`] is a source whose rows a test hands in;
//! - [`binary`] runs the program `tidebook` itself;
//! - [`value`] and [`contents`] write rows down so that they can be compared.
//!
//! *Invariant:* nothing here calls the code under test to find out what is right. Values are written down by
//! [`value`], not by the connectors; order is that of [`contents`], not the engine's.

pub mod batch_sql;
pub mod binary;
pub mod contents;
pub mod corpus;
pub mod feed;
pub mod generator;
pub mod harness;
pub mod oracle;
pub mod tpch;
pub mod treatment;
pub mod value;
