//! Which of the possible words are offered for what has been typed, and in which order.

use tidebook_plan::diagnostic::near_names;

use super::Item;

/// What has to be typed before words are offered that do not begin with it.
const INNER_CHARS: usize = 2;
const NEAR_CHARS: usize = 3;

/// The items that `typed` could become: those that begin with it; if none does, those of which a part does (`delay` for
/// `arr_delay`); if none does, those that are only a slip away. An item that has the same case comes before one that has
/// not; else the order stays.
pub(super) fn ranked(items: Vec<Item>, typed: &str) -> Vec<Item> {
    let typed = typed.trim_start_matches(['`', '%']);
    if typed.is_empty() {
        return items;
    }
    let lower = typed.to_lowercase();
    let begins = |item: &Item| bare(item).to_lowercase().starts_with(&lower);
    let mut found: Vec<Item> = items.iter().filter(|item| begins(item)).cloned().collect();
    if found.is_empty() && typed.chars().count() >= INNER_CHARS {
        let part_begins =
            |item: &&Item| bare(item).to_lowercase().split(['_', '.', ' ']).any(|part| part.starts_with(&lower));
        found = items.iter().filter(part_begins).cloned().collect();
    }
    if found.is_empty() && typed.chars().count() >= NEAR_CHARS {
        let near = near_names(typed, items.iter().map(bare));
        found = near.iter().filter_map(|name| items.iter().find(|item| bare(item) == *name)).cloned().collect();
    }
    // The sort is stable.
    found.sort_by_key(|item| !bare(item).starts_with(typed));
    found
}

/// The label without what the language writes around a name.
fn bare(item: &Item) -> &str {
    item.label.trim_matches(['`', '%']).trim_end_matches(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assist::ItemKind;

    fn labels(typed: &str) -> Vec<String> {
        let labels = ["arr_delay", "dep_delay", "Carrier", "carry", "`unit price`", "%explain"];
        let item = |label: &&str| Item {
            label: label.to_string(),
            kind: ItemKind::Column,
            detail: String::new(),
            doc: String::new(),
        };
        ranked(labels.iter().map(item).collect(), typed).into_iter().map(|item| item.label).collect()
    }

    #[test]
    fn beginnings_come_before_parts_and_parts_before_slips() {
        assert_eq!(labels("").len(), 6);
        assert_eq!(labels("arr"), ["arr_delay"]);
        assert_eq!(labels("car"), ["carry", "Carrier"], "the same case first");
        assert_eq!(labels("Car"), ["Carrier", "carry"]);
        assert_eq!(labels("del"), ["arr_delay", "dep_delay"]);
        assert_eq!(labels("`uni"), ["`unit price`"]);
        assert_eq!(labels("pri"), ["`unit price`"]);
        assert_eq!(labels("expl"), ["%explain"]);
        assert_eq!(labels("crary"), ["carry"], "a slip");
        assert!(labels("d").is_empty() || labels("d") == ["dep_delay"]);
        assert!(labels("zzz").is_empty());
    }
}
