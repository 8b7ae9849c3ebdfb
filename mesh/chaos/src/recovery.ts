/**
 * `make recovery`: kills each process of a platform at rest once with -9, and prints how long it takes until its
 * successor answers that it is ready. Ends non-zero where one does not come back within a minute.
 */
import { Platform } from "../../dev/testing/platform.ts";

const WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 10;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

await using platform = await Platform.start({ ORRERY_PORT: "4740" });
const { run } = platform;
print(`${Object.keys(run.services).length} services, at rest; each is killed once with -9\n`);
print("process          until its successor is ready");
for (const name of Object.keys(run.services)) await recover(name);

async function recover(name: string): Promise<void> {
  const before = platform.run.services[name]?.[0];
  if (before === undefined) return;
  process.kill(before.pid, "SIGKILL");
  const killed = performance.now();
  for (;;) {
    const now = platform.run.services[name]?.[0];
    const ready =
      now !== undefined && now.pid !== before.pid
        ? await platform.admin(`${now.admin}/readyz`).catch(() => ({ status: 0 }))
        : { status: 0 };
    const tookMs = performance.now() - killed;
    if (ready.status === 200) return print(`${name.padEnd(16)} ${(tookMs / 1_000).toFixed(2)} s`);
    if (tookMs > WITHIN_MS) {
      print(`${name.padEnd(16)} not within ${WITHIN_MS / 1_000} s`);
      process.exitCode = 1;
      return;
    }
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}
