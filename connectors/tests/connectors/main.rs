//! The connectors through their public interface, as the engine uses them.

mod bounded;
mod contract;
mod layers;
mod sinks;
mod support;
mod watched;
mod whole;
