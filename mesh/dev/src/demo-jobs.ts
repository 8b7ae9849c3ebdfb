/** A job as `POST /v1/jobs:batchSubmit` takes it: the fields that the demo uses. */
export interface DemoJob {
  readonly task: string;
  readonly queue: string;
  readonly input?: unknown;
  readonly priority?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly delay?: string;
  readonly expireTime?: string;
  readonly maxAttempts?: number;
  readonly retryPolicy?: {
    readonly initialDelay: string;
    readonly factor: number;
    readonly maxDelay: string;
  };
}

const TEAMS = ["billing", "search", "media", "mail"] as const;
const REGIONS = ["eu", "us", "ap"] as const;
const QUICK = { initialDelay: "0.5s", factor: 2, maxDelay: "4s" };

type Kind = Pick<DemoJob, "task"> & Partial<DemoJob>;

/** What there is to see in a queue, in the proportions of a team with a few problems. */
const KINDS: readonly { readonly weight: number; readonly make: (n: number, nowMs: number) => Kind }[] = [
  { weight: 8, make: (n) => ({ task: "orrery.echo", input: { order: n, total: (n * 37) % 500 } }) },
  { weight: 6, make: (n) => ({ task: "orrery.sleep", input: { ms: 200 + ((n * 211) % 2_800) } }) },
  {
    weight: 2,
    make: (n) => ({ task: "orrery.sleep", queue: "reports", input: { ms: 4_000 + ((n * 97) % 4_000) } }),
  },
  {
    weight: 3,
    make: (n) => ({
      task: "orrery.fail",
      input: { message: `connection reset by peer ${n % 3}`, retryable: true, times: 2 },
      retryPolicy: QUICK,
    }),
  },
  {
    weight: 1,
    make: () => ({
      task: "orrery.fail",
      input: { message: "upstream answers 502", retryable: true },
      maxAttempts: 3,
      retryPolicy: QUICK,
    }),
  },
  {
    weight: 1,
    make: () => ({ task: "orrery.fail", input: { message: "no such customer", retryable: false } }),
  },
  { weight: 1, make: (n) => ({ task: "orrery.echo", delay: `${5 + (n % 600)}s`, input: { reminder: n } }) },
  { weight: 1, make: (n) => ({ task: "orrery.echo", queue: "night", input: { batch: n } }) },
  { weight: 1, make: () => ({ task: "demo.unserved", input: { note: "no worker serves this task" } }) },
  {
    weight: 1,
    make: (_, nowMs) => ({ task: "demo.unserved", expireTime: new Date(nowMs + 20_000).toISOString() }),
  },
];

const DECK = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));

/**
 * The nth job of the demo: the same n gives the same job, and neighbours differ.
 *
 * @param nowMs - the wall clock, for the jobs that expire
 */
export function demoJob(n: number, nowMs: number): DemoJob {
  const kind = DECK[(n * 7) % DECK.length];
  return {
    queue: "default",
    priority: n % 10 === 0 ? 8 : n % 3,
    labels: {
      team: TEAMS[n % TEAMS.length] ?? "billing",
      region: REGIONS[n % REGIONS.length] ?? "eu",
      run: "demo",
    },
    task: "orrery.echo",
    ...kind?.make(n, nowMs),
  };
}

/** How many jobs it takes until every kind was there. */
export const DECK_SIZE = DECK.length;
