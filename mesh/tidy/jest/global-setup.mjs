// Starts the real servers that `*.real.test.ts` stand on, once for the run, and names them in the environment
// that the test files inherit. A server that cannot be had here is said; where CI=true asks for everything,
// it is an error.
import { startTestBed } from "../../dev/src/test-bed.ts";

export default async function globalSetup() {
  const bed = await startTestBed();
  for (const sentence of bed.missing) process.stderr.write(`- not here: ${sentence}\n`);
  if (process.env.CI === "true" && bed.missing.length > 0) {
    await bed[Symbol.asyncDispose]();
    throw new Error(`CI=true wants every server: ${bed.missing.join("; ")}`);
  }
  Object.assign(process.env, bed.environment);
  globalThis.orreryTestBed = bed;
}
