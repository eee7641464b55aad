// The steps of a story, counted.

let passed = 0;
export const failures = [];

/** One step of the story. The later ones build on the earlier, so the first failure ends it. */
export async function check(what, body) {
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

/** How many steps have passed. */
export const count = () => passed;
