// What a page shows of a notebook, and how a person uses it: what the stories share.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = resolve(HERE, "../..");
export const PREFIX = process.env.PREFIX || join(ROOT, ".venv");
export const SHOTS = process.env.SHOTS || join(HERE, "shots");
export const DEADLINE_MS = Number(process.env.DEADLINE_MS || 120_000);
const BROWSER_FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

function browserPath() {
  const usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = [process.env.CHROMIUM, ...usual].find((path) => path && existsSync(path));
  if (!found) throw new Error("no Chromium found: name one in CHROMIUM");
  return found;
}

/** Starts the browser. */
export function openBrowser() {
  return chromium.launch({ executablePath: browserPath(), args: BROWSER_FLAGS });
}

/** What a page shows of the notebook. */
export class NotebookPage {
  constructor(page) {
    this.page = page;
  }

  /** The code cell whose text contains `text`. */
  cell(text) {
    return this.page.locator(".jp-CodeCell").filter({ has: this.page.locator(".cm-content", { hasText: text }) }).first();
  }

  /** The table below that cell: the text of each row's cells. */
  async table(text) {
    return this.cell(text).locator(".jp-OutputArea-output table").last().evaluate((table) =>
      [...table.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
  }

  /** Waits until the table below that cell is as asked, and gives it. */
  async tableWhen(text, what, holds) {
    const end = Date.now() + DEADLINE_MS;
    let rows = [];
    while (Date.now() < end) {
      const shown = (await this.cell(text).locator(".jp-OutputArea-output table").count()) > 0;
      rows = shown ? await this.table(text) : [];
      if (shown && holds(rows)) return rows;
      // Wakes with the next change of the page that the browser draws.
      await this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50))));
    }
    assert.fail(`the table below \`${text}\` never came to have ${what}:\n${rows.map((row) => row.join(" | ")).join("\n")}`);
  }

  /** Opens a menu of the menu bar and follows it, level by level. */
  async menu(bar, ...items) {
    await this.page.getByRole("menuitem", { name: bar, exact: true }).click();
    for (const item of items) await this.page.locator(".lm-Menu-itemLabel").getByText(item, { exact: true }).last().click();
  }

  async shot(name) {
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  async shotOf(text, name) {
    const cell = this.cell(text);
    await cell.scrollIntoViewIfNeeded();
    await cell.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  /** Waits until every code cell has its number. */
  async allFinished() {
    await this.page.waitForFunction(() => {
      const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].map((prompt) => prompt.textContent);
      return prompts.length > 0 && prompts.every((text) => /\[\d+\]/.test(text));
    }, undefined, { timeout: DEADLINE_MS, polling: 100 });
  }

  errors() {
    return this.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]').allInnerTexts();
  }

  warnings() {
    return this.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]').allInnerTexts();
  }
}
