//! The reference: every name of the language with what it means, from the values that the checks and the tests use.
//!
//! `%help` shows parts of it, the folder `dsl/reference` holds all of it as Markdown; a test keeps the folder equal to
//! what [`Reference::pages`] gives.

mod chapters;
mod entries;
mod expressions;
mod folder;
mod queries;

use tidebook_plan::connector::ConnectorSpec;
use tidebook_plan::diagnostic::near_names;

use crate::functions::{self, Group};
pub use chapters::Chapter;
use entries::Entry;
pub use expressions::{ExpressionDoc, OPERATORS, TYPES};
pub use folder::Page;
pub use queries::{QUERIES, QueryDoc};

/// The reference, with the connectors of a build.
pub struct Reference<'a> {
    entries: Vec<Entry>,
    connectors: Vec<&'a ConnectorSpec>,
}

impl<'a> Reference<'a> {
    /// The reference of the language and these connectors.
    pub fn new(connectors: Vec<&'a ConnectorSpec>) -> Self {
        let entries = entries::all(&connectors);
        Reference { entries, connectors }
    }

    /// The text on a topic, in Markdown: the list of topics for an empty one, a chapter, a group of functions, or all
    /// that has this name. `None` if nothing has.
    pub fn topic(&self, topic: &str) -> Option<String> {
        let topic = topic.split_whitespace().collect::<Vec<_>>().join(" ");
        if matches!(topic.as_str(), "" | "topics" | "help") {
            let command = self.named("help").map(|entry| entry.text.clone());
            let command = command.filter(|_| topic == "help");
            return Some(command.into_iter().chain([self.overview()]).collect::<Vec<_>>().join("\n"));
        }
        let mut parts = Vec::new();
        parts.extend(Chapter::named(&topic).map(|chapter| self.chapter(chapter)));
        parts.extend(Group::named(&topic).map(|group| self.group(group)));
        parts.extend(self.named(&topic).map(|entry| entry.text.clone()));
        (!parts.is_empty()).then(|| parts.join("\n"))
    }

    /// What to ask for where there is no such topic, as a sentence.
    pub fn suggestion(&self, topic: &str) -> String {
        if let Some(foreign) = functions::foreign(topic) {
            return format!("in Tide: {}", foreign.help);
        }
        let chapters = Chapter::ALL.iter().map(|chapter| chapter.name());
        let names = self.entries.iter().flat_map(|entry| entry.names.iter().map(String::as_str));
        let groups = Group::ALL.iter().map(|group| group.name());
        let near = near_names(topic, chapters.chain(groups).chain(names));
        match near.first() {
            Some(near) => format!("did you mean `%help {near}`?"),
            None => "`%help` alone lists the topics".to_string(),
        }
    }

    /// Every file of the folder, by path.
    pub fn pages(&self) -> Vec<Page> {
        folder::pages(self)
    }

    fn named<'s>(&'s self, topic: &'s str) -> impl Iterator<Item = &'s Entry> {
        let bare = topic.trim_start_matches('%');
        let fits = move |name: &String| name == topic || name == bare || entries::is_code(name, topic);
        self.entries.iter().filter(move |entry| entry.names.iter().any(fits))
    }

    fn of_chapter(&self, chapter: Chapter) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.chapter == chapter)
    }

    fn of_group(&self, group: Group) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.group == Some(group))
    }
}
