import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { lastRelease, type RecordedEvent } from "@orrery/contracts/schema/released";
import { writersSchema } from "@orrery/contracts/schema/schema-documents";
import type { ValidateFunction } from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { connect, type StoredMsg } from "nats";
import type { Json } from "../../../mesh/dev/testing/json.ts";
import type { RunFile } from "../../../mesh/dev/testing/platform.ts";

/** What was read from one stream. */
export interface ReadStream {
  readonly stream: string;
  /** How many messages of each event there were. */
  readonly counts: ReadonlyMap<string, number>;
  /** What does not fit its published schema, or is told otherwise in the headers. */
  readonly problems: readonly string[];
  /** How many of them a reader of the last release was asked to read too. */
  readonly readByRelease: number;
  /** The first of each event. */
  readonly firsts: readonly RecordedEvent[];
}

/** Validators by event. */
type Validators = ReadonlyMap<string, ValidateFunction>;

/** What events are held against. */
export interface EventReaders {
  /** Closed: a writer may write nothing that the schema does not name. */
  readonly now: Validators;
  /** Those of the last release, open for what a minor version adds. */
  readonly earlier: Validators;
}

/** Makes them, which takes longer than to use them. */
export const eventReaders = (): EventReaders => ({ now: eventValidators(), earlier: releasedReaders() });

/** Reads every message of a stream, as the operator may, and holds it against the schema of its event. */
export async function readWire(
  run: RunFile,
  stream: string,
  { now, earlier }: EventReaders,
): Promise<ReadStream> {
  const operator = run.identities.operator;
  if (operator === undefined) throw new Error("no operator in run.json");
  const connection = await connect({ servers: run.nats.url, tls: { ...operator, caFile: run.caFile } });
  const counts = new Map<string, number>();
  const problems = new Set<string>();
  const firsts = new Map<string, RecordedEvent>();
  let readByRelease = 0;
  try {
    const manager = await connection.jetstreamManager();
    const { first_seq: first, last_seq: last } = (await manager.streams.info(stream)).state;
    for (let seq = first; seq <= last; seq += 1) {
      const message = await manager.streams.getMessage(stream, { seq });
      const envelope = message.json() as Json;
      const type = String(envelope.eventType);
      counts.set(type, (counts.get(type) ?? 0) + 1);
      for (const problem of problemsOf(message, envelope, now.get(type))) problems.add(`${type}: ${problem}`);
      const readsNow = earlier.get(type);
      readByRelease += Number(readsNow !== undefined);
      for (const problem of readsNow === undefined ? [] : errorsOf(readsNow, envelope))
        problems.add(`${type}: whoever has the schema of the last release cannot read it: ${problem}`);
      if (!firsts.has(type)) firsts.set(type, envelope as RecordedEvent);
    }
    return { stream, counts, problems: [...problems], readByRelease, firsts: [...firsts.values()] };
  } finally {
    await connection.close();
  }
}

function problemsOf(
  message: StoredMsg,
  envelope: Json,
  validate: ValidateFunction | undefined,
): readonly string[] {
  if (validate === undefined) return ["has no published schema"];
  const header = (name: string) => message.header.get(name);
  const told: readonly (readonly [string, unknown])[] = [
    ["ce-specversion", "1.0"],
    ["ce-id", envelope.eventId],
    ["ce-type", envelope.eventType],
    ["ce-subject", envelope.aggregateId],
    ["Nats-Msg-Id", `${envelope.aggregateId}:${envelope.aggregateVersion}`],
  ];
  // The header names the span that published it, which is another one of the same trace.
  const isOfTrace = header("traceparent").split("-")[1] === envelope.traceId;
  const differing = told
    .filter(([name, value]) => header(name) !== value)
    .map(([name]) => `its header ${name} differs`);
  if (!isOfTrace) differing.push("its header traceparent is of another trace");
  return [...differing, ...errorsOf(validate, envelope)];
}

function errorsOf(validate: ValidateFunction, envelope: Json): readonly string[] {
  if (validate(envelope)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message: why, params }) => `${instancePath} ${why} ${JSON.stringify(params)}`,
  );
}

/**
 * What a consumer that was built with the last release reads by: its schemas, open for what a minor version adds. An
 * event of a newer major version is another event to it.
 */
function releasedReaders(): Validators {
  const ajv = newAjv();
  const events = [...lastRelease().schemas].filter(([path]) => path.startsWith("events/"));
  return new Map(
    events.map(([path, schema]) => [path.replace(/^events\/|\.json$/g, ""), ajv.compile(schema)] as const),
  );
}

function newAjv() {
  const ajv = new Ajv2020.default({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv;
}

/** A validator for each event, closed: a writer may write nothing that the schema does not name. */
function eventValidators(): Validators {
  const ajv = newAjv();
  const schemas = dirname(createRequire(import.meta.url).resolve("@orrery/contracts/schemas/job.json"));
  return new Map(
    readdirSync(join(schemas, "events")).map((file) => {
      const schema = JSON.parse(readFileSync(join(schemas, "events", file), "utf8")) as Record<
        string,
        unknown
      >;
      return [file.replace(/\.json$/, ""), ajv.compile(writersSchema(schema))] as const;
    }),
  );
}
