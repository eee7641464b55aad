//! Plays back the frames that the fuzzer was given or has broken something with, through the fuzzer's own function.

use std::path::Path;

use super::super::message::{Request, Signer};

#[path = "../../../../tests/fuzz/src/protocol.rs"]
mod protocol;

#[test]
fn kept_frames_are_requests_or_errors() {
    let mut played = 0;
    for folder in ["corpus", "crashes"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz").join(folder).join("protocol");
        // Without a crash there is no folder of crashes.
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            protocol::run(&std::fs::read(path).unwrap());
            played += 1;
        }
    }
    assert!(played >= 4, "{played} inputs");
}
