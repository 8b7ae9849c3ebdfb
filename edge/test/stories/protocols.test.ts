import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, type DescMethod, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "../../../mesh/chassis/src/testing/eventually.ts";
import { resolveBinary } from "../../../mesh/dev/src/binaries/resolve.ts";
import { Platform } from "../../../mesh/dev/testing/platform.ts";
import { caller, carries, isExposed, type Outside, PROTOCOLS } from "../protocols/reach.ts";

const run = promisify(execFile);
const ROOT = new URL("../../../", import.meta.url);
/** The tag of field 51001, length-delimited: how every option of ours begins on the wire. */
const OWN_OPTION = Buffer.from([0xca, 0xf3, 0x18]);
const nameOf = ({ parent, name }: DescMethod) => `${parent.typeName}/${name}`;
const registryOf = (file: string): FileRegistry =>
  createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
const methodsIn = (registry: FileRegistry): readonly DescMethod[] =>
  [...registry].flatMap((type) => (type.kind === "service" ? type.methods : []));

/** The edge, tried from outside over everything that it speaks, by clients that share no code with it. */
describe("the edge", () => {
  let platform: Platform;
  let outside: Outside;
  let grpcurl: string;
  let folder: string;
  /** Every RPC of the contract, exposed or not. */
  let methods: readonly DescMethod[];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-protocols-"));
    grpcurl = (await resolveBinary("grpcurl")).path;
    // What a client that cannot reflect is given: the contract as it is published.
    const built = run("buf", ["build", "-o", join(folder, "contract.binpb")], { cwd: ROOT });
    platform = await Platform.start();
    await built;
    methods = methodsIn(registryOf(join(folder, "contract.binpb"))).filter(({ parent }) =>
      parent.typeName.startsWith("orrery."),
    );
    const { edge, edgeGrpc, caFile } = platform.run;
    outside = { edge, edgeGrpc, caPem: readFileSync(caFile, "utf8"), key: platform.key() };
  }, 300_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await platform[Symbol.asyncDispose]();
  }, 90_000);

  const said = async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await run(program, [...args], { cwd: ROOT, timeout: 20_000 });
    return stdout;
  };
  const key = () => `authorization: Bearer ${outside.key}`;
  const tls = () => ["--cacert", platform.run.caFile, "--reflect-header", key()];
  const given = () => ["--schema", join(folder, "contract.binpb")];
  const SUBMIT = "orrery.jobs.v1.JobsService/SubmitJob";

  const submissions: readonly (readonly [client: string, submit: (job: string) => Promise<string>])[] = [
    [
      "grpcurl",
      (job) =>
        said(grpcurl, ["-cacert", platform.run.caFile, "-H", key(), "-d", job, outside.edgeGrpc, SUBMIT]),
    ],
    ["buf curl with gRPC", (job) => bufCurl("grpc", tls(), `https://${outside.edgeGrpc}`, job)],
    ["buf curl with gRPC-Web", (job) => bufCurl("grpcweb", given(), outside.edge, job)],
    ["buf curl with Connect", (job) => bufCurl("connect", given(), outside.edge, job)],
    [
      "curl",
      (job) =>
        said("curl", [
          ...["-sS", "--fail", "-H", key(), "-H", "content-type: application/json"],
          ...["-d", job, `${outside.edge}/v1/jobs`],
        ]),
    ],
  ];
  const bufCurl = (protocol: string, how: readonly string[], base: string, job: string) =>
    said("buf", ["curl", "--protocol", protocol, ...how, "-H", key(), "-d", job, `${base}/${SUBMIT}`]);

  test("takes a job from grpcurl, from buf curl in three protocols and from curl, and each succeeds", async () => {
    for (const [client, submit] of submissions) {
      const job = JSON.stringify({ task: "orrery.echo", input: { client } });
      const printed = await eventually(() => submit(job), { withinMs: 20_000 });
      const id = /"id": ?"([0-9a-f-]{36})"/.exec(printed)?.[1];
      await eventually(
        async () => {
          const { body } = await platform.send("GET", `/v1/jobs/${id}`);
          expect(body).toMatchObject({ status: "SUCCEEDED", output: { client } });
        },
        { withinMs: 20_000 },
      );
    }
    process.stdout.write(`${submissions.length} clients submitted a job through the edge: all SUCCEEDED\n`);
  }, 90_000);

  test.each(PROTOCOLS)(
    "serves over %s every RPC that is exposed and that it can carry, and no other",
    async (protocol) => {
      const call = caller(protocol, outside);
      const carried = methods.filter((method) => carries(protocol, method));
      let pending = true;
      const calls = Promise.all(carried.map(async (method) => [nameOf(method), await call(method)])).finally(
        () => {
          pending = false;
        },
      );
      // A watch answers when something happens.
      while (pending)
        await platform.send("POST", "/v1/jobs", {
          body: { task: "orrery.echo" },
          headers: { prefer: "wait=5" },
        });
      const [open, internal] = [carried.filter(isExposed), carried.filter((method) => !isExposed(method))];
      expect(Object.fromEntries(await calls)).toEqual({
        ...Object.fromEntries(open.map((method) => [nameOf(method), "answered"])),
        ...Object.fromEntries(internal.map((method) => [nameOf(method), "absent"])),
      });
      process.stdout.write(
        `${protocol}: ${open.length} of ${methods.filter(isExposed).length} exposed RPCs reached, ` +
          `${internal.length} internal tried and not there\n`,
      );
    },
    60_000,
  );

  test("shows in reflection every RPC that is exposed, and nothing of the options that rule inside", async () => {
    const file = join(folder, "reflected.binpb");
    const ask = [
      "-cacert",
      platform.run.caFile,
      "-H",
      key(),
      "-protoset-out",
      file,
      outside.edgeGrpc,
      "describe",
    ];
    await said(grpcurl, ask);
    const reflected = registryOf(file);
    const shown = methodsIn(reflected).map(nameOf);
    const [ours, standard] = [true, false].map((own) =>
      shown.filter((name) => name.startsWith("orrery.") === own),
    );
    expect(ours?.toSorted()).toEqual(methods.filter(isExposed).map(nameOf).toSorted());
    expect(standard?.toSorted()).toEqual([
      "grpc.health.v1.Health/Check",
      "grpc.health.v1.Health/List",
      "grpc.health.v1.Health/Watch",
      "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ]);
    const extensions = [...reflected].filter((type) => type.kind === "extension");
    expect(extensions.filter(({ typeName }) => typeName.startsWith("orrery."))).toEqual([]);
    const own = [...reflected.files].filter(({ name }) => name.startsWith("orrery/"));
    expect(own.map(({ name }) => name)).not.toContain("orrery/options/v1/options");
    expect(readFileSync(file).includes(OWN_OPTION)).toBe(false);
    expect(readFileSync(join(folder, "contract.binpb")).includes(OWN_OPTION)).toBe(true);
    process.stdout.write(
      `reflection: ${shown.length} RPCs in ${own.length} files of ours, no option of ours\n`,
    );
  });
});
