//! D08xx: event time.

use super::Explanation;

/// Something that closes by a watermark, of a column that has none.
pub static NOT_MARKED: Explanation = Explanation {
    code: "D0801",
    title: "a column without a watermark",
    text: "`emit final` and `keep` close a window when the watermark has passed its end. So the column that the window is \
           computed from is marked with `watermark` in a step before. The mark stays with the column through every step that \
           hands it on as it is, and through unions in which each side is marked; a computed column has none.",
    wrong: "t = rows [ {at: @2026-01-01T00:00:01Z} ]\n\
            u = t | derive w: {start: at, end: at} | summarize n: count() by w emit final",
    right: "t = rows [ {at: @2026-01-01T00:00:01Z} ] | watermark at delay 10s\n\
            u = t | derive w: {start: at, end: at} | summarize n: count() by w emit final",
};

/// Something that closes, without a key that has an end.
pub static NO_WINDOW: Explanation = Explanation {
    code: "D0802",
    title: "no window among the keys",
    text: "`emit final` and `keep` go by the end of a window, a key of type `{start: timestamp, end: timestamp}`, or by a \
           timestamp with a watermark that is a key as it is.",
    wrong: "t = rows [ {k: 1, at: @2026-01-01T00:00:01Z} ] | watermark at delay 10s\n\
            u = t | summarize n: count() by k emit final",
    right: "t = rows [ {k: 1, at: @2026-01-01T00:00:01Z} ] | watermark at delay 10s\n\
            u = t | summarize n: count() by k, at emit final",
};

/// `late` without `emit final`.
pub static LATE_ALONE: Explanation = Explanation {
    code: "D0803",
    title: "`late` without `emit final`",
    text: "`late` says how long a window that is shown once waits for late rows. A window that is shown as it grows takes \
           late rows until `keep` is over, or for ever.",
    wrong: "t = rows [ {at: @2026-01-01T00:00:01Z} ] | watermark at delay 10s\n\
            u = t | summarize n: count() by at late 30s",
    right: "t = rows [ {at: @2026-01-01T00:00:01Z} ] | watermark at delay 10s\n\
            u = t | summarize n: count() by at emit final late 30s",
};

/// A length of time of nothing.
pub static NO_DISTANCE: Explanation = Explanation {
    code: "D0804",
    title: "no time at all",
    text: "`emit every d` and `idle d` take a duration that is longer than nothing.",
    wrong: "t = rows [ {k: 1} ] | summarize n: count() by k emit every 0s",
    right: "t = rows [ {k: 1} ] | summarize n: count() by k emit every 1s",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[&NOT_MARKED, &NO_WINDOW, &LATE_ALONE, &NO_DISTANCE];
