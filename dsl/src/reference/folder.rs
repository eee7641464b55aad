//! The reference as a folder of Markdown files that link to each other.

use std::fmt::Write;

use super::Reference;
use super::chapters::Chapter;
use super::entries::Entry;
use crate::diagnostics;
use crate::functions::Group;

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its path in the folder, parts joined by `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

pub(super) fn pages(reference: &Reference<'_>) -> Vec<Page> {
    let mut pages = vec![index(reference)];
    for chapter in Chapter::ALL {
        match chapter {
            Chapter::Functions => {
                pages.extend(Group::ALL.into_iter().map(|group| group_page(reference, group)));
            }
            Chapter::Connectors | Chapter::Diagnostics => {
                pages.push(list_page(reference, chapter));
                pages.extend(reference.of_chapter(chapter).map(|entry| entry_page(chapter, entry)));
            }
            _ => pages.push(whole_page(reference, chapter)),
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

/// Where an entry stands, from the folder's root.
fn place(entry: &Entry) -> String {
    match (entry.chapter, entry.group) {
        (Chapter::Functions, Some(group)) => format!("functions/{}.md#{}", group.name(), entry.anchor()),
        (Chapter::Connectors | Chapter::Diagnostics, _) => format!("{}/{}.md", entry.chapter.name(), file(entry)),
        (chapter, _) => format!("{}.md#{}", chapter.name(), entry.anchor()),
    }
}

/// The name of the file of an entry that has one: `read_csv`, `D0201`.
fn file(entry: &Entry) -> String {
    entry.title.replace(' ', "_")
}

fn index(reference: &Reference<'_>) -> Page {
    let mut text = String::from(
        "# Tide: the reference\n\nThis folder is generated from the values that the checks, completion and `%help` use; \
         a test fails where it\ndiffers (`make bless` writes it anew). `%help` shows the same pages in a notebook.\n\n",
    );
    for chapter in Chapter::ALL {
        match chapter {
            Chapter::Functions => {
                let _ = writeln!(text, "- **Functions**: {}", chapter.doc());
                for group in Group::ALL {
                    let first = group.doc().split_inclusive(". ").next().unwrap_or_default().trim();
                    let _ = writeln!(text, "  - [{}](functions/{}.md): {first}", group.name(), group.name());
                }
            }
            Chapter::Connectors | Chapter::Diagnostics => {
                let _ = writeln!(text, "- [{}]({}/README.md): {}", chapter.title(), chapter.name(), chapter.doc());
            }
            _ => {
                let _ = writeln!(text, "- [{}]({}.md): {}", chapter.title(), chapter.name(), chapter.doc());
            }
        }
    }
    text.push_str("\n## Index\n\n");
    let mut entries: Vec<&Entry> =
        reference.entries.iter().filter(|entry| entry.chapter != Chapter::Diagnostics).collect();
    entries.sort_by_key(|entry| (entry.title.trim_start_matches('%').to_lowercase(), entry.chapter));
    for entry in entries {
        let _ = writeln!(text, "- [`{}`]({}), {}", entry.title, place(entry), entry.chapter.name());
    }
    Page { path: "README.md".to_string(), text }
}

fn whole_page(reference: &Reference<'_>, chapter: Chapter) -> Page {
    let text = format!("{}{}", up("README.md"), reference.chapter(chapter));
    Page { path: format!("{}.md", chapter.name()), text }
}

fn group_page(reference: &Reference<'_>, group: Group) -> Page {
    let text = format!("{}{}", up("../README.md"), reference.group(group));
    Page { path: format!("functions/{}.md", group.name()), text }
}

fn list_page(reference: &Reference<'_>, chapter: Chapter) -> Page {
    let mut text = format!("{}# {}\n\n{}\n\n", up("../README.md"), chapter.title(), chapter.doc());
    for entry in reference.of_chapter(chapter) {
        let what = match chapter {
            Chapter::Diagnostics => diagnostics::explain(&entry.title).map_or("", |explanation| explanation.title),
            _ => summary(reference, entry),
        };
        let _ = writeln!(text, "- [`{}`]({}.md): {what}", entry.title, file(entry));
    }
    Page { path: format!("{}/README.md", chapter.name()), text }
}

fn summary<'r>(reference: &Reference<'r>, entry: &Entry) -> &'r str {
    let spec = reference.connectors.iter().find(|spec| super::entries::connector_name(spec) == entry.title);
    spec.map_or("", |spec| spec.summary)
}

fn entry_page(chapter: Chapter, entry: &Entry) -> Page {
    let text = format!("[{}](README.md)\n\n{}", chapter.title(), entry.text);
    Page { path: format!("{}/{}.md", chapter.name(), file(entry)), text }
}

/// The link back to the index.
fn up(index: &str) -> String {
    format!("[Reference]({index})\n\n")
}
