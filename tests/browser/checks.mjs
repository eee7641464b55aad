// What the stories have in common: they are made of checks, which are counted, and of notebooks, which are written for them.

import { writeFile } from "node:fs/promises";

let passed = 0;
const failures = [];

/** One step of a story. The later ones build on the earlier, so the first failure ends the story; the next story still runs. */
export async function check(what, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    fail(what, error);
    throw new StoryEnded();
  }
}

/** Counts a failure. */
export function fail(what, error) {
  failures.push(what);
  console.log(`FAILED  ${what}\n${error.stack}`);
}

/** A story has ended early; why was said. */
export class StoryEnded extends Error {}

/** How many checks passed and failed. */
export function counted() {
  return { passed, failed: failures.length };
}

/** Writes a notebook of code cells. */
export async function writeNotebook(path, ...cells) {
  const code = (source, index) => ({ cell_type: "code", id: `c${index}`, metadata: {}, execution_count: null, outputs: [], source });
  const kernelspec = { name: "tide", display_name: "Tide (Tidebook)", language: "tide" };
  await writeFile(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells: cells.map(code) }));
}
