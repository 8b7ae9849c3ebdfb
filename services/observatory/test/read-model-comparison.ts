import type { ReadModel, Search } from "../src/application/ports.ts";
import { comparePositions, type ListOrder, type Position, positionOf } from "../src/domain/list-order.ts";
import type { Projection } from "../src/domain/projection.ts";
import { fits } from "../src/domain/query/evaluate.ts";
import type { Filter } from "../src/domain/query/filter.ts";
import { readQuery } from "../src/domain/query/read-query.ts";
import { generatedJob, generatedMission, generatedOrder, generatedQuery } from "./generated-search.ts";
import { missionProjectionOf, NOON_MS, projectionOf } from "./projection-factory.ts";
import { SeededChance } from "./seeded-chance.ts";

export interface Comparison {
  /** Jobs unless said. */
  readonly kind?: "job" | "mission";
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
  const { kind = "job" } = how;
  const chance = new SeededChance(how.seed);
  const projections = Array.from({ length: how.documents }, (_, number) =>
    kind === "job"
      ? projectionOf(generatedJob(chance, number))
      : missionProjectionOf(generatedMission(chance, number)),
  );
  await readModel.check();
  for (let at = 0; at < projections.length; at += BATCH) {
    const outcomes = await readModel.apply(projections.slice(at, at + BATCH));
    const failed = outcomes.find((outcome) => outcome !== "done");
    if (failed !== undefined) throw new Error(`a projection was not stored: ${JSON.stringify(failed)}`);
  }
  await readModel.settle();
  const ids = projections.map(({ document }) => document.id);
  const differences: string[] = [];
  let found = 0;
  let empty = 0;
  for (let asked = 0; asked < how.queries; asked++) {
    const q = generatedQuery(chance, kind, ids);
    const order = generatedOrder(chance);
    const filter = filterOf(q, kind);
    const wanted = naive(projections, filter, order);
    const given = await walk(readModel, { kind, project: "demo", filter, order, limit: how.page });
    const counted = await readModel.count({ kind, project: "demo", filter }, how.documents + 1);
    found += wanted.length;
    if (wanted.length === 0) empty++;
    const difference = differenceOf(wanted, given, counted);
    if (difference !== undefined)
      differences.push(`${q} by ${order.field} ${order.direction}: ${difference}`);
  }
  return { compared: how.queries, found, empty, differences };
}

function filterOf(q: string, kind: "job" | "mission"): Filter {
  const searched = kind === "job" ? "jobs" : "missions";
  const reading = readQuery(q, { searched, nowMs: NOON_MS });
  if ("problem" in reading)
    throw new Error(`a generated query was refused: ${q}: ${reading.problem.message}`);
  return reading.filter;
}

function naive(projections: readonly Projection[], filter: Filter, order: ListOrder): readonly string[] {
  return projections
    .filter(({ document }) => fits(filter, document.keys))
    .map(({ document }) => positionOf(document.keys, order))
    .sort((left, right) => comparePositions(left, right, order))
    .map(({ id }) => id);
}

async function walk(readModel: ReadModel, search: Omit<Search, "after">): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: Position | undefined;
  for (;;) {
    const page = await readModel.search({ ...search, after });
    ids.push(...page.map(({ id }) => id));
    after = page.at(-1)?.position;
    if (page.length < search.limit) return ids;
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
