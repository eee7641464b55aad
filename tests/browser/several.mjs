// Several pages and notebooks at once: each with its own kernel, one seen twice, a page that is loaded again.

import assert from "node:assert/strict";
import { join } from "node:path";

import { check, writeNotebook } from "./checks.mjs";
import { number, sum } from "./page.mjs";

const LIVE = "ticks | summarize n: count()";

/** Two notebooks side by side in JupyterLab. */
export async function sideBySide({ open, folder, ask }) {
  const place = await folder("pair");
  const cells = (name) => [`which = rows [ {name: "${name}"} ]`, `which | derive left: "${name}"`, `ticks = read demo.ticks(rate: 20)\nticks | summarize n: count() by ${name}: 1`];
  await writeNotebook(join(place, "one.ipynb"), ...cells("one"));
  await writeNotebook(join(place, "two.ipynb"), ...cells("two"));
  const notebook = await open("lab/tree/pair/one.ipynb?reset");
  const { page } = notebook;
  const both = ["one", "two"];

  await check("two notebooks side by side have a kernel each", async () => {
    await notebook.opened();
    const options = { path: "pair/two.ipynb", options: { mode: "split-right" } };
    await page.evaluate((options) => window.jupyterapp.commands.execute("docmanager:open", options), options);
    await notebook.cell('derive left: "two"').waitFor();
    await notebook.opened("pair/two.ipynb");
    for (const name of both) {
      await notebook.cell(`derive left: "${name}"`).locator(".cm-content").click();
      await notebook.menu("Run", "Run All Cells");
    }
    await notebook.allFinished();
    assert.deepEqual(await notebook.complaints(), []);
    for (const name of both) assert.deepEqual(await notebook.table(`derive left: "${name}"`), [[name, name]]);
    const kernels = (await ask("api/sessions")).filter((session) => session.path.startsWith("pair/")).map((session) => session.kernel.id);
    assert.equal(new Set(kernels).size, 2);
    await notebook.shot("two-notebooks");
  });

  await check("both follow their tables", async () => {
    for (const name of both) {
      const text = `by ${name}: 1`;
      const before = sum(await notebook.table(text), 1);
      await notebook.tableWhen(text, "more ticks", (rows) => sum(rows, 1) > before + 20);
    }
  });

  await check("a kernel that is shut down leaves the other alone", async () => {
    await notebook.cell('derive left: "one"').locator(".cm-content").click();
    await notebook.menu("Kernel", "Shut Down Kernel");
    const open = async () => (await ask("api/sessions")).map((session) => session.path);
    await notebook.until("the end of the first", open, (paths) => !paths.includes("pair/one.ipynb") && paths.includes("pair/two.ipynb"));
    const before = sum(await notebook.table("by two: 1"), 1);
    await notebook.tableWhen("by two: 1", "more ticks", (rows) => sum(rows, 1) > before + 20);
  });
}

/** A notebook that is seen twice, and one whose page is loaded again. */
export async function again({ open, folder }) {
  await writeNotebook(join(await folder("again"), "again.ipynb"), "ticks = read demo.ticks(rate: 50)", LIVE);
  const notebook = await open("lab/tree/again/again.ipynb?reset");
  const { page } = notebook;
  const moves = async (seen) => {
    const before = number((await seen.tableWhen(LIVE, "a count", (rows) => rows.length === 1))[0][0]);
    await seen.tableWhen(LIVE, "more ticks", (rows) => rows.length === 1 && number(rows[0][0]) > before + 50);
  };

  await check("a second view of a notebook moves as the first does", async () => {
    await notebook.opened();
    await notebook.menu("Run", "Run All Cells");
    await notebook.allFinished();
    await moves(notebook);
    await notebook.menu("File", "New View for Notebook");
    await notebook.until("two views", () => page.locator(".jp-NotebookPanel").count(), (count) => count === 2);
    const views = page.locator(".jp-NotebookPanel");
    const counts = () => views.locator("tbody td").allInnerTexts();
    const before = await notebook.until("two tables", counts, (texts) => texts.length === 2);
    await notebook.until("both to move", counts, (texts) => texts.length === 2 && texts.every((text, at) => number(text) > number(before[at]) + 50));
    await notebook.shot("two-views");
  });

  await check("after a reload of the page the table shows what was saved", async () => {
    await notebook.save();
    await page.goto("about:blank");
    await page.goto(notebook.url);
    await notebook.opened();
    const rows = await notebook.tableWhen(LIVE, "what was saved", (rows) => rows.length === 1);
    assert.ok(number(rows[0][0]) > 0);
    await notebook.shotOf(LIVE, "reloaded");
  });

  await check("the kernel has gone on meanwhile: the cell, run again, moves from where the stream is now", async () => {
    const saved = number((await notebook.table(LIVE))[0][0]);
    await notebook.runCell(LIVE);
    await notebook.tableWhen(LIVE, "all ticks since", (rows) => rows.length === 1 && number(rows[0][0]) > saved);
    await moves(notebook);
    assert.deepEqual(await notebook.complaints(), []);
  });

  await check("a second page on the same notebook runs in the same kernel", async () => {
    const other = await open("lab/tree/again/again.ipynb", { beside: true });
    await other.opened();
    await other.runCell(LIVE);
    await moves(other);
    assert.deepEqual(await other.complaints(), []);
    await other.page.close();
  });
}
