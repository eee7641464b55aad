//! The reader of JSON documents.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidebook_fuzz::formats::json(data));
