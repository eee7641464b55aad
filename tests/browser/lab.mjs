// The quickstart as a person meets it: JupyterLab in a real browser, every cell run, then files that change.
//
//     node tests/browser/lab.mjs            (`make test-browser` prepares what it needs)
//
// Environment: CHROMIUM names the browser, SHOTS the folder for screenshots, PREFIX the Python environment with the kernel.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { startJupyter } from "./jupyter.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const PREFIX = process.env.PREFIX || join(ROOT, ".venv");
const SHOTS = process.env.SHOTS || join(HERE, "shots");
const DEADLINE_MS = Number(process.env.DEADLINE_MS || 120_000);
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

let passed = 0;
const failures = [];

/** One step of the story. The later ones build on the earlier, so the first failure ends it. */
async function check(what, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failures.push(what);
    console.log(`FAILED  ${what}\n${error.stack}`);
    throw error;
  }
}

/** What a page shows of the notebook. */
class NotebookPage {
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

/** Runs the feed as the notebook tells its reader to. */
function feed(data, ...words) {
  return new Promise((resolve, reject) => {
    const program = spawn(join(PREFIX, "bin", "python"), [join(ROOT, "notebooks", "feed.py"), "--data", data, ...words], { stdio: "ignore" });
    program.once("error", reject);
    program.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`feed.py ended with ${code}`))));
  });
}

const AIRLINES = "by_airline | sort late_percent desc";
const BOARD = "board | sort scheduled desc";
const YEARS = "by_year | sort year";
const LANES = "lanes | sort lane";

const number = (text) => Number(text.replaceAll("\u2212", "-").replaceAll(/[,\u202f\u2009\s]/g, ""));
const sum = (rows, place) => rows.reduce((total, row) => total + number(row[place]), 0);

async function story(notebook, data) {
  const { page } = notebook;
  await check("the notebook opens with its kernel", async () => {
    await page.waitForSelector(".jp-Notebook .jp-CodeCell", { timeout: DEADLINE_MS });
    await page.getByText("Tide (Tidebook)").first().waitFor({ timeout: DEADLINE_MS });
    await notebook.shot("1-opened");
  });

  await check("all cells run without an error", async () => {
    await notebook.menu("Run", "Run All Cells");
    await notebook.allFinished();
    assert.deepEqual(await notebook.errors(), []);
    assert.deepEqual(await notebook.warnings(), []);
  });

  await check("the tables hold the year", async () => {
    const airlines = await notebook.tableWhen(AIRLINES, "16 airlines", (rows) => rows.length === 16);
    assert.equal(sum(airlines, 1), 327_346);
    const years = await notebook.table(YEARS);
    assert.deepEqual(years.map((row) => number(row[0])), [2013]);
    assert.equal((await notebook.table(BOARD)).filter((row) => row.length > 1).length, 0, "the board is empty");
    await notebook.shotOf("flights = read csv", "2-read");
    await notebook.shotOf(AIRLINES, "3-airlines");
    await notebook.shotOf("by_hour | sort hour", "4-hours");
    await notebook.shotOf("destinations | sort flights desc", "5-places");
    await notebook.shotOf("expect counted equals", "6-expectations");
    await notebook.shotOf(BOARD, "7-board-empty");
    await notebook.shotOf("%tables", "8-tables");
  });

  await check("a table that nobody touches moves", async () => {
    const before = sum(await notebook.tableWhen(LANES, "4 lanes", (rows) => rows.length === 4), 1);
    await notebook.tableWhen(LANES, "more ticks", (rows) => sum(rows, 1) > before + 20);
    await notebook.shotOf(LANES, "9-ticks");
  });

  await check("a file that changes moves the tables after their cells have finished", async () => {
    await feed(data, "--flights", "12", "--every", "0.05");
    await notebook.tableWhen(YEARS, "12 flights of 2014", (rows) => rows.length === 2 && number(rows[1][1]) === 12);
    await notebook.tableWhen(AIRLINES, "12 flights more", (rows) => sum(rows, 1) === 327_346 + 12);
    await notebook.tableWhen(BOARD, "eight flights", (rows) => rows.length === 8);
    assert.deepEqual(await notebook.errors(), []);
    await notebook.shotOf(BOARD, "10-board");
    await notebook.shotOf(YEARS, "11-years");
  });

  await check("a file that goes away takes its rows with it", async () => {
    await feed(data, "--undo");
    await notebook.tableWhen(AIRLINES, "the year alone", (rows) => sum(rows, 1) === 327_346);
    await notebook.tableWhen(YEARS, "2013 alone", (rows) => rows.length === 1);
  });

  await check("dark theme", async () => {
    await notebook.menu("Settings", "Theme", "JupyterLab Dark");
    await page.waitForFunction(() => document.body.dataset.jpThemeLight === "false", undefined, { timeout: DEADLINE_MS });
    await notebook.shotOf(AIRLINES, "12-airlines-dark");
  });

  await check("a cell that is edited changes what depends on it, in place", async () => {
    const before = sum(await notebook.table(AIRLINES), 2);
    const other = notebook.cell(BOARD);
    const untouched = await other.locator(".jp-OutputArea").innerHTML();
    const cell = notebook.cell("param late_after");
    await cell.locator(".cm-line", { hasText: "param late_after" }).click();
    await page.keyboard.press("End");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("30");
    await page.keyboard.press("Control+Enter");
    await notebook.tableWhen(AIRLINES, "fewer late flights", (rows) => rows.length === 16 && sum(rows, 2) < before);
    assert.deepEqual(await notebook.errors(), []);
    assert.equal(await other.locator(".jp-OutputArea").innerHTML(), untouched);
    await notebook.shotOf(AIRLINES, "13-airlines-after-edit");
  });
}

const work = await mkdtemp(join(tmpdir(), "tidebook-browser-"));
let jupyter, browser;
try {
  await mkdir(SHOTS, { recursive: true });
  const folder = join(work, "notebooks");
  await mkdir(folder);
  await cp(join(ROOT, "notebooks", "quickstart.ipynb"), join(folder, "quickstart.ipynb"));
  await cp(join(ROOT, "notebooks", "data"), join(folder, "data"), { recursive: true, filter: (path) => !path.includes("2014-") });
  jupyter = await startJupyter(join(PREFIX, "bin", "jupyter"), folder, join(work, "home"));
  browser = await chromium.launch({ executablePath: browserPath(), args: BROWSER_FLAGS });
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  page.setDefaultTimeout(DEADLINE_MS);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error));
  const notebook = new NotebookPage(page);
  try {
    await page.goto(jupyter.url("lab/tree/quickstart.ipynb?reset"));
    await story(notebook, join(folder, "data"));
    await check("the page itself had no fault", async () => assert.deepEqual(faults, []));
  } catch (error) {
    await notebook.shot("failed");
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
console.log(`browser: ${passed} passed, ${failures.length} failed; screenshots in ${SHOTS}`);
process.exitCode = failures.length === 0 ? 0 : 1;
