import { expect, test } from "@jest/globals";
import { brokerConfig } from "../../src/config/broker-config.ts";
import { ConfigError, type ConfigReader, readConfig } from "../../src/config/read-config.ts";
import { serviceConfig } from "../../src/config/service-config.ts";

const problemsOf = (build: (read: ConfigReader) => object, env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    readConfig(build, env);
    return [];
  } catch (failure) {
    if (failure instanceof ConfigError) return failure.problems;
    throw failure;
  }
};

test("all problems are reported together, each with its range and what was found", () => {
  const problems = problemsOf(
    (read) => ({
      a: read.text("A"),
      b: read.integer("B", { min: 1, max: 10 }),
      c: read.durationMs("C", { min: 1_000, max: 60_000 }),
      d: read.choice("D", { of: ["red", "green"] }),
      e: read.address("E"),
      f: read.file("F"),
      g: read.text("G", { pattern: /^[a-z]+$/ }),
      h: read.addresses("H"),
    }),
    { B: "11", C: "15", D: "blue", E: "localhost", F: "/does/not/exist", G: "A1", H: "a:1,b" },
  );
  expect(problems).toEqual([
    "A is not set",
    'B has to be a whole number from 1 to 10, found "11"',
    'C has to be a duration such as "250ms", "15s" or "1m", from 1000 ms to 60000 ms, found "15"',
    'D has to be one of red, green, found "blue"',
    'E has to be host:port, with a port from 0 to 65535, found "localhost"',
    'F has to be the path of a file that this process can read (ENOENT), found "/does/not/exist"',
    'G has to match ^[a-z]+$, found "A1"',
    'H has to be host:port, with a port from 0 to 65535, one or more with commas between them, found "a:1,b"',
  ]);
});

test("values are read in their types, with defaults, and the result is frozen", () => {
  const config = readConfig(
    (read) => ({
      count: read.integer("COUNT", { min: -5, max: 5 }),
      edge: read.integer("EDGE", { min: 1, max: 10 }),
      slow: read.durationMs("SLOW", { min: 0, max: 100_000_000 }),
      quick: read.durationMs("QUICK", { min: 0, max: 1_000, default: 5 }),
      peers: read.addresses("PEERS"),
      words: read.list("WORDS"),
      none: read.list("NONE", { default: ["x"] }),
      maybe: read.optionalText("MAYBE"),
    }),
    { COUNT: "-5", EDGE: "10", SLOW: "24h", PEERS: "localhost:1, [::1]:2", WORDS: " a, b ,,", MAYBE: "" },
  );
  expect(config).toEqual({
    count: -5,
    edge: 10,
    slow: 86_400_000,
    quick: 5,
    peers: [
      { host: "localhost", port: 1 },
      { host: "::1", port: 2 },
    ],
    words: ["a", "b"],
    none: ["x"],
    maybe: undefined,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test.each(["1.5", "1e3", " 5", "0x10", "9999999999999999", "", "five"])(
  "%p is not taken for a number",
  (text) => {
    expect(problemsOf((read) => ({ n: read.integer("N", { min: 0, max: 1e15 }) }), { N: text })).toHaveLength(
      1,
    );
  },
);

test.each(["1", "1.5s", "-1s", "1 s", "s", "1d"])("%p is not taken for a duration", (text) => {
  const limits = { min: 0, max: 1e9 };
  expect(problemsOf((read) => ({ d: read.durationMs("D", limits) }), { D: text })).toHaveLength(1);
});

const SERVICE = {
  ORRERY_SERVICE: "echo",
  ORRERY_INSTANCE: "echo-0",
  ORRERY_GRPC_ADDRESS: "127.0.0.1:0",
  ORRERY_ADMIN_ADDRESS: "127.0.0.1:0",
};

test("a service that terminates TLS itself needs its files, one behind a mesh's proxy does not", () => {
  expect(problemsOf(serviceConfig, SERVICE)).toEqual([
    "ORRERY_IDENTITY_FILE is not set",
    "ORRERY_CA_FILE is not set",
  ]);
  const meshed = readConfig(serviceConfig, {
    ...SERVICE,
    ORRERY_IDENTITY_SOURCE: "linkerd",
    ORRERY_REFLECTION: "off",
  });
  expect(meshed).toMatchObject({
    service: "echo",
    identityFile: undefined,
    reflection: false,
    logLevel: "info",
  });
});

test("the broker's address says by its scheme whether the connection is encrypted, or is refused", () => {
  const problems = (url: string) => problemsOf(brokerConfig, { ORRERY_NATS_URL: url });
  expect(["tls://nats:4222", "nats://127.0.0.1:4222", "tls://a:4222,tls://b:4222"].flatMap(problems)).toEqual(
    [],
  );
  expect(["nats:4222", "http://nats:4222", "tls://", ""].map((url) => problems(url).length)).toEqual([
    1, 1, 1, 1,
  ]);
});
