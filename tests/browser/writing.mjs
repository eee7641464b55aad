// Help while one writes: completion with kinds and documentation, and Shift+Tab.

import assert from "node:assert/strict";
import { join } from "node:path";

import { check, writeNotebook } from "./checks.mjs";

/** Backticks, stars, sharps and rules of Markdown, where a page shows text as it is. */
const MARKUP = /`|\*\*\w|^#+ |^\|/m;

const PENS = "pens = rows";
const STEP = "pens | s";
const FUNCTION = "pens | summarize total: s";
const SOURCE = "t = read csv";

/** Completion and inspection in JupyterLab. */
export async function writing({ open, folder }) {
  const cells = ['pens = rows [ {id: 1, name: "pen"}, {id: 2, name: "ink"} ]', "pens | s", "pens | summarize total: s", 't = read csv("a.csv", header: true)', "pens | where na"];
  await writeNotebook(join(await folder("writing"), "writing.ipynb"), ...cells);
  const notebook = await open("lab/tree/writing/writing.ipynb?reset");
  const { page } = notebook;
  const completer = page.locator(".jp-Completer:not(.lm-mod-hidden)");
  const offered = () => completer.locator(".jp-Completer-item").evaluateAll((items) =>
    items.map((item) => [item.querySelector(".jp-Completer-match").innerText, item.querySelector(".jp-Completer-typeExtended")?.innerText ?? ""]));
  const documentation = () => completer.locator(".jp-Completer-docpanel").evaluateAll((panels) => panels.map((panel) => panel.innerText).join(""));
  const tooltip = page.locator(".jp-Tooltip .jp-Tooltip-content");

  const completeAt = async (text) => {
    await notebook.edit(text);
    await page.keyboard.press("Tab");
    await completer.waitFor();
    return offered();
  };

  await check("completion offers steps, with their kind", async () => {
    await notebook.opened();
    await notebook.runCell(PENS);
    await notebook.promptWhen(PENS, "[1]:");
    const items = await completeAt(STEP);
    for (const step of ["select", "semi join", "sort", "summarize"]) assert.deepEqual(items.find(([name]) => name === step), [step, "step"]);
  });

  await check("completion documents the step that is chosen, as text that reads well", async () => {
    const chosen = () => completer.locator(".jp-Completer-item.jp-mod-active .jp-Completer-match").innerText();
    const choose = async (label) => {
      for (let step = 0; (await chosen()) !== label; step += 1) {
        assert.ok(step < 50, `${label} is among what is offered`);
        await page.keyboard.press("ArrowDown");
      }
    };
    await choose("select");
    const text = await notebook.until("documentation of select", documentation, (text) => text.startsWith("select "));
    assert.doesNotMatch(text, MARKUP);
    await notebook.shot("completion-step");
    await choose("sort");
    await notebook.until("documentation of sort", documentation, (text) => text.startsWith("sort "));
    await page.keyboard.press("Enter");
    await completer.waitFor({ state: "hidden" });
    await notebook.cell("pens | sort").waitFor();
  });

  await check("completion offers functions, with their form", async () => {
    const items = await completeAt(FUNCTION);
    assert.deepEqual(items.find(([name]) => name === "sum"), ["sum", "function"]);
    const text = await notebook.until("documentation of the first", documentation, (text) => text.includes("->"));
    assert.doesNotMatch(text, MARKUP);
    await notebook.shot("completion-function");
    await page.keyboard.press("Escape");
    await completer.waitFor({ state: "hidden" });
  });

  await check("completion knows the columns, and puts one in the place of what was typed", async () => {
    assert.deepEqual(await completeAt("pens | where na"), [["name", "column"]]);
    await page.keyboard.press("Enter");
    await notebook.cell("pens | where name").waitFor();
  });

  await check("Shift+Tab tells what a connector takes", async () => {
    await notebook.edit(SOURCE);
    await page.keyboard.press("Home");
    for (let at = 0; at < "t = read cs".length; at += 1) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Shift+Tab");
    await tooltip.waitFor();
    const text = await tooltip.innerText();
    for (const part of ["read csv(", "header", "delimiter"]) assert.ok(text.includes(part), `${part} in:\n${text}`);
    assert.doesNotMatch(text, MARKUP);
    await notebook.shot("inspection");
    await page.keyboard.press("Escape");
    await tooltip.waitFor({ state: "detached" });
  });
}
