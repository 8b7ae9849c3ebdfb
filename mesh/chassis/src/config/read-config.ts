import { accessSync, constants, statSync } from "node:fs";

/** Where a process listens or is reached. */
export interface Address {
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose, where a process listens. */
  readonly port: number;
}

/**
 * Reads settings by name, each with its type and limits. A setting that is absent or wrong is noted, not
 * thrown: one run reports them all.
 */
export interface ConfigReader {
  /** A text that is not empty. */
  text(name: string, options?: { default?: string; pattern?: RegExp }): string;
  /** A text, or undefined where it is absent or empty. */
  optionalText(name: string): string | undefined;
  /** A whole number within the limits, both included. */
  integer(name: string, limits: { min: number; max: number; default?: number }): number;
  /** Milliseconds, written with a unit: `250ms`, `15s`, `1m`, `24h`. Limits and default in milliseconds. */
  durationMs(name: string, limits: { min: number; max: number; default?: number }): number;
  /** One of a few words. */
  choice<C extends string>(name: string, options: { of: readonly C[]; default?: C }): C;
  /** Words with commas between them; blanks around them are dropped. */
  list(name: string, options?: { default?: readonly string[] }): readonly string[];
  /** One or more `host:port` with commas between them. */
  addresses(name: string): readonly Address[];
  /** One `host:port`, or `[::1]:port`. */
  address(name: string): Address;
  /** The path of a file that this process can read. */
  file(name: string): string;
}

/** What is wrong with the environment: every problem, each with the range and what was found. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length} problem(s):\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
    this.problems = problems;
  }
}

/**
 * Builds a frozen configuration out of the environment, once, at start.
 *
 * @throws ConfigError naming every setting that is absent or wrong, not only the first
 */
export function readConfig<T extends object>(
  build: (read: ConfigReader) => T,
  env: NodeJS.ProcessEnv = process.env,
): Readonly<T> {
  const problems: string[] = [];
  const config = build(readerOf(env, problems));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const DURATION = /^(\d{1,9})(ms|s|m|h)$/;
const ADDRESS = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/;
const PORT_LIMIT = 65_535;

// A value parsed, or what is wrong with it: the sentence that follows the name of the setting.
type Parsed<T> = { readonly value: T } | { readonly wrong: string };

function readerOf(env: NodeJS.ProcessEnv, problems: string[]): ConfigReader {
  // `stand` is returned beside a noted problem: readConfig throws before anyone can use it.
  const read = <T>(name: string, parse: (text: string) => Parsed<T>, stand: T, fallback?: T): T => {
    const text = env[name];
    if (text === undefined || text === "") {
      if (fallback !== undefined) return fallback;
      problems.push(`${name} is not set`);
      return stand;
    }
    const parsed = parse(text);
    if ("value" in parsed) return parsed.value;
    problems.push(`${name} ${parsed.wrong}, found ${JSON.stringify(text)}`);
    return stand;
  };
  return {
    text: (name, options = {}) => read(name, (text) => parseText(text, options.pattern), "", options.default),
    optionalText: (name) => env[name] || undefined,
    integer: (name, limits) => read(name, (text) => parseInteger(text, limits), limits.min, limits.default),
    durationMs: (name, limits) =>
      read(name, (text) => parseDuration(text, limits), limits.min, limits.default),
    choice: <C extends string>(name: string, options: { of: readonly C[]; default?: C }) =>
      read<C>(name, (text) => parseChoice(text, options.of), options.of[0] as C, options.default),
    list: (name, options = {}) => read(name, (text) => ({ value: words(text) }), [], options.default),
    addresses: (name) => read(name, parseAddresses, []),
    address: (name) => read(name, parseAddress, { host: "", port: 0 }),
    file: (name) => read(name, parseFile, ""),
  };
}

function parseText(text: string, pattern: RegExp | undefined): Parsed<string> {
  if (pattern === undefined || pattern.test(text)) return { value: text };
  return { wrong: `has to match ${pattern.source}` };
}

function parseInteger(text: string, { min, max }: { min: number; max: number }): Parsed<number> {
  const value = Number(text);
  if (/^-?\d{1,15}$/.test(text) && value >= min && value <= max) return { value };
  return { wrong: `has to be a whole number from ${min} to ${max}` };
}

function parseDuration(text: string, { min, max }: { min: number; max: number }): Parsed<number> {
  const [, count, unit] = DURATION.exec(text) ?? [];
  const value = Number(count) * (UNIT_MS[unit as keyof typeof UNIT_MS] ?? Number.NaN);
  if (value >= min && value <= max) return { value };
  return { wrong: `has to be a duration such as "250ms", "15s" or "1m", from ${min} ms to ${max} ms` };
}

function parseChoice<C extends string>(text: string, of: readonly C[]): Parsed<C> {
  const value = of.find((word) => word === text);
  return value === undefined ? { wrong: `has to be one of ${of.join(", ")}` } : { value };
}

function parseAddress(text: string): Parsed<Address> {
  const [, v6, name, digits] = ADDRESS.exec(text.trim()) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > PORT_LIMIT) {
    return { wrong: `has to be host:port, with a port from 0 to ${PORT_LIMIT}` };
  }
  return { value: { host, port } };
}

function parseAddresses(text: string): Parsed<readonly Address[]> {
  const value: Address[] = [];
  for (const word of words(text)) {
    const parsed = parseAddress(word);
    if ("wrong" in parsed) return { wrong: `${parsed.wrong}, one or more with commas between them` };
    value.push(parsed.value);
  }
  return value.length > 0 ? { value } : { wrong: "has to name at least one host:port" };
}

function parseFile(text: string): Parsed<string> {
  try {
    accessSync(text, constants.R_OK);
    if (statSync(text).isFile()) return { value: text };
    return { wrong: "has to be the path of a file" };
  } catch (failure) {
    const { code = "unknown" } = failure as NodeJS.ErrnoException;
    return { wrong: `has to be the path of a file that this process can read (${code})` };
  }
}

function words(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
