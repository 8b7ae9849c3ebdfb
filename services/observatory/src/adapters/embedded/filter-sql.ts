import type { ListOrder, Position } from "../../domain/list-order.ts";
import type { Filter } from "../../domain/query/filter.ts";
import type { KeywordField, NumberField } from "../../domain/search-keys.ts";

/** A condition: fixed text, values only as parameters. */
export interface Condition {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

/** The column of each keyword and number; all tables share the names. */
export const KEYWORD_COLUMNS = {
  id: "id",
  task: "task",
  queue: "queue",
  status: "status",
  errorType: "error_type",
  worker: "worker",
  correlation: "correlation",
  mission: "mission",
  step: "step",
  event: "event",
  name: "name",
} as const satisfies Record<KeywordField, string>;

export const NUMBER_COLUMNS = {
  priority: "priority",
  attempt: "attempt",
  maxAttempts: "max_attempts",
  created: "created",
  started: "started",
  finished: "finished",
  wait: "wait",
  duration: "duration",
} as const satisfies Record<NumberField, string>;

// Labels lie in one column as <US>key=value<US>…, so that one `instr` answers a question about one of them.
// The separator is a character that values may hold, so it is written otherwise inside of them.
const SEPARATOR = "\u001f";
const ESCAPE = "\u001e";

/** The text of the column `labels`. */
export function labelsColumn(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}=${escaped(value)}`);
  return parts.length === 0 ? "" : `${SEPARATOR}${parts.join(SEPARATOR)}${SEPARATOR}`;
}

/** The text of the column `words`: tokens hold no blank. */
export function wordsColumn(words: readonly string[]): string {
  return words.length === 0 ? "" : ` ${words.join(" ")} `;
}

function escaped(value: string): string {
  return value.replaceAll(ESCAPE, `${ESCAPE}0`).replaceAll(SEPARATOR, `${ESCAPE}1`);
}

/** Compiles a filter. Every leaf is 0 or 1 and never null (F1), so that `not` means what it says. */
export function compile(filter: Filter): Condition {
  switch (filter.is) {
    case "everything":
      return { text: "1", values: [] };
    case "all":
      return joined(" and ", filter.of);
    case "any":
      return joined(" or ", filter.of);
    case "not": {
      const inner = compile(filter.of);
      return { text: `(not ${inner.text})`, values: inner.values };
    }
    case "one of": {
      const column = KEYWORD_COLUMNS[filter.field];
      const places = filter.values.map(() => "?").join(", ");
      return { text: `(${column} is not null and ${column} in (${places}))`, values: filter.values };
    }
    case "begins": {
      const column = KEYWORD_COLUMNS[filter.field];
      const text = `(${column} is not null and substr(${column}, 1, length(?)) = ?)`;
      return { text, values: [filter.prefix, filter.prefix] };
    }
    case "within":
      return within(filter);
    case "label":
      return contains("labels", `${SEPARATOR}${filter.key}=${escaped(filter.value)}${SEPARATOR}`);
    case "label begins":
      return contains("labels", `${SEPARATOR}${filter.key}=${escaped(filter.prefix)}`);
    case "word":
      return contains("words", ` ${filter.token} `);
    case "word begins":
      return contains("words", ` ${filter.prefix}`);
  }
}

function within(filter: Extract<Filter, { is: "within" }>): Condition {
  const column = NUMBER_COLUMNS[filter.field];
  const { from, below } = filter;
  if (from !== undefined && below !== undefined) {
    return { text: `(${column} is not null and ${column} >= ? and ${column} < ?)`, values: [from, below] };
  }
  if (from !== undefined) return { text: `(${column} is not null and ${column} >= ?)`, values: [from] };
  if (below !== undefined) return { text: `(${column} is not null and ${column} < ?)`, values: [below] };
  return { text: `(${column} is not null)`, values: [] };
}

function contains(column: "labels" | "words", part: string): Condition {
  return { text: `(instr(${column}, ?) > 0)`, values: [part] };
}

function joined(word: " and " | " or ", of: readonly Filter[]): Condition {
  const parts = of.map(compile);
  return {
    text: `(${parts.map((part) => part.text).join(word)})`,
    values: parts.flatMap((part) => part.values),
  };
}

/** The order of a list (O1, O2), by columns that an index holds. */
export function orderText(order: ListOrder): string {
  const column = NUMBER_COLUMNS[order.field];
  // Created and priority are always there, and without the first term their indexes serve the order.
  const missingLast = alwaysThere(order) ? "" : `${column} is null, `;
  return `order by ${missingLast}${column} ${order.direction}, id ${order.direction}`;
}

/** What comes after a place in an order (O1, O2). */
export function afterPosition(order: ListOrder, after: Position): Condition {
  const column = NUMBER_COLUMNS[order.field];
  const further = order.direction === "asc" ? ">" : "<";
  if (after.value === undefined) {
    return { text: `(${column} is null and id ${further} ?)`, values: [after.id] };
  }
  const present = `((${column}, id) ${further} (?, ?))`;
  const values = [after.value, after.id];
  return alwaysThere(order)
    ? { text: present, values }
    : { text: `(${column} is null or ${present})`, values };
}

function alwaysThere(order: ListOrder): boolean {
  return order.field === "created" || order.field === "priority";
}
