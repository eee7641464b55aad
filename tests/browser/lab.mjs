// The quickstart as a person meets it: JupyterLab in a real browser, every cell run, then files that change.
//
//     node tests/browser/lab.mjs            (`make test-browser` prepares what it needs)
//
// Environment: CHROMIUM names the browser, SHOTS the folder for screenshots, PREFIX the Python environment with the kernel.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { check, count, failures } from "./checks.mjs";
import { startJupyter } from "./jupyter.mjs";
import { DEADLINE_MS, NotebookPage, PREFIX, ROOT, SHOTS, openBrowser } from "./notebook_page.mjs";

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
  browser = await openBrowser();
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
console.log(`browser: ${count()} passed, ${failures.length} failed; screenshots in ${SHOTS}`);
process.exitCode = failures.length === 0 ? 0 : 1;
