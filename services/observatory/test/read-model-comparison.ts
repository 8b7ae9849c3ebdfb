import type { ReadModel } from "../src/application/ports.ts";
import { comparePositions, type JobOrder, type Position, positionOf } from "../src/domain/job-order.ts";
import type { Projection } from "../src/domain/projection.ts";
import { fits } from "../src/domain/query/evaluate.ts";
import type { Filter } from "../src/domain/query/filter.ts";
import { readQuery } from "../src/domain/query/read-query.ts";
import { generatedJob, generatedOrder, generatedQuery } from "./generated-search.ts";
import { NOON_MS, projectionOf } from "./projection-factory.ts";
import { SeededChance } from "./seeded-chance.ts";

export interface Comparison {
  readonly documents: number;
  readonly queries: number;
  readonly seed: number;
  /** How many jobs a page holds; several pages are walked. */
  readonly page: number;
}

export interface ComparisonResult {
  readonly compared: number;
  readonly found: number;
  readonly empty: number;
  /** The queries whose answers differ, with what differs. */
  readonly differences: readonly string[];
}

const BATCH = 500;

/**
 * Fills a read model with generated documents and asks it generated queries, each walked to its end by pages.
 * Ids, their order and the count have to be those of a naive evaluator in memory.
 */
export async function compareWithNaive(readModel: ReadModel, how: Comparison): Promise<ComparisonResult> {
  const chance = new SeededChance(how.seed);
  const jobs = Array.from({ length: how.documents }, (_, number) => generatedJob(chance, number));
  const projections = jobs.map((job) => projectionOf(job));
  await readModel.check();
  for (let at = 0; at < projections.length; at += BATCH) {
    const outcomes = await readModel.apply(projections.slice(at, at + BATCH));
    const failed = outcomes.find((outcome) => outcome !== "done");
    if (failed !== undefined) throw new Error(`a projection was not stored: ${JSON.stringify(failed)}`);
  }
  await readModel.settle();
  const ids = jobs.map((job) => job.id);
  const differences: string[] = [];
  let found = 0;
  let empty = 0;
  for (let asked = 0; asked < how.queries; asked++) {
    const q = generatedQuery(chance, ids);
    const order = generatedOrder(chance);
    const filter = filterOf(q);
    const wanted = naive(projections, filter, order);
    const given = await walk(readModel, filter, order, how.page);
    const counted = await readModel.countJobs({ project: "demo", filter }, how.documents + 1);
    found += wanted.length;
    if (wanted.length === 0) empty++;
    const difference = differenceOf(wanted, given, counted);
    if (difference !== undefined)
      differences.push(`${q} by ${order.field} ${order.direction}: ${difference}`);
  }
  return { compared: how.queries, found, empty, differences };
}

function filterOf(q: string): Filter {
  const reading = readQuery(q, { searched: "jobs", nowMs: NOON_MS });
  if ("problem" in reading)
    throw new Error(`a generated query was refused: ${q}: ${reading.problem.message}`);
  return reading.filter;
}

function naive(projections: readonly Projection[], filter: Filter, order: JobOrder): readonly string[] {
  return projections
    .filter(({ job }) => fits(filter, job.keys))
    .map(({ job }) => positionOf(job.keys, order))
    .sort((left, right) => comparePositions(left, right, order))
    .map(({ id }) => id);
}

async function walk(
  readModel: ReadModel,
  filter: Filter,
  order: JobOrder,
  limit: number,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: Position | undefined;
  for (;;) {
    const page = await readModel.searchJobs({ project: "demo", filter, order, after, limit });
    ids.push(...page.map((job) => job.id));
    after = page.at(-1)?.position;
    if (page.length < limit) return ids;
  }
}

function differenceOf(
  wanted: readonly string[],
  given: readonly string[],
  counted: number,
): string | undefined {
  if (counted !== wanted.length) return `counted ${counted}, not ${wanted.length}`;
  if (given.length !== wanted.length) return `found ${given.length}, not ${wanted.length}`;
  const at = wanted.findIndex((id, index) => id !== given[index]);
  return at < 0 ? undefined : `place ${at} holds ${given[at]}, not ${wanted[at]}`;
}
