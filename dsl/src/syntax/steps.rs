//! The steps of the language, each with its documentation: the one list that near names, completion, `%help`
//! and the reference page read.

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepDoc {
    /// The word or words that begin it: `where`, `left join`, `key by`.
    pub name: &'static str,
    /// Its form.
    pub signature: &'static str,
    /// What it does: a paragraph of Markdown.
    pub doc: &'static str,
    /// A whole pipeline that uses it.
    pub example: &'static str,
}

/// Steps of the language that this build refuses (D0401): nobody should be led to them.
const REFUSED: &[&str] = &["search", "plot", "index", "serve"];

impl StepDoc {
    /// True if this build runs it.
    pub fn runs(&self) -> bool {
        !REFUSED.contains(&self.name)
    }
}

/// Every step, in the order of the language's page.
pub static STEPS: &[StepDoc] = &[
    StepDoc {
        name: "where",
        signature: "where condition",
        doc: "Keeps the rows for which the condition is true; rows for which it is false or null leave.",
        example: "orders | where qty > 1 and name is not null",
    },
    StepDoc {
        name: "select",
        signature: "select column, name: expression, *, table.*, * except (column, …)",
        doc: "Gives exactly these columns, in this order. `*` stands for all columns, `orders.*` for those of one table, \
              `* except (a)` for all but `a`. An expression that is not a column needs a name.",
        example: "orders | select id, amount: qty * price",
    },
    StepDoc {
        name: "derive",
        signature: "derive name: expression, …",
        doc: "Adds columns, or replaces those of the same name where they stand. New columns come last.",
        example: "orders | derive amount: qty * price",
    },
    StepDoc {
        name: "drop",
        signature: "drop column, …",
        doc: "Leaves columns out.",
        example: "orders | drop note, internal",
    },
    StepDoc {
        name: "rename",
        signature: "rename new: old, …",
        doc: "Gives columns new names; their places stay.",
        example: "orders | rename quantity: qty",
    },
    StepDoc {
        name: "summarize",
        signature: "summarize name: aggregate, … by key, name: expression [emit live|final|every d] [late d] [keep d]",
        doc: "Groups the rows and computes aggregates of each group: first the keys, then the aggregates. Without `by` \
              there is one row, even of an empty table. Each aggregate takes `filter (where c)`. With a window among the \
              keys, `emit final` shows a window once, `late` tells how long it waits for late rows, and `keep` frees its \
              state.",
        example: "orders | summarize n: count(), total: sum(qty) by name",
    },
    StepDoc {
        name: "join",
        signature: "join table [as alias] on condition | using (column, …)",
        doc: "Each pair of a left and a right row for which the condition is true. The columns of both sides stay \
              addressable as `orders.id`, `products.id`; with `using`, the key stands once and first. A condition that bounds how \
              far two times (or ints) lie apart, `a.at between b.at - 5s and b.at + 5s` or two comparisons, makes it an interval \
              join: rows meet only those of the same stretch of time, with equal keys or without. So do all joins but the cross join.",
        example: "orders | join products on orders.product == products.id | select orders.id, qty, title",
    },
    StepDoc {
        name: "left join",
        signature: "left join table [as alias] on condition | using (column, …)",
        doc: "Like `join`; a left row without a partner stays once, with nulls on the right.",
        example: "orders | left join products on orders.product == products.id | select orders.id, qty, title",
    },
    StepDoc {
        name: "right join",
        signature: "right join table [as alias] on condition | using (column, …)",
        doc: "Like `join`; a right row without a partner stays once, with nulls on the left.",
        example: "orders | right join products on orders.product == products.id | select orders.id, qty, title",
    },
    StepDoc {
        name: "full join",
        signature: "full join table [as alias] on condition | using (column, …)",
        doc: "Like `join`; a row of either side without a partner stays once, with nulls on the other side.",
        example: "orders | full join products on orders.product == products.id | select orders.id, qty, title",
    },
    StepDoc {
        name: "semi join",
        signature: "semi join table [as alias] on condition | using (column, …)",
        doc: "The left rows that have a partner, each as often as it was, with the left columns only.",
        example: "orders | semi join products on orders.product == products.id",
    },
    StepDoc {
        name: "anti join",
        signature: "anti join table [as alias] on condition | using (column, …)",
        doc: "The left rows that have no partner, with the left columns only.",
        example: "orders | anti join products on orders.product == products.id",
    },
    StepDoc {
        name: "cross join",
        signature: "cross join table [as alias]",
        doc: "Every pair of a left and a right row.",
        example: "orders | cross join products | select orders.id, title",
    },
    StepDoc {
        name: "asof join",
        signature: "asof join table [as alias] on key == table.key and table.at <= at",
        doc: "With each left row the one right row that is the latest at or before it (with `>=`, the first at or after \
              it; with `<` and `>` one at the same time does not count; with `nearest(table.at, at)` the nearer of both, the earlier where they are as near). Of several at that time it is the last in the order of the remaining columns, or \
              with `>=` and `>` the first. The condition is any number of equal columns and one comparison of times or numbers. \
              Left rows without a match leave; null keys and null times match nothing. Rows that come late or go, on either side, correct the matches \
              that they concern, and no others are looked at.",
        example: "trades | asof join quotes on trades.symbol == quotes.symbol and quotes.at <= trades.at | select trades.symbol, px, bid",
    },
    StepDoc {
        name: "left asof join",
        signature: "left asof join table [as alias] on key == table.key and table.at <= at",
        doc: "Like `asof join`; a left row without a partner stays, with nulls on the right.",
        example: "trades | left asof join quotes on trades.symbol == quotes.symbol and quotes.at <= trades.at | select trades.symbol, px, bid",
    },
    StepDoc {
        name: "union",
        signature: "union table",
        doc: "The rows of both tables, each as often as it occurs in both together. Columns are matched by name.",
        example: "orders | union returns",
    },
    StepDoc {
        name: "except",
        signature: "except table",
        doc: "The rows that are not in the other table, one of each. Columns are matched by name.",
        example: "orders | except cancelled",
    },
    StepDoc {
        name: "intersect",
        signature: "intersect table",
        doc: "The rows that are in both tables, one of each. Columns are matched by name.",
        example: "orders | intersect shipped",
    },
    StepDoc {
        name: "distinct",
        signature: "distinct",
        doc: "One of each row.",
        example: "orders | select name | distinct",
    },
    StepDoc {
        name: "update",
        signature: "update table",
        doc: "By key: a row of the other table replaces the row of its key, and is added if there is none.",
        example: "prices | key by id | update corrections",
    },
    StepDoc {
        name: "patch",
        signature: "patch table",
        doc: "By key: the columns of the other table that are not null replace those of the row of its key. Keys that are \
              not there are ignored.",
        example: "prices | key by id | patch corrections",
    },
    StepDoc {
        name: "flatten",
        signature: "flatten column | name: expression",
        doc: "One row for each element of the list in the column, which then holds the element; the list of an expression \
              becomes a column first, as with `derive`. Rows with an empty list or \
              with null leave; an element that is null stays. The elements of a json array are json, and a document that \
              is no array fails its row.",
        example: "orders | derive tag: split(tags, \",\") | flatten tag",
    },
    StepDoc {
        name: "sort",
        signature: "sort expression [desc], …",
        doc: "The order in which the table is shown, and from which `limit` takes. It may go by an expression, and stays when \
              the columns that it goes by are left out. NaN and then null are larger than every value: last, and first with `desc`. Ties are broken by the remaining columns.",
        example: "orders | sort qty desc, id",
    },
    StepDoc {
        name: "limit",
        signature: "limit n",
        doc: "The first n rows in the order of the `sort` before it, or else of all columns.",
        example: "orders | sort qty desc | limit 10",
    },
    StepDoc {
        name: "top",
        signature: "top n by expression [desc], … [per key, …]",
        doc: "The first n rows in the given order, of the table or, with `per`, of each group; kept up incrementally.",
        example: "orders | top 3 by qty desc per name",
    },
    StepDoc {
        name: "dedupe",
        signature: "dedupe by key, … keep first|last [of expression]  |  dedupe by key, … when condition",
        doc: "One row for each key. `keep` takes the first or the last in the given order (without `of`, that of an earlier \
              `sort`, then that of the columns); a row without a value to go by stays only where there is no other. With \
              `when`, a new row takes the place of the kept one, whose columns are `previous.column`, if the condition holds; \
              a key's first row is always kept. That is decided once, in the order in which rows come (within an epoch in \
              the order of the columns), and held from the definition on. Where the kept row is taken back, the key begins \
              again with the rows that it still has.",
        example: "readings | dedupe by sensor keep last of at",
    },
    StepDoc {
        name: "key by",
        signature: "key by column, …",
        doc: "Declares that these columns are a key, and sees to it: where several rows share a key, all of them are in \
              `errors` until one remains.",
        example: "orders | key by id",
    },
    StepDoc {
        name: "iterate",
        signature: "iterate name { pipeline over name } [max n]",
        doc: "The name starts as the table; the pipeline is applied to it until it no longer changes, or n times. When an \
              input changes, the result is that of a fresh start, for the work that the change makes. The pipeline gives \
              the same columns as the table, in any order; it may use the name more than once, and other tables. Its row \
              errors are those of the last round. Without `max`, rows that still change after 10,000 rounds are row \
              errors.",
        example: "edges | iterate r { r | join edges on r.dst == edges.src | select src: r.src, dst: edges.dst | union r | distinct }",
    },
    StepDoc {
        name: "match",
        signature: "match [by key, …] sort at [within d] { a: condition  b+: condition … } select name: expression, …",
        doc: "Runs of neighbouring rows of a key that fulfil the conditions one after the other. An element is one row, `b+` one or \
              more, `b*` any number, `b?` at most one, `b{2}` two, `b{2,3}` two or three, `b{2,}` two or more. From the first row on each \
              element takes as many rows as it can, and gives some back where a later one would find none; the search goes on behind a match. With \
              `within`, the last row lies at most so far behind the first one, by the first key of `sort`. Ties go by the remaining columns.\n\n\
              A condition reads the row, the last rows of earlier elements (`a.x`), and the last row that its own element has taken so far, \
              null before the first: `rise+: px > (rise.px ?? low.px)`. A row on which a condition fails is an error, and does not fulfil it. \
              `select` tells the columns of `by`, of the last row of an element (`b.x`), and of all its rows `count(b)`, and `first`, `last`, `sum`, \
              `avg`, `min`, `max`, `any`, `all` or `list` of a column (`sum(b.x)`).\n\n\
              Rows that come late or go are followed from the last place before them where a search began anew to the first behind \
              them where it still does; the rest of the partition is not looked at.",
        example: "ticks | match by sym sort at within 10s { low: px < 10.0  rise+: px >= 10.0 } select sym, from_px: low.px, top: max(rise.px), n: count(rise)",
    },
    StepDoc {
        name: "search",
        signature: "search index for expression top k [mode vector|text|hybrid] [where condition] [as name]",
        doc: "With each row the k best entries of an index, as the record `hit` (`hit.score`, `hit.rank` and the index's \
              columns).",
        example: "asks | search handbook for question top 4 as hit",
    },
    StepDoc {
        name: "pivot",
        signature: "pivot [name:] aggregate, … on expression in [value, …] | {name: value, …} by key, …",
        doc: "Like `summarize`, with the aggregates once for each value, of the rows that have it. A column is called as its value \
              or as the name given to it, with the aggregate's name behind it where that has one. The values have to be \
              named, since the columns of a table do not depend on its rows; rows with others only count as members of their group.",
        example: "orders | pivot sum(qty) on name in [\"pen\", \"ink\"] by id",
    },
    StepDoc {
        name: "sample",
        signature: "sample share [per expression, …] | sample count rows [per expression, …]",
        doc: "Some of the rows, drawn by a hash of what they hold: the same rows give the same sample, and a row that comes or \
              goes changes nothing about others. A share is from 0 to 1; with `per` its rows stay or go together. \
              A number of rows is that of each group of `per`.",
        example: "orders | sample 2 rows per name",
    },
    StepDoc {
        name: "changes",
        signature: "changes",
        doc: "The table's change stream: its columns, then `_epoch` and `_diff`, which says how often the row came or, \
              negative, went in that epoch. It begins with the contents at its definition, as insertions, and is kept from \
              then on, shown or not.",
        example: "orders | changes",
    },
    StepDoc {
        name: "watermark",
        signature: "watermark column [delay d] [idle d]",
        doc: "Says that the column is the time of an event, and that rows come at most so much later than the latest one. The \
              watermark is the latest time less `delay` (nothing where it is left out), moves when an epoch closes, and never \
              goes back; what `emit final` and `keep` close goes by it. Of several marked inputs the least counts; one that has \
              shown no rows yet, or none for `idle` (a minute where it is left out), does not hold the others back, and one that \
              has ended passes everything.",
        example: "clicks | watermark at delay 10s",
    },
    StepDoc {
        name: "show",
        signature: "show [limit n] [every d]",
        doc: "Shows the table, live. A bare pipeline does the same.",
        example: "orders | sort qty desc | show limit 20 every 200ms",
    },
    StepDoc {
        name: "plot",
        signature: "plot line|bar|area|point|histogram|heatmap|number(x: expression, y: expression, …)",
        doc: "A live chart.",
        example: "per_minute | plot line(x: w.start, y: n, color: url)",
    },
    StepDoc {
        name: "write",
        signature: "write connector(argument, name: value, …)",
        doc: "Keeps a target equal to the table (`mode: upsert`, which needs a key), or adds each new row (`mode: append`) or \
              each change (`mode: changes`). Whole epochs are written, in order.",
        example: "orders | write jsonl(\"out/copy.jsonl\")",
    },
    StepDoc {
        name: "index",
        signature: "index lance(path, key: [column, …], embed: column | vector: column, …)",
        doc: "Keeps a vector and text index on disk equal to the table. The index is a table that `search` takes.",
        example: "parts | index lance(\"indexes/handbook.lance\", key: [path, n], embed: body)",
    },
    StepDoc {
        name: "serve",
        signature: "serve connector(argument, name: value, …)",
        doc: "Serves the table's current rows to other programs.",
        example: "orders | serve http(\"127.0.0.1:8666/orders\")",
    },
];

/// The step with this name, blanks between words as single spaces.
pub fn find(name: &str) -> Option<&'static StepDoc> {
    STEPS.iter().find(|step| step.name == name)
}

/// The first words of the steps, each once.
pub fn step_words() -> impl Iterator<Item = &'static str> {
    let words = STEPS.iter().map(|step| first_word(step.name)).enumerate();
    words
        .filter(|(index, word)| STEPS[..*index].iter().all(|step| first_word(step.name) != *word))
        .map(|(_, word)| word)
}

/// True for a word that begins a step.
pub fn is_step_word(word: &str) -> bool {
    STEPS.iter().any(|step| first_word(step.name) == word)
}

fn first_word(name: &'static str) -> &'static str {
    name.split(' ').next().unwrap_or(name)
}

/// What a step of another language is called here, as a sentence that ends a help.
pub fn foreign_step(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "filter" | "having" => "rows are kept with `where condition`",
        "group" | "groupby" | "group_by" | "aggregate" | "agg" | "reduce" => {
            "groups are made with `summarize name: aggregate, … by key`"
        }
        "order" | "order_by" | "orderby" | "arrange" => "rows are sorted with `sort column desc`",
        "map" | "extend" | "mutate" | "with" | "let" | "add" | "set" => {
            "columns are added with `derive name: expression`"
        }
        "project" | "pick" | "columns" => "columns are chosen with `select a, b`",
        "take" | "head" | "first" => "the first rows are taken with `limit n`",
        "unique" | "uniq" => "one of each row is kept with `distinct`",
        "explode" | "unnest" | "unwind" | "expand" => "lists are taken apart with `flatten column`",
        "concat" | "append" => "rows of two tables are put together with `union table`",
        "lookup" | "merge" | "inner" | "outer" => "tables are joined with `join table on condition`",
        "remove" | "delete" => "columns are left out with `drop column`",
        "minus" | "subtract" => "rows of another table are left out with `except table`",
        "sink" | "save" | "store" | "to" => "a table is written with `write connector(…)`",
        "display" | "print" => "a table is shown with `show`",
        "chart" | "render" => "a chart is drawn with `plot line(x: …, y: …)`",
        "upsert" => "rows are replaced by key with `update table`",
        _ => return None,
    })
}
