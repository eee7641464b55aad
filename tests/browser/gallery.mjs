// How tables look: every kind of value, none and many rows, wide and long, in both themes.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { check, writeNotebook } from "./checks.mjs";

const LONG = "A sentence that goes on and on, as the comments of customers do, and has to be cut somewhere before it fills the page. ".repeat(6);

/** Cells of the gallery, by the name of their screenshot. */
const CELLS = {
  numbers: "numbers = rows [ {i: 1, f: 0.5, d: decimal(1.25, 10, 2), n: null}, {i: -1234567, f: 1234567.891, d: decimal(-0.5, 10, 2), n: 7}, {i: 42, f: 1.0e-9, d: decimal(1000, 10, 2), n: null} ]\nnumbers | sort i",
  texts: `texts = rows [ {t: "plain", u: ""}, {t: "two\\nlines\\tand a tab", u: "  spaces  "}, {t: "日本語 and 😀", u: "null"}, {t: "${LONG}", u: "<b>&amp;</b>"}, {t: null, u: null} ]\ntexts | sort u`,
  times: "times = rows [ {at: @2026-01-01T10:00:00Z, day: @2026-01-01, took: 1500ms, ok: true}, {at: @2026-01-01T10:00:00.123456Z, day: @1999-12-31, took: 3d, ok: false} ]\ntimes | sort at",
  nested: 'nested = rows [ {r: {a: 1, b: "x"}, l: [1, 2, 3], e: [{k: "v"}]}, {r: {a: 2, b: null}, l: [], e: [{k: "w"}, {k: null}]} ]\nnested | derive j: json("{\\"a\\": [1, {\\"b\\": null}]}")',
  none: "none = rows [ {id: 1, name: \"pen\"} ] | where id > 1\nnone",
  many: 'many = read csv("many.csv")\nmany | sort n',
  wide: `wide = rows [ {${Array.from({ length: 40 }, (_, at) => `column_number_${at}: ${at * 1000}`).join(", ")}} ]\nwide`,
  verdicts: "few = rows [ {id: 1} ]\nexpect few is not empty",
  errors: 'parts = read csv("parts.csv") { id: int, qty: int }\nparts | derive each: 100 / qty | sort id',
  bad: "expect few is empty",
};

/** What is drawn of a table. Runs in the page. */
function drawn(table) {
  const box = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect();
  };
  const rows = [...table.querySelectorAll("tr")].map((row) => [...row.cells]);
  const columns = rows[0].map((head, at) => {
    const cells = rows.slice(1).map((row) => row[at]);
    return {
      name: head.querySelector("span").innerText,
      right: head.classList.contains("tb-n"),
      edges: [head, ...cells].filter((cell) => cell.innerText !== "").map((cell) => (head.classList.contains("tb-n") ? box(cell).right : box(cell).left)),
      widest: Math.max(...cells.map((cell) => cell.getBoundingClientRect().width)),
    };
  });
  const area = table.closest(".jp-OutputArea-output").getBoundingClientRect();
  const frame = table.closest(".tb-scroll").getBoundingClientRect();
  const heights = rows.slice(1).map((row) => row[0].getBoundingClientRect().height);
  return { columns, heights, inside: frame.right <= area.right + 1 };
}

/** Tables in JupyterLab. */
export async function gallery({ open, folder }) {
  const place = await folder("gallery");
  await writeFile(join(place, "many.csv"), `n,word\n${Array.from({ length: 10_000 }, (_, at) => `${at},word ${at % 7}\n`).join("")}`);
  await writeFile(join(place, "parts.csv"), "id,qty\n1,2\n2,0\n3,many\n4,8\n");
  await writeNotebook(join(place, "gallery.ipynb"), ...Object.values(CELLS));
  const notebook = await open("lab/tree/gallery/gallery.ipynb?reset");
  const line = (name) => CELLS[name].split("\n").at(-1);
  const table = (name) => notebook.cell(line(name)).locator(".jp-OutputArea-output table.tb").last();

  await check("every kind of table is drawn", async () => {
    await notebook.opened();
    await notebook.menu("Run", "Run All Cells");
    await notebook.allFinished();
    assert.equal((await notebook.complaints()).length, 1, "the expectation that does not hold");
    for (const name of Object.keys(CELLS)) await notebook.shotOf(line(name), `gallery-${name}`);
  });

  await check("columns are aligned with their names, numbers at the right, and rows are of one height", async () => {
    for (const name of ["numbers", "texts", "times", "nested", "many", "wide"]) {
      const { columns, heights, inside } = await table(name).evaluate(drawn);
      for (const column of columns) {
        const spread = Math.max(...column.edges) - Math.min(...column.edges);
        assert.ok(spread < 1, `${name}.${column.name} is out of line: ${column.edges}`);
      }
      assert.ok(Math.max(...heights) - Math.min(...heights) < 1, `rows of ${name}: ${heights}`);
      assert.ok(inside, `${name} stays inside its place`);
    }
    const right = (await table("numbers").evaluate(drawn)).columns.filter((column) => column.right).map((column) => column.name);
    assert.deepEqual(right, ["i", "f", "d", "n"]);
  });

  await check("long tables and texts are cut, and say so", async () => {
    const text = await notebook.output(line("many"));
    assert.ok(text.includes("first 20 of 10,000 rows"), text);
    assert.equal((await notebook.table(line("many"))).length, 20);
    const texts = await notebook.table(line("texts"));
    assert.ok(texts.some(([text]) => text.endsWith("…") && text.length < 100), "a long text is cut");
    assert.ok((await notebook.output(line("none"))).includes("no rows"));
  });

  await check("tables are readable in the dark theme", async () => {
    await notebook.theme("JupyterLab Dark");
    for (const name of Object.keys(CELLS)) await notebook.shotOf(line(name), `gallery-${name}-dark`);
    await notebook.theme("JupyterLab Light");
  });
}
