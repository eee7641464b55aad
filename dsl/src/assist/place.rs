//! What is wanted at the cursor, told from the tokens before it.

use tidebook_plan::Span;
use tidebook_plan::connector::Direction;

use super::commands::COMMANDS;
use crate::syntax::scan::{Scan, Token, TokenKind};
use crate::syntax::{RESERVED, cut};

/// What is wanted at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing that could be known: inside a text, a comment or a new name.
    Nothing,
    /// A statement.
    Statement,
    /// The head of a pipeline.
    Head,
    /// The name of a table.
    Table,
    /// A step, after `|`.
    Step,
    /// One of these words.
    Words(&'static [&'static str]),
    /// An expression, or one of these words.
    Expression(&'static [&'static str]),
    /// An expression with an aggregate in it, or one of these words.
    Aggregate(&'static [&'static str]),
    /// A column's name.
    Column,
    /// A field of what is written before the dot.
    Field(Vec<String>),
    /// A connector.
    Connector(Direction),
    /// An option of this connector, or (`value_of`) the value of one.
    Option { connector: String, direction: Direction, given: Vec<String>, value_of: Option<String> },
    /// A type.
    Type,
    /// A command.
    Command,
    /// A setting.
    Setting,
    /// A topic of `%help`.
    Topic,
    /// A name in this folder, for a connector that reads or writes files.
    File { connector: String, direction: Direction, folder: String },
}

/// Where the cursor is.
#[derive(Debug)]
pub(super) struct Place {
    /// What is wanted.
    pub wanted: Wanted,
    /// The word at the cursor; empty between words.
    pub word: Span,
    /// The cursor, at a boundary between characters; in or at the end of the word.
    pub cursor: usize,
    /// Where the statement begins.
    pub statement: usize,
    /// The finished part of the pipeline that the cursor is in: its head and whole steps.
    pub before: Option<Span>,
    /// The words of the step so far.
    pub step: Vec<String>,
}

/// What an open bracket belongs to.
#[derive(Clone, Debug)]
enum Opened {
    Pipeline,
    Call,
    Over,
    Names,
    Connector(String, Direction),
    Schema,
    Parameters,
    Other,
}

/// The tokens since a bracket, or since the beginning of the statement.
struct Level {
    opened: Opened,
    /// Index of the first token inside.
    start: usize,
    /// Index of the last `|` inside.
    bar: Option<usize>,
}

/// Looks at the text before `offset` (and at the rest of the word there).
pub(super) fn locate(text: &str, offset: usize) -> Place {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text[..offset]
        .rfind(|c: char| !is_word(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let start =
        if text[..start].ends_with('`') && text[..start].matches('`').count() % 2 == 1 { start - 1 } else { start };
    let end = offset + text[offset..].find(|c: char| !is_word(c)).unwrap_or(text.len() - offset);
    let word = Span::new(start, end);
    let scan = Scan::new(&text[..start]);
    let mut place =
        Place { wanted: Wanted::Nothing, word, cursor: offset, statement: start, before: None, step: Vec::new() };
    if in_comment_or_text(&scan, start) {
        file(text, &scan, &mut place);
        return place;
    }
    let line = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    if let Some(rest) = text[line..start].trim_start().strip_prefix('%') {
        place.statement = line;
        command(text, start - rest.len(), &mut place);
        return place;
    }
    let Some((first, to)) = last_statement(&scan) else {
        place.wanted = Wanted::Statement;
        return place;
    };
    let tokens = &scan.tokens[first..to];
    place.statement = tokens[0].span.start;
    Reader { scan: &scan, tokens, new_line: text[tokens[tokens.len() - 1].span.end..start].contains('\n') }
        .read(&mut place);
    place
}

/// The tokens of the last statement, if there is one since the last command.
fn last_statement(scan: &Scan<'_>) -> Option<(usize, usize)> {
    let from = scan.tokens.iter().rposition(|token| token.kind == TokenKind::Command).map_or(0, |command| command + 1);
    if from < scan.tokens.len() { cut(scan, from, scan.tokens.len()).last().copied() } else { None }
}

/// What is wanted in a command whose name begins at `start`.
fn command(text: &str, start: usize, place: &mut Place) {
    let rest = &text[start..place.word.start];
    let name = rest.trim_start_matches('%');
    let Some((name, arguments)) = name.split_once(char::is_whitespace) else {
        place.wanted = if name.is_empty() { Wanted::Command } else { Wanted::Nothing };
        return;
    };
    place.wanted = match name {
        "help" => {
            // A topic may have several words.
            let typed = arguments.trim_start();
            place.word.start -= typed.len();
            Wanted::Topic
        }
        "eval" => Wanted::Expression(&["case", "not"]),
        name if COMMANDS.iter().any(|command| command.name == name && command.takes_table) => Wanted::Table,
        _ => Wanted::Nothing,
    };
}

/// In a text that is the path of a connector, a name of its folder is wanted.
fn file(text: &str, scan: &Scan<'_>, place: &mut Place) {
    let Some(open) = scan.tokens.last().filter(|token| token.kind == TokenKind::Text && token.embedded == 0) else {
        return;
    };
    let inside = open.span.start + 1;
    let Some(typed) = text.get(inside..place.cursor).filter(|typed| !typed.contains(['"', '\'', '\n'])) else { return };
    let before = Scan::new(&text[..open.span.start]);
    let Some((first, to)) = last_statement(&before) else { return };
    let reader = Reader { scan: &before, tokens: &before.tokens[first..to], new_line: false };
    let levels = reader.levels();
    let last = to - first - 1;
    let is_path = reader.word(last) == "(" || reader.word(last) == ":" && last > 0 && reader.word(last - 1) == "path";
    match levels.last().map(|level| &level.opened) {
        Some(Opened::Connector(connector, direction)) if is_path => {
            let name = typed.rfind('/').map_or(0, |slash| slash + 1);
            let rest = text[place.cursor..].find(['"', '\'', '/', '\n']).unwrap_or(text.len() - place.cursor);
            place.word = Span::new(inside + name, place.cursor + rest);
            let (connector, direction) = (connector.clone(), *direction);
            place.wanted = Wanted::File { connector, direction, folder: typed[..name].to_string() };
        }
        _ => {}
    }
}

fn in_comment_or_text(scan: &Scan<'_>, offset: usize) -> bool {
    let last = scan.tokens.last();
    let after = last.map_or(0, |token| token.span.end);
    let line = scan.text[after..].rfind('\n').map_or(after, |newline| after + newline);
    let comment = scan.text[line..offset].contains('#');
    // In a hole of an f-string the string has no end yet, but the last token is not text.
    let text = !scan.faults.is_empty() && last.is_some_and(|token| token.kind == TokenKind::Text);
    comment || text && !scan.text[after..].contains('\n')
}

struct Reader<'s> {
    scan: &'s Scan<'s>,
    tokens: &'s [Token],
    new_line: bool,
}

const TABLE_WORDS: [&str; 6] = ["join", "union", "except", "intersect", "update", "patch"];

impl Reader<'_> {
    fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| self.scan.word(token))
    }

    fn is_name(&self, index: usize) -> bool {
        let named = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::Quoted);
        self.tokens.get(index).is_some_and(named) && !RESERVED.contains(&self.word(index))
    }

    /// The dotted path that ends at token `last`, and the index of its first token.
    fn path(&self, last: usize) -> (usize, Vec<String>) {
        let mut first = last;
        let mut parts = vec![self.word(last).trim_matches('`').to_string()];
        while first >= 2 && self.word(first - 1) == "." && self.is_name(first - 2) {
            first -= 2;
            parts.insert(0, self.word(first).trim_matches('`').to_string());
        }
        (first, parts)
    }

    fn read(&self, place: &mut Place) {
        let levels = self.levels();
        let last = self.tokens.len() - 1;
        let Some(level) = levels.last() else { unreachable!("the statement itself is a level") };
        if let Some(pipeline) = levels.iter().rev().find(|level| matches!(level.opened, Opened::Pipeline)) {
            let step = pipeline.bar.map_or(pipeline.start, |bar| bar + 1);
            place.step = (step..self.tokens.len()).map(|index| self.word(index).to_string()).collect();
            if let (Some(bar), Some(first)) = (pipeline.bar, self.tokens.get(pipeline.start)) {
                place.before = Some(Span::new(first.span.start, self.tokens[bar].span.start));
            }
        }
        if self.word(last) == "." && last > 0 {
            place.wanted = Wanted::Field(self.path(last - 1).1);
            return;
        }
        place.wanted = match &level.opened {
            Opened::Connector(name, direction) => self.option(name, *direction, level.start),
            Opened::Schema | Opened::Parameters => self.schema(),
            Opened::Names => Wanted::Column,
            Opened::Over => Wanted::Expression(&["by", "sort", "last", "rows", "desc"]),
            Opened::Call => Wanted::Expression(&["by", "sort by", "where"]),
            Opened::Other if matches!(self.word(last), "{" | ",") && self.word(level.start - 1) == "{" => {
                Wanted::Expression(&["else"])
            }
            Opened::Other => Wanted::Expression(&[]),
            Opened::Pipeline => self.pipeline(level, levels.len() == 1),
        };
    }

    fn levels(&self) -> Vec<Level> {
        let start = match self.word(0) {
            _ if self.word(1) == "=" => 2,
            "expect" if self.tokens.len() > 1 => 1,
            _ => 0,
        };
        let mut levels = vec![Level { opened: Opened::Pipeline, start, bar: None }];
        for index in 0..self.tokens.len() {
            if self.tokens[index].kind != TokenKind::Symbol {
                continue;
            }
            match self.word(index) {
                "(" | "[" | "{" => levels.push(Level { opened: self.opened(index), start: index + 1, bar: None }),
                ")" | "]" | "}" if levels.len() > 1 => {
                    levels.pop();
                }
                "|" => {
                    if let Some(level) = levels.last_mut() {
                        level.bar = Some(index);
                    }
                }
                _ => {}
            }
        }
        levels
    }

    fn opened(&self, index: usize) -> Opened {
        let Some(before) = index.checked_sub(1) else { return Opened::Other };
        let word = self.word(before);
        match self.word(index) {
            "(" if word == "except" && before > 0 && self.word(before - 1) == "*" => Opened::Names,
            "(" if TABLE_WORDS.contains(&word) || matches!(word, "=" | "expect" | "equals") => Opened::Pipeline,
            "(" if word == "over" => Opened::Over,
            "(" if word == "using" => Opened::Names,
            "(" if before == 1 && self.word(0) == "fn" => Opened::Parameters,
            "(" if self.is_name(before) => {
                let (first, parts) = self.path(before);
                let direction = match first.checked_sub(1).map_or("", |keyword| self.word(keyword)) {
                    "read" => Direction::Source,
                    "serve" if first < 2 || self.word(first - 2) != "|" => Direction::Source,
                    "write" | "index" | "serve" => Direction::Sink,
                    _ => return Opened::Call,
                };
                Opened::Connector(parts.join("."), direction)
            }
            "{" if word == ")" => Opened::Schema,
            "{" if before > 0 && self.word(before - 1) == "iterate" => Opened::Pipeline,
            _ => Opened::Other,
        }
    }

    fn option(&self, name: &str, direction: Direction, start: usize) -> Wanted {
        let last = self.tokens.len() - 1;
        let named = |index: &usize| self.word(index + 1) == ":";
        let given = (start..=last).filter(named).map(|index| self.word(index).to_string()).collect();
        let value_of = (self.word(last) == ":").then(|| self.word(last - 1).to_string());
        match self.word(last) {
            "(" | "," | ":" => Wanted::Option { connector: name.to_string(), direction, given, value_of },
            _ => Wanted::Expression(&[]),
        }
    }

    fn schema(&self) -> Wanted {
        match self.word(self.tokens.len() - 1) {
            ":" | "[" | "->" => Wanted::Type,
            "{" | "," | "(" | "from" => Wanted::Nothing,
            "default" => Wanted::Expression(&[]),
            _ => Wanted::Words(&["key", "default", "from"]),
        }
    }

    fn pipeline(&self, level: &Level, outermost: bool) -> Wanted {
        let last = self.tokens.len() - 1;
        let word = self.word(last);
        let inside = last + 1 - level.start.min(last + 1);
        if outermost
            && level.bar.is_none()
            && let Some(wanted) = self.statement(inside)
        {
            return wanted;
        }
        match word {
            "|" => return Wanted::Step,
            "read" => return Wanted::Connector(Direction::Source),
            "serve" if level.bar.is_none_or(|bar| bar + 1 != last) => return Wanted::Connector(Direction::Source),
            "write" | "index" | "serve" => return Wanted::Connector(Direction::Sink),
            "search" => return Wanted::Table,
            word if TABLE_WORDS.contains(&word) => return Wanted::Table,
            "as" => return Wanted::Nothing,
            _ => {}
        }
        match level.bar {
            None if inside == 0 => Wanted::Head,
            None if self.new_line && outermost => Wanted::Statement,
            None => Wanted::Nothing,
            Some(bar) => self.step(bar + 1, last),
        }
    }

    /// Statements that begin with a word.
    fn statement(&self, inside: usize) -> Option<Wanted> {
        let last = self.tokens.len() - 1;
        Some(match self.word(0) {
            _ if self.word(1) == "=" => return None,
            "set" if last == 0 => Wanted::Setting,
            "set" | "fn" if self.word(last) == "=" || last > 3 => Wanted::Expression(&[]),
            "param" | "fn" if matches!(self.word(last), ":" | "->") => Wanted::Type,
            "param" if last > 3 => Wanted::Expression(&[]),
            "param" | "fn" | "set" => Wanted::Nothing,
            "drop" => Wanted::Table,
            "reply" if last == 0 || self.word(last) == "with" => Wanted::Table,
            "reply" => Wanted::Words(&["with"]),
            "expect" if inside == 0 || self.word(last) == "equals" => Wanted::Head,
            "expect" => match self.word(last) {
                "is" => Wanted::Words(&["empty", "not empty"]),
                "not" => Wanted::Words(&["empty"]),
                "all" | "within" => Wanted::Expression(&[]),
                _ => Wanted::Words(&["is empty", "is not empty", "equals", "all", "within"]),
            },
            _ => return None,
        })
    }

    /// True if `word` stands among these tokens, outside of brackets.
    fn has(&self, first: usize, last: usize, word: &str) -> bool {
        let mut depth = 0usize;
        (first..=last).any(|index| {
            match self.word(index) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && self.word(index) == word
        })
    }

    /// Inside a step, after its first words.
    fn step(&self, first: usize, last: usize) -> Wanted {
        const JOIN: &[&str] = &["on", "using", "as"];
        match (self.word(first), last - first) {
            ("left", 0) => Wanted::Words(&["join", "asof join"]),
            ("right" | "full" | "semi" | "anti" | "cross" | "asof", 0) => Wanted::Words(&["join"]),
            ("key" | "dedupe", 0) => Wanted::Words(&["by"]),
            ("join" | "left" | "right" | "full" | "semi" | "anti" | "asof", _) => match self.word(last) {
                "asof" => Wanted::Words(&["join"]),
                "using" => Wanted::Nothing,
                _ if (first..=last).any(|index| self.word(index) == "on") => Wanted::Expression(&["and", "or"]),
                _ => Wanted::Words(JOIN),
            },
            ("cross" | "union" | "except" | "intersect" | "update" | "patch", _) => Wanted::Words(&["as"]),
            ("drop" | "flatten" | "key", _) => Wanted::Column,
            ("watermark", 0) => Wanted::Column,
            ("watermark", _) => Wanted::Words(&["delay", "idle"]),
            ("rename", _) if self.word(last) == ":" => Wanted::Column,
            ("derive", _) if matches!(self.word(last), "derive" | ",") => Wanted::Column,
            ("rename" | "distinct" | "changes", _) => Wanted::Nothing,
            ("limit", _) => Wanted::Expression(&[]),
            ("show", _) => Wanted::Words(&["limit", "every"]),
            ("plot", 0) => Wanted::Words(&["line", "bar", "area", "point", "histogram", "heatmap", "number"]),
            ("iterate", 0) => Wanted::Nothing,
            ("iterate", _) => Wanted::Words(&["max"]),
            ("summarize", _) if self.word(last) == "emit" => Wanted::Words(&["live", "final", "every"]),
            ("summarize", _) if self.has(first, last, "by") => Wanted::Expression(&["emit", "late", "keep"]),
            ("summarize", _) => Wanted::Aggregate(&["by", "filter", "emit", "late", "keep"]),
            ("pivot", _) if self.has(first, last, "on") => Wanted::Expression(&["in", "by"]),
            ("pivot", _) => Wanted::Aggregate(&["on", "filter"]),
            ("sample", _) => Wanted::Expression(&["rows", "per"]),
            ("sort", _) => Wanted::Expression(&["desc"]),
            ("top", _) => Wanted::Expression(&["by", "desc", "per"]),
            ("dedupe", _) => Wanted::Expression(match self.word(last) {
                "keep" => &["first", "last"],
                _ => &["keep", "when", "of"],
            }),
            ("match", _) => Wanted::Expression(&["by", "sort", "within", "select"]),
            ("search", _) => Wanted::Expression(match self.word(last) {
                "mode" => &["vector", "text", "hybrid"],
                _ => &["for", "top", "mode", "where", "as"],
            }),
            ("select", _) => Wanted::Expression(&["except"]),
            _ => Wanted::Expression(&["and", "or", "not", "in", "is null", "is not null", "like", "between"]),
        }
    }
}
