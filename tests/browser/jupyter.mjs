// A JupyterLab server of the test's own: free loopback port, temporary folders, nothing of the user's seen or touched.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

const START_DEADLINE_MS = 120_000;

/** A port that nobody listens on now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Settings that make the page the same on every run: no news dialog, every cell in the document, documentation beside completions. */
async function writeSettings(home) {
  const config = join(home, "config", "labconfig");
  await mkdir(config, { recursive: true });
  const disabledExtensions = { "@jupyterlab/apputils-extension:announcements": true };
  await writeFile(join(config, "page_config.json"), JSON.stringify({ disabledExtensions }));
  const set = async (extension, name, settings) => {
    const place = join(home, "settings", "@jupyterlab", extension);
    await mkdir(place, { recursive: true });
    await writeFile(join(place, `${name}.jupyterlab-settings`), JSON.stringify(settings));
  };
  await set("notebook-extension", "tracker", { windowingMode: "none" });
  await set("completer-extension", "manager", { showDocumentationPanel: true });
}

/**
 * Starts the server in `folder`, with its own state under `home`, and waits until it answers.
 * @returns {{url: (path: string) => string, log: () => string, stop: () => Promise<void>}}
 */
export async function startJupyter(jupyter, folder, home) {
  await writeSettings(home);
  const port = await freePort();
  const token = randomBytes(24).toString("hex");
  const options = [
    "lab", "--no-browser", "--ip=127.0.0.1", `--port=${port}`, "--ServerApp.port_retries=0", `--ServerApp.root_dir=${folder}`,
    "--allow-root", "--LabApp.expose_app_in_browser=True", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
  ];
  const server = spawn(jupyter, options, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      JUPYTER_TOKEN: token,
      JUPYTER_CONFIG_DIR: join(home, "config"),
      JUPYTER_DATA_DIR: join(home, "data"),
      JUPYTER_RUNTIME_DIR: join(home, "runtime"),
      JUPYTERLAB_SETTINGS_DIR: join(home, "settings"),
      JUPYTERLAB_WORKSPACES_DIR: join(home, "workspaces"),
    },
  });
  let log = "";
  let exited = false;
  server.stdout.on("data", (data) => (log += data));
  server.stderr.on("data", (data) => (log += data));
  const gone = new Promise((resolve) => server.once("exit", () => ((exited = true), resolve())));

  const url = (path) => `http://127.0.0.1:${port}/${path}${path.includes("?") ? "&" : "?"}token=${token}`;
  const end = Date.now() + START_DEADLINE_MS;
  while (true) {
    const answered = await fetch(url("api/status"), { signal: AbortSignal.timeout(5_000) }).then((r) => r.ok, () => false);
    if (answered) break;
    if (exited || Date.now() > end) throw new Error(`JupyterLab did not start:\n${log}`);
    // The server cannot be asked to tell when it listens: ask again a little later.
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const stop = async () => {
    if (!exited) server.kill("SIGTERM");
    await gone;
  };
  return { url, log: () => log, stop };
}
