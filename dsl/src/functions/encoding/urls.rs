//! Parts of URLs, by the rules of browsers (the WHATWG's URL standard).

use std::fmt::Write;

use arrow::array::{ArrayRef, Int64Array};
use datafusion_common::Result;
use url::{ParseError, Url, form_urlencoded};

use super::super::arguments::Arguments;
use super::super::cast::show::quoted;
use super::super::entry::{Function, Overload, fallible, total};
use super::super::group::Group;
use super::super::kernel::row_error;
use super::super::takes::{Gives, Simple, Takes};
use super::{TEXT, TO_TEXT};

const URL: &[(&str, Takes)] = &[("url", Takes::Value(Simple::Text))];
const TEXT_OR_NULL: Gives = Gives::Nullable(Simple::Text);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Urls, doc, examples, overloads }
}

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "url_scheme",
        "The scheme, in lower case.",
        &[("url_scheme(\"https://example.com/a\")", "https")],
        &[fallible(URL, TEXT_OR_NULL, |args| part(args, |url| url.whole().map(Url::scheme)))],
    ),
    entry(
        "url_host",
        "The host, in lower case; null without one.",
        &[("url_host(\"https://Example.com:8080/a\")", "example.com"), ("url_host(\"/a\")", "null")],
        &[fallible(URL, TEXT_OR_NULL, |args| part(args, |url| url.whole().and_then(Url::host_str)))],
    ),
    entry(
        "url_port",
        "The port, also where it is only implied by the scheme; null where there is none.",
        &[("url_port(\"https://example.com:8080/a\")", "8080"), ("url_port(\"https://example.com/a\")", "443")],
        &[fallible(URL, Gives::Nullable(Simple::Int), |args| {
            let texts = args.text(0)?;
            args.collect_nullable::<Int64Array, _>(|row| {
                Ok(read(texts.value(row))?.whole().and_then(Url::port_or_known_default).map(i64::from))
            })
        })],
    ),
    entry(
        "url_user",
        "The name of the user before the host; null without one.",
        &[("url_user(\"ftp://ann@example.com/\")", "ann")],
        &[fallible(URL, TEXT_OR_NULL, |args| {
            part(args, |url| url.whole().map(Url::username).filter(|user| !user.is_empty()))
        })],
    ),
    entry(
        "url_path",
        "The path, percent-encoded as it stands.",
        &[("url_path(\"https://example.com/a/b?c=1\")", "/a/b"), ("url_path(\"/a/b?c=1\")", "/a/b")],
        &[fallible(URL, TO_TEXT, |args| part(args, |url| Some(url.any().path())))],
    ),
    entry(
        "url_query",
        "The query, without its question mark; null without one.",
        &[("url_query(\"https://example.com/a?b=1&c=2\")", "b=1&c=2")],
        &[fallible(URL, TEXT_OR_NULL, |args| part(args, |url| url.any().query()))],
    ),
    entry(
        "url_fragment",
        "The fragment, without its hash sign; null without one.",
        &[("url_fragment(\"https://example.com/a#top\")", "top")],
        &[fallible(URL, TEXT_OR_NULL, |args| part(args, |url| url.any().fragment()))],
    ),
    entry(
        "url_parameter",
        "The value of a parameter of the query, decoded, the first if there are several; null without one.",
        &[("url_parameter(\"https://example.com/?q=a+b%21&n=2\", \"q\")", "a b!")],
        &[fallible(
            &[("url", Takes::Value(Simple::Text)), ("name", Takes::Value(Simple::Text))],
            TEXT_OR_NULL,
            parameter,
        )],
    ),
    entry(
        "url_encode",
        "The text with all but letters, digits and `-._~` percent-encoded.",
        &[("url_encode(\"a b&c\")", "a%20b%26c")],
        &[total(TEXT, TO_TEXT, encode)],
    ),
    entry(
        "url_decode",
        "The text with its percent-encoding taken away; what is then not UTF-8 is a row error. A `+` stays one.",
        &[("url_decode(\"a%20b%26c\")", "a b&c")],
        &[fallible(TEXT, TO_TEXT, decode)],
    ),
];

/// A URL, or what stands in one without scheme and host.
struct Read {
    url: Url,
    relative: bool,
}

impl Read {
    /// What has a path, a query and a fragment.
    fn any(&self) -> &Url {
        &self.url
    }

    /// The URL, if it is whole.
    fn whole(&self) -> Option<&Url> {
        (!self.relative).then_some(&self.url)
    }
}

fn read(text: &str) -> Result<Read> {
    let url = match Url::parse(text) {
        Ok(url) => Ok(Read { url, relative: false }),
        // The base lends scheme and host, which are then not asked for.
        Err(ParseError::RelativeUrlWithoutBase) => {
            let base = Url::parse("http://relative.invalid/");
            base.and_then(|base| base.join(text)).map(|url| Read { url, relative: true })
        }
        Err(error) => Err(error),
    };
    url.map_err(|error| row_error(format!("cannot read {} as a URL: {error}", quoted(text))))
}

fn part(args: &Arguments<'_>, f: impl for<'u> Fn(&'u Read) -> Option<&'u str>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.write_nullable(|row, out| {
        let url = read(texts.value(row))?;
        let part = f(&url);
        out.push_str(part.unwrap_or_default());
        Ok(part.is_some())
    })
}

fn parameter(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, names) = (args.text(0)?, args.text(1)?);
    args.write_nullable(|row, out| {
        let url = read(texts.value(row))?;
        let query = url.any().query().unwrap_or_default();
        let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == names.value(row));
        out.push_str(found.as_ref().map_or("", |(_, value)| value));
        Ok(found.is_some())
    })
}

fn encode(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.write(|row, out| {
        for byte in texts.value(row).bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
        Ok(())
    })
}

fn decode(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.write(|row, out| {
        let text = texts.value(row);
        let decoded = String::from_utf8(decoded(text.as_bytes()));
        let decoded = decoded.map_err(|_| row_error(format!("{} does not decode to UTF-8", quoted(text))))?;
        out.push_str(&decoded);
        Ok(())
    })
}

/// The bytes with `%41` as `A`; a percent sign without two digits stays one.
fn decoded(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
        match (bytes[at], pair) {
            (b'%', (Some(high), Some(low))) => {
                out.extend(u8::try_from(high * 16 + low));
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}
