import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bufBreaking } from "../../src/diff/buf-breaking.ts";
import { contractDiff } from "../../src/diff/contract-diff.ts";
import type { Finding } from "../../src/diff/finding.ts";
import { buildImage, type Contract, readContract } from "../../src/image/contract-image.ts";
import { ROOT } from "../contract-reader.ts";

/** One edit of a proto: in `file`, the first `find` after `after` becomes `replace`. */
export interface Edit {
  /** From `proto/orrery/`, such as `jobs/v1/job.proto`. */
  readonly file: string;
  /** What stands somewhere before; the beginning of the file unless said. */
  readonly after?: string;
  readonly find: string;
  readonly replace: string;
}

/** A change of the contracts, as a pull request would have it. */
export interface ProtoChange {
  readonly title: string;
  readonly edits: readonly Edit[];
}

/** One that breaks a promise, and the rules that stop it; each of them alone would. */
export interface BreakingChange extends ProtoChange {
  /** What the contracts held before, where the real ones lack what is broken. */
  readonly given?: readonly Edit[];
  readonly stoppedBy: readonly string[];
}

const JOBS = "jobs/v1/jobs_service.proto";
export const FILES = {
  jobs: JOBS,
  job: "jobs/v1/job.proto",
  jobEvents: "jobs/v1/job_events.proto",
  work: "jobs/v1/work_service.proto",
  queues: "jobs/v1/queues_service.proto",
  missions: "orchestrator/v1/missions_service.proto",
  mission: "orchestrator/v1/mission.proto",
  missionEvents: "orchestrator/v1/mission_events.proto",
  observatory: "observatory/v1/observatory_service.proto",
  alerts: "alerts/v1/alerts_service.proto",
  alert: "alerts/v1/alert.proto",
  alertEvents: "alerts/v1/alert_events.proto",
  envelope: "events/v1/event_envelope.proto",
  problem: "options/v1/problem.proto",
} as const;

/** What the contracts are before every change: an image in a file, and read. */
export interface Baseline extends Disposable {
  readonly folder: string;
  readonly image: string;
  readonly contract: Contract;
}

/** Builds the protos as they are. */
export async function baseline(): Promise<Baseline> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-contract-diff-"));
  cpSync(join(ROOT, "proto"), join(folder, "proto"), { recursive: true });
  cpSync(join(ROOT, "buf.yaml"), join(folder, "buf.yaml"));
  return {
    folder,
    ...(await built(folder, "before.binpb")),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A change that was applied to a copy of the protos, and built. */
export interface Applied {
  /** What the rules find, buf's and ours, but for those left out. */
  findings(except?: ReadonlySet<string>): Promise<readonly Finding[]>;
}

/** Applies a change to a copy of the real protos. */
export async function apply(
  before: Baseline,
  change: ProtoChange & { readonly given?: readonly Edit[] },
  number: number,
): Promise<Applied> {
  const copy = join(before.folder, String(number));
  cpSync(join(ROOT, "proto"), join(copy, "proto"), { recursive: true });
  cpSync(join(ROOT, "buf.yaml"), join(copy, "buf.yaml"));
  const { given = [] } = change;
  for (const edit of given) applyEdit(copy, edit);
  const base = given.length === 0 ? before : await built(copy, "before.binpb");
  for (const edit of change.edits) applyEdit(copy, edit);
  const { image, contract } = await built(copy, "after.binpb");
  const all = await bufBreaking(copy, { input: image, against: base.image });
  return {
    findings: async (except = new Set()) => [
      // Each run of buf is a process: a second one only where one of its own rules is left out.
      ...(all.some(({ rule }) => except.has(rule))
        ? await bufBreaking(copy, { input: image, against: base.image, except })
        : all),
      ...contractDiff(base.contract, contract, except),
    ],
  };
}

async function built(folder: string, name: string): Promise<{ image: string; contract: Contract }> {
  const bytes = await buildImage(".", folder);
  const image = join(folder, name);
  writeFileSync(image, bytes);
  return { image, contract: readContract(bytes) };
}

function applyEdit(copy: string, { file, after = "", find, replace }: Edit): void {
  const path = join(copy, "proto/orrery", file);
  const text = readFileSync(path, "utf8");
  const anchor = text.indexOf(after);
  const at = anchor < 0 ? -1 : text.indexOf(find, anchor + after.length);
  if (at < 0) throw new Error(`${file} has no ${JSON.stringify(find)} after ${JSON.stringify(after)}`);
  writeFileSync(path, text.slice(0, at) + replace + text.slice(at + find.length));
}

/** Does something for each of many, at most so many at once, and gives the results in order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  perform: (item: Item, at: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = [...items.entries()];
  const workers = Array.from({ length: width }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [at, item] = next;
      results[at] = await perform(item, at);
    }
  });
  await Promise.all(workers);
  return results;
}
