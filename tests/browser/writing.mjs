// Writing a notebook as a person does: completion, inspection, faults, interrupt and restart, two notebooks at once, in
// JupyterLab and in Notebook 7.
//
//     node tests/browser/writing.mjs        (`make test-browser` prepares what it needs)
//
// Environment: as lab.mjs.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { check, count, failures } from "./checks.mjs";
import { startJupyter } from "./jupyter.mjs";
import { DEADLINE_MS, NotebookPage, PREFIX, SHOTS, openBrowser } from "./notebook_page.mjs";

const PENS = 'pens = rows [ {id: 1, name: "pen", price: 1.5}, {id: 2, name: "ink", price: 4.0} ]';
const WRONG = "pens | where nmae == 'pen' # 😀";
const FOREVER = "never = read demo.ticks(rate: 5) | where n < 0\nexpect never within 3600s is not empty";

/** A notebook of these cells. */
function notebookOf(...sources) {
  const cells = sources.map((source, i) => ({ cell_type: "code", id: `cell-${i}`, source, metadata: {}, outputs: [], execution_count: null }));
  const kernelspec = { name: "tide", display_name: "Tide (Tidebook)", language: "tide" };
  return JSON.stringify({ cells, metadata: { kernelspec, language_info: { name: "tide" } }, nbformat: 4, nbformat_minor: 5 });
}

class Writing extends NotebookPage {
  /** The code cell in place `index`, from 0. */
  at(index) {
    return this.page.locator(".jp-Notebook .jp-CodeCell").nth(index);
  }

  /** Replaces the text of a cell, leaving the cursor at its end. */
  async write(index, text) {
    await this.at(index).locator(".cm-content").click();
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.press("Delete");
    await this.page.keyboard.insertText(text);
  }

  /** Runs a cell and waits until it has its number. */
  async run(index) {
    await this.at(index).locator(".cm-content").click();
    await this.page.keyboard.press("Control+Enter");
    await this.numbered(index);
  }

  async numbered(index) {
    await this.at(index).locator(".jp-InputPrompt").getByText(/\[\d+\]/).waitFor({ timeout: DEADLINE_MS });
  }

  output(index) {
    return this.at(index).locator(".jp-OutputArea-output");
  }

  fault(index) {
    return this.at(index).locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]');
  }

  async isReady() {
    await this.page.waitForSelector(".jp-Notebook .jp-CodeCell", { timeout: DEADLINE_MS });
    await this.page.waitForFunction(
      () => document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status === "idle", undefined, { timeout: DEADLINE_MS });
  }
}

/** What a person meets while writing; alike in every front end. */
async function story(notebook, where) {
  const { page } = notebook;
  await check(`${where}: a cell runs`, async () => {
    await notebook.isReady();
    await notebook.run(0);
    assert.match(await notebook.output(0).first().innerText(), /pens \{id: int, name: text, price: float\}/);
  });

  await check(`${where}: completion offers what fits, with types`, async () => {
    await notebook.write(1, "pens | derive half: price / 2.0 | where ");
    await page.keyboard.press("Tab");
    const list = page.locator(".jp-Completer");
    await list.getByText("half").first().waitFor({ timeout: DEADLINE_MS });
    const rows = await list.locator(".jp-Completer-item").allInnerTexts();
    assert.ok(rows.slice(0, 4).every((row, i) => row.includes(["id", "name", "price", "half"][i])), rows.slice(0, 6).join(" | "));
    assert.ok(rows[0].includes("column"), rows[0]);
    await notebook.shot(`${where}-1-completion`);
    await page.keyboard.press("Escape");
    await notebook.write(1, "pens | summarize total: su");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => document.querySelectorAll(".cm-content")[1]?.textContent.includes("sum"), undefined, { timeout: DEADLINE_MS });
    await page.keyboard.press("Escape");
  });

  await check(`${where}: documentation stands beside the completion`, async () => {
    await notebook.write(1, "pens | s");
    await page.keyboard.press("Tab");
    const list = page.locator(".jp-Completer");
    await list.getByText("select").first().waitFor({ timeout: DEADLINE_MS });
    await list.locator(".jp-Completer-docpanel").getByText(/select column/).first().waitFor({ timeout: DEADLINE_MS });
    await notebook.shot(`${where}-2-documentation`);
    await page.keyboard.press("Escape");
  });

  await check(`${where}: inspection tells what a word is`, async () => {
    await notebook.write(1, "pens | summarize total: sum(price)");
    for (let i = 0; i < "m(price)".length; i += 1) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Shift+Tab");
    const tooltip = page.locator(".jp-Tooltip");
    await tooltip.getByText(/sum\(e: int\)/).first().waitFor({ timeout: DEADLINE_MS });
    await notebook.shot(`${where}-3-inspection`);
    await page.keyboard.press("Escape");
  });

  await check(`${where}: a fault is coloured, and its place is underlined`, async () => {
    await notebook.write(1, WRONG);
    await notebook.run(1);
    const fault = notebook.fault(1);
    await fault.waitFor({ timeout: DEADLINE_MS });
    const text = await fault.innerText();
    assert.match(text, /unknown column `nmae`/);
    assert.match(text, /did you mean `name`\?/);
    const lines = text.split("\n");
    const source = lines.findIndex((line) => line.includes("| pens |"));
    assert.equal(lines[source + 1].indexOf("^"), lines[source].indexOf("nmae"), text);
    assert.ok((await fault.locator('[class*="ansi-red"]').count()) > 0, "the code is red");
    await notebook.shotOf(WRONG.slice(0, 12), `${where}-4-fault`);
  });

  await check(`${where}: help opens in the pager`, async () => {
    await notebook.write(1, "%help summarize");
    await notebook.run(1);
    await page.getByText(/summarize name: aggregate/).first().waitFor({ timeout: DEADLINE_MS });
    await notebook.shot(`${where}-5-help`);
  });

  await check(`${where}: an interrupt from the menu ends the cell, and the next one runs`, async () => {
    await notebook.write(1, FOREVER);
    await notebook.at(1).locator(".cm-content").click();
    await page.keyboard.press("Control+Enter");
    await notebook.at(1).locator(".jp-InputPrompt").getByText("[*]").waitFor({ timeout: DEADLINE_MS });
    await notebook.output(1).getByText(/expect never/).first().waitFor({ timeout: DEADLINE_MS });
    await notebook.menu("Kernel", "Interrupt Kernel");
    await notebook.fault(1).getByText(/interrupted/).first().waitFor({ timeout: DEADLINE_MS });
    await notebook.shot(`${where}-6-interrupted`);
    await notebook.write(1, "%stats");
    await notebook.run(1);
    assert.equal(await notebook.fault(1).count(), 0);
    await notebook.shotOf("%stats", `${where}-7-stats`);
  });

  await check(`${where}: a restart from the menu forgets, counts from one, and leaves the notebook usable`, async () => {
    await notebook.menu("Kernel", "Restart Kernel…");
    await page.locator(".jp-Dialog").getByRole("button", { name: "Restart", exact: false }).last().click();
    await notebook.isReady();
    await notebook.write(1, "pens");
    await notebook.run(1);
    await notebook.fault(1).getByText(/pens/).first().waitFor({ timeout: DEADLINE_MS });
    await notebook.run(0);
    await notebook.run(1);
    const rows = await notebook.tableWhen("pens", "2 rows", (found) => found.length === 2);
    assert.deepEqual(rows[0], ["1", "pen", "1.5"]);
    assert.equal(await notebook.at(1).locator(".jp-InputPrompt").first().innerText(), "[3]:");
  });
}

const work = await mkdtemp(join(tmpdir(), "tidebook-browser-"));
let jupyter, browser;
try {
  await mkdir(SHOTS, { recursive: true });
  const folder = join(work, "notebooks");
  await mkdir(folder);
  for (const name of ["lab", "classic"]) await writeFile(join(folder, `${name}.ipynb`), notebookOf(PENS, ""));
  await writeFile(join(folder, "second.ipynb"), notebookOf("pens", "%eval 6 * 7"));
  const completer = { "@jupyterlab/completer-extension": { manager: { showDocumentationPanel: true } } };
  jupyter = await startJupyter(join(PREFIX, "bin", "jupyter"), folder, join(work, "home"), completer);
  browser = await openBrowser();
  const faults = [];
  const open = async (path) => {
    const page = await browser.newPage({ viewport: { width: 1300, height: 800 } });
    page.setDefaultTimeout(DEADLINE_MS);
    page.on("pageerror", (error) => faults.push(error));
    await page.goto(jupyter.url(path));
    return new Writing(page);
  };
  let notebook;
  try {
    notebook = await open("lab/tree/lab.ipynb?reset");
    await story(notebook, "lab");
    const first = notebook;
    await check("two notebooks at once have a kernel each", async () => {
      notebook = await open("lab/workspaces/second/tree/second.ipynb?reset");
      await notebook.isReady();
      await notebook.run(0);
      await notebook.fault(0).getByText(/pens/).first().waitFor({ timeout: DEADLINE_MS });
      await notebook.run(1);
      assert.match(await notebook.output(1).first().innerText(), /42/);
      await first.run(1);
      assert.equal(await first.fault(1).count(), 0, "the first still has its tables");
    });
    notebook = await open("notebooks/classic.ipynb");
    await story(notebook, "classic");
    await check("the pages themselves had no fault", async () => assert.deepEqual(faults, []));
  } catch (error) {
    await notebook?.shot("writing-failed");
    if (failures.length === 0) throw error;
    console.log(jupyter.log().split("\n").slice(-30).join("\n"));
  }
} catch (error) {
  failures.push("the test itself");
  console.log(error.stack);
} finally {
  await browser?.close();
  await jupyter?.stop();
  await rm(work, { recursive: true, force: true });
}
console.log(`browser, writing: ${count()} passed, ${failures.length} failed; screenshots in ${SHOTS}`);
process.exitCode = failures.length === 0 ? 0 : 1;
