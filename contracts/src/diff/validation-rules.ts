/** The rules over validation: what is sent is not refused later, what is received keeps its limits. */
import { type DescField, type DescMessage, getOption, hasOption } from "@bufbuild/protobuf";
import { field as validateField, message as validateMessage } from "../../gen/buf/validate/validate_pb.js";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import { field as ownField } from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract } from "../image/contract-image.ts";
import { positionOf } from "../image/source-text.ts";
import { isRequired } from "../schema/constraints.ts";
import { reachable } from "../schema/schema-catalogue.ts";
import { type DiffRule, type Finding, optionPosition } from "./finding.ts";
import { type LimitChange, limitChanges, limitsOf, messageLimits } from "./validation-limits.ts";

type Found = Omit<Finding, "rule">;
type Pair<Desc> = readonly [was: Desc, is: Desc];

/** The messages that are in both and that callers send. */
function sent(before: Contract, after: Contract): readonly Pair<DescMessage>[] {
  return pairs(before, after, reachable(after.rpcs.map(({ method }) => method.input)));
}

/** The messages that are in both and that callers or consumers receive. */
function received(before: Contract, after: Contract): readonly Pair<DescMessage>[] {
  const answers = after.rpcs.map(({ method }) => method.output);
  return pairs(before, after, reachable([...answers, ...after.events.map(({ message }) => message)]));
}

function pairs(before: Contract, after: Contract, names: ReadonlySet<string>): readonly Pair<DescMessage>[] {
  return [...names].flatMap((name) => {
    const [was, is] = [before.registry.getMessage(name), after.registry.getMessage(name)];
    return was !== undefined && is !== undefined ? [[was, is] as const] : [];
  });
}

function* fieldPairs(messages: readonly Pair<DescMessage>[]): Generator<Pair<DescField>> {
  for (const [was, is] of messages) {
    for (const field of was.fields) {
      const now = is.fields.find(({ number }) => number === field.number);
      if (now !== undefined) yield [field, now];
    }
  }
}

const pathOf = (field: DescField): string => `${field.parent.typeName}.${field.name}`;

function* limitFindings(
  messages: readonly Pair<DescMessage>[],
  wanted: "tightened" | "loosened",
  words: (what: string, change: LimitChange) => { breaks: string; instead: string },
): Generator<Found> {
  for (const [was, is] of fieldPairs(messages)) {
    for (const change of limitChanges(limitsOf(was), limitsOf(is))) {
      if (change[wanted]) yield { position: optionPosition(is, validateField), ...words(pathOf(is), change) };
    }
  }
  for (const [was, is] of messages) {
    for (const change of limitChanges(messageLimits(was), messageLimits(is))) {
      if (change[wanted])
        yield { position: optionPosition(is, validateMessage), ...words(is.typeName, change) };
    }
  }
}

const told = ({ limit, was, is }: LimitChange): string => {
  const now = is === undefined ? "is gone" : `is ${JSON.stringify(is)}`;
  return was === undefined ? `${limit} ${now}` : `${limit} ${now}, it was ${JSON.stringify(was)}`;
};

function behaviour(field: DescField): readonly FieldBehavior[] {
  return hasOption(field, field_behavior) ? getOption(field, field_behavior) : [];
}

function isPrivate(field: DescField): boolean {
  return hasOption(field, ownField) && getOption(field, ownField).private;
}

export const VALIDATION_RULES: readonly DiffRule[] = [
  {
    name: "validation-tightened",
    holds: "what a caller sends today is not refused tomorrow",
    check: (before, after) =>
      limitFindings(sent(before, after), "tightened", (what, change) => ({
        breaks: `callers that send ${what} as they may today are refused: ${told(change)}`,
        instead: "keep the limit, or take a new field with the new one",
      })),
  },
  {
    name: "validation-loosened",
    holds: "what a reader receives keeps its limits",
    check: (before, after) =>
      limitFindings(received(before, after), "loosened", (what, change) => ({
        breaks: `readers of ${what} get values that they were promised not to see: ${told(change)}`,
        instead: "keep the limit, or tell the wider values in a new field",
      })),
  },
  {
    name: "field-demanded",
    holds: "a field that may be left out may go on being left out",
    *check(before, after): Generator<Found> {
      for (const [was, is] of fieldPairs(sent(before, after))) {
        if (isRequired(was) || !isRequired(is)) continue;
        // Where a limit demands it, that limit is found by itself.
        if (limitChanges(limitsOf(was), limitsOf(is)).some(({ tightened }) => tightened)) continue;
        yield {
          position: positionOf(is),
          breaks: `callers that leave ${pathOf(is)} out are refused`,
          instead: "let it have a default, or demand it in a new RPC",
        };
      }
      yield* newAndDemanded(before, after);
    },
  },
  {
    name: "field-closed",
    holds: "a field that callers set goes on being theirs",
    *check(before, after): Generator<Found> {
      for (const [was, is] of fieldPairs(sent(before, after))) {
        const closing = [FieldBehavior.OUTPUT_ONLY, FieldBehavior.IMMUTABLE];
        const added = closing.filter((one) => behaviour(is).includes(one) && !behaviour(was).includes(one));
        for (const one of added) {
          yield {
            position: positionOf(is),
            breaks: `callers that set ${pathOf(is)} are no longer heard: it is ${FieldBehavior[one]}`,
            instead: "keep it settable, and offer what the service decides in a field of its own",
          };
        }
      }
    },
  },
  {
    name: "privacy-dropped",
    holds: "what a user typed or owns stays out of logs and spans",
    *check(before, after): Generator<Found> {
      const everything = [...new Set([...sent(before, after), ...received(before, after)])];
      const seen = new Set<string>();
      for (const [was, is] of fieldPairs(everything)) {
        if (!isPrivate(was) || isPrivate(is) || seen.has(pathOf(is))) continue;
        seen.add(pathOf(is));
        yield {
          position: positionOf(is),
          breaks: `users of ${pathOf(is)} find it in logs and traces of every service that handles it`,
          instead: "keep private: true",
        };
      }
    },
  },
];

/** A field that is new in a message that is not, and that callers of today do not send. */
function* newAndDemanded(before: Contract, after: Contract): Generator<Found> {
  for (const [was, is] of sent(before, after)) {
    for (const field of is.fields) {
      if (was.fields.some(({ number }) => number === field.number) || !isRequired(field)) continue;
      yield {
        position: positionOf(field),
        breaks: `callers of today do not send ${pathOf(field)} and are refused`,
        instead: "let it have a default, or demand it in a new RPC",
      };
    }
  }
}
