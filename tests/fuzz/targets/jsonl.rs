//! The reader of JSON lines.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidebook_fuzz::formats::jsonl(data));
