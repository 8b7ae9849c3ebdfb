// The worker thread of the embedded read model: takes one message after the other and answers each.
import { parentPort, workerData } from "node:worker_threads";
import { systemClock, uuidV7 } from "@orrery/mesh/time/clock";
import { Store, setAside } from "./store.ts";
import type { Answer, Question, ThreadSettings } from "./thread-messages.ts";
import { WriterLock } from "./writer-lock.ts";

const { folder, unwanted } = workerData as ThreadSettings;
const lock = new WriterLock(folder, systemClock);
let opened: Store | undefined;

/**
 * Opens the file when it is first needed, so that a folder that cannot be used fails a question and not the
 * thread.
 */
function theStore(): Store {
  opened ??= new Store(folder, { newGeneration: uuidV7, isUnwanted: () => Atomics.load(unwanted, 0) === 1 });
  return opened;
}

function answer(question: Question): unknown {
  if (question.ask === "close") {
    lock.release();
    return opened?.close();
  }
  const store = theStore();
  switch (question.ask) {
    case "check":
      return { generation: store.generation(), writer: lock.take() };
    case "apply":
      return store.apply(question.rows);
    case "search":
      return store.search(question.search);
    case "count":
      return store.count(question.search, question.atMost);
    case "find":
      return store.find(question.kind, question.project, question.id);
    case "countVersions":
      return store.countVersions(question.project, question.id, question.version);
    case "history":
      return store.history(question.project, question.id, question.page);
    case "searchEvents":
      return store.searchEvents(question.search);
    case "summary":
      return store.summary(question.project);
    case "size":
      return store.size();
    case "reset":
      return store.reset();
  }
}

// What a statement or its values cannot bring about: anything else has to do with the file or the disk.
// See https://www.sqlite.org/rescode.html for the codes: error, too big, constraint, mismatch, misuse, range.
const OUR_OWN: ReadonlySet<number> = new Set([1, 18, 19, 20, 21, 25]);

function isPassing(error: unknown): boolean {
  if (error instanceof Error && "syscall" in error) return true;
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
  return code !== undefined && !OUR_OWN.has(code);
}

/** See https://www.sqlite.org/rescode.html: a file that is damaged, and one that is no database. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/**
 * A file that cannot be read any more gets better by no waiting. The one process that writes takes it away, and begins
 * a new one, which the events fill; the others find it so.
 */
function healDamage(error: unknown): void {
  if (!(error instanceof Error && "errcode" in error && DAMAGED.has(Number(error.errcode) & 0xff))) return;
  if (!lock.take()) return;
  opened?.close();
  opened = undefined;
  setAside(folder);
}

parentPort?.on("message", (question: Question) => {
  let reply: Answer;
  try {
    reply = { value: answer(question) };
  } catch (error) {
    healDamage(error);
    reply = { error: error instanceof Error ? error.message : String(error), passing: isPassing(error) };
  }
  parentPort?.postMessage(reply);
  if (question.ask === "close") parentPort?.close();
});
