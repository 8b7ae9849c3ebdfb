/**
 * Keeps what has to be kept on one host without cert-manager: the authority, a leaf for everybody, the API keys.
 *
 * `node main.ts <home>` lays all of it down, gives each file to the user of its reader, and renews the leaves at half
 * their life until it is stopped. Processes take a new leaf into use as they run; PostgreSQL and NATS want a SIGHUP.
 */
import { setInterval } from "node:timers/promises";
import { shutdownSignal } from "@orrery/mesh/lifecycle/service";
import { layDown } from "./keeping.ts";

const [, , home] = process.argv;
if (home === undefined) throw new Error("say where: node main.ts <home>");

const signal = shutdownSignal();
const identities = await layDown(home, { owned: process.getuid?.() === 0 });
process.stdout.write(`leaves and keys are in ${home}\n`);
try {
  for await (const _ of setInterval(identities.lookEveryMs, undefined, { signal })) {
    const renewed = await identities.renewDue();
    if (renewed.length > 0) process.stdout.write(`renewed: ${renewed.join(", ")}\n`);
  }
} catch (error) {
  if (!signal.aborted) throw error;
}
