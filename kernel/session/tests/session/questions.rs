//! What completion and inspection say of the library.

use tidebook_dsl::functions;

use crate::collector::{run, session};

#[test]
fn every_function_is_completed_and_inspected_with_its_signature_documentation_and_example() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "t = rows [ {a: 1} ]").unwrap();
    for function in functions::functions() {
        let name = function.name;
        let text = format!("u = t | derive b: {name}");
        let found = session.complete(&text, text.len());
        let item = found.items.iter().find(|item| item.label == name);
        let item = item.unwrap_or_else(|| panic!("`{name}` is not completed: {found:?}"));
        assert_eq!((item.kind.as_str(), item.doc.as_str()), ("function", function.doc), "{name}");
        assert!(item.detail.contains(&function.signatures()[0]), "{name}: {}", item.detail);

        let text = format!("u = t | derive b: {name}(a)");
        let at = text.len() - 5;
        let found = session.inspect(&text, at, true).unwrap_or_else(|| panic!("`{name}` is not inspected"));
        for signature in function.signatures() {
            assert!(found.text.contains(&signature), "{name}: {}", found.text);
        }
        // Pages of inspection are plain text: the marks of code are taken off.
        let doc = function.doc.replace('`', "");
        assert!(found.text.contains(&doc), "{name}: {}", found.text);
        assert!(found.text.contains(function.examples[0].0), "{name}: {}", found.text);
    }
}
