//! `%help`: the pages of the reference, in the front end's pager.

use tidebook_dsl::Environment;
use tidebook_dsl::reference::Reference;

use crate::markdown;
use crate::output::Markup;
use crate::session::Session;

/// The page on `topic`; the list of topics for an empty one.
///
/// # Errors
/// Where there is none: what to ask for instead, as a sentence.
pub(crate) fn topic(session: &Session, topic: &str) -> Result<Markup, String> {
    let reference = Reference::new(session.world.connectors());
    let text = reference.topic(topic).ok_or_else(|| reference.suggestion(topic))?;
    Ok(Markup { html: markdown::to_html(&text), text })
}
