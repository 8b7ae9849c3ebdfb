import type { SourceFile } from "./source-tree.ts";

/** A rule that the text of a file can break, line by line. */
export interface TextRule {
  readonly name: string;
  /** The files it holds for. */
  readonly holdsFor: RegExp;
  /** Files it does not hold for, because they are the home of the thing. */
  readonly home?: RegExp;
  /** What a line must not hold. */
  readonly forbidden: RegExp;
  readonly fix: string;
  /** Whether comments count too; they do not unless said. */
  readonly comments?: boolean;
}

const PRODUCT = /^(services|edge|mesh\/chassis)\/.*src\/.*\.ts$/;

export const TEXT_RULES: readonly TextRule[] = [
  {
    name: "environment is read in one place",
    holdsFor: PRODUCT,
    home: /^mesh\/chassis\/src\/(config|testing)\//,
    forbidden: /\bprocess\.env\b/,
    fix: "read it in config.ts through readConfig, and pass the value",
  },
  {
    name: "time and chance are parameters",
    holdsFor: /^(services\/[^/]+|mesh\/chassis)\/src\/.*\.ts$/,
    home: /^mesh\/chassis\/src\/(time|testing)\//,
    forbidden: /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomUUID\(|\bperformance\.now\(/,
    fix: "take a Clock or a Chance from @orrery/mesh/time/clock",
  },
  {
    name: "SQL lives in statements",
    holdsFor: /^(services|edge)\/[^/]+\/src\/.*\.ts$/,
    home: /(-statements\.ts|\/adapters\/embedded\/)/,
    forbidden: /["'`](select|insert into|update|delete from) /i,
    fix: "move it to a named constant in *-statements.ts",
  },
  {
    name: "no domain noun in the chassis",
    holdsFor: /^mesh\/chassis\/src\/.*\.ts$/,
    forbidden: /\b(job|jobs|mission|missions|jobId|missionId)\b/i,
    fix: "the chassis serves any service: name the thing generally, or move it into the service",
  },
  {
    name: "erasable TypeScript",
    holdsFor: /\.ts$/,
    forbidden: /^\s*(export\s+)?(const\s+)?enum\s|^\s*(export\s+)?namespace\s|^\s*@[A-Z]\w+\(/,
    fix: "Node strips types and nothing else: use a union, a const object or a plain function",
  },
  {
    name: "no unfinished work",
    holdsFor: /\.(ts|tsx|mjs|cjs|proto|sql)$/,
    home: /^mesh\/tidy\//,
    forbidden: /\b(TODO|FIXME|XXX|HACK)\b|\.only\(|\bxit\(|\bxdescribe\(/,
    fix: "do it, or take it out and say in the README what is not there",
    comments: true,
  },
  {
    name: "no path or host of one machine",
    holdsFor: /./,
    home: /^mesh\/tidy\//,
    forbidden: /(^|[^A-Za-z0-9_.])\/(root|home\/[a-z]+)\/|registry\.npmjs\.org|proxy\.golang\.org/,
    fix: "use a path from the root of the checkout, and no download address",
    comments: true,
  },
  {
    name: "imports name their file",
    holdsFor: /^(services|edge|mesh|contracts)\/.*\.ts$/,
    home: /^mesh\/tidy\/test\//,
    forbidden: /from\s+["']\.{1,2}\/[^"']*(?<!\.tsx?|\.js|\.mjs|\.cjs|\.json|\.css|\.svg)["']/,
    fix: "end a relative import in .ts or .tsx",
  },
  {
    name: "vague file names",
    holdsFor: /(^|\/)(utils?|common|helpers?|manager|misc)\.ts$/,
    forbidden: /./,
    fix: "name the file after what it holds",
  },
  {
    name: "no swallowed exception",
    holdsFor: PRODUCT,
    forbidden: /catch\s*(\([^)]*\))?\s*\{\s*\}/,
    fix: "handle it, or say in a comment inside why nothing is to be done",
  },
];

const LINE_LIMIT = 120;

/** What one file breaks, as `path:line: rule: fix`. */
export function breaches(file: SourceFile, rules: readonly TextRule[] = TEXT_RULES): readonly string[] {
  const found: string[] = [];
  for (const rule of rules) {
    if (!rule.holdsFor.test(file.path) || rule.home?.test(file.path)) continue;
    file.text.split("\n").forEach((line, index) => {
      const subject = rule.comments ? line : withoutComment(line);
      if (rule.forbidden.test(subject)) found.push(`${file.path}:${index + 1}: ${rule.name}: ${rule.fix}`);
    });
  }
  return found;
}

/** Lines over the limit; one with a long address, a table row or an import of one name has no better place to break. */
export function longLines(file: SourceFile): readonly string[] {
  return file.text.split("\n").flatMap((line, index) => {
    if (
      line.length <= LINE_LIMIT ||
      /https?:\/\/\S{40}|^\s*(--|\/\/)?\s*\||^(import|export) .* from "/.test(line)
    )
      return [];
    return [`${file.path}:${index + 1}: ${line.length} characters: break it at ${LINE_LIMIT}`];
  });
}

function withoutComment(line: string): string {
  if (/^\s*(\/\/|\/?\*)/.test(line)) return "";
  return line.replace(/\s\/\/.*$/, "").replace(/\/\*.*?\*\//g, "");
}
