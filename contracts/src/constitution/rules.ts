/** A check of a rule, as the constitution names it. */
export type Check =
  /** A test by its file, from the root, and a part of its title. */
  | { readonly kind: "test"; readonly path: string; readonly title: string }
  /** A rule of a tool, by its name: of imports, lint, text, or one of the checks that need no server. */
  | { readonly kind: "rule"; readonly name: string }
  /** A file that is generated, and held current. */
  | { readonly kind: "generated"; readonly path: string };

/** `enforced` whole, `in part` (the text says what is not), or `not built`. */
export type State = "enforced" | "in part" | "not built";

/** One rule of the constitution. */
export interface Rule {
  readonly id: string;
  readonly text: string;
  readonly state: State;
  readonly checks: readonly Check[];
}

/** One exception from a rule, with an end. */
export interface Waiver {
  readonly rule: string;
  readonly owner: string;
  readonly rationale: string;
  readonly plan: string;
  readonly risk: string;
  /** Days as ISO 8601 writes them. */
  readonly granted: string;
  readonly expires: string;
}

/** How many rules each family of the requirements has. */
export const FAMILIES: Readonly<Record<string, number>> = { D: 8, M: 7, P: 11, B: 17, E: 14, O: 13 };

const STATES: readonly State[] = ["enforced", "in part", "not built"];
const ROW = /^\| ([A-Z]\d+) \| (.+?) \| (enforced|in part|not built) \| (.*?) \|$/;
const CHECK = /\[[^\]]+\]\(\.\.\/([^)]+)\) "([^"]+)"|rule "([^"]+)"|generated \[[^\]]+\]\(([^)]+)\)/g;

/** The rules in the constitution's tables, in their order. */
export function rulesIn(markdown: string): readonly Rule[] {
  return markdown.split("\n").flatMap((line) => {
    const [, id, text, state, cell = ""] = ROW.exec(line) ?? [];
    const known = STATES.find((one) => one === state);
    return id === undefined || text === undefined || known === undefined
      ? []
      : [{ id, text, state: known, checks: checksIn(cell) }];
  });
}

function checksIn(cell: string): readonly Check[] {
  return [...cell.matchAll(CHECK)].map(([, path, title, rule, generated]) => {
    if (path !== undefined && title !== undefined) return { kind: "test", path, title };
    if (rule !== undefined) return { kind: "rule", name: rule };
    return { kind: "generated", path: `contracts/${generated ?? ""}` };
  });
}

/** How many rules may be without a check. It may only shrink. */
export const allowedWithoutCheck = (markdown: string): number =>
  Number(/^Rules without a check: (\d+)$/m.exec(markdown)?.[1] ?? Number.NaN);

/** The version of the constitution. */
export const versionOf = (markdown: string): string => /^Version (\d+\.\d+\.\d+)$/m.exec(markdown)?.[1] ?? "";

const WAIVER =
  /^\| ([A-Z]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| (\d{4}-\d\d-\d\d) \| (\d{4}-\d\d-\d\d) \|$/;

/** The waivers in force, and those that have expired. */
export function waiversIn(markdown: string): readonly Waiver[] {
  return markdown.split("\n").flatMap((line) => {
    const [, rule, owner, rationale, plan, risk, granted, expires] = WAIVER.exec(line) ?? [];
    const cells = { rule, owner, rationale, plan, risk, granted, expires };
    return Object.values(cells).every((cell) => cell !== undefined) ? [cells as Waiver] : [];
  });
}
