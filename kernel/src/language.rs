//! How front ends and files name the language.

use serde_json::{Value, json};

/// Name of the kernelspec's folder and of the language.
pub const NAME: &str = "tide";

/// What people see in a front end's launcher.
pub const DISPLAY_NAME: &str = "Tide (Tidebook)";

/// `language_info` of `kernel_info_reply` and of a saved notebook.
///
/// The lexer comes with the wheel. Where it is not installed, tools say so once and leave the text plain; the same saved
/// notebook is highlighted where it is. CodeMirror's mode for Python draws comments, strings and numbers of Tide as they
/// are; an editor that registers a mode for `text/x-tide` goes by the mime type.
pub fn language_info(version: &str) -> Value {
    json!({
        "name": NAME,
        "version": version,
        "mimetype": "text/x-tide",
        "file_extension": ".tide",
        "pygments_lexer": NAME,
        "codemirror_mode": "python",
    })
}

/// `metadata.kernelspec` of a saved notebook.
pub fn kernelspec_metadata() -> Value {
    json!({"name": NAME, "display_name": DISPLAY_NAME, "language": NAME})
}
