/** A platform of real servers and stand-in services in a process of its own, which a test may kill. */
import { WORKLOADS } from "../../topology.ts";
import { Platform } from "../src/platform.ts";
import { readSettings } from "../src/settings.ts";

const stopping = new AbortController();
process.on("SIGTERM", () => stopping.abort());
const stopped = new Promise((done) => stopping.signal.addEventListener("abort", done));
const platform = await Platform.start({
  settings: readSettings(process.env),
  workloads: WORKLOADS.map((workload) => ({ ...workload, folder: "mesh/dev/testing/fake-service" })),
  print: (line) => void process.stdout.write(`${line}\n`),
  signal: stopping.signal,
});
await stopped;
await platform.stop();
