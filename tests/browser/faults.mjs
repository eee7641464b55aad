// What goes wrong, as a person sees it: a fault of the text, an expectation, rows set aside, a cell that waits and is interrupted.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { check, writeNotebook } from "./checks.mjs";

const FAULT = "pens | where nmae";
const AFTER = "%echo after the fault";
const WAITS = "expect never within 3600s";
const QUEUED = "%echo not yet";

/** The least contrast of text with what is behind it that is easy to read (WCAG's for large text and graphics). */
const CONTRAST = 3;

/**
 * The contrast of each run of text in the first of the elements with its background, and its colour, as the browser draws them.
 * Runs in the page, therefore it stands alone.
 */
function contrasts(element) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colour, under) => {
    canvas.fillStyle = `rgb(${under.join(",")})`;
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    return layers.reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const runs = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.data.trim()) continue;
    const back = behind(node.parentElement);
    const front = over(getComputedStyle(node.parentElement).color, back);
    const [high, low] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    runs.push({ text: node.data.trim().slice(0, 40), colour: front.join(","), ratio: (high + 0.05) / (low + 0.05) });
  }
  return runs;
}

/** Where on the page the first character of `word` and of the marks under it stand, in the text of a diagnostic. */
function places(element, word) {
  const text = element.textContent;
  const rect = (offset) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let before = 0;
    while (walker.nextNode()) {
      const { data } = walker.currentNode;
      if (offset < before + data.length) {
        const range = document.createRange();
        range.setStart(walker.currentNode, offset - before);
        range.setEnd(walker.currentNode, offset - before + 1);
        return range.getBoundingClientRect();
      }
      before += data.length;
    }
    throw new Error("the offset is outside the text");
  };
  const marks = /\^+/.exec(text);
  const line = text.lastIndexOf(word, marks.index);
  const [first, below] = [rect(line), rect(marks.index)];
  return { word: first.left, marks: below.left, length: marks[0].length, lower: below.top > first.top };
}

/** The whole story in JupyterLab. */
export async function faults({ open, folder }) {
  const place = await folder("faults");
  await writeFile(join(place, "orders.csv"), "id,qty\n1,2\n2,many\n3,4\n");
  await writeNotebook(
    join(place, "faults.ipynb"),
    'pens = rows [ {id: 1, name: "pen"}, {id: 2, name: "ink"} ]',
    'pens | where nmae == "pen"',
    "%echo after the fault",
    'orders = read csv("orders.csv") { id: int, qty: int }\norders | sort id\nexpect orders.errors is empty',
  );
  const notebook = await open("lab/tree/faults/faults.ipynb?reset");
  const { page } = notebook;
  const error = (text) => notebook.cell(text).locator('[data-mime-type="application/vnd.jupyter.stderr"] pre').first();
  const readable = async (text) => {
    const runs = await error(text).evaluate(contrasts);
    const poor = runs.filter((run) => run.ratio < CONTRAST);
    assert.deepEqual(poor, []);
    assert.ok(new Set(runs.map((run) => run.colour)).size >= 3, "the marks and the words are told apart by colour");
  };

  await check("a fault is told where it is, with what was meant", async () => {
    await notebook.opened();
    await notebook.menu("Run", "Run All Cells");
    const text = await notebook.outputWhen(FAULT, "the fault", (text) => text.includes("^"));
    assert.ok(text.includes("unknown column `nmae`") && text.includes("did you mean `name`?"), text);
    assert.ok(text.includes("cell 2:1:14"), text);
    await notebook.shotOf(FAULT, "fault-light");
  });

  await check("the marks stand under the word", async () => {
    const at = await error(FAULT).evaluate(places, "nmae");
    assert.equal(at.length, 4);
    assert.ok(at.lower && Math.abs(at.word - at.marks) < 1, JSON.stringify(at));
  });

  await check("its colours are readable in the light and the dark theme", async () => {
    await readable(FAULT);
    await notebook.theme("JupyterLab Dark");
    await readable(FAULT);
    await notebook.shotOf(FAULT, "fault-dark");
    await notebook.theme("JupyterLab Light");
  });

  await check("the cells behind the fault are not run", async () => {
    await notebook.promptWhen(AFTER, "[ ]:");
    assert.equal(await notebook.output(AFTER), "");
    await notebook.runCell(AFTER);
    await notebook.outputWhen(AFTER, "its text", (text) => text.includes("after the fault"));
  });

  await check("rows that are set aside are counted above the table, and an expectation says which", async () => {
    await notebook.runCell("expect orders.errors is empty");
    const text = await notebook.outputWhen("expect orders.errors is empty", "the expectation", (text) => text.includes("does not hold"));
    assert.ok(text.includes("1 error") && text.includes("many"), text);
    await notebook.shotOf("expect orders.errors is empty", "set-aside");
  });

  await check("a cell that is mended has no fault any more", async () => {
    await notebook.edit(FAULT);
    await page.keyboard.press("Home");
    for (let at = 0; at < 'pens | where n'.length; at += 1) await page.keyboard.press("ArrowRight");
    for (let at = 0; at < 3; at += 1) await page.keyboard.press("Delete");
    await page.keyboard.type("ame");
    await page.keyboard.press("Control+Enter");
    await notebook.tableWhen('where name == "pen"', "the pen", (rows) => rows.length === 1 && rows[0][1] === "pen");
  });
}

/** A cell that waits for an hour: interrupted, restarted, run again. */
export async function patience({ open, folder }) {
  await writeNotebook(
    join(await folder("patience"), "patience.ipynb"),
    "never = rows [ {n: 1} ] | where n < 0\nexpect never within 3600s is not empty",
    "%echo not yet",
    "pens = rows [ {id: 1} ]",
    "pens | sort id",
  );
  const notebook = await open("lab/tree/patience/patience.ipynb?reset");
  const { page } = notebook;

  const waits = async () => {
    await notebook.outputWhen(WAITS, "the expectation", (text) => text.includes("is not empty: not yet"));
    assert.equal(await notebook.prompt(WAITS), "[*]:");
  };
  const restart = async () => {
    await notebook.menu("Kernel", "Restart Kernel…");
    await page.locator(".jp-Dialog .jp-mod-accept").click();
    await page.locator(".jp-Dialog").waitFor({ state: "detached" });
  };

  await check("a cell that waits shows what it waits for, and is interrupted from the menu", async () => {
    await notebook.opened();
    await notebook.menu("Run", "Run All Cells");
    await waits();
    await notebook.shotOf(WAITS, "waiting");
    await notebook.menu("Kernel", "Interrupt Kernel");
    await notebook.outputWhen(WAITS, "the interruption", (text) => text.includes("was interrupted") && text.includes("does not hold"));
    await notebook.shotOf(WAITS, "interrupted");
  });

  await check("what was queued behind it is not run, and runs when it is asked for", async () => {
    for (const text of [QUEUED, "pens | sort id"]) await notebook.promptWhen(text, "[ ]:");
    assert.equal(await notebook.output(QUEUED), "");
    await notebook.runCell(QUEUED);
    await notebook.outputWhen(QUEUED, "its text", (text) => text.includes("not yet"));
  });

  await check("a kernel is restarted from the menu while a cell waits, and has forgotten", async () => {
    await notebook.runCell("pens = rows");
    await notebook.promptWhen("pens = rows", "[3]:");
    await notebook.runCell(WAITS);
    await waits();
    await restart();
    await notebook.promptWhen(WAITS, "[ ]:");
    await notebook.runCell("pens | sort id");
    await notebook.outputWhen("pens | sort id", "the fault", (text) => text.includes("`pens`"));
    await notebook.promptWhen("pens | sort id", "[1]:");
  });

  await check("all cells run again after a restart", async () => {
    await notebook.edit(WAITS, "expect never");
    for (let at = 0; at < " within 3600s is not empty".length; at += 1) await page.keyboard.press("Backspace");
    await page.keyboard.type(" is empty");
    await notebook.menu("Run", "Run All Cells");
    await notebook.promptWhen("pens | sort id", "[5]:");
    assert.deepEqual(await notebook.complaints(), []);
    assert.deepEqual(await notebook.table("pens | sort id"), [["1"]]);
  });

  await check("restart and run all, in one go", async () => {
    await notebook.menu("Kernel", "Restart Kernel and Run All Cells…");
    await page.locator(".jp-Dialog .jp-mod-accept").click();
    await notebook.promptWhen("pens | sort id", "[4]:");
    assert.deepEqual(await notebook.complaints(), []);
  });
}
