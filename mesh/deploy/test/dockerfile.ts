import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEPLOY } from "./resources.ts";

/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** One stage: what it starts from, its name, and what is done in it. */
export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The text of our one Dockerfile. */
export const DOCKERFILE = readFileSync(join(DEPLOY, "images/Dockerfile"), "utf8");

/** The instructions of a Dockerfile, lines that go on joined. */
export const instructionsOf = (text: string): readonly Instruction[] =>
  text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => ({ word: line.slice(0, line.indexOf(" ")), rest: line.slice(line.indexOf(" ") + 1) }));

/** The stages of a Dockerfile, in their order. */
export function stagesOf(text: string): readonly Stage[] {
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const instruction of instructionsOf(text)) {
    if (instruction.word === "FROM") {
      const [, base = "", name] = /^(\S+)(?: AS (\S+))?$/.exec(instruction.rest) ?? [];
      stages.push({ base, name, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** What an image of ours may not be made of. */
export function dockerfileProblems(text: string): readonly string[] {
  const [first] = instructionsOf(text);
  const base = /^BASE=(\S+)$/.exec(first?.word === "ARG" ? first.rest : "")?.[1] ?? "";
  const stages = stagesOf(text);
  const last = stages.at(-1);
  const says = (word: string) => instructionsOf(text).some((instruction) => instruction.word === word);
  const user = last?.instructions.find(({ word }) => word === "USER")?.rest ?? "";
  const installs = instructionsOf(text).filter(
    ({ word, rest }) => word === "RUN" && /npm (ci|install)/.test(rest),
  );
  const taken = (last?.instructions ?? []).filter(({ rest }) => rest.startsWith("--from="));
  return [
    ...(/^[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$/.test(base)
      ? []
      : [`the base ${base} may move`]),
    ...stages
      .filter((stage) => stage.base !== `\${BASE}`)
      .map((stage) => `a stage starts from ${stage.base}`),
    ...(stages.length > 1 ? [] : ["what builds it is in it"]),
    ...(/^[1-9]\d{3,}:[1-9]\d{3,}$/.test(user) ? [] : [`it runs as ${user || "root"}`]),
    ...(says("ADD") ? ["ADD takes from anywhere: COPY"] : []),
    ...(says("HEALTHCHECK") ? ["HEALTHCHECK: who starts it asks whether it lives"] : []),
    ...(installs.some(({ rest }) => /npm install/.test(rest))
      ? ["npm install: npm ci keeps to the lock"]
      : []),
    ...(last?.instructions.some(({ word }) => word === "RUN") ? ["the last stage runs something"] : []),
    ...taken
      .filter(({ rest }) => !/^--from=(packages|page) /.test(rest))
      .map(({ rest }) => `the last stage takes ${rest}`),
    ...(last?.instructions.some(({ word, rest }) => word === "ENTRYPOINT" && rest.startsWith("["))
      ? []
      : ["a shell would swallow the signal to stop: ENTRYPOINT in brackets"]),
  ];
}
