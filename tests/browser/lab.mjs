// Tidebook in a real browser: JupyterLab and Notebook 7.
//
//     node tests/browser/lab.mjs [STORY…]          (`make test-browser` prepares what it needs)
//
// Environment: CHROMIUM names the browser, SHOTS the folder for screenshots, PREFIX the Python environment with the kernel.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { StoryEnded, check, counted, fail } from "./checks.mjs";
import { faults, patience } from "./faults.mjs";
import { gallery } from "./gallery.mjs";
import { startJupyter } from "./jupyter.mjs";
import { DEADLINE_MS, NotebookPage } from "./page.mjs";
import { notebook7, others, quickstart } from "./quickstart.mjs";
import { again, sideBySide } from "./several.mjs";
import { writing } from "./writing.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const PREFIX = process.env.PREFIX || join(ROOT, ".venv");
const SHOTS = process.env.SHOTS || join(HERE, "shots");
const BROWSER_FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const STORIES = { quickstart, others, writing, faults, patience, sideBySide, again, gallery, notebook7 };

/** Faults of the front ends themselves, whatever the kernel. */
const NOT_OURS = [/^Cannot read properties of undefined \(reading 'schema'\)$/, /^Command 'filebrowser:open-path' not registered\.$/];

function browserPath() {
  const usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = [process.env.CHROMIUM, ...usual].find((path) => path && existsSync(path));
  if (!found) throw new Error("no Chromium found: name one in CHROMIUM");
  return found;
}

/** Tells one story in a browser session of its own: nothing of one is left for the next. */
async function tell(name, story, { jupyter, browser, folder }) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
  context.setDefaultTimeout(DEADLINE_MS);
  const pages = [];
  const faultsOfPages = [];
  // A notebook whose tables move always has something to save: who leaves the page is asked.
  context.on("page", (page) => {
    page.on("pageerror", (error) => faultsOfPages.push(error));
    page.on("dialog", (dialog) => dialog.accept());
  });
  const world = {
    python: join(PREFIX, "bin", "python"),
    root: ROOT,
    open: async (path) => {
      const among = path.replace(/^(lab\/tree|notebooks)\//, "").replace(/\?.*$/, "");
      const notebook = new NotebookPage(await context.newPage(), { path: among, ask: world.ask, shots: SHOTS });
      pages.push(notebook);
      notebook.url = jupyter.url(path);
      await notebook.page.goto(notebook.url);
      return notebook;
    },
    folder: async (name) => {
      await mkdir(join(folder, name), { recursive: true });
      return join(folder, name);
    },
    copy: async (name, file) => {
      const data = join(ROOT, "notebooks", "data");
      await mkdir(join(folder, name));
      await cp(join(ROOT, "notebooks", file), join(folder, name, file));
      await cp(data, join(folder, name, "data"), { recursive: true, filter: (path) => !path.includes("2014-") });
      return join(folder, name);
    },
    ask: async (path) => (await fetch(jupyter.url(path))).json(),
  };
  try {
    await story(world);
    await check(`${name}: the pages themselves had no fault`, async () => assert.deepEqual(faultsOfPages.filter((fault) => !NOT_OURS.some((known) => known.test(fault.message))), []));
  } catch (error) {
    for (const [at, notebook] of pages.entries()) await notebook.shot(`failed-${name}-${at}`).catch(() => {});
    if (!(error instanceof StoryEnded)) fail(name, error);
    console.log(jupyter.log().split("\n").slice(-30).join("\n"));
  } finally {
    await context.close();
    // Kernels of the story, and what they read, would slow down the next.
    for (const session of await world.ask("api/sessions")) await fetch(jupyter.url(`api/sessions/${session.id}`), { method: "DELETE" });
  }
}

const work = await mkdtemp(join(tmpdir(), "tidebook-browser-"));
let jupyter, browser;
try {
  await mkdir(SHOTS, { recursive: true });
  const folder = join(work, "notebooks");
  await mkdir(folder);
  jupyter = await startJupyter(join(PREFIX, "bin", "jupyter"), folder, join(work, "home"));
  browser = await chromium.launch({ executablePath: browserPath(), args: BROWSER_FLAGS });
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(STORIES);
  for (const name of wanted) await tell(name, STORIES[name], { jupyter, browser, folder });
} catch (error) {
  fail("the test itself", error);
} finally {
  await browser?.close();
  await jupyter?.stop();
  await rm(work, { recursive: true, force: true });
}
const { passed, failed } = counted();
console.log(`browser: ${passed} passed, ${failed} failed; screenshots in ${SHOTS}`);
process.exitCode = failed === 0 ? 0 : 1;
