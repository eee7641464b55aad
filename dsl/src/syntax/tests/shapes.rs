//! The tree that a text gives: precedence, spans, and where one statement ends and the next begins.

use tree::{BinaryOperator, ExprKind, HeadKind, JoinKind, Literal, StepKind, TextPart, UnaryOperator};

use super::*;
use crate::limits;

/// The expression with every operator in parentheses.
fn grouped(text: &str) -> String {
    show(&parse_expression(text).unwrap())
}

fn show(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Literal(Literal::Null) => "null".to_string(),
        ExprKind::Literal(Literal::Bool(value)) => value.to_string(),
        ExprKind::Literal(Literal::Int(value)) => value.to_string(),
        ExprKind::Literal(Literal::Float(value)) => format!("{value:?}"),
        ExprKind::Literal(Literal::Text(value)) => format!("{value:?}"),
        ExprKind::Literal(Literal::Duration(micros)) => format!("{micros}us"),
        ExprKind::Literal(Literal::Date(days)) => format!("day {days}"),
        ExprKind::Literal(Literal::Timestamp(micros)) => format!("at {micros}"),
        ExprKind::FString(parts) => {
            let parts = parts.iter().map(|part| match part {
                TextPart::Text(text) => format!("{text:?}"),
                TextPart::Value(value) => show(value),
            });
            format!("f({})", parts.collect::<Vec<_>>().join(" "))
        }
        ExprKind::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        ExprKind::Record(fields) => {
            let fields = fields.iter().map(|field| format!("{}: {}", field.name.text, show(&field.value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(" "))
        }
        ExprKind::Name(name) => name.text.clone(),
        ExprKind::Field { base, field } => format!("{}.{}", show(base), field.text),
        ExprKind::Index { base, index } => format!("{}[{}]", show(base), show(index)),
        ExprKind::Call(call) => {
            let items = call.arguments.positional.iter().map(show);
            let named = call.arguments.named.iter().map(|named| format!("{}: {}", named.name.text, show(&named.value)));
            let by = call.by.iter().map(|key| format!("by {}", show(&key.expr)));
            let sort = call.sort.iter().map(|key| format!("sort {}", show(&key.expr)));
            let all: Vec<_> = items.chain(named).chain(by).chain(sort).collect();
            format!("{}({})", call.function.text(), all.join(" "))
        }
        ExprKind::Unary { operator: UnaryOperator::Not, operand } => format!("(not {})", show(operand)),
        ExprKind::Unary { operator: UnaryOperator::Negate, operand } => format!("(- {})", show(operand)),
        ExprKind::Binary { operator, left, right, .. } => {
            format!("({} {} {})", show(left), operator.symbol(), show(right))
        }
        ExprKind::Between { value, low, high, negated } => {
            format!("({} {}between {} {})", show(value), not(*negated), show(low), show(high))
        }
        ExprKind::In { value, options, negated } => format!("({} {}in {})", show(value), not(*negated), show(options)),
        ExprKind::Like { value, pattern, negated } => {
            format!("({} {}like {})", show(value), not(*negated), show(pattern))
        }
        ExprKind::IsNull { value, negated } => format!("({} is {}null)", show(value), not(*negated)),
        ExprKind::Case { arms, otherwise } => {
            let arms = arms.iter().map(|arm| format!("{} => {}", show(&arm.condition), show(&arm.value)));
            let otherwise = otherwise.iter().map(|value| format!("else {}", show(value)));
            format!("case({})", arms.chain(otherwise).collect::<Vec<_>>().join("; "))
        }
        ExprKind::Type(ty) => format!("type {:?}", ty.kind),
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

#[test]
fn operators_bind_as_the_language_says() {
    for (text, shape) in [
        ("a or b and not c == d", "(a or (b and (not (c == d))))"),
        ("a and b or c and d", "((a and b) or (c and d))"),
        ("not a and b", "((not a) and b)"),
        ("not not a", "(not (not a))"),
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c * d", "(((a / b) % c) * d)"),
        ("a ?? b + 1 == 2", "((a ?? (b + 1)) == 2)"),
        ("-a * b", "((- a) * b)"),
        ("-a.b[0]", "(- a.b[0])"),
        ("- -1", "(- -1)"),
        ("a - -1", "(a - -1)"),
        ("a-1", "(a - 1)"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-0.0", "0.0"),
        ("-5s", "-5000000us"),
        ("1.5h", "5400000000us"),
        ("a between 1 and 2 and b", "((a between 1 2) and b)"),
        ("a not between b - 1 and b + 1 or c", "((a not between (b - 1) (b + 1)) or c)"),
        ("a in (1, 2) and b not in c", "((a in [1 2]) and (b not in c))"),
        ("a in (1)", "(a in [1])"),
        ("a in b ?? [1] + c", "(a in (b ?? ([1] + c)))"),
        ("a + 1 in b", "((a + 1) in b)"),
        ("a is not null and b is null", "((a is not null) and (b is null))"),
        ("a like 'x%' or b not like c", "((a like \"x%\") or (b not like c))"),
        ("(a or b) and c", "((a or b) and c)"),
        ("@1970-01-02", "day 1"),
        ("@1970-01-01T00:00:01Z + 1s", "(at 1000000 + 1000000us)"),
        ("f\"a{b}{{c}}\\n{d + 1}\"", "f(\"a\" b \"{c}\\n\" (d + 1))"),
        ("case { a => 1, b => 2, else => 3 }", "case(a => 1; b => 2; else 3)"),
        ("first(a by b)", "first(a by b)"),
        ("join(a, \", \" sort by b)", "join(a \", \" sort b)"),
        ("f(1, x: {a: 2})", "f(1 x: {a: 2})"),
        ("notes", "notes"),
        ("nullable == trueish", "(nullable == trueish)"),
        ("`a b`.c", "a b.c"),
    ] {
        assert_eq!(grouped(text), shape, "{text}");
    }
}

#[test]
fn long_chains_of_and_stay_shallow_and_others_are_refused() {
    let condition = vec!["a == 1"; 5000].join(" and ");
    let mut expr = &parse_expression(&condition).unwrap();
    let mut depth = 0;
    while let ExprKind::Binary { operator: BinaryOperator::And, left, .. } = &expr.kind {
        expr = left.as_ref();
        depth += 1;
    }
    assert_eq!(depth, 13);
    let sum = vec!["a"; limits::CHAIN + 2].join(" + ");
    assert_eq!(parse_expression(&sum).unwrap_err().code, "D0104");
    assert!(parse_expression(&vec!["a"; limits::CHAIN].join(" + ")).is_ok());
}

#[test]
fn deep_nesting_is_a_diagnostic_and_never_an_overflow() {
    for open in ["(", "[", "f(", "{a: ", "case { a => ", "not (", "x in ("] {
        let text = format!("t = r | where {}\nu = t", open.repeat(10_000));
        let parsed = parse(&text);
        assert_eq!(parsed.statements.len(), 1, "{open}");
        assert_eq!(parsed.diagnostics[0].code, "D0104", "{open}");
    }
    let texts = format!("t = r | where {}\nu = t", "f\"{".repeat(10_000));
    let parsed = parse(&texts);
    assert_eq!((parsed.statements.len(), parsed.diagnostics[0].code.as_str()), (1, "D0102"));
    let nested = format!("t = r | where {}a{}", "(".repeat(limits::NESTING), ")".repeat(limits::NESTING));
    assert_eq!(parse(&nested).diagnostics, []);
    let steps = format!("t = r {}", "| where a ".repeat(3000));
    assert_eq!(parse(&steps).diagnostics, []);
    for word in ["- ", "not ", "a."] {
        let chain = format!("t = r | where {}a\nu = t", word.repeat(10_000));
        let parsed = parse(&chain);
        assert_eq!((parsed.statements.len(), parsed.diagnostics[0].code.as_str()), (1, "D0104"), "{word}");
    }
}

#[test]
fn nesting_does_not_make_parsing_explode() {
    // Each of these would take for ever if a bracket were parsed twice at every level.
    for (open, middle, close) in
        [("(", "a", ")"), ("{a: ", "1", "}"), ("f(", "x", ")"), ("[", "1", "]"), ("x in (", "1", ")")]
    {
        for wrong in ["", " !"] {
            let depth = limits::NESTING - 2;
            let text = format!("t = r | derive z: f({}{middle}{wrong}{})", open.repeat(depth), close.repeat(depth));
            assert_eq!(parse(&text).diagnostics.is_empty(), wrong.is_empty(), "{open}");
        }
    }
}

#[test]
fn spans_are_exact() {
    let text = "# head\n big = orders # note\n  | left  join products as p on id == p.id # end\n\nbig";
    let parsed = parse(text);
    let [define, shown] = parsed.statements.as_slice() else { panic!("{parsed:?}") };
    assert_eq!(define.span.of(text), "big = orders # note\n  | left  join products as p on id == p.id");
    assert_eq!(shown.span.of(text), "big");
    let StatementKind::Define { name, pipeline } = &define.kind else { panic!("{define:?}") };
    assert_eq!((name.span.of(text), pipeline.head.span.of(text)), ("big", "orders"));
    let step = &pipeline.steps[0];
    assert_eq!(step.keyword.of(text), "left  join");
    let StepKind::Join(join) = &step.kind else { panic!("{step:?}") };
    assert_eq!((join.kind, join.right.span.of(text)), (JoinKind::Left, "products as p"));
}

#[test]
fn a_name_and_an_equals_sign_always_begin_a_definition() {
    let text = "a = b | sort x\ndesc = b | limit 3\nkeep = b | dedupe by x keep first\nof = b\nwhere = of";
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics, []);
    let names = parsed.statements.iter().map(|statement| match &statement.kind {
        StatementKind::Define { name, .. } => name.text.as_str(),
        other => panic!("{other:?}"),
    });
    assert_eq!(names.collect::<Vec<_>>(), ["a", "desc", "keep", "of", "where"]);
}

#[test]
fn a_percent_sign_first_on_its_line_is_a_command() {
    let text = "a = b | derive x: y %\n 2\n  %explain analyze a  # shown\nb";
    let parsed = parse(text);
    assert_eq!(parsed.statements.len(), 3);
    let StatementKind::Command(command) = &parsed.statements[1].kind else { panic!("{parsed:?}") };
    assert_eq!((command.name.text.as_str(), command.arguments.as_str()), ("explain", "analyze a  # shown"));
    assert_eq!(command.arguments_span.of(text), command.arguments);
}

#[test]
fn rows_keep_their_steps_and_signs() {
    let text = "t = rows [ {a: 1}, {a: -2} ] then [ -{a: 1} ] then []";
    let parsed = parse(text);
    let StatementKind::Define { pipeline, .. } = &parsed.statements[0].kind else { panic!("{parsed:?}") };
    let HeadKind::Rows(lists) = &pipeline.head.kind else { panic!("{pipeline:?}") };
    let signs: Vec<Vec<bool>> = lists.iter().map(|list| list.iter().map(|row| row.negated).collect()).collect();
    assert_eq!(signs, [vec![false, false], vec![true], vec![]]);
}

#[test]
fn a_cell_in_another_language_is_one_statement() {
    let text = "\n%%rust fast\nfn f() {}\n";
    let parsed = parse(text);
    let [Statement { kind: StatementKind::Foreign { language, arguments, body, body_span }, .. }] =
        parsed.statements.as_slice()
    else {
        panic!("{parsed:?}")
    };
    assert_eq!((language.text.as_str(), arguments.as_str(), body.as_str()), ("rust", "fast", "fn f() {}\n"));
    assert_eq!(body_span.of(text), body);
}

#[test]
fn an_expression_reads_as_a_type() {
    let ty = parse_expression("{product: text, price: decimal(10, 2), tags: [text]}").unwrap().as_type().unwrap();
    let tree::TypeExprKind::Record(fields) = ty.kind else { panic!("{ty:?}") };
    assert_eq!(fields.len(), 3);
    assert!(parse_expression("{product: 1 + 2}").unwrap().as_type().is_none());
}

#[test]
fn a_console_is_told_whether_to_wait() {
    use Completeness::{Complete, Invalid};
    let incomplete = |indent: &str| Completeness::Incomplete { indent: indent.to_string() };
    for (text, expected) in [
        ("", Complete),
        ("# note", Complete),
        ("a = b", Complete),
        ("a = b | where c == 1\na", Complete),
        ("%tables", Complete),
        ("a = b |", incomplete("  ")),
        ("a = b | where c ==", incomplete("  ")),
        ("a = b | where c and", incomplete("  ")),
        ("a =", incomplete("  ")),
        ("a = rows [", incomplete("  ")),
        ("a = rows [ {x: 1},", incomplete("  ")),
        ("a = rows [ {x: ", incomplete("    ")),
        ("a = b | derive x: \"\"\"long", incomplete("")),
        ("a = b | join c", incomplete("  ")),
        ("a = b | derive x: \"short", Invalid),
        ("a = b | wher c\nd = ", Invalid),
        ("a = b )", Invalid),
        ("%%rust\nfn f() {}", incomplete("")),
        ("%%rust\nfn f() {}\n\n", Complete),
    ] {
        assert_eq!(is_complete(text), expected, "{text:?}");
    }
}
