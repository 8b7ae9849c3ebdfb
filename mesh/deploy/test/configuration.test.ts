import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WORKLOADS, type Workload } from "@orrery/mesh/topology";
import { parse } from "yaml";
import { serviceCommand } from "../../dev/src/service-launch.ts";
import { LEFT_OUT } from "../src/configuration.ts";
import { APP } from "../src/names.ts";
import { configOf, configurationProblems, withFiles } from "./configured.ts";
import type { Started } from "./read-configurations.ts";
import { DEPLOY, ROOT, resourcesIn, variablesIn } from "./resources.ts";

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { readonly command?: readonly string[]; readonly environment?: Readonly<Record<string, string>> }
    >
  >;
}

const compose = parse(readFileSync(join(DEPLOY, "compose/compose.yaml"), "utf8")) as Compose;
const pods = resourcesIn("platform", "migrations").filter(({ spec }) => spec?.template !== undefined);
const containerOf = (name: string) =>
  pods.find(({ metadata }) => metadata.name === name)?.spec.template?.spec.containers[0];

/** What a Deployment gives its process. */
const inCluster = (name: string) => ({
  ...variablesIn(`kubernetes/platform/${name}.env`),
  ORRERY_INSTANCE: `${name}-7d9c5b6f4-x2x8k`,
});
const onOneHost = (name: string) => compose.services[name]?.environment ?? {};

const NAME = /\bORRERY_[A-Z_]+\b/g;
const namesIn = (path: string): readonly string[] => readFileSync(join(ROOT, path), "utf8").match(NAME) ?? [];

/** The chassis' readers that a file calls, such as `serviceConfig(read)` of service-config.ts. */
const chassisReadersOf = (path: string): readonly string[] => {
  const calls = readFileSync(join(ROOT, path), "utf8").matchAll(/\b([a-z]+)Config\(read\b/g);
  return [...new Set([...calls].map(([, name = ""]) => `mesh/chassis/src/config/${name}-config.ts`))];
};

/** Every variable that a workload's code names: its own, those that the chassis reads for it, those of tracing. */
const readBy = ({ folder }: Workload): ReadonlySet<string> =>
  new Set([
    ...[`${folder}/src/config.ts`, ...chassisReadersOf(`${folder}/src/config.ts`)].flatMap(namesIn),
    ...["preload", "span-export"].flatMap((name) => namesIn(`mesh/chassis/src/telemetry/${name}.cjs`)),
  ]);

/** Read by all through the tracing that all load, and only of use at the edge, which samples. */
const AT_THE_EDGE = new Set(["ORRERY_TRACES_PER_SECOND", "ORRERY_TRACE_RATIO"]);
/** Absent where TLS of the edge ends nowhere: on one host its ports are on the loopback. */
const ONLY_SOMEWHERE = new Set(["ORRERY_HTTP_IDENTITY_FILE"]);

describe("the configuration", () => {
  test.each(WORKLOADS.map((workload) => [workload.name, workload] as const))(
    "of %s has a place for every variable that it reads, and for no other",
    (name, workload) => {
      const read = readBy(workload);
      for (const given of [inCluster(name), onOneHost(name)]) {
        const unread = Object.keys(given).filter(
          (variable) => variable !== "NODE_ENV" && !read.has(variable),
        );
        const unset = [...read].filter(
          (variable) =>
            !(variable in given) &&
            !(variable in LEFT_OUT) &&
            !ONLY_SOMEWHERE.has(variable) &&
            !(AT_THE_EDGE.has(variable) && name !== "gateway"),
        );
        expect({ unread, unset }).toEqual({ unread: [], unset: [] });
      }
    },
  );

  test("leaves out only what some workload reads", () => {
    const read = new Set(WORKLOADS.flatMap((workload) => [...readBy(workload)]));
    expect(Object.keys(LEFT_OUT).filter((variable) => !read.has(variable))).toEqual([]);
  });

  test("names on one host what it names in the cluster, but for TLS at the edge", () => {
    for (const { name } of WORKLOADS) {
      const [here, there] = [onOneHost(name), inCluster(name)].map((given) =>
        Object.keys(given)
          .filter((variable) => !ONLY_SOMEWHERE.has(variable))
          .sort(),
      );
      expect([name, here]).toEqual([name, there]);
    }
  });

  test.each(WORKLOADS.map((workload) => [workload.name, workload] as const))(
    "starts %s with the flags of the laptop",
    (name, workload) => {
      const { args } = serviceCommand(
        { workload, instance: `${name}-0`, grpcPort: 1, adminPort: 2, edge: undefined },
        {
          settings: { home: tmpdir(), handedThrough: {}, readModel: "embedded", relay: "on" } as never,
          placed: [],
          postgresPort: 0,
          natsUrl: "",
          elasticsearchUrl: undefined,
          alertmanagerUrl: undefined,
          keysFile: "",
          webFolder: undefined,
          identity: () => ({ identityFile: "", certFile: "", keyFile: "", caFile: "" }),
        },
      );
      const laptop = args.map((argument) => argument.replace(ROOT, APP));
      expect([containerOf(name)?.args, compose.services[name]?.command]).toEqual([laptop, laptop]);
    },
  );
});

describe("every process", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "orrery-deploy-"));
    writeFileSync(join(folder, "file"), "");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const mounted = (environment: Readonly<Record<string, string>>) =>
    withFiles(environment, join(folder, "file"));

  const processes = (): readonly Started[] =>
    WORKLOADS.flatMap((workload) => {
      const { name, database } = workload;
      const config = configOf(name);
      const migrations = `${name}-migrations`;
      const job = Object.fromEntries(
        (containerOf(migrations)?.env ?? []).map(({ name: variable, value = "" }) => [variable, value]),
      );
      return [
        { title: `${name} in the cluster`, config, environment: mounted(inCluster(name)) },
        { title: `${name} on one host`, config, environment: mounted(onOneHost(name)) },
        ...(database === null
          ? []
          : [
              { title: `${migrations} in the cluster`, config, environment: mounted(job) },
              { title: `${migrations} on one host`, config, environment: mounted(onOneHost(migrations)) },
            ]),
      ];
    });

  test("takes its configuration as its manifest has it", () => {
    const started = processes();
    expect(configurationProblems(started)).toEqual([]);
    process.stdout.write(`configuration: ${started.length} processes read theirs without a complaint\n`);
  });

  test("would complain of a manifest that lacks what it needs", () => {
    const [first] = processes();
    if (first === undefined) throw new Error("nothing is started");
    const { ORRERY_NATS_URL: _, ...environment } = first.environment;
    expect(configurationProblems([{ ...first, environment }])).toEqual([
      expect.stringContaining("ORRERY_NATS_URL is not set"),
    ]);
  });

  test("runs its migrations as the role that owns the schema, and serves as one that does not", () => {
    for (const { name, database } of WORKLOADS) {
      if (database === null) continue;
      const roles = [onOneHost(`${name}-migrations`), onOneHost(name)].map(
        ({ ORRERY_DATABASE_ROLE: role }) => role,
      );
      expect(roles).toEqual([database.ownerRole, database.role]);
      const job = containerOf(`${name}-migrations`)?.env?.find(
        ({ name: is }) => is === "ORRERY_DATABASE_ROLE",
      );
      expect(job?.value).toBe(database.ownerRole);
    }
  });
});
