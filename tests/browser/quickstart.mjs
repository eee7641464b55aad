// The quickstart as a person meets it: every cell run, then files that change.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";

import { check } from "./checks.mjs";
import { number, sum } from "./page.mjs";

const AIRLINES = "by_airline | sort late_percent desc";
const BOARD = "board | sort scheduled desc";
const YEARS = "by_year | sort year";
const LANES = "lanes | sort lane";

/** Runs the feed as the notebook tells its reader to. */
function feed(python, program, data, ...words) {
  return new Promise((resolve, reject) => {
    const running = spawn(python, [program, "--data", data, ...words], { stdio: "ignore" });
    running.once("error", reject);
    running.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`feed.py ended with ${code}`))));
  });
}

/** The whole story in JupyterLab. */
export async function quickstart({ open, copy, python, root }) {
  const folder = await copy("quickstart", "quickstart.ipynb");
  const data = join(folder, "data");
  const notebook = await open("lab/tree/quickstart/quickstart.ipynb?reset");
  const { page } = notebook;
  const flights = (...words) => feed(python, join(root, "notebooks", "feed.py"), data, ...words);

  await check("the notebook opens with its kernel", async () => {
    await notebook.opened();
    await notebook.shot("1-opened");
  });

  await check("all cells run without an error", async () => {
    await notebook.menu("Run", "Run All Cells");
    await notebook.allFinished();
    assert.deepEqual(await notebook.complaints(), []);
  });

  await check("the tables hold the year", async () => {
    await holdsTheYear(notebook);
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
    await flights("--flights", "12", "--every", "0.05");
    await notebook.tableWhen(YEARS, "12 flights of 2014", (rows) => rows.length === 2 && number(rows[1][1]) === 12);
    await notebook.tableWhen(AIRLINES, "12 flights more", (rows) => sum(rows, 1) === 327_346 + 12);
    await notebook.tableWhen(BOARD, "eight flights", (rows) => rows.length === 8);
    assert.deepEqual(await notebook.complaints(), []);
    await notebook.shotOf(BOARD, "10-board");
    await notebook.shotOf(YEARS, "11-years");
  });

  await check("a file that goes away takes its rows with it", async () => {
    await flights("--undo");
    await notebook.tableWhen(AIRLINES, "the year alone", (rows) => sum(rows, 1) === 327_346);
    await notebook.tableWhen(YEARS, "2013 alone", (rows) => rows.length === 1);
  });

  await check("dark theme", async () => {
    await notebook.theme("JupyterLab Dark");
    await notebook.shotOf(AIRLINES, "12-airlines-dark");
  });

  await check("a cell that is edited changes what depends on it, in place", async () => {
    const before = sum(await notebook.table(AIRLINES), 2);
    const other = notebook.cell(BOARD);
    const untouched = await other.locator(".jp-OutputArea").innerHTML();
    await notebook.edit("param late_after");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("30");
    await page.keyboard.press("Control+Enter");
    await notebook.tableWhen(AIRLINES, "fewer late flights", (rows) => rows.length === 16 && sum(rows, 2) < before);
    assert.deepEqual(await notebook.complaints(), []);
    assert.equal(await other.locator(".jp-OutputArea").innerHTML(), untouched);
    await notebook.shotOf(AIRLINES, "13-airlines-after-edit");
    await notebook.theme("JupyterLab Light");
  });
}

/** The other notebooks: opened, run, looked at. */
export async function others({ open, copy }) {
  for (const name of ["report", "files", "time"]) {
    await copy(name, `${name}.ipynb`);
    const notebook = await open(`lab/tree/${name}/${name}.ipynb?reset`);
    await check(`${name}.ipynb runs without an error`, async () => {
      await notebook.opened();
      await notebook.menu("Run", "Run All Cells");
      await notebook.allFinished();
      assert.deepEqual(await notebook.complaints(), []);
      const cells = notebook.page.locator(".jp-CodeCell");
      for (let at = 0; at < (await cells.count()); at += 1) {
        await cells.nth(at).scrollIntoViewIfNeeded();
        await cells.nth(at).screenshot({ path: join(notebook.shots, `${name}-${at + 1}.png`) });
      }
    });
    await notebook.page.close();
  }
}

/** The same notebook in Notebook 7: the page is another, the kernel is not. */
export async function notebook7({ open, copy, python, root }) {
  const folder = await copy("seven", "quickstart.ipynb");
  const notebook = await open("notebooks/seven/quickstart.ipynb");

  await check("Notebook 7: all cells run without an error", async () => {
    await notebook.opened();
    await notebook.menu("Run", "Run All Cells");
    await notebook.allFinished();
    assert.deepEqual(await notebook.complaints(), []);
    await holdsTheYear(notebook);
    await notebook.shot("seven-run");
    await notebook.shotOf(AIRLINES, "seven-airlines");
  });

  await check("Notebook 7: tables follow a file that changes", async () => {
    await feed(python, join(root, "notebooks", "feed.py"), join(folder, "data"), "--flights", "12", "--every", "0.05");
    await notebook.tableWhen(YEARS, "12 flights of 2014", (rows) => rows.length === 2 && number(rows[1][1]) === 12);
    await notebook.tableWhen(BOARD, "eight flights", (rows) => rows.length === 8);
    await notebook.shotOf(BOARD, "seven-board");
  });
}

async function holdsTheYear(notebook) {
  const airlines = await notebook.tableWhen(AIRLINES, "16 airlines", (rows) => rows.length === 16);
  assert.equal(sum(airlines, 1), 327_346);
  const years = await notebook.table(YEARS);
  assert.deepEqual(years.map((row) => number(row[0])), [2013]);
  assert.deepEqual(await notebook.table(BOARD), [], "the board is empty");
}
