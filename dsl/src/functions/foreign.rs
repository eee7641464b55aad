//! What functions of SQL, KQL, pandas and spreadsheets are called here. They are not aliases: one idea has one name,
//! and whoever writes another one is told ours.

/// What to write in the place of a function of another language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its names there, in lower case.
    pub names: &'static [&'static str],
    /// The function of ours that can stand in its place; `None` where the call has to be written another way.
    pub ours: Option<&'static str>,
    /// What to write, or why there is none.
    pub help: &'static str,
}

/// What to write in the place of `name`, in any case; of a name with dots (`math.pow`, `s.str.len`) the last part counts.
pub fn foreign(name: &str) -> Option<&'static Foreign> {
    let name = name.rsplit('.').next().unwrap_or(name).to_lowercase();
    FOREIGN.iter().find(|foreign| foreign.names.contains(&name.as_str()))
}

const fn same(names: &'static [&'static str], ours: &'static str, help: &'static str) -> Foreign {
    Foreign { names, ours: Some(ours), help }
}

const fn other(names: &'static [&'static str], help: &'static str) -> Foreign {
    Foreign { names, ours: None, help }
}

/// Every foreign name, chapter by chapter.
pub const FOREIGN: &[Foreign] = &[
    // Text.
    same(
        &[
            "len",
            "char_length",
            "character_length",
            "strlen",
            "string_size",
            "array_length",
            "cardinality",
            "array_size",
            "list_length",
            "size",
        ],
        "length",
        "`length(x)`",
    ),
    same(&["octet_length", "lengthb"], "byte_length", "`byte_length(x)`"),
    same(&["lcase", "tolower", "to_lower", "lowercase", "casefold"], "lower", "`lower(x)`"),
    same(&["ucase", "toupper", "to_upper", "uppercase"], "upper", "`upper(x)`"),
    same(&["initcap", "capitalize", "proper", "title_case"], "title", "`title(x)`"),
    same(&["btrim", "strip", "trim_all"], "trim", "`trim(x)` or `trim(x, \"characters\")`"),
    same(&["ltrim", "lstrip", "trim_left"], "trim_start", "`trim_start(x)`"),
    same(&["rtrim", "rstrip", "trim_right"], "trim_end", "`trim_end(x)`"),
    same(
        &["strcat", "string_concat", "array_concat", "list_concat", "array_cat"],
        "concat",
        "`concat(a, b)`, `a + b` or an f-string",
    ),
    other(&["concat_ws", "strcat_delim"], "`list_join([a, b], \", \")`"),
    other(
        &["substr", "mid", "slice", "str_slice", "substring_index", "substrindex"],
        "`substring(x, start, count)`, where the first character is at 0, or `before(x, part)`",
    ),
    other(
        &[
            "strpos",
            "instr",
            "locate",
            "charindex",
            "indexof",
            "index_of",
            "array_position",
            "list_position",
            "list_indexof",
            "find",
        ],
        "`position(x, part)`, which counts from 0 and is null where nothing is found",
    ),
    same(&["startswith", "begins_with", "prefix", "has_prefix"], "starts_with", "`starts_with(x, part)`"),
    same(&["endswith", "suffix", "has_suffix"], "ends_with", "`ends_with(x, part)`"),
    same(
        &["includes", "has", "array_contains", "array_has", "list_contains", "list_has", "str_contains", "in_list"],
        "contains",
        "`contains(x, part)`",
    ),
    same(&["lpad", "padleft", "rjust", "zfill"], "pad_start", "`pad_start(x, width, fill)`"),
    same(&["rpad", "padright", "ljust"], "pad_end", "`pad_end(x, width, fill)`"),
    same(&["replicate", "strrep"], "repeat", "`repeat(x, times)`"),
    same(&["replace_string", "str_replace", "replace_all"], "replace", "`replace(x, from, to)`"),
    other(&["split_part"], "`split(x, separator)[n]`, where the first piece is at 0"),
    same(&["string_to_array", "str_split", "string_split", "explode_string"], "split", "`split(x, separator)`"),
    same(&["edit_distance", "editdistance", "damerau_levenshtein"], "levenshtein", "`levenshtein(x, y)`"),
    same(&["ascii", "unicode", "ord"], "code_point", "`code_point(x)`"),
    same(&["chr", "char", "unichar"], "from_code_point", "`from_code_point(n)`"),
    other(&["hex", "to_hex", "tohex", "oct"], "`to_base(n, 16)` for an int, `hex_encode(x)` for text and bytes"),
    same(&["unhex", "from_hex"], "hex_decode", "`hex_decode(x)`"),
    same(&["reverse_string", "strrev", "array_reverse", "list_reverse"], "reverse", "`reverse(x)`"),
    other(&["ilike"], "`lower(x) like lower(pattern)`"),
    other(
        &["to_string", "tostring", "str", "string", "to_char", "varchar"],
        "`text(x)`; for times and numbers in a given form `format(at, pattern)` and `fixed(x, digits)`",
    ),
    other(&["format_number", "to_fixed", "printf", "sprintf"], "`fixed(x, digits)` and f-strings"),
    other(&["bit_length"], "`byte_length(x) * 8`"),
    other(&["overlay", "stuff", "insert"], "`left(x, start) + y + substring(x, end)`"),
    same(&["countof", "str_count", "count_of"], "occurrences", "`occurrences(x, part)`"),
    other(&["find_in_set"], "`position(split(x, \",\"), part)`"),
    // Regular expressions.
    same(
        &[
            "regexp_like",
            "regexp_matches",
            "regexp_match",
            "regex_match",
            "regexp",
            "rlike",
            "regexp_contains",
            "matches_regex",
            "regex_matches",
        ],
        "matches",
        "`matches(x, pattern)`",
    ),
    same(&["regexp_replace", "replace_regex"], "regex_replace", "`regex_replace(x, pattern, to)`"),
    same(
        &["regexp_extract", "regexp_substr", "regexp_find", "regex_find"],
        "regex_extract",
        "`regex_extract(x, pattern, group)`",
    ),
    same(
        &["extract_all", "regexp_extract_all", "findall", "find_all", "regex_find_all"],
        "regex_extract_all",
        "`regex_extract_all(x, pattern)`",
    ),
    same(&["regexp_count", "count_matches"], "regex_count", "`regex_count(x, pattern)`"),
    same(&["regexp_instr"], "regex_position", "`regex_position(x, pattern)`"),
    same(&["regexp_split", "regexp_split_to_array", "string_split_regex"], "regex_split", "`regex_split(x, pattern)`"),
    // Numbers.
    same(&["ceiling"], "ceil", "`ceil(x)`"),
    same(&["truncate_number", "fix"], "trunc", "`trunc(x)`"),
    same(&["signum", "sgn"], "sign", "`sign(x)`"),
    same(&["pow"], "power", "`power(x, y)`"),
    same(&["loge"], "ln", "`ln(x)`"),
    other(&["mod", "modulo", "remainder"], "`x % y`"),
    other(&["div", "idiv", "floor_divide"], "`x / y`, which is whole for two ints"),
    same(&["maximum", "max_of", "greatest_of"], "greatest", "`greatest(x, y)`"),
    same(&["minimum", "min_of", "least_of"], "least", "`least(x, y)`"),
    same(&["isnan", "is_not_a_number"], "is_nan", "`is_nan(x)`"),
    same(&["isfinite"], "is_finite", "`is_finite(x)`"),
    same(&["isinf", "isinfinite"], "is_infinite", "`is_infinite(x)`"),
    same(&["clip", "constrain"], "clamp", "`clamp(x, low, high)`"),
    same(&["binary_and", "bitand"], "bit_and", "`bit_and(x, y)`"),
    same(&["binary_or", "bitor"], "bit_or", "`bit_or(x, y)`"),
    same(&["binary_xor", "bitxor"], "bit_xor", "`bit_xor(x, y)`"),
    same(&["binary_not", "bitnot"], "bit_not", "`bit_not(x)`"),
    same(&["popcount", "bitset_count_ones"], "bit_count", "`bit_count(x)`"),
    same(&["binary_shift_left"], "shift_left", "`shift_left(x, places)`"),
    same(&["binary_shift_right"], "shift_right", "`shift_right(x, places)`"),
    other(
        &["random", "rand", "gen_random_uuid", "uuid", "uuidv4", "uuidv7", "newid", "new_guid"],
        "a table is a function of its inputs, so nothing in it is random; `hash(x)` of a column spreads rows evenly and is the same each time",
    ),
    other(
        &[
            "now",
            "getdate",
            "sysdate",
            "current_timestamp",
            "current_date",
            "today",
            "utcnow",
            "age",
            "ago",
            "localtimestamp",
        ],
        "the present time is not available in this build: a table is a function of its inputs; compare with a `param`",
    ),
    other(&["bin", "bin_at", "width_bucket"], "`truncate(at, 15m)` for times, `floor(x / size) * size` for numbers"),
    other(&["iszero", "is_zero"], "`x == 0`"),
    other(&["nanvl"], "`if(is_nan(x), y, x)`"),
    // Dates and time zones.
    same(
        &[
            "date_trunc",
            "datetrunc",
            "startofday",
            "startofmonth",
            "startofweek",
            "startofyear",
            "trunc_date",
            "time_bucket",
            "date_bin",
            "floor_time",
        ],
        "truncate",
        "`truncate(at, \"day\")`, with a zone `truncate(at, \"day\", \"Europe/Berlin\")`, or `truncate(at, 15m)`",
    ),
    other(
        &["date_part", "datepart", "datetime_part", "getyear", "getmonth", "monthofyear", "hourofday", "dayofmonth"],
        "the part's own name: `year(at)`, `month(at)`, `day(at)`, `hour(at)`",
    ),
    same(&["dayofweek", "day_of_week", "dow", "isodow"], "weekday", "`weekday(at)`, 1 (Monday) to 7 (Sunday)"),
    same(&["dayofyear", "doy"], "day_of_year", "`day_of_year(at)`"),
    same(&["week", "weekofyear", "week_of_year", "isoweek"], "iso_week", "`iso_week(at)`"),
    same(
        &["strftime", "date_format", "format_datetime", "format_timestamp", "format_date"],
        "format",
        "`format(at, \"%Y-%m-%d\")`",
    ),
    same(
        &["strptime", "to_timestamp", "parse_datetime", "str_to_date", "todatetime", "to_datetime"],
        "parse_timestamp",
        "`parse_timestamp(x, \"%d.%m.%Y\")`, or `timestamp(x)` for ISO 8601",
    ),
    same(&["to_date", "todate"], "parse_date", "`parse_date(x, \"%d.%m.%Y\")`, or `date(x)` for ISO 8601"),
    same(&["epoch", "unix_timestamp", "to_unixtime", "datetime_to_unix"], "unix_seconds", "`unix_seconds(at)`"),
    same(&["epoch_ms", "to_epoch_ms"], "unix_millis", "`unix_millis(at)`"),
    same(
        &["from_unixtime", "unixtime_seconds_todatetime", "to_timestamp_seconds", "timestamp_seconds"],
        "from_unix_seconds",
        "`from_unix_seconds(n)`",
    ),
    same(
        &["unixtime_milliseconds_todatetime", "to_timestamp_millis", "timestamp_millis", "make_timestamp_ms"],
        "from_unix_millis",
        "`from_unix_millis(n)`",
    ),
    same(
        &["unixtime_microseconds_todatetime", "to_timestamp_micros", "timestamp_micros"],
        "from_unix_micros",
        "`from_unix_micros(n)`",
    ),
    other(
        &["date_add", "dateadd", "datetime_add", "date_sub", "datesub", "timestampadd"],
        "`at + 3d` with a duration, `add_days(at, n)`, `add_months(at, n)` or `add_years(at, n)`",
    ),
    same(
        &["datediff", "date_diff", "datetime_diff", "timestampdiff", "timestamp_diff"],
        "difference",
        "`difference(end, start, \"day\")`, or `end - start` as a duration",
    ),
    same(&["months_between"], "difference", "`difference(end, start, \"month\")`"),
    same(&["eomonth", "endofmonth", "last_day_of_month"], "last_day", "`last_day(at)`"),
    same(&["datefromparts", "date_from_parts"], "make_date", "`make_date(year, month, day)`"),
    same(
        &["make_datetime", "timestamp_from_parts", "datetimefromparts"],
        "make_timestamp",
        "`make_timestamp(year, month, day, hour, minute, second)`",
    ),
    same(
        &[
            "at_timezone",
            "at_time_zone",
            "convert_timezone",
            "from_utc_timestamp",
            "to_local_time",
            "datetime_utc_to_local",
            "tz_convert",
        ],
        "to_zone",
        "`to_zone(at, \"Europe/Berlin\")`",
    ),
    same(
        &["to_utc_timestamp", "datetime_local_to_utc", "tz_localize"],
        "from_zone",
        "`from_zone(clock, \"Europe/Berlin\")`",
    ),
    other(&["dayname", "day_name"], "`format(at, \"%A\")`"),
    other(&["monthname", "month_name"], "`format(at, \"%B\")`"),
    other(
        &["interval", "make_interval"],
        "a duration is written `3d`, `2h`, `250ms`; months are added with `add_months(at, n)`",
    ),
    // Lists.
    other(&["list_value", "make_array", "pack_array", "array"], "a list is written `[a, b]`"),
    other(
        &["array_element", "list_element", "list_extract", "array_extract", "element_at"],
        "`xs[0]` is the first element",
    ),
    same(&["array_append", "array_push_back", "list_push_back"], "list_append", "`list_append(xs, x)`"),
    other(&["array_prepend", "list_prepend", "array_push_front"], "`concat([x], xs)`"),
    same(&["array_slice"], "list_slice", "`list_slice(xs, start, count)`, where the first element is at 0"),
    same(
        &["array_sort", "sort_array", "array_sort_asc", "sorted"],
        "list_sort",
        "`list_sort(xs)` or `list_sort(xs, true)`",
    ),
    same(&["array_distinct", "list_unique", "array_unique"], "list_distinct", "`list_distinct(xs)`"),
    same(&["array_union", "set_union"], "list_union", "`list_union(xs, ys)`"),
    same(&["array_except", "array_diff", "set_difference"], "list_except", "`list_except(xs, ys)`"),
    same(&["array_intersect", "array_intersection", "set_intersect"], "list_intersect", "`list_intersect(xs, ys)`"),
    same(
        &["array_has_any", "list_has_any", "arrays_overlap", "array_overlap"],
        "list_overlaps",
        "`list_overlaps(xs, ys)`",
    ),
    same(&["array_has_all", "list_has_all"], "list_contains_all", "`list_contains_all(xs, ys)`"),
    same(
        &["array_to_string", "list_to_string", "array_join", "strcat_array", "join_array"],
        "list_join",
        "`list_join(xs, \", \")`",
    ),
    same(&["array_sum"], "list_sum", "`list_sum(xs)`"),
    same(&["array_avg", "list_mean", "array_mean"], "list_avg", "`list_avg(xs)`"),
    same(&["array_min"], "list_min", "`list_min(xs)`"),
    same(&["array_max"], "list_max", "`list_max(xs)`"),
    same(&["array_flatten"], "list_flatten", "`list_flatten(xs)`"),
    same(&["arrays_zip", "array_zip", "zip"], "list_zip", "`list_zip(xs, ys)`"),
    same(&["array_compact", "dropna"], "list_compact", "`list_compact(xs)`"),
    same(&["array_remove", "array_remove_all"], "list_remove", "`list_remove(xs, x)`"),
    same(&["array_repeat"], "list_repeat", "`list_repeat(x, times)`"),
    same(&["generate_series", "sequence", "arange", "seq"], "range", "`range(start, end)`, without the end"),
    other(&["unnest", "explode", "mv_expand"], "lists are taken apart with the step `flatten column`"),
    other(
        &["array_agg", "make_list", "collect_list", "make_set", "collect_set", "string_agg", "group_concat", "listagg"],
        "the aggregates are `list(e)`, `set(e)` and `join(e, \", \")`, in `summarize`",
    ),
    other(&["array_empty", "empty"], "`length(xs) == 0`"),
    other(&["array_pop_front"], "`list_slice(xs, 1)`"),
    other(&["array_pop_back"], "`list_slice(xs, 0, length(xs) - 1)`"),
    other(&["array_any_value"], "`list_first(list_compact(xs))`"),
    same(&["array_replace", "array_replace_all"], "list_replace", "`list_replace(xs, from, to)`"),
    // Records and JSON.
    other(
        &["struct", "struct_pack", "named_struct", "row", "bag_pack", "object_construct", "json_object"],
        "a record is written `{a: 1, b: \"x\"}`",
    ),
    other(&["struct_extract", "get_field"], "a field is read with a dot: `r.a`"),
    same(
        &["bag_keys", "object_keys", "json_object_keys", "map_keys"],
        "json_keys",
        "`json_keys(document)`; of a record `record_keys(r)`",
    ),
    same(&["bag_merge", "json_merge_patch", "jsonb_concat"], "json_merge", "`json_merge(document, patch)`"),
    same(
        &[
            "json_extract",
            "json_query",
            "json_path_query",
            "jsonb_path_query_first",
            "get_json_object",
            "extractjson",
            "extract_json",
            "json_extract_path",
        ],
        "json_get",
        "`json_get(document, \"$.a.b\")`, or `document.a.b`",
    ),
    same(
        &["json_value", "json_extract_string", "json_extract_scalar", "json_extract_path_text"],
        "json_text",
        "`json_text(document, \"$.a.b\")`",
    ),
    same(&["json_array_length", "array_length_json"], "json_length", "`json_length(document)`"),
    same(&["json_typeof", "gettype"], "json_type", "`json_type(document)`"),
    other(
        &["typeof", "type_of"],
        "the type of an expression is known before it runs: `%tables` shows those of the columns; `json_type(document)` tells what a document is",
    ),
    same(&["is_json", "isjson", "is_valid_json"], "json_valid", "`json_valid(x)`"),
    other(&["to_json", "parse_json", "todynamic", "dynamic", "json_parse", "row_to_json"], "`json(x)`"),
    // Vectors.
    same(&["inner_product", "dot_product", "list_dot_product"], "dot", "`dot(v, w)`"),
    other(&["cosine_distance", "array_cosine_distance"], "`1.0 - cosine_similarity(v, w)`"),
    same(&["array_distance", "list_distance", "euclidean_distance"], "l2_distance", "`l2_distance(v, w)`"),
    // Encoding and URLs.
    other(&["sha1", "sha"], "SHA-1 is not offered, since it no longer protects; `sha256(x)` and `md5(x)` are"),
    same(&["sha2"], "sha256", "`sha256(x)`"),
    same(&["xxhash64", "hash64", "farm_fingerprint", "murmur3", "fnv1a"], "hash", "`hash(x)`"),
    other(&["digest"], "`md5(x)`, `sha256(x)`, `sha512(x)` or `blake3(x)`"),
    same(&["to_base64", "base64", "base64_encode_tostring"], "base64_encode", "`base64_encode(x)`"),
    same(&["from_base64", "unbase64", "base64_decode_tostring"], "base64_decode", "`base64_decode(x)`"),
    other(&["encode"], "`base64_encode(x)`, `hex_encode(x)`, `url_encode(x)` or `bytes(x)`"),
    other(&["decode"], "`base64_decode(x)`, `hex_decode(x)`, `url_decode(x)` or `text(x)`"),
    other(
        &["parse_url", "url_extract", "parse_urlquery"],
        "`url_host(url)`, `url_path(url)`, `url_parameter(url, name)` and the others of `%help urls`",
    ),
    same(&["url_extract_host", "domain", "netloc"], "url_host", "`url_host(url)`"),
    same(&["urlencode", "url_component_encode", "percent_encode"], "url_encode", "`url_encode(x)`"),
    same(&["urldecode", "percent_decode"], "url_decode", "`url_decode(x)`"),
    // Choice and casts.
    same(&["ifnull", "nvl", "isnull", "fillna", "zeroifnull"], "coalesce", "`x ?? y`, or `coalesce(x, y)`"),
    same(&["iff", "iif", "ifelse", "if_else", "nvl2"], "if", "`if(condition, then, otherwise)`"),
    other(&["when", "switch", "choose", "decode_case"], "`case { condition => value, else => value }`"),
    other(&["is_null", "isna", "isempty", "is_empty"], "`x is null`"),
    other(&["isnotnull", "is_not_null", "notna", "isnotempty"], "`x is not null`"),
    same(&["try_cast", "safe_cast", "iferror", "if_error"], "try", "`try(int(x))`, or `try(int(x), default)`"),
    other(
        &["cast", "convert", "astype"],
        "a cast is the type's name as a function: `int(x)`, `text(x)`, `timestamp(x)`",
    ),
    other(&["to_int", "toint", "tolong", "integer", "bigint", "to_number", "parse_int"], "`int(x)`"),
    other(&["to_float", "tofloat", "todouble", "toreal", "double", "real", "to_double", "parse_float"], "`float(x)`"),
    other(&["to_decimal", "todecimal", "numeric"], "`decimal(x, 10, 2)`"),
    other(&["to_bool", "tobool", "boolean", "to_boolean"], "`bool(x)`"),
    other(&["datetime"], "`timestamp(x)`, or a literal: `@2026-11-22T10:00:00Z`"),
    // Aggregates.
    other(&["mean", "average"], "the aggregate is `avg(e)`, in `summarize`"),
    other(&["std", "stdev", "stddev_samp", "std_dev"], "the aggregate is `stddev(e)`, in `summarize`"),
    other(&["var", "var_samp", "var_sample"], "the aggregate is `variance(e)`, in `summarize`"),
    other(
        &["nunique", "dcount", "n_unique", "countdistinct", "uniq"],
        "the aggregate is `count_distinct(e)`, in `summarize`",
    ),
    other(
        &["countif", "count_if", "sumif", "sum_if", "avg_if"],
        "an aggregate takes a filter: `count() filter (where condition)`",
    ),
    other(
        &["percentile", "percentile_cont", "approx_percentile", "approx_quantile"],
        "the aggregate is `quantile(e, 0.9)`, in `summarize`",
    ),
    other(&["any_value", "take_any"], "the aggregate is `first(e by at)`, in `summarize`"),
    other(&["first_value"], "the aggregate is `first(e by at)`; of a window it is `first(e) over (sort at)`"),
    other(&["last_value"], "the aggregate is `last(e by at)`; of a window it is `last(e) over (sort at)`"),
    // Window functions.
    other(&["rownumber", "row_num", "row_rank", "rowno"], "`row_number() over (by k sort at)`"),
    other(&["prev", "previous", "shift"], "`lag(e) over (by k sort at)`"),
    other(&["next", "following"], "`lead(e) over (by k sort at)`"),
    other(&["denserank", "row_rank_dense"], "`dense_rank() over (by k sort at)`"),
    other(&["cumsum", "row_cumsum", "running_sum"], "`sum(e) over (by k sort at)`"),
    other(&["moving_avg", "rolling_mean", "rolling"], "`avg(e) over (by k sort at last 5 rows)`"),
    other(&["argmax", "max_by", "arg_max_by"], "the aggregate is `arg_max(e, by)`, in `summarize`"),
    other(&["argmin", "min_by", "arg_min_by"], "the aggregate is `arg_min(e, by)`, in `summarize`"),
    other(&["bool_and", "every", "logical_and"], "the aggregate is `all(e)`, in `summarize`"),
    other(&["bool_or", "some", "logical_or"], "the aggregate is `any(e)`, in `summarize`"),
];

#[cfg(test)]
mod tests {
    use super::super::{function, names};
    use super::*;

    #[test]
    fn every_foreign_name_stands_once_and_is_not_ours() {
        let mut seen = std::collections::HashSet::new();
        for entry in FOREIGN {
            for name in entry.names {
                assert!(seen.insert(*name), "{name} stands twice");
                assert!(names().all(|ours| ours != *name), "{name} is a function of ours");
                assert_eq!(*name, name.to_lowercase());
            }
            assert!(entry.ours.is_none_or(|ours| function(ours).is_some()), "{:?} names nothing", entry.ours);
        }
        assert_eq!(foreign("SUBSTR").map(|entry| entry.ours), Some(None));
        assert_eq!(foreign("zzyzx"), None);
    }
}
