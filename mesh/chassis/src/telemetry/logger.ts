import { types } from "node:util";
import { isSpanContextValid, trace } from "@opentelemetry/api";
import { Fault } from "../fault/fault.ts";
import { type Clock, systemClock } from "../time/clock.ts";

/**
 * What may stand beside a message. Errors are written as type, message and stack; never a payload or a token.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes what happened, one JSON object a line. An error is logged once, where it is handled. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /**
   * Writes an event that security reads: always written, whatever the level. `event` is a stable dotted name.
   */
  security(event: string, fields: LogFields): void;
  /** The same logger with fields that every line of it carries. */
  child(fields: LogFields): Logger;
}

/** The levels, the least severe first. */
const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** How severe a line has to be at least to be written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

interface LoggerOptions {
  readonly service: string;
  readonly instance: string;
  readonly level: LogLevel;
  readonly clock?: Clock;
  /** Takes one line without its newline; standard output unless said. */
  readonly write?: (line: string) => void;
}

const FIELD_LIMIT = 8_192;

/**
 * A logger whose lines carry `timestamp` (RFC 3339, UTC), `severity`, `service_name`, `instance`, `message`,
 * and `trace_id` and `span_id` where a span is open or the fields name them.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { service, instance, level, clock = systemClock } = options;
  const write = options.write ?? writeWithTheTurn;
  const from = LOG_LEVELS.indexOf(level);
  const loggerWith = (own: LogFields): Logger => {
    const line = (severity: string, message: string, fields: LogFields): void => {
      const head = {
        timestamp: timeText(clock.nowMs()),
        severity,
        service_name: service,
        instance,
        ...spanFields(),
      };
      write(
        jsonOf({ ...head, ...own, ...fields, message }) ??
          jsonOf({ ...head, message, unreadable: true }) ??
          message,
      );
    };
    const at = (severity: LogLevel): ((message: string, fields?: LogFields) => void) =>
      LOG_LEVELS.indexOf(severity) < from
        ? () => {}
        : (message, fields = {}) => line(severity.toUpperCase(), message, fields);
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      security: (event, fields) => line("WARN", event, { ...fields, security_event: event }),
      child: (fields) => loggerWith({ ...own, ...fields }),
    };
  };
  return loggerWith({});
}

function spanFields(): LogFields {
  const context = trace.getActiveSpan()?.spanContext();
  if (context === undefined || !isSpanContextValid(context)) return {};
  return { trace_id: context.traceId, span_id: context.spanId };
}

let knownMs = Number.NaN;
let knownText = "";

// A busy service writes several lines in one millisecond: the last time is kept.
function timeText(ms: number): string {
  if (ms !== knownMs) {
    knownMs = ms;
    knownText = new Date(ms).toISOString();
  }
  return knownText;
}

// A field that refers to itself must not end the work that is being logged.
function jsonOf(line: LogFields): string | undefined {
  try {
    return isSimple(line) ? JSON.stringify(line) : JSON.stringify(line, plain);
  } catch {
    return undefined;
  }
}

// A line of short texts and numbers, as there is one for each request: a replacer costs as much as all the rest.
function isSimple(line: LogFields): boolean {
  for (const name in line) {
    const value = line[name];
    if (typeof value === "string" ? value.length > FIELD_LIMIT : typeof value !== "number") return false;
  }
  return true;
}

function plain(_key: string, value: unknown): unknown {
  if (types.isNativeError(value)) return errorFields(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string" && value.length > FIELD_LIMIT) return `${value.slice(0, FIELD_LIMIT)}…`;
  return value;
}

function errorFields(error: Error): LogFields {
  return {
    type: error.name,
    ...(error instanceof Fault ? { reason: error.reason } : {}),
    ...("code" in error ? { code: error.code } : {}),
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  };
}

const waiting: string[] = [];

// One write for all lines of a turn of the event loop: a write for each was 4 % of a busy gateway.
function writeWithTheTurn(line: string): void {
  if (waiting.length === 0) setImmediate(writeWaiting);
  waiting.push(line);
}

function writeWaiting(): void {
  if (waiting.length > 0) process.stdout.write(`${waiting.splice(0).join("\n")}\n`);
}

// What ends the process is often what its last line tells.
process.once("exit", writeWaiting);
