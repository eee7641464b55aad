//! The rules of the grammar in the user's words.

use std::borrow::Cow;

use tidebook_plan::Diagnostic;

use super::super::grammar::Rule;
use super::super::scan::TokenKind;
use super::Site;
use crate::diagnostics::syntax as codes;

/// `expected …, found …`
pub(super) fn describe(site: &Site<'_>) -> Diagnostic {
    let tried = &site.stop.tried;
    let mut words: Vec<Cow<'static, str>> = Vec::new();
    for word in tried.iter().filter_map(|rule| phrase(*rule).map(Cow::Borrowed).or_else(|| keyword(*rule))) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    // That an index or a definition could stand here is true, but never what is missing.
    let follows = |rule: Rule| tried.contains(&rule);
    words.retain(|word| !(word == "`[`" && follows(Rule::infix)) && !(word == "`=`" && follows(Rule::statement)));
    // After a whole statement, the next may follow; at its beginning, there is no other way.
    if site.found > 0 {
        words.retain(|word| word != "the end of the statement");
        for word in &mut words {
            if word == "a statement" {
                *word = Cow::Borrowed("the next statement");
            }
        }
    }
    words.sort_by_key(|word| rank(word));
    let found = site.found_text();
    let list = enumerate(&words);
    let span = site.span(site.found);
    let fault = codes::UNEXPECTED.error(format!("expected {list}, found {found}"), span);
    match help(site) {
        Some(help) => fault.with_help(help),
        None => fault,
    }
}

/// What is most likely missing comes first; that an expression or a text could go on is hardly news.
fn rank(word: &str) -> u8 {
    match word {
        "an operator" => 2,
        "the next statement" => 3,
        word if word.starts_with("an ") || word.starts_with("a ") => 0,
        _ => 1,
    }
}

fn enumerate(words: &[Cow<'static, str>]) -> String {
    let shown = &words[..words.len().min(5)];
    match shown {
        [] => "something else".to_string(),
        [only] => only.to_string(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}

fn help(site: &Site<'_>) -> Option<String> {
    let index = site.found;
    if index == 0 {
        let bare = "a bare pipeline does not begin with `(`: leave the parentheses out";
        return (site.word(0) == "(").then(|| bare.to_string());
    }
    let before = (site.word(index - 1), site.tokens.get(index - 1)?);
    if site.word(index) == "(" && before.1.kind == TokenKind::Word && before.1.span.end < site.span(index).start {
        return Some(format!("the `(` of a call touches its name: `{}(…)`", before.0));
    }
    if site.word(index) == "(" && site.tokens[index].first {
        return Some(
            "a bare pipeline does not begin with `(`: leave the parentheses out, or give it a name".to_string(),
        );
    }
    if site.word(index) == "+" && site.stop.tried.iter().any(|rule| matches!(rule, Rule::operand | Rule::expr)) {
        return Some("a number that is not negative has no sign".to_string());
    }
    if site.word(index) == "." && site.tokens.get(index + 1).is_some_and(|next| next.kind == TokenKind::Number) {
        return Some(format!("a number begins with a digit: `0.{}`", site.word(index + 1)));
    }
    if site.word(index) == "[" && before.1.span.end < site.span(index).start {
        return Some(format!("the `[` of an index touches what it follows: `{}[…]`", before.0));
    }
    if index >= site.tokens.len() && matches!(before.0, "," | "|") {
        return Some(format!("go on after `{}`, or remove it", before.0));
    }
    if site.tokens.get(index).is_some_and(|token| token.kind == TokenKind::Word) && site.word(index + 1) == "=" {
        let message = "the statement before is not finished: a name followed by `=` always begins a definition";
        return Some(message.to_string());
    }
    None
}

/// What a rule is to a user; none where another rule says it better.
fn phrase(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::program | Rule::statement | Rule::shown | Rule::define => "a statement",
        Rule::EOI => "the end of the statement",
        Rule::name | Rule::ident | Rule::bare | Rule::quoted => "a name",
        Rule::path | Rule::callee => "a name",
        Rule::operand_table => "a table",
        Rule::head | Rule::pipeline | Rule::rows | Rule::read | Rule::served | Rule::sql | Rule::nested => "a table",
        Rule::step => "a step",
        Rule::expr | Rule::operand | Rule::prefix | Rule::minus | Rule::kw_case | Rule::constant | Rule::value => {
            "an expression"
        }
        Rule::list | Rule::record | Rule::call | Rule::parens | Rule::case | Rule::fstring => "an expression",
        Rule::expr_list | Rule::sort_keys | Rule::sort_key => "an expression",
        Rule::named_argument => "an argument",
        Rule::infix => "an operator",
        Rule::number => "a number",
        Rule::duration => "a duration",
        Rule::instant => "a date",
        Rule::text => "a text",
        Rule::type_expr | Rule::named_type | Rule::list_type | Rule::record_type => "a type",
        Rule::assign => "`=`",
        Rule::comma => "`,`",
        Rule::colon => "`:`",
        Rule::bar => "`|`",
        Rule::arrow => "`->`",
        Rule::double_arrow => "`=>`",
        Rule::open_paren => "`(`",
        Rule::close_paren => "`)`",
        Rule::open_bracket => "`[`",
        Rule::close_bracket => "`]`",
        Rule::open_brace => "`{`",
        Rule::close_brace => "`}`",
        Rule::arguments => "`(`",
        Rule::schema => "`{`",
        Rule::row_list => "`[`",
        Rule::row => "`{`",
        Rule::record_field | Rule::derive_item | Rule::rename_item | Rule::field_decl | Rule::type_field => "`name:`",
        Rule::named_expr | Rule::select_item | Rule::select_items | Rule::aggregates => "a column",
        Rule::element => "an element of the pattern",

        Rule::returns => "`->`",
        Rule::fn_param => "a parameter",
        Rule::case_arm => "`condition => value`",
        Rule::groups | Rule::by_keys => "`by`",
        Rule::is_empty => "`is empty`",
        Rule::equals => "`equals`",
        Rule::all_rows => "`all`",
        Rule::within => "`within`",
        Rule::emit => "`emit`",
        Rule::late => "`late`",
        Rule::keep | Rule::dedupe_keep => "`keep`",
        Rule::dedupe_when => "`when`",
        Rule::join_on => "`on`",
        Rule::join_using => "`using`",
        Rule::alias => "`as`",
        Rule::filter => "`filter`",
        Rule::over => "`over`",
        Rule::frame => "`last`",
        Rule::sorted_by => "`sort`",
        Rule::search_top => "`top`",
        Rule::search_mode => "`mode`",
        Rule::search_where => "`where`",
        Rule::show_limit => "`limit`",
        Rule::show_every | Rule::emit_every => "`every`",
        Rule::field_key => "`key`",
        Rule::field_default => "`default`",
        Rule::field_from => "`from`",
        Rule::star | Rule::table_star | Rule::select_all => "`*`",
        Rule::kw_else | Rule::case_else => "`else`",
        _ => return None,
    })
}

/// The word that a rule for a word stands for. Words that could only go on where an expression is whole are left out.
fn keyword(rule: Rule) -> Option<Cow<'static, str>> {
    let name = format!("{rule:?}");
    match name.strip_prefix("kw_")? {
        "is" | "asc" | "case" => None,
        word => Some(Cow::Owned(format!("`{word}`"))),
    }
}
