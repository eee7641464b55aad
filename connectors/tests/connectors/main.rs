//! The connectors through their public interface, as the engine uses them.

mod bounded;
mod columnar;
mod columnar_sinks;
mod contract;
mod folders;
mod layers;
mod secrets;
mod sink_styles;
mod sinks;
mod support;
mod watched;
mod whole;
