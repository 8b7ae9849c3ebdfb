import type { DescEnum } from "@bufbuild/protobuf";
import type { Contract } from "../image/contract-image.ts";
import { type Position, positionOf } from "../image/source-text.ts";
import { EVENT_RULES } from "./event-rules.ts";
import type { DiffRule, Finding } from "./finding.ts";
import { REASON_RULES } from "./reason-rules.ts";
import { ROUTE_RULES } from "./route-rules.ts";
import { RPC_RULES } from "./rpc-rules.ts";
import { VALIDATION_RULES } from "./validation-rules.ts";

/** Every rule of ours, beside those that buf has. */
export const DIFF_RULES: readonly DiffRule[] = [
  ...ROUTE_RULES,
  ...RPC_RULES,
  ...VALIDATION_RULES,
  ...EVENT_RULES,
  ...REASON_RULES,
];

/**
 * Every promise of the earlier contract that the later one breaks and that `buf breaking` does not see.
 *
 * @param except - names of rules that are left out
 */
export function contractDiff(
  before: Contract,
  after: Contract,
  except: ReadonlySet<string> = new Set(),
): readonly Finding[] {
  const found = DIFF_RULES.filter(({ name }) => !except.has(name)).flatMap((rule) =>
    [...rule.check(before, after)].map((finding) => ({ ...finding, rule: rule.name })),
  );
  return found.sort((left, right) => order(left.position, right.position));
}

/** What breaks nobody and deserves a look: values that are new to whoever switches over an enum. */
export function notes(before: Contract, after: Contract): readonly { position: Position; text: string }[] {
  return [...enumsOf(after)].flatMap((now) => {
    const was = before.registry.getEnum(now.typeName);
    if (was === undefined) return [];
    const added = now.values.filter(({ number }) => !was.values.some((value) => value.number === number));
    return added.map((value) => ({
      position: positionOf(value),
      text: `${now.typeName} can be ${value.name}: a switch over it needs a branch for values it does not know`,
    }));
  });
}

function enumsOf({ files }: Contract): Iterable<DescEnum> {
  const found: DescEnum[] = [];
  const within = (scope: {
    nestedEnums: readonly DescEnum[];
    nestedMessages: readonly (typeof scope)[];
  }): void => {
    found.push(...scope.nestedEnums);
    scope.nestedMessages.forEach(within);
  };
  for (const { enums, messages } of files) {
    found.push(...enums);
    messages.forEach(within);
  }
  return found;
}

function order(left: Position, right: Position): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}
