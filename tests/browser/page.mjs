// A notebook on a page of JupyterLab or Notebook, as a person sees and uses it.

import assert from "node:assert/strict";
import { join } from "node:path";

/** How long a person would wait for anything. */
export const DEADLINE_MS = Number(process.env.DEADLINE_MS || 120_000);

/** How often a page that does not change is looked at. */
const LOOK_MS = 250;

/** What a page shows of its notebooks. */
export class NotebookPage {
  /** `path` is the notebook's among the server's files, `ask` asks the server, `shots` is the folder for screenshots. */
  constructor(page, { path, ask, shots }) {
    Object.assign(this, { page, path, ask, shots });
  }

  /** The code cell whose text contains `text`, a part of one line. */
  cell(text) {
    return this.page.locator(".jp-CodeCell").filter({ has: this.page.locator(".cm-content", { hasText: text }) }).first();
  }

  /** Waits until a notebook is there and its page is connected to its kernel: what is run before that, the page throws away. */
  async opened(path = this.path) {
    await this.page.waitForSelector(".jp-Notebook .jp-CodeCell", { timeout: DEADLINE_MS });
    const kernels = async () => (await this.ask("api/sessions")).filter((session) => session.path === path).map((session) => session.kernel);
    const connected = (kernel) => kernel.connections > 0 && kernel.execution_state === "idle";
    await this.until(`a kernel for ${path}`, kernels, (kernels) => kernels.length === 1 && kernels.every(connected));
  }

  /** Waits until `holds` is true of what `look` gives, and gives that. It looks again whenever the page has changed. */
  async until(what, look, holds) {
    const end = Date.now() + DEADLINE_MS;
    let seen;
    while (Date.now() < end) {
      seen = await look();
      if (holds(seen)) return seen;
      await this.page.evaluate((most) => new Promise((resolve) => {
        const observer = new MutationObserver(() => (observer.disconnect(), resolve()));
        observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
        // What changed between the look and the observer is seen a little later.
        setTimeout(() => (observer.disconnect(), resolve()), most);
      }), LOOK_MS);
    }
    assert.fail(`${what} never came; seen last:\n${typeof seen === "string" ? seen : JSON.stringify(seen, null, 1)}`);
  }

  /** The table below a cell: the text of each row's cells; nothing where there is none. */
  async table(text) {
    const tables = this.cell(text).locator(".jp-OutputArea-output table");
    if ((await tables.count()) === 0) return null;
    return tables.last().evaluate((table) =>
      [...table.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
  }

  /** Waits until the table below that cell is as asked, and gives it. */
  tableWhen(text, what, holds) {
    return this.until(`a table with ${what} below \`${text}\``, () => this.table(text), (rows) => rows !== null && holds(rows));
  }

  /** All text below a cell. */
  async output(text) {
    return (await this.cell(text).locator(".jp-OutputArea-output").allInnerTexts()).join("\n");
  }

  /** Waits until the text below a cell is as asked. */
  outputWhen(text, what, holds) {
    return this.until(`${what} below \`${text}\``, () => this.output(text), holds);
  }

  /** What stands before a cell: `[3]:`, `[*]:` while it runs or waits, `[ ]:` before it ran. */
  async prompt(text) {
    return (await this.cell(text).locator(".jp-InputPrompt").innerText()).trim();
  }

  /** Waits until the prompt of a cell is as asked. */
  promptWhen(text, prompt) {
    return this.until(`the prompt ${prompt} of \`${text}\``, () => this.prompt(text), (shown) => shown === prompt);
  }

  /** Opens a menu of the menu bar and follows it, level by level. */
  async menu(bar, ...items) {
    await this.page.getByRole("menuitem", { name: bar, exact: true }).click();
    for (const item of items) await this.page.locator(".lm-Menu-itemLabel").getByText(item, { exact: true }).last().click();
  }

  /** Puts the cursor behind the last character of a line. */
  async edit(text, line = text) {
    await this.cell(text).locator(".cm-line", { hasText: line }).first().click();
    await this.page.keyboard.press("End");
  }

  /** Runs one cell as it stands. */
  async runCell(text) {
    await this.edit(text);
    await this.page.keyboard.press("Control+Enter");
  }

  async shot(name) {
    await this.page.screenshot({ path: join(this.shots, `${name}.png`) });
  }

  async shotOf(text, name) {
    const cell = this.cell(text);
    await cell.scrollIntoViewIfNeeded();
    await cell.screenshot({ path: join(this.shots, `${name}.png`) });
  }

  /** Waits until every code cell has its number. */
  allFinished() {
    const prompts = () => this.page.locator(".jp-CodeCell .jp-InputPrompt").allInnerTexts();
    return this.until("an end of all cells", prompts, (texts) => texts.length > 0 && texts.every((text) => /\[\d+\]/.test(text)));
  }

  /** Chooses a theme by its name in the menu. */
  async theme(name) {
    await this.menu("Settings", "Theme", name);
    const light = String(!name.includes("Dark"));
    await this.page.waitForFunction((light) => document.body.dataset.jpThemeLight === light, light, { timeout: DEADLINE_MS });
  }

  /** Saves, and waits until that is done. */
  async save() {
    const saved = this.page.waitForResponse((response) => response.request().method() === "PUT" && response.url().includes("/api/contents/"));
    await this.page.keyboard.press("Control+s");
    assert.ok((await saved).ok(), "the notebook was saved");
  }

  /** Errors and warnings; JupyterLab draws both in the same way. */
  complaints() {
    return this.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]').allInnerTexts();
  }
}

/** A number as a table shows it. */
export const number = (text) => Number(text.replaceAll("\u2212", "-").replaceAll(/[,\u202f\u2009\s]/g, ""));

/** The sum of a column of a table. */
export const sum = (rows, place) => rows.reduce((total, row) => total + number(row[place]), 0);
