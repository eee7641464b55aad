//! The messages of Jupyter's protocol.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidebook_fuzz::protocol::run(data));
