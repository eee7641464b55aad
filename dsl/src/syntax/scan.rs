//! A light scan of a cell's text into tokens, in one pass.
//!
//! pest parses; the scan is for what a grammar cannot do well: it cuts commands out, finds strings and brackets
//! that do not end, bounds nesting before anything recurses, finds where the next statement likely begins
//! after a fault, says in the user's words what was found, and trims blanks and comments off spans.

use tidebook_plan::{Diagnostic, Span};

use crate::diagnostics::syntax as codes;
use crate::limits::{NAME_CHARS, NESTING};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A word: a name, a keyword or a reserved word.
    Word,
    /// A name in backticks.
    Quoted,
    /// Digits and whatever letters touch them.
    Number,
    /// `@` and what touches it.
    Instant,
    /// A whole string, or a piece of an f-string.
    Text,
    /// An operator or a bracket.
    Symbol,
    /// A whole line that begins with `%`.
    Command,
}

/// A piece of the text that is neither blank nor comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
    /// True if it is the first of its line.
    pub first: bool,
    /// How many f-strings it is inside of.
    pub embedded: u16,
}

/// The tokens of a text, and what the scan alone can tell to be wrong.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    /// The text.
    pub text: &'a str,
    /// In order.
    pub tokens: Vec<Token>,
    /// Strings without end, too deep nesting; in order.
    pub faults: Vec<Diagnostic>,
    /// True if the text ends inside a `"""` string, which a further line could end.
    pub ends_in_text: bool,
}

/// Operators of more than one character, longest first.
const LONG_SYMBOLS: [&str; 9] = ["==", "!=", "<=", ">=", "=>", "->", "??", "||", "&&"];

/// An open `{` of an f-string.
#[derive(Clone, Copy)]
struct Hole {
    /// How many brackets are open outside of it.
    brackets: usize,
    /// How its string is delimited.
    quote: Quote,
    /// Where its string begins.
    start: usize,
}

/// How a string is delimited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    Long,
    Double,
    Single,
}

impl Quote {
    fn mark(self) -> &'static str {
        match self {
            Quote::Long => "\"\"\"",
            Quote::Double => "\"",
            Quote::Single => "'",
        }
    }

    fn at(rest: &str) -> Option<Quote> {
        [Quote::Long, Quote::Double, Quote::Single].into_iter().find(|quote| rest.starts_with(quote.mark()))
    }
}

impl<'a> Scan<'a> {
    /// Scans the whole text.
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Scanner {
            scan: Scan { text, tokens: Vec::new(), faults: Vec::new(), ends_in_text: false },
            at: 0,
            first: true,
            inside: Vec::new(),
            brackets: 0,
            deep: false,
        };
        scanner.run();
        scanner.scan.faults.sort_by_key(|fault| fault.span);
        scanner.scan
    }

    /// The text of a token.
    pub fn word(&self, token: &Token) -> &'a str {
        self.text.get(token.span.start..token.span.end).unwrap_or("")
    }

    /// The span without blanks and comments at its end.
    pub fn trim(&self, span: Span) -> Span {
        let after = self.tokens.partition_point(|token| token.span.end <= span.end);
        match after.checked_sub(1).map(|last| self.tokens[last].span.end) {
            Some(end) if end > span.start => Span::new(span.start, end),
            _ => span,
        }
    }

    /// The index of the first token that ends after `offset`.
    pub fn token_at(&self, offset: usize) -> usize {
        self.tokens.partition_point(|token| token.span.end <= offset)
    }

    /// The opening brackets that are open before token `index`, counted from token `from`.
    pub fn open_brackets(&self, from: usize, index: usize) -> Vec<Token> {
        let mut open: Vec<Token> = Vec::new();
        for token in self.tokens.iter().take(index).skip(from).filter(|token| token.kind == TokenKind::Symbol) {
            match self.word(token) {
                "(" | "[" | "{" => open.push(*token),
                ")" | "]" | "}" => {
                    open.pop();
                }
                _ => {}
            }
        }
        open
    }
}

/// The bracket that closes `open`.
pub(crate) fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

struct Scanner<'a> {
    scan: Scan<'a>,
    at: usize,
    first: bool,
    inside: Vec<Hole>,
    brackets: usize,
    /// True once this line was found to be too deep.
    deep: bool,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) {
        let text = self.scan.text;
        while let Some(c) = text[self.at..].chars().next() {
            match c {
                '\n' => {
                    // A text ends on its line, its holes included: so a missing end swallows one line, not the cell.
                    if let Some(hole) = self.inside.iter().find(|hole| hole.quote != Quote::Long).copied() {
                        self.brackets = hole.brackets;
                        self.unclosed_text(hole.start, self.at, hole.quote);
                    }
                    self.first = true;
                    self.deep = false;
                    self.at += 1;
                }
                c if c.is_whitespace() || c == '\u{FEFF}' => self.at += c.len_utf8(),
                '#' => self.at += text[self.at..].find('\n').unwrap_or(text.len() - self.at),
                '-' | '/' if self.first && self.inside.is_empty() && is_foreign_comment(&text[self.at..]) => {
                    let line = text[self.at..].find('\n').unwrap_or(text.len() - self.at);
                    let span = Span::new(self.at, self.at + 2);
                    let message = format!("a comment begins with `#`, found `{}`", &text[self.at..self.at + 2]);
                    let fault = codes::UNEXPECTED.error(message, span);
                    self.scan
                        .faults
                        .push(fault.with_help("write `# …`; a comment ends with its line").with_edit(span, "#"));
                    // One token, so that the line belongs to a statement, whose fault this is.
                    self.push(TokenKind::Symbol, 2);
                    self.at += line - 2;
                }
                '%' if self.first && self.inside.is_empty() => {
                    let line = text[self.at..].find('\n').unwrap_or(text.len() - self.at);
                    let length = text[self.at..self.at + line].trim_end().len();
                    self.push(TokenKind::Command, length);
                }
                _ => self.token(c),
            }
        }
        if let Some(hole) = self.inside.first().copied() {
            self.unclosed_text(hole.start, text.len(), hole.quote);
        }
    }

    fn token(&mut self, c: char) {
        let rest = &self.scan.text[self.at..];
        if let Some(quote) = Quote::at(rest) {
            return self.text(quote);
        }
        if let Some(quote) = rest.strip_prefix('f').and_then(Quote::at) {
            let start = self.at;
            self.at += 1 + quote.mark().len();
            return self.piece(start, start, quote);
        }
        let run = |allowed: fn(char) -> bool| rest.find(|c| !allowed(c)).unwrap_or(rest.len());
        match c {
            '`' => {
                let line = rest.find('\n').unwrap_or(rest.len());
                match rest[1..line].find('`') {
                    Some(end) => self.name(TokenKind::Quoted, end + 2),
                    None => {
                        let span = Span::new(self.at, self.at + rest[..line].trim_end().len());
                        self.scan.faults.push(
                            codes::UNCLOSED_TEXT
                                .error("this name has no closing backtick", span)
                                .with_help("put a backtick at the end of the name, on the same line"),
                        );
                        self.push(TokenKind::Quoted, span.end - span.start);
                    }
                }
            }
            '0'..='9' => {
                let mut end = run(|c| c.is_alphanumeric() || c == '_' || c == '.');
                while rest[..end].ends_with('.') {
                    end -= 1;
                }
                self.push(TokenKind::Number, end);
            }
            '@' => {
                let mut end = 1 + rest[1..]
                    .find(|c: char| !(c.is_alphanumeric() || "-:.+_".contains(c)))
                    .unwrap_or(rest.len() - 1);
                while end > 1 && rest[..end].ends_with(['-', ':', '.', '+']) {
                    end -= 1;
                }
                self.push(TokenKind::Instant, end);
            }
            c if c.is_alphabetic() || c == '_' => self.name(TokenKind::Word, run(|c| c.is_alphanumeric() || c == '_')),
            _ => self.symbol(c),
        }
    }

    fn symbol(&mut self, c: char) {
        let rest = &self.scan.text[self.at..];
        match c {
            '(' | '[' | '{' => {
                self.open();
            }
            '}' if self.closes_hole() => {
                let Some(Hole { brackets, quote, start }) = self.inside.pop() else {
                    unreachable!("a hole is open where `closes_hole` says so")
                };
                self.brackets = brackets;
                let here = self.at;
                self.at += 1;
                return self.piece(here, start, quote);
            }
            ')' | ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        let length = LONG_SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)).map_or(c.len_utf8(), |s| s.len());
        self.push(TokenKind::Symbol, length);
    }

    /// A bracket or a hole opens here.
    fn open(&mut self) {
        self.brackets += 1;
        // Once a line: whatever is cut out as a statement begins with a line, and must not be parsed if it is too deep.
        if self.brackets > NESTING && !std::mem::replace(&mut self.deep, true) {
            let message = format!("brackets are nested more than {NESTING} deep");
            self.scan.faults.push(
                codes::TOO_DEEP
                    .error(message, Span::new(self.at, self.at + 1))
                    .with_help("define the inner part as a table or a function of its own"),
            );
        }
    }

    /// A name or another word.
    fn name(&mut self, kind: TokenKind, length: usize) {
        let word = &self.scan.text[self.at..self.at + length];
        // Most words are short; counting characters takes its time.
        if length > NAME_CHARS && word.chars().count() > NAME_CHARS {
            let message = format!("a name has at most {NAME_CHARS} characters, this one has {}", word.chars().count());
            self.scan.faults.push(codes::LIMIT.error(message, Span::new(self.at, self.at + length)));
        }
        self.push(kind, length);
    }

    fn closes_hole(&self) -> bool {
        self.inside.last().is_some_and(|hole| self.brackets == hole.brackets + 1)
    }

    /// A string that starts here.
    fn text(&mut self, quote: Quote) {
        let start = self.at;
        self.at += quote.mark().len();
        let end = self.find_end(quote, false);
        self.finish(start, start, quote, end);
    }

    /// A piece of the f-string that began at `string`: from `start` to the next hole or the string's end.
    fn piece(&mut self, start: usize, string: usize, quote: Quote) {
        let end = self.find_end(quote, true);
        if end == End::Hole {
            self.emit(TokenKind::Text, start, self.at);
            self.inside.push(Hole { brackets: self.brackets, quote, start: string });
            self.open();
            self.emit(TokenKind::Symbol, self.at, self.at + 1);
            self.at += 1;
            return;
        }
        self.finish(start, string, quote, end);
    }

    /// Ends a string's token, and notes the fault where the string has no end.
    fn finish(&mut self, start: usize, string: usize, quote: Quote, end: End) {
        self.emit(TokenKind::Text, start, self.at);
        if end == End::Missing {
            self.unclosed_text(string, self.at, quote);
        }
    }

    fn unclosed_text(&mut self, start: usize, end: usize, quote: Quote) {
        let line = self.scan.text[start..end].lines().next().unwrap_or("").trim_end().len();
        let mark = quote.mark();
        let help = match quote {
            Quote::Long => "put `\"\"\"` at the end of the text".to_string(),
            _ => format!("put {mark} at the end of the text; a text of several lines stands between `\"\"\"`"),
        };
        self.scan.ends_in_text |= quote == Quote::Long && end == self.scan.text.len();
        self.inside.clear();
        self.scan.faults.push(
            codes::UNCLOSED_TEXT
                .error(format!("this text has no closing {mark}"), Span::new(start, start + line.max(1)))
                .with_help(help),
        );
    }

    /// Moves to the end of a string (past its closing mark), to a hole, or to where a missing end shows.
    fn find_end(&mut self, quote: Quote, holes: bool) -> End {
        let text = self.scan.text;
        while let Some(c) = text[self.at..].chars().next() {
            let rest = &text[self.at..];
            if rest.starts_with(quote.mark()) {
                self.at += quote.mark().len();
                return End::Closed;
            }
            match c {
                '\\' => self.at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                '{' if holes && rest.starts_with("{{") => self.at += 2,
                '{' if holes => return End::Hole,
                '\n' if quote != Quote::Long => return End::Missing,
                c => self.at += c.len_utf8(),
            }
        }
        End::Missing
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let start = self.at;
        self.at += length;
        self.emit(kind, start, self.at);
    }

    fn emit(&mut self, kind: TokenKind, start: usize, end: usize) {
        let embedded = u16::try_from(self.inside.len()).unwrap_or(u16::MAX);
        self.scan.tokens.push(Token { kind, span: Span::new(start, end), first: self.first, embedded });
        self.first = false;
    }
}

/// `-- a comment`, `// a comment`, at the start of a line, where neither is an operator.
fn is_foreign_comment(rest: &str) -> bool {
    ["-- ", "--\n", "//", "/*"].iter().any(|mark| rest.starts_with(mark)) || rest == "--"
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Hole,
    Missing,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let scan = Scan::new(text);
        scan.tokens.iter().map(|token| scan.word(token)).collect()
    }

    #[test]
    fn f_strings_give_their_pieces_and_inner_tokens() {
        assert_eq!(
            words(r#"f"a {join(x, ", ")} }} b" c"#),
            [r#"f"a "#, "{", "join", "(", "x", ",", "\", \"", ")", r#"} }} b""#, "c"]
        );
    }

    #[test]
    fn a_command_is_one_token_only_where_it_is_first_on_its_line() {
        assert_eq!(words("a % b\n  %echo \"x  \nc"), ["a", "%", "b", "%echo \"x", "c"]);
    }

    #[test]
    fn a_string_without_end_stops_at_its_line() {
        let scan = Scan::new("a = \"x\nb # \"no");
        assert_eq!(scan.tokens.len(), 4);
        assert_eq!(scan.faults.len(), 1);
        assert_eq!(scan.faults[0].span, Span::new(4, 6));
        assert!(!scan.ends_in_text);
        assert!(Scan::new("a = f\"\"\"x {b}\n").ends_in_text);
    }

    #[test]
    fn trimming_takes_comments_off() {
        let scan = Scan::new("a + b  # sum\n\nc");
        assert_eq!(scan.trim(Span::new(0, 14)), Span::new(0, 5));
    }
}
