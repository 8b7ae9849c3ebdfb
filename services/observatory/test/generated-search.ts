// Documents and queries by chance, for holding every engine against the naive evaluator. Pools are small, so
// that ties, missing values and texts that differ in letter case only come up all the time.
import type { ListOrder } from "../src/domain/list-order.ts";
import { JOB_STATUSES, MISSION_STATUSES } from "../src/domain/query/statuses.ts";
import type { SearchedJob, SearchedMission } from "../src/domain/search-keys.ts";
import { NOON_MS, searchedJob, searchedMission } from "./projection-factory.ts";
import type { SeededChance } from "./seeded-chance.ts";

const TASKS = ["video.render", "Video.Render", "order.fulfil", "orrery.echo", "ÄRGER.lösen", "a-b_c"];
const QUEUES = ["default", "Bulk", "bulk", "media"];
const WORKERS = ["w-01", "W-01", "w-02"];
const ERRORS = ["TIMEOUT", "EncoderTimeout", "LEASE_EXPIRED", "ValueError"];
const MESSAGES = [
  "Encoder timed out after 60s",
  "no such customer: ACME",
  "50% of 'x' failed \\ done",
  "Straße",
];
const CUSTOMERS = ["acme", "ACME", "Ä & Co", "a=b\u001fteam=x", "", "100%_wild*"];
const TEAMS = ["red", "Red team", "blue"];
const STEPS = ["reserve", "charge", "Ship"];
const NAMES = ["book-trip", "Book-Trip", "order.fulfil", "Ärger lösen", "BookTrip"];

/** One job by chance. */
export function generatedJob(chance: SeededChance, number: number): SearchedJob {
  const maybe = <T>(probability: number, value: () => T) =>
    chance.happens(probability) ? value() : undefined;
  const createMs = NOON_MS - chance.below(200) * 60_000;
  const startMs = maybe(0.6, () => createMs + chance.below(50) * 1_000);
  const failed = chance.happens(0.3);
  const customer = maybe(0.5, () => chance.pick(CUSTOMERS));
  const team = maybe(0.4, () => chance.pick(TEAMS));
  return searchedJob(number, {
    createMs,
    task: chance.pick(TASKS),
    queue: chance.pick(QUEUES),
    status: chance.pick(JOB_STATUSES),
    priority: chance.below(4),
    attempt: chance.below(4),
    maxAttempts: 1 + chance.below(5),
    runMs: maybe(0.3, () => createMs + chance.below(20) * 1_000),
    startMs,
    endMs: startMs === undefined ? undefined : maybe(0.6, () => startMs + chance.below(90) * 1_000),
    labels: {
      ...(customer === undefined ? {} : { customer }),
      ...(team === undefined ? {} : { "team.name": team }),
    },
    errorType: failed ? chance.pick(ERRORS) : undefined,
    errorMessage: failed ? chance.pick(MESSAGES) : undefined,
    worker: maybe(0.5, () => chance.pick(WORKERS)),
    correlation: maybe(0.5, () => `c-${chance.below(5)}`),
    mission: maybe(0.2, () => `m-${chance.below(5)}`),
    step: maybe(0.2, () => chance.pick(STEPS)),
  });
}

const quoted = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
const recased = (chance: SeededChance, text: string) =>
  chance.happens(0.5) ? text : chance.happens(0.5) ? text.toUpperCase() : text.toLowerCase();
const part = (chance: SeededChance, text: string) => text.slice(0, 1 + chance.below(text.length));

/** One mission by chance. */
export function generatedMission(chance: SeededChance, number: number): SearchedMission {
  const { createMs, startMs, endMs, labels, errorType, errorMessage, correlation } = generatedJob(
    chance,
    number,
  );
  const steps = STEPS.filter(() => chance.happens(0.5)).map((name) => ({ name, task: chance.pick(TASKS) }));
  return searchedMission(number, {
    ...{ createMs, startMs, endMs, labels, errorType, errorMessage, correlation, steps },
    name: chance.pick(NAMES),
    status: chance.pick(MISSION_STATUSES),
  });
}

/** One term about missions by chance. */
function generatedMissionTerm(chance: SeededChance, ids: readonly string[]): string {
  const minutes = () => `-${chance.below(220)}m`;
  return chance.pick([
    () => `status:${recased(chance, chance.pick(MISSION_STATUSES))},${chance.pick(MISSION_STATUSES)}`,
    () => `status:${chance.pick(["comp", "N", "s"])}*`,
    () => `name:${quoted(recased(chance, chance.pick(NAMES)))}`,
    () => `name:${chance.pick(["book", "Tr", "*"])}${chance.pick(["*", ""])}`.replace("**", "*"),
    () => `name:~${chance.pick(["trip", "BOOK", "ärger*", "none"])}`,
    () => `step:${recased(chance, chance.pick(STEPS))},${chance.pick(["charge", "none"])}`,
    () => `step:${chance.pick(["re*", "SH*", "*"])}`,
    () => `created${chance.pick([":>", ":>=", ":<", ":<="])}${minutes()}`,
    () => `started:${minutes()}..`,
    () => `finished${chance.pick([":>", ":<"])}${minutes()}`,
    () => `duration${chance.pick([":", ":>", ":<="])}${chance.below(120)}s`,
    () => `label.customer:${quoted(recased(chance, chance.pick(CUSTOMERS)))}`,
    () => `tag.team.name:${chance.pick(["re*", "*", "blue"])}`,
    () => `error.type:~${chance.pick(["timeout", "Lease", "value*"])}`,
    () => `correlation:c-${chance.below(6)}`,
    () => `id:${part(chance, chance.pick(ids))}*`,
    () =>
      chance.pick(["acme", "book", "TRIP", "render", "timeout", "nothing", part(chance, chance.pick(ids))]),
  ])();
}

/** One term by chance. */
function generatedTerm(chance: SeededChance, ids: readonly string[]): string {
  const text = (from: readonly string[]) => quoted(recased(chance, chance.pick(from)));
  const comparison = () => chance.pick([":", ":>", ":>=", ":<", ":<="]);
  const minutes = () => `-${chance.below(220)}m`;
  const word = (from: readonly string[]) => (chance.pick(from).match(/\w+/g) ?? ["none"])[0] ?? "none";
  return chance.pick([
    () => `status:${recased(chance, chance.pick(JOB_STATUSES))},${chance.pick(JOB_STATUSES).toLowerCase()}`,
    () => `status:${chance.pick(["s", "RE", "c", "q"])}*`,
    () => `task:${text(TASKS)}`,
    () => `task:${recased(chance, chance.pick(["video.", "ord", "orrery.e", "är"]))}*`,
    () => `task:~${quoted(word(TASKS))}`,
    () => `queue:${text(QUEUES)},${chance.pick(["bulk", "none"])}`,
    () => `priority${comparison()}${chance.below(5)}`,
    () => `attempt:${chance.below(3)}..${chance.pick(["", "3"])}`,
    () => `maxAttempts${comparison()}${chance.below(6)}`,
    () => `created${chance.pick([":>", ":>=", ":<", ":<="])}${minutes()}`,
    () => `started:${minutes()}..`,
    () => `finished${chance.pick([":>", ":<"])}${minutes()}`,
    () => `created:${chance.pick(["today", "yesterday", "2026-11-20", "..2026-11-19", "2026-11-20.."])}`,
    () => `wait${comparison()}${chance.below(40)}s`,
    () => `duration${comparison()}${chance.below(90)}s`,
    () => `label.customer:${text(CUSTOMERS)}`,
    () => `tag.team.name:${chance.pick(["re*", "*", "blue"])}`,
    () => `label.customer:~${chance.pick(["acme", "co", "team"])}`,
    () => `error.type:${text(ERRORS)}`,
    () => `error.type:~${chance.pick(["timeout", "Lease", "expired", "value*"])}`,
    () => `error.message:~${quoted(chance.pick(["timed out", "acme", "Straße", "x failed"]))}`,
    () => `worker:${chance.pick([text(WORKERS), "w*", "*"])}`,
    () => `correlation:c-${chance.below(6)}`,
    () => `mission:${chance.pick(["m-1", "*"])}`,
    () => `step:${text(STEPS)}`,
    () => `id:${chance.pick(ids)}`,
    () => `id:${part(chance, chance.pick(ids))}*`,
    () => part(chance, chance.pick(ids)),
    () =>
      chance.pick(["acme", "render", "VIDEO.render", "timeout", "rend*", '"no such"', "Ärger", "nothing"]),
  ])();
}

const TERMS = { job: generatedTerm, mission: generatedMissionTerm } as const;

/** One query over jobs or missions by chance, nested at most `depth` deep. */
export function generatedQuery(
  chance: SeededChance,
  kind: "job" | "mission",
  ids: readonly string[],
  depth = 3,
): string {
  const not = chance.happens(0.25) ? "-" : "";
  if (depth === 0 || chance.happens(0.4)) return not + TERMS[kind](chance, ids);
  const parts = Array.from({ length: 2 + chance.below(2) }, () =>
    generatedQuery(chance, kind, ids, depth - 1),
  );
  return `${not}(${parts.join(chance.pick([" ", " AND ", " OR "]))})`;
}

/** One order by chance. */
export function generatedOrder(chance: SeededChance): ListOrder {
  return {
    field: chance.pick(["created", "priority", "started", "finished"]),
    direction: chance.pick(["asc", "desc"]),
  };
}
