/**
 * `make bench`: every section, one after the other; `ONLY=<section>` runs one of them. Each starts what it measures
 * itself and prints its own table.
 */
import { benchEdge } from "./edge.ts";
import { benchMissions } from "./missions.ts";
import { benchPeers } from "./peers.ts";
import { benchTelemetry } from "./telemetry.ts";

const SECTIONS: Readonly<Record<string, (print: (line: string) => void) => Promise<void>>> = {
  peers: benchPeers,
  missions: benchMissions,
  edge: benchEdge,
  telemetry: benchTelemetry,
};

const only = process.env.ONLY ?? "";
const names = Object.keys(SECTIONS);
if (only !== "" && !names.includes(only)) throw new RangeError(`ONLY is one of ${names.join(", ")}`);
for (const [name, bench] of Object.entries(SECTIONS)) {
  if (only !== "" && only !== name) continue;
  process.stdout.write(`\n${name}\n`);
  await bench((line) => void process.stdout.write(`${line}\n`));
}
