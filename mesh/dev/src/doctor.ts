import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { binaryNamed } from "./binaries/catalogue.ts";
import { resolvePostgres } from "./binaries/postgres-folder.ts";
import { isAtLeast, isProgram, onPath, printedVersion } from "./binaries/program.ts";
import { cachedBinary, findBinary } from "./binaries/resolve.ts";
import { isFree } from "./free-port.ts";
import { isRoot } from "./places.ts";
import { isAlive } from "./process-table.ts";
import { isReady } from "./readiness.ts";
import { type RunFile, readRunFile } from "./run-file.ts";
import type { Settings } from "./settings.ts";

/** What a check came to. `explained` is a place in mesh/dev/README.md. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "note" | "wrong";
  readonly found: string;
  readonly explained: string;
}

const NODE_MINIMUM = "24.0";
const SPACE_MINIMUM_GIB = 2;

/** Looks at this machine and at the platform of a home, changes nothing, and finds what is wrong. */
export async function examine(settings: Settings): Promise<readonly Finding[]> {
  const run = readRunFile(settings.home);
  const machine = [
    await node(),
    await postgres(),
    natsServer(),
    elasticsearch(settings),
    observers(settings),
    space(settings.home),
  ];
  return [
    ...machine,
    ...(run === undefined ? [await ports(settings), idle(settings.home)] : await platform(run)),
  ];
}

/**
 * Prints one line for each finding, and where it is explained for what is wrong. Returns whether nothing is.
 */
export function tell(findings: readonly Finding[], print: (line: string) => void): boolean {
  const marks = { ok: "√", note: "‼", wrong: "×" } as const;
  for (const { check, state, found, explained } of findings) {
    print(`${marks[state]} ${check}: ${found}`);
    if (state !== "ok") print(`    see mesh/dev/README.md#${explained}`);
  }
  return findings.every(({ state }) => state !== "wrong");
}

async function node(): Promise<Finding> {
  const { node: version } = process.versions;
  const state = isAtLeast(version, NODE_MINIMUM) ? "ok" : "wrong";
  return { check: "Node", state, found: `${version}, ${NODE_MINIMUM} or newer is needed`, explained: "node" };
}

async function postgres(): Promise<Finding> {
  const check = "PostgreSQL's programs";
  try {
    const { postgres: path } = await resolvePostgres();
    return { check, state: "ok", found: path, explained: "postgresql" };
  } catch (error) {
    return { check, state: "wrong", found: String(error), explained: "postgresql" };
  }
}

function natsServer(): Finding {
  const binary = binaryNamed("nats-server");
  const path = process.env[binary.variable] || cachedBinary(binary) || onPath(binary.name);
  const check = "nats-server";
  if (path !== undefined && isProgram(path)) {
    return { check, state: "ok", found: path, explained: "nats-server" };
  }
  const how = onPath("go") ? "go install" : onPath("apt-get") ? "apt-get install nats-server" : undefined;
  if (how)
    return { check, state: "ok", found: `comes at the first start by ${how}`, explained: "nats-server" };
  return {
    check,
    state: "wrong",
    found: "is not here, nor Go or apt-get to get it",
    explained: "nats-server",
  };
}

function elasticsearch({ readModel }: Settings): Finding {
  const java = onPath("java");
  const version = java && printedVersion(java, ["-version"]);
  const able = version !== undefined && isAtLeast(version, "17") && onPath("mvn") !== undefined;
  const wanted = readModel === "elasticsearch";
  return {
    check: "Elasticsearch",
    state: able ? "ok" : wanted ? "wrong" : "note",
    found: able
      ? `Java ${version} and Maven are here`
      : "needs Java 17 or newer and Maven, for READ_MODEL=elasticsearch",
    explained: "elasticsearch",
  };
}

function observers({ observe }: Settings): Finding {
  const missing = ["prometheus", "alertmanager"].filter((name) => findBinary(name) === undefined);
  const comes = onPath("apt-get") !== undefined && isRoot();
  const found =
    missing.length === 0
      ? "both are here"
      : `${missing.join(" and ")} ${comes ? "come" : "have to come"} by apt-get, for OBSERVE=1`;
  const state = missing.length === 0 ? "ok" : observe && !comes ? "wrong" : "note";
  return { check: "Prometheus and Alertmanager", state, found, explained: "prometheus-and-alertmanager" };
}

function space(home: string): Finding {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const gib = (bavail * bsize) / 2 ** 30;
  const state = gib >= SPACE_MINIMUM_GIB ? "ok" : "wrong";
  return { check: "space", state, found: `${gib.toFixed(1)} GiB free below ${folder}`, explained: "space" };
}

async function ports({ firstPort }: Settings): Promise<Finding> {
  const taken = !(await isFree(firstPort));
  const found = taken ? `${firstPort} is taken: the next free one will be used` : `${firstPort} is free`;
  return { check: "port", state: taken ? "note" : "ok", found, explained: "ports" };
}

const idle = (home: string): Finding => ({
  check: "platform",
  state: "note",
  found: `none runs in ${home}: make run starts one`,
  explained: "platform",
});

async function platform(run: RunFile): Promise<readonly Finding[]> {
  const launcher: Finding = isAlive(run.pid)
    ? { check: "launcher", state: "ok", found: `process ${run.pid}`, explained: "platform" }
    : {
        check: "launcher",
        state: "wrong",
        found: `process ${run.pid} is gone: make run`,
        explained: "platform",
      };
  const services = Object.entries(run.services).flatMap(([name, replicas]) =>
    replicas.map((replica, index) => answers(`${name}-${index}`, `${replica.admin}/readyz`, run)),
  );
  const edges = run.edges.map((edge, index) => answers(`edge ${index}`, `${edge}/readyz`, run));
  return [launcher, leaf(run), ...(await Promise.all([...services, ...edges]))];
}

async function answers(check: string, url: string, run: RunFile): Promise<Finding> {
  try {
    await isReady(url, url.startsWith("https") ? operatorOf(run) : undefined);
    return { check, state: "ok", found: `${url} answers 200`, explained: "readiness" };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { check, state: "wrong", found, explained: "readiness" };
  }
}

function leaf(run: RunFile): Finding {
  const { validToDate } = new X509Certificate(readFileSync(operatorOf(run).certFile));
  const state = validToDate.getTime() > Date.now() ? "ok" : "wrong";
  return {
    check: "certificates",
    state,
    found: `good until ${validToDate.toISOString()}`,
    explained: "certificates",
  };
}

function operatorOf(run: RunFile) {
  const certFile = run.identities.operator?.certFile ?? "";
  const folder = dirname(certFile);
  const paths = { identityFile: join(folder, "identity.pem"), keyFile: join(folder, "key.pem") };
  return { certFile, ...paths, caFile: run.caFile };
}
