//! The folder `dsl/reference` is what the language says of itself; `TIDEBOOK_BLESS=1` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tidebook_connectors::registry;
use tidebook_dsl::reference::Reference;

/// Texts by path.
type Folder = BTreeMap<String, String>;

fn generated() -> Folder {
    let (sources, sinks) = (registry::sources(), registry::sinks());
    let specs = sources.iter().map(|source| source.spec()).chain(sinks.iter().map(|sink| sink.spec()));
    let pages = Reference::new(specs.collect()).pages();
    let count = pages.len();
    let folder: Folder = pages.into_iter().map(|page| (page.path, page.text)).collect();
    assert_eq!(folder.len(), count, "two pages have one path");
    folder
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is around the tests").join("dsl/reference")
}

fn on_disk(folder: &Path, prefix: &str, found: &mut Folder) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry can be read").path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            on_disk(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read_to_string(&path).expect("a page is text"));
        }
    }
}

#[test]
fn the_folder_is_what_the_language_says_of_itself() {
    let generated = generated();
    let mut found = Folder::new();
    on_disk(&root(), "", &mut found);
    if std::env::var_os("TIDEBOOK_BLESS").is_some() {
        for stale in found.keys().filter(|path| !generated.contains_key(*path)) {
            fs::remove_file(root().join(stale)).expect("a page can be removed");
        }
        for (path, text) in &generated {
            let path = root().join(path);
            fs::create_dir_all(path.parent().expect("a page lies in the folder")).expect("a folder can be made");
            fs::write(path, text).expect("a page can be written");
        }
        return;
    }
    let paths: BTreeSet<&String> = generated.keys().chain(found.keys()).collect();
    let wrong: Vec<&String> = paths.into_iter().filter(|path| generated.get(*path) != found.get(*path)).collect();
    assert!(wrong.is_empty(), "these pages differ: {wrong:?}; `TIDEBOOK_BLESS=1` writes them, read the difference");
}

/// The anchors of a page, as code forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let anchor = |heading: &str| {
        let kept: String =
            heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || "_- ".contains(*c)).collect();
        kept.replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let folder = generated();
    let mut links = 0;
    for (path, text) in &folder {
        for (_, rest) in text.match_indices("](").map(|(at, _)| (at, &text[at + 2..])) {
            let link = rest.split(')').next().unwrap_or_default();
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let mut parts: Vec<&str> = path.split('/').collect();
            parts.pop();
            for part in file.split('/') {
                match part {
                    ".." => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
            let target = folder.get(&parts.join("/"));
            let target = target.unwrap_or_else(|| panic!("{path} links to {link}, which is not there"));
            assert!(anchor.is_empty() || anchors(target).contains(anchor), "{path} links to {link}: no such heading");
            links += 1;
        }
    }
    assert!(links > 300, "only {links} links were found");
}
