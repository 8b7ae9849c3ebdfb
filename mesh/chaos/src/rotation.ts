/**
 * `make rotation`: five minutes of load over open Work streams while every leaf lives for 60 seconds and is renewed at
 * half of that. Counts the calls that failed and the leaves that each port showed. Exits non-zero when a call failed.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import { Platform, type RunFile } from "../../dev/testing/platform.ts";

const SECONDS = Number(process.env.SECONDS || 300);
const CALLERS = 8;
const print = (line: string) => process.stdout.write(`${line}\n`);

/** The serial number of the leaf that a gRPC port shows right now. */
function leafOf(run: RunFile, grpc: string): Promise<string> {
  const [host = "127.0.0.1", port] = grpc.split(":");
  const files = run.identities.operator;
  const options = {
    host,
    port: Number(port),
    ca: readFileSync(run.caFile),
    ALPNProtocols: ["h2"],
    ...(files ? { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) } : {}),
  };
  return new Promise((done, failed) => {
    const socket = connect(options, () => {
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      done(serialNumber);
    });
    socket.on("error", failed);
  });
}

await using platform = await Platform.start({ ORRERY_LEAF_TTL: "60s", REPLICAS: "2", ORRERY_PORT: "4940" });
print(`rotation: leaves of 60 s, two of every process, ${CALLERS} callers, ${SECONDS} s`);
const end = Date.now() + SECONDS * 1_000;
const failures: string[] = [];
let calls = 0;
const seen = new Map<string, Set<string>>();

async function call(): Promise<void> {
  while (Date.now() < end) {
    const headers = { prefer: "wait=20" };
    const answer = await platform
      .send("POST", "/v1/jobs", { body: { task: "orrery.sleep", input: { ms: 100 } }, headers })
      .catch((error: unknown) => ({ status: 0, body: String(error) }));
    calls += 1;
    if (answer.status !== 200) failures.push(`${answer.status} ${JSON.stringify(answer.body)}`);
  }
}

async function look(): Promise<void> {
  while (Date.now() < end) {
    const { run } = platform;
    for (const [name, processes] of Object.entries(run.services)) {
      if (name === "gateway") continue;
      for (const [index, { grpc }] of processes.entries()) {
        const leaves = seen.get(`${name}-${index}`) ?? new Set<string>();
        seen.set(`${name}-${index}`, leaves.add(await leafOf(run, grpc)));
      }
    }
    await new Promise((done) => setTimeout(done, 1_000));
  }
}

await Promise.all([look(), ...Array.from({ length: CALLERS }, call)]);
print(`calls ${calls}, failed ${failures.length}`);
for (const failure of failures.slice(0, 5)) print(`  ${failure}`);
for (const [name, leaves] of seen) print(`${name} showed ${leaves.size} leaves`);
process.exitCode = failures.length === 0 ? 0 : 1;
