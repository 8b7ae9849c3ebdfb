/** A job that is QUEUED. */
export interface QueuedJob {
  readonly task: string;
  readonly queue: string;
  /** Empty where it has none. */
  readonly concurrencyKey: string;
}

/** What holds or limits the jobs of a queue; 0 for no limit. */
export interface QueueState {
  readonly name: string;
  readonly paused: boolean;
  readonly running: number;
  readonly concurrency: number;
  readonly concurrencyPerKey: number;
  readonly rateLimit: number;
}

/** Who was seen lately. */
export interface WorkerState {
  readonly tasks: readonly string[];
  /** Every queue where none is named. */
  readonly queues: readonly string[];
  readonly draining: boolean;
}

/** What is known around the jobs of a project. */
export interface Around {
  readonly queues: ReadonlyMap<string, QueueState>;
  readonly workers: readonly WorkerState[];
  /** Whether `workers` are all there are; where not, that none serves a job is not known. */
  readonly allWorkers: boolean;
}

/** The reason that holds a job, for a program and for a person. */
export interface WhyQueued {
  readonly reason: "QUEUE_PAUSED" | "NO_WORKER" | "CONCURRENCY_LIMIT" | "WAITING_FOR_SLOT";
  readonly message: string;
}

/**
 * Says why a job is not running, the strongest reason first, as the jobs service does. What it takes the job's own
 * neighbours to know (its place, how many run with its key, how many started lately) is not said.
 */
export function whyQueued(job: QueuedJob, { queues, workers, allWorkers }: Around): WhyQueued {
  const queue = queues.get(job.queue);
  const called = `Queue "${job.queue}"`;
  if (queue?.paused)
    return why("QUEUE_PAUSED", `${called} is paused; the job can start once the queue is resumed.`);
  if (allWorkers && !workers.some((worker) => serves(worker, job)))
    return why("NO_WORKER", unserved(job, workers));
  if (queue !== undefined && queue.concurrency > 0 && queue.running >= queue.concurrency) {
    const full = `${called} runs ${queue.running} of at most ${queue.concurrency} jobs`;
    return why("CONCURRENCY_LIMIT", `${full}; it can start when one ends.`);
  }
  const limits = limitsOn(job, queue);
  const within = limits.length === 0 ? "" : `, within ${limits.join(" and ")}`;
  return why("WAITING_FOR_SLOT", `It waits its turn for a worker with a free slot${within}.`);
}

/** What nobody serves, and what to do about it: the words of the jobs service. */
function unserved({ task, queue }: QueuedJob, workers: readonly WorkerState[]): string {
  const nobody = `No live worker serves task "${task}" in queue "${queue}"`;
  if (!task.startsWith(RESERVED)) {
    const asks = JSON.stringify({ tasks: [task], queues: [queue], worker: "me" });
    return `${nobody}; start one, which asks for work by POST /v1/work:lease with ${asks}.`;
  }
  const builtIn = builtInOf(workers);
  if (builtIn.length === 0)
    return `${nobody}, and only the platform's own may; "npx orrery doctor" says what is wrong with them.`;
  return `There is no built-in task "${task}", and nobody else may serve it; there are ${builtIn.join(", ")}.`;
}

/** Begins the names of the platform's own tasks. */
const RESERVED = "orrery.";

/** The platform's own tasks that live workers serve. */
function builtInOf(workers: readonly WorkerState[]): readonly string[] {
  const served = workers.filter(({ draining }) => !draining).flatMap(({ tasks }) => tasks);
  return [...new Set(served.filter((task) => task.startsWith(RESERVED)))].sort();
}

/** Limits that may hold it as well. */
function limitsOn(job: QueuedJob, queue: QueueState | undefined): readonly string[] {
  if (queue === undefined) return [];
  const ofKey = job.concurrencyKey !== "" && queue.concurrencyPerKey > 0;
  return [
    ...(ofKey ? [`its key's limit of ${queue.concurrencyPerKey} at once`] : []),
    ...(queue.rateLimit > 0 ? ["its queue's rate"] : []),
  ];
}

const serves = ({ tasks, queues, draining }: WorkerState, { task, queue }: QueuedJob): boolean =>
  !draining && tasks.includes(task) && (queues.length === 0 || queues.includes(queue));

const why = (reason: WhyQueued["reason"], message: string): WhyQueued => ({ reason, message });
