//! The checker, the optimiser and the lowering.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidebook_fuzz::check::run(data));
