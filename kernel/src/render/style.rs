//! The style of a table.
//!
//! Colours come from JupyterLab's variables where they are defined, else from the text colour of the page around, so
//! that light and dark pages both get it right. Every selector begins with the fragment's own class.

/// The rules, without the element around them.
pub const CSS: &str = "\
.tidebook-table{\
--tb-muted:var(--jp-ui-font-color2,color-mix(in srgb,currentColor 62%,transparent));\
--tb-line:color-mix(in srgb,currentColor 16%,transparent);\
--tb-rule:color-mix(in srgb,currentColor 32%,transparent);\
--tb-warn:var(--jp-warn-color0,color-mix(in srgb,#d2610c 82%,currentColor));\
--tb-fault:var(--jp-error-color1,color-mix(in srgb,#d32f2f 82%,currentColor));\
--tb-good:var(--jp-success-color0,color-mix(in srgb,#2e8540 72%,currentColor));\
--tb-live:var(--jp-brand-color1,color-mix(in srgb,#1976d2 72%,currentColor));\
color:var(--jp-ui-font-color1,inherit);\
font-family:var(--jp-ui-font-family,system-ui,sans-serif);\
font-size:var(--jp-ui-font-size1,13px);line-height:1.4;max-width:100%;padding:2px 4px}\
.tidebook-table .tb-head{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 1em;margin:2px 0 4px}\
.tidebook-table .tb-name{font-weight:600}\
.tidebook-table .tb-note{color:var(--tb-muted)}\
.tidebook-table .tb-errors{color:var(--tb-warn);font-weight:600}\
.tidebook-table .tb-good{color:var(--tb-good)}\
.tidebook-table .tb-bad{color:var(--tb-fault);font-weight:600}\
.tidebook-table .tb-loading{color:var(--tb-live)}\
.tidebook-table .tb-failure{border-left:3px solid var(--tb-fault);padding:3px 8px;margin:0 0 6px;\
background:color-mix(in srgb,var(--tb-fault) 10%,transparent);white-space:pre-wrap}\
.tidebook-table .tb-scroll{overflow-x:auto;max-width:100%}\
.tidebook-table table.tb{border-collapse:collapse;border:0;margin:0;table-layout:auto;width:auto;\
font-size:inherit;color:inherit}\
.tidebook-table .tb th,.tidebook-table .tb td{border:0;padding:3px 14px 3px 0;text-align:left;vertical-align:top;\
white-space:pre;max-width:48em;overflow:hidden;text-overflow:ellipsis;background:none;color:inherit}\
.tidebook-table .tb th+th,.tidebook-table .tb td+td{padding-left:14px}\
.tidebook-table .tb thead tr{border:0;border-bottom:1px solid var(--tb-rule);background:none}\
.tidebook-table .tb thead th{font-weight:600;vertical-align:bottom}\
.tidebook-table .tb thead small{display:block;font-weight:400;font-size:85%;color:var(--tb-muted)}\
.tidebook-table .tb tbody tr{border:0;border-bottom:1px solid var(--tb-line);background:none}\
.tidebook-table .tb tbody tr:hover{background:color-mix(in srgb,currentColor 6%,transparent)}\
.tidebook-table .tb td{font-variant-numeric:tabular-nums}\
.tidebook-table .tb .tb-n{text-align:right}\
.tidebook-table .tb .tb-null{color:var(--tb-muted);font-style:italic}";
